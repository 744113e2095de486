//! The fields of a version: what they are called, and one at a time what stands in them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, SecretBytes,
    secrets::{As, Field, FieldSort, ReadFields, Secret, SecretView, Version},
};
use keywarden_model::SecretKind;
use leptos::prelude::*;

use super::{
    super::{
        around, overview,
        reveal::{self, exact},
    },
    editable, listed, listing, none,
};
use crate::{
    cells,
    context::{Asking, House, Posted, REASON},
    form::Draft,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Act, Actions, Banner, ButtonKind, Column, Hidden, LinkButton, PageHeader, Panel, RevealedValue, Row,
        Table, Tone,
    },
};

pub(in crate::pages::secrets) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => {
            let asks = view.secret.reads_need_reason;
            draw_ask(&mut shell, (&view, &version), None, asks, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Lists the names; with one that is named, shows what stands there.
pub(in crate::pages::secrets) async fn read(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let loaded = async {
        let (view, version) = around::load_version(&house, &op, &at).await?;
        let may_put = house.domain.would(&op, Action::PutSecret, &view.secret.resource()).await?;
        Ok((view, version, may_put))
    };
    let (view, version, may_put) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (id, number) = (view.secret.id, version.number);
    let field = posted.fields.ticked("field").then(|| posted.fields.raw("field").to_owned());
    match house.domain.read_secret_fields(&op, id, number, field.as_deref(), As::Resolved).await {
        Ok(read) => {
            let asked = Asked { field, reason: posted.fields.text(REASON).to_owned() };
            shown(&mut shell, &view, read, asked, may_put)
        }
        Err(error) => {
            let ask = |shell: &mut Shell, draft| draw_ask(shell, (&view, &version), field, true, draft);
            reveal::unread(&house, &mut shell, &op, posted, (&view, number), error, ask).await
        }
    }
}

/// What the post asked for.
struct Asked {
    field: Option<String>,
    /// It goes with each field that is read from this page.
    reason: String,
}

fn draw_ask(
    shell: &mut Shell,
    (view, version): (&SecretView, &Version),
    field: Option<String>,
    asks: bool,
    draft: Draft,
) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let (secret, number) = (view.secret.clone(), version.number);
    let has_fields = version.kind == SecretKind::Json;
    page(shell, t.fields()).of(&draft).show(move || {
        let path = around::version_path(&secret, number);
        let body = if has_fields {
            listing(t, draft, (asks, format!("{path}/fields")), path, field)
        } else {
            none(t, path)
        };
        view! {
            <PageHeader title=t.fields_of(number) lead=t.fields_lead() crumbs=around::crumbs_below_version(t, &secret, number)/>
            {body}
        }
    })
}

fn shown(shell: &mut Shell, view: &SecretView, read: ReadFields, asked: Asked, may_put: bool) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let number = read.version.number;
    let edits = may_put && editable(view).is_some_and(|it| it.number == number);
    page(shell, t.fields_of(number)).show(move || {
        let Asked { field, reason } = asked;
        let (page, path) = (around::path(&secret), around::version_path(&secret, number));
        let one = field.map(|name| one(t, &secret, &path, name, read.found));
        let all = match read.fields {
            Some(fields) => table(t, &path, fields, &reason),
            None => none(t, path),
        };
        view! {
            <PageHeader title=t.fields_of(number) lead=t.fields_shown_lead() crumbs=around::crumbs_below_version(t, &secret, number)/>
            {one}
            {all}
            <Actions>
                <LinkButton kind=ButtonKind::Primary label=t.secrets_done() href=page.clone()/>
                {edits.then(|| view! { <LinkButton label=t.fields_edit() href=format!("{page}/fields")/> })}
            </Actions>
        }
    })
}

/// What stands in the field that was asked for.
fn one(t: Text, secret: &Secret, path: &str, name: String, found: Option<SecretBytes>) -> AnyView {
    let Some(value) = found else {
        return view! { <Banner tone=Tone::Warn title=t.fields_not_there(&name)>{t.fields_not_there_why()}</Banner> }
            .into_any();
    };
    let body = match exact(value.expose()) {
        Some(text) => {
            view! { <RevealedValue id="secret" label=name.clone() value=text.to_owned()/> }.into_any()
        }
        None => {
            let size = i64::try_from(value.expose().len()).unwrap_or(i64::MAX);
            let asks = secret.reads_need_reason;
            view! {
                <Banner tone=Tone::Info title=t.secrets_not_text(&around::size(t, size))>{t.secrets_not_text_why()}</Banner>
                {reveal::act(asks, "download", t.secrets_download(), format!("{path}/download"))}
            }
            .into_any()
        }
    };
    view! { <Panel id="value" title=name>{body}</Panel> }.into_any()
}

/// All of them covered, each with the act that reads it.
fn table(t: Text, path: &str, fields: Vec<Field>, reason: &str) -> AnyView {
    let (fields, more) = listed(fields);
    let rows = fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let name = field.name.expose().to_owned();
            let shown = view! { <code translate="no">{name.clone()}</code> };
            let reason = (!reason.is_empty()).then(|| reason.to_owned());
            let act = view! {
                <Act id=format!("field-{at}") label=t.fields_reveal(&name) action=format!("{path}/fields")>
                    <Hidden name="field" value=name.clone()/>
                    {reason.map(|reason| view! { <Hidden name=REASON value=reason/> })}
                </Act>
            };
            let mask = view! { <span class="revealed-mask" aria-hidden="true">{overview::MASK}</span> };
            Row::plain(shown, cells![sort(t, field.sort), mask, act])
        })
        .collect();
    let columns = vec![
        Column::text(t.secrets_field()),
        Column::text(t.fields_sort()),
        Column::text(t.secrets_value()),
        Column::text(t.secrets_reveal()),
    ];
    view! {
        <Panel id="fields" title=t.fields()>
            <Table caption=t.fields() columns=columns rows=rows/>
            {(more > 0).then(|| view! { <p class="field-hint">{t.fields_more(more)}</p> })}
        </Panel>
    }
    .into_any()
}

fn sort(t: Text, sort: FieldSort) -> &'static str {
    match sort {
        FieldSort::List => t.fields_sort_list(),
        FieldSort::Nothing => t.fields_sort_nothing(),
        FieldSort::Number => t.fields_sort_number(),
        FieldSort::Object => t.fields_sort_object(),
        FieldSort::Text => t.fields_sort_text(),
        FieldSort::Truth => t.fields_sort_truth(),
    }
}
