//! Reading a value: a post of its own, in the record before the value leaves. Its answer is the only page that holds it.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{
    Op, Refused, Replayed,
    secrets::{Address, As, ReadSecretError, Revealed, SecretView, Version, Which},
};
use leptos::prelude::*;

use super::{around, reasons, template, validity};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Act, Actions, Banner, ButtonKind, EmptyState, Form, LinkButton, PageHeader, Panel, RevealedValue,
        Tone, version_state_name,
    },
};

/// What a reading is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Download,
    DownloadRaw,
    /// A template as it was put.
    Raw,
    Reveal,
}

impl Way {
    fn wanted(self) -> As {
        As::of(matches!(self, Self::DownloadRaw | Self::Raw))
    }

    fn title(self, t: Text) -> &'static str {
        match self {
            Self::Download | Self::DownloadRaw => t.secrets_download(),
            Self::Raw => t.templates_reveal_raw(),
            Self::Reveal => t.secrets_reveal(),
        }
    }
}

/// Where a person lands who comes to the address of the post: asked once more, since nothing is read by a link. Where the
/// environment asks for a reason, everybody passes here.
pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    ask_for(&house, asking, &at, Way::Reveal).await
}

pub(super) async fn ask_download(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    ask_for(&house, asking, &at, Way::Download).await
}

pub(super) async fn ask_raw(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    ask_for(&house, asking, &at, Way::Raw).await
}

pub(super) async fn ask_download_raw(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    ask_for(&house, asking, &at, Way::DownloadRaw).await
}

