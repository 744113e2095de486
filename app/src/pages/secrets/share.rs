//! Making a one-time link to a version's value, and withdrawing one. What the link is, is in the answer to the post alone.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    people::{UserFilter, UserState},
    secrets::{MOST_SHARES, MadeShare, NewShare, ReadSecretError, SecretView, Share, ShareError, ShareLife},
};
use keywarden_model::{ShareId, UserId};
use leptos::prelude::*;

use super::{around, reasons};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Fields},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        ButtonKind, Choice, Column, Confirm, Facts, Form, LinkButton, PageHeader, Panel, RadioGroup, Row,
        SecretValue, SelectField, Table, Time, choice, fact,
    },
};

/// People in the select.
const RECIPIENTS: u32 = 200;

pub(super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => draw(&house, &mut shell, &op, &view, version.number, Draft::default()).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn make(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version) = match around::load_version(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let number = version.number;
    let mut errors = Errors::new();
    if let Some(new) = read(t, &posted.fields, number, &mut errors) {
        match house.domain.share_secret(&op, view.secret.id, new).await {
            Ok(made) => return shown(&mut shell, &view, number, &made),
            Err(ShareError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(ShareError::Unread(ReadSecretError::NoReason)) => {
                reasons::note(t, &posted.fields, &mut errors);
            }
            Err(error) => note(t, &mut errors, &error),
        }
    }
    draw(&house, &mut shell, &op, &view, number, Draft::refused(posted.fields, errors)).await
}

/// What was chosen; what is wrong with it is noted.
fn read(t: Text, fields: &Fields, version: i64, errors: &mut Errors) -> Option<NewShare> {
    let recipient = match fields.text("who") {
        "passphrase" => Some(None),
        "person" => {
            let id = fields.text("recipient").parse::<UserId>().ok();
            if id.is_none() {
                errors.at("recipient", t.shares_recipient_unknown());
            }
            id.map(Some)
        }
        _ => {
            errors.at("who", t.shares_choose_who());
            None
        }
    };
    let life = fields.text("life").parse::<ShareLife>().ok();
    if life.is_none() {
        errors.at("life", t.shares_choose_life());
    }
    Some(NewShare { version, recipient: recipient?, life: life? })
}

fn note(t: Text, errors: &mut Errors, error: &ShareError) {
    match error {
        ShareError::Archived => errors.whole(t.shares_archived()),
        ShareError::RecipientUnknown => errors.at("recipient", t.shares_recipient_unknown()),
        ShareError::Template(number) => errors.whole(t.shares_template(*number)),
        ShareError::TooMany => errors.whole(t.shares_many(MOST_SHARES)),
        ShareError::NoMaker | ShareError::Refused(_) | ShareError::Unread(_) => {
            errors.whole(t.secrets_reveal_shut());
        }
    }
}

async fn draw(
    house: &House,
    shell: &mut Shell,
    op: &Op,
    view: &SecretView,
    number: i64,
    draft: Draft,
) -> Response {
    around::place(shell, &view.secret.project_slug);
    let active = UserFilter { name: None, state: Some(UserState::Active) };
    let people = match house.domain.list_users(op, &active, None, RECIPIENTS).await {
        Ok(page) => page.users,
        Err(refused) => return render::refused(shell, refused),
    };
    let people: Vec<_> = people.into_iter().map(|it| choice(it.id.to_string(), it.name).named()).collect();
    let t = shell.text;
    let secret = view.secret.clone();
    page(shell, t.shares_make()).of(&draft).show(move || {
        let asks = secret.reads_need_reason;
        let who = vec![
            choice("person", t.shares_who_person()).hint(t.shares_who_person_hint()),
            choice("passphrase", t.shares_who_passphrase()).hint(t.shares_who_passphrase_hint()),
        ];
        view! {
            <PageHeader title=t.shares_make() lead=t.shares_make_lead(number) crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Form draft=draft submit=t.shares_make() cancel=around::version_path(&secret, number)>
                <RadioGroup name="who" label=t.shares_who() required=true choices=who value="person"/>
                <SelectField name="recipient" label=t.shares_recipient() placeholder=t.shares_no_recipient() choices=people/>
                <RadioGroup name="life" label=t.shares_life() required=true choices=lives(t) value="24h"/>
                {reasons::field(t, asks)}
            </Form>
        }
    })
}

fn lives(t: Text) -> Vec<Choice> {
    let name = |life| match life {
        ShareLife::Day => t.shares_life_day(),
        ShareLife::Hour => t.shares_life_hour(),
        ShareLife::Week => t.shares_life_week(),
    };
    ShareLife::ALL.into_iter().map(|life| choice(life.as_str(), name(life))).collect()
}

/// The answer to the post, so the link has no address to come back to.
fn shown(shell: &mut Shell, view: &SecretView, number: i64, made: &MadeShare) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let (url, expires_at) = (made.url().to_owned(), made.expires_at);
    let passphrase = made.passphrase().map(str::to_owned);
    let back = around::path(&secret);
    page(shell, t.shares_made()).lives_at(back.clone()).show(move || {
        let passphrase = passphrase.map(|it| {
            view! { <SecretValue id="passphrase" label=t.shares_passphrase() value=it hint=t.shares_passphrase_hint()/> }
        });
        view! {
            <PageHeader title=t.shares_made() lead=t.shares_made_lead() crumbs=around::crumbs_below_version(t, &secret, number)/>
            <SecretValue id="link" label=t.shares_link() value=url hint=t.shares_link_hint()/>
            {passphrase}
            <Facts facts=vec![fact(t.shares_until(), view! { <Time at=expires_at/> })]/>
            <LinkButton kind=ButtonKind::Primary label=t.secrets_done() href=back/>
        }
    })
}

/// The open links of a secret, on its page; nothing if there is none.
pub(super) fn panel(t: Text, view: &SecretView, shares: Vec<Share>, may_withdraw: bool) -> Option<AnyView> {
    if shares.is_empty() {
        return None;
    }
    let path = around::path(&view.secret);
    let mut columns = vec![
        Column::text(t.shares_for()),
        Column::text(t.secrets_version()),
        Column::text(t.shares_by()),
        Column::text(t.shares_until()),
        Column::minor(t.shares_wrong()),
    ];
    if may_withdraw {
        columns.push(Column::text(t.shares_withdraw()));
    }
    let rows = shares.into_iter().map(|it| {
        let mut cells = cells![
            t.secrets_version_n(it.version),
            view! { <span translate="no">{it.maker}</span> },
            view! { <Time at=it.expires_at/> },
            it.tries.to_string(),
        ];
        if may_withdraw {
            let title = t.shares_withdraw_title(it.version);
            let href = format!("{path}/shares/{}/withdraw", it.id);
            cells.extend(cells![view! { <a href=href aria-label=title>{t.shares_withdraw()}</a> }]);
        }
        let whom = match it.recipient {
            Some((_, name)) => view! { <span translate="no">{name}</span> }.into_any(),
            None => t.shares_for_passphrase().into_any(),
        };
        Row::plain(whom, cells)
    });
    let rows = rows.collect();
    Some(
        view! {
            <Panel id="shares" title=t.shares()><Table caption=t.shares() columns=columns rows=rows/></Panel>
        }
        .into_any(),
    )
}

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let (view, share) = match load(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    around::place(&mut shell, &view.secret.project_slug);
    let t = shell.text;
    page(&shell, t.shares_withdraw()).show(move || {
        let title = t.shares_withdraw_title(share.version);
        view! {
            <PageHeader title=t.shares_withdraw() crumbs=around::crumbs_below(t, &view.secret)/>
            <Confirm title=title consequences=vec![t.shares_withdraw_why().to_owned()]>
                <Form submit=t.shares_withdraw() danger=true cancel=around::path(&view.secret)/>
            </Confirm>
        }
    })
}

pub(super) async fn withdraw(
    State(house): State<House>,
    asking: Asking,
    Path((id, share)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Secrets).once(&posted);
    let (Ok(secret), Ok(share)) = (id.parse(), share.parse::<ShareId>()) else {
        return render::not_found(&shell);
    };
    match house.domain.withdraw_share(&op, secret, share).await {
        Ok(()) => render::done(&shell, &format!("/secrets/{id}"), shell.text.shares_withdrawn()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}

async fn load(
    house: &House,
    op: &Op,
    (id, share): &(String, String),
) -> Result<(SecretView, Share), Refused> {
    let view = around::load(house, op, id).await?;
    let shares = house.domain.shares(op, view.secret.id).await?;
    let found = shares.into_iter().find(|it| it.id.to_string() == *share);
    Ok((view, found.ok_or(Refused::NotFound)?))
}