async fn ask_for(house: &House, asking: Asking, at: &(String, String), way: Way) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(house, &op, at).await {
        Ok((view, version)) => {
            let asks = view.secret.reads_need_reason;
            draw_ask(&mut shell, (&view, &version), way, asks, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The button once more, or the field for the reason, if one is asked for.
fn draw_ask(
    shell: &mut Shell,
    (view, version): (&SecretView, &Version),
    way: Way,
    asks: bool,
    draft: Draft,
) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let (secret, number, is_template) = (view.secret.clone(), version.number, version.template);
    let title = way.title(t);
    let file = matches!(way, Way::Download | Way::DownloadRaw);
    page(shell, title).of(&draft).show(move || {
        let path = around::version_path(&secret, number);
        let body = if asks {
            view! { <Form draft=draft submit=title cancel=path file=file>{reasons::field(t, true)}</Form> }.into_any()
        } else {
            view! {
                <Actions>
                    <Act id="reveal" kind=ButtonKind::Primary label=t.secrets_reveal() action=format!("{path}/reveal")/>
                    {is_template.then(|| view! { <Act id="raw" label=t.templates_reveal_raw() action=format!("{path}/raw")/> })}
                    <Act id="download" label=t.secrets_download() action=format!("{path}/download") file=true/>
                </Actions>
            }
            .into_any()
        };
        view! {
            <PageHeader title=title lead=t.secrets_reveal_why() crumbs=around::crumbs_below_version(t, &secret, number)/>
            {body}
        }
    })
}

pub(super) async fn reveal(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    match read(&house, asking, &at, posted, Way::Reveal).await {
        Ok((mut shell, view, revealed)) => shown(&mut shell, &view, &revealed, As::Resolved),
        Err(response) => response,
    }
}

/// A template as it was put.
pub(super) async fn raw(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    match read(&house, asking, &at, posted, Way::Raw).await {
        Ok((mut shell, view, revealed)) => shown(&mut shell, &view, &revealed, As::Raw),
        Err(response) => response,
    }
}

pub(super) async fn download_raw(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    match read(&house, asking, &at, posted, Way::DownloadRaw).await {
        Ok((_, _, revealed)) => file(&revealed),
        Err(response) => response,
    }
}

pub(super) async fn download(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    match read(&house, asking, &at, posted, Way::Download).await {
        Ok((_, _, revealed)) => file(&revealed),
        Err(response) => response,
    }
}

/// Reads it, or answers why not.
async fn read(
    house: &House,
    asking: Asking,
    at: &(String, String),
    posted: Posted,
    way: Way,
) -> Result<(Shell, SecretView, Revealed), Response> {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let (view, version) = match around::load_version(house, &op, at).await {
        Ok(loaded) => loaded,
        Err(refused) => return Err(house.refused(&shell, &op, &posted, refused).await),
    };
    let which = Which::Number(version.number);
    match house.domain.read_secret_as(&op, &Address::Id(view.secret.id), &which, way.wanted()).await {
        Ok(revealed) => Ok((shell, view, revealed)),
        Err(error) => {
            let whose = (&view, version.number);
            // Of a template that asks for none it may be asked by what it refers to.
            let ask = |shell: &mut Shell, draft| draw_ask(shell, (&view, &version), way, true, draft);
            Err(unread(house, &mut shell, &op, posted, whose, error, ask).await)
        }
    }
}

/// Says why nothing was read. Where a reason was missing, `ask` draws the form that asks for it.
pub(super) async fn unread(
    house: &House,
    shell: &mut Shell,
    op: &Op,
    posted: Posted,
    (view, number): (&SecretView, i64),
    error: ReadSecretError,
    ask: impl FnOnce(&mut Shell, Draft) -> Response,
) -> Response {
    let t = shell.text;
    let (status, number, why) = match error {
        ReadSecretError::Shut { number, state } => {
            let why = t.secrets_version_is(number, version_state_name(t, state));
            (StatusCode::UNPROCESSABLE_ENTITY, number, why)
        }
        ReadSecretError::Outside { number, outside } => {
            (StatusCode::UNPROCESSABLE_ENTITY, number, validity::outside(t, number, outside))
        }
        ReadSecretError::Unresolved { reference, why } => {
            (StatusCode::UNPROCESSABLE_ENTITY, number, template::unresolved(t, &reference, &why))
        }
        ReadSecretError::Refused(Refused::Replayed(Replayed::Done { .. })) => {
            (StatusCode::CONFLICT, number, t.secrets_shown_before_why().to_owned())
        }
        ReadSecretError::NoReason => {
            let mut errors = Errors::new();
            reasons::note(t, &posted.fields, &mut errors);
            return ask(shell, Draft::refused(posted.fields, errors));
        }
        ReadSecretError::Refused(refused) => return house.refused(shell, op, &posted, refused).await,
    };
    not_shown(shell, view, number, status, why)
}

/// A reload, or a version that is shut: nothing was read.
fn not_shown(shell: &mut Shell, view: &SecretView, number: i64, status: StatusCode, why: String) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let back = around::version_path(&view.secret, number);
    page(shell, t.secrets_not_shown()).status(status).show(move || {
        view! {
            <EmptyState heading=1 title=t.secrets_not_shown() action=(t.secrets_look_at_version(), back)>{why}</EmptyState>
        }
    })
}

fn shown(shell: &mut Shell, view: &SecretView, revealed: &Revealed, wanted: As) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let number = revealed.version.number;
    let size = i64::try_from(revealed.value.expose().len()).unwrap_or(i64::MAX);
    let is_raw = wanted == As::Raw && revealed.version.template;
    let lead = if is_raw { t.templates_raw_lead() } else { t.secrets_revealed_lead() };
    let text = exact(revealed.value.expose()).map(str::to_owned);
    page(shell, t.secrets_revealed()).show(move || {
        let back = around::path(&secret);
        let path = around::version_path(&secret, number);
        let path = if is_raw { format!("{path}/raw") } else { path };
        let body = match text {
            Some(text) => view! { <RevealedValue id="secret" label=t.secrets_value() value=text/> }.into_any(),
            None => view! {
                <Banner tone=Tone::Info title=t.secrets_not_text(&around::size(t, size))>{t.secrets_not_text_why()}</Banner>
                {act(secret.reads_need_reason, "download", t.secrets_download(), format!("{path}/download"))}
            }
            .into_any(),
        };
        view! {
            <PageHeader title=t.secrets_revealed() lead=lead crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Panel id="value" title=secret.path.name().to_owned()>{body}</Panel>
            <Actions><LinkButton kind=ButtonKind::Primary label=t.secrets_done() href=back/></Actions>
        }
    })
}

/// The button that reads; where the environment asks for a reason, the link to the page that asks for it.
pub(super) fn act(asks: bool, id: &'static str, label: &'static str, action: String) -> AnyView {
    if asks {
        return view! { <LinkButton label=label href=action/> }.into_any();
    }
    let file = id == "download";
    view! { <Act id=id label=label action=action file=file/> }.into_any()
}

/// A text that a page holds and gives back as it is. Parsers of HTML turn `\r` into `\n` and drop what else has no place
/// in it.
pub(super) fn exact(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().all(plain).then_some(text)
}

/// The bytes as they are, under the secret's name.
fn file(revealed: &Revealed) -> Response {
    let name = revealed.path.name();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, revealed.value.expose().to_vec()).into_response()
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn what_a_page_would_change_is_not_put_into_one() {
        for (bytes, fits) in [
            (&b"a\n\tb"[..], true),
            ("\u{fdfa}\u{2028}é".as_bytes(), true),
            (b"a\r\nb", false),
            (b"a\0b", false),
            (b"\x1b[31m", false),
            (b"\xff", false),
        ] {
            assert_eq!(exact(bytes).is_some(), fits, "{bytes:?}");
        }
    }
}
