//! `/account/passkeys/<id>`: one passkey, its name, its end.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use keywarden_domain::{
    Op, Refused,
    people::{OwnPasskey, PasskeyChangeError},
};
use keywarden_model::{Name, PasskeyId};
use leptos::prelude::*;

use super::{HOME, show::kind, way};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Button, Confirm, Crumb, EmptyState, Facts, Form, LinkButton, PageHeader, Panel, TextField, Time,
        crumb, fact,
    },
};

/// The person's own passkey of this id.
async fn find(house: &House, op: &Op, id: &str) -> Result<OwnPasskey, Refused> {
    let id: PasskeyId = id.parse().map_err(|_| Refused::NotFound)?;
    let own = house.domain.own_passkeys(op).await?;
    own.into_iter().find(|it| it.id == id).ok_or(Refused::NotFound)
}

pub(super) async fn show(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::Account);
    match find(&house, &op, &id).await {
        Ok(passkey) => form(&shell, passkey, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rename(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::Account);
    let t = shell.text;
    let passkey = match find(&house, &op, &id).await {
        Ok(passkey) => passkey,
        Err(refused) => return render::refused(&shell, refused),
    };
    let name: Name = match posted.fields.text("name").parse() {
        Ok(name) => name,
        Err(error) => {
            let mut errors = Errors::new();
            errors.at("name", t.name_wrong(&error));
            return form(&shell, passkey, Draft::refused(posted.fields, errors));
        }
    };
    match house.domain.rename_passkey(&op, passkey.id, &name).await {
        Ok(()) => render::done(&shell, HOME, t.account_renamed(name.as_str())),
        // Nothing is removed here.
        Err(PasskeyChangeError::InUse | PasskeyChangeError::Last) => render::see_other(HOME),
        Err(PasskeyChangeError::NameTaken) => {
            let mut errors = Errors::new();
            errors.at("name", t.passkey_name_taken());
            form(&shell, passkey, Draft::refused(posted.fields, errors))
        }
        Err(PasskeyChangeError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn form(shell: &Shell, passkey: OwnPasskey, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, passkey.name.clone()).of(&draft).show(move || {
        let OwnPasskey { id, name, synced, created_at, last_used_at, may_approve_after } = passkey;
        let facts = vec![
            fact(t.account_passkey_kind(), kind(t, synced)),
            fact(t.account_added(), view! { <Time at=created_at/> }),
            fact(t.account_last_used(), view! { <Time at=last_used_at/> }),
            fact(t.account_approves_after(), view! { <Time at=may_approve_after/> }),
        ];
        let remove = format!("{HOME}/passkeys/{id}/remove");
        view! {
            <PageHeader
                title=name.clone()
                named=true
                crumbs=way(t)
                actions=view! { <LinkButton label=t.account_remove() href=remove/> }.into_any()
            />
            <Facts facts=facts/>
            <Panel id="rename" title=t.account_rename()>
                <Form draft=draft submit=t.account_rename() cancel=HOME>
                    <TextField name="name" label=t.account_name() hint=t.entry_passkey_hint() required=true maxlength=120 value=name/>
                </Form>
            </Panel>
        }
    })
}

pub(super) async fn before_removal(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::Account);
    match find(&house, &op, &id).await {
        Ok(passkey) if op.actor.person().is_some_and(|it| it.passkey == Some(passkey.id)) => {
            in_use(&shell, passkey, StatusCode::OK)
        }
        Ok(passkey) => confirm(&shell, passkey, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn remove(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::Account);
    let t = shell.text;
    let passkey = match find(&house, &op, &id).await {
        Ok(passkey) => passkey,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, HOME).await,
    };
    match house.domain.remove_passkey(&op, passkey.id).await {
        Ok(()) => render::done(&shell, HOME, t.account_removed(&passkey.name)),
        // No name is given here.
        Err(PasskeyChangeError::NameTaken) => render::see_other(HOME),
        Err(PasskeyChangeError::InUse) => in_use(&shell, passkey, StatusCode::CONFLICT),
        Err(PasskeyChangeError::Last) => {
            let mut errors = Errors::new();
            errors.whole(t.account_last());
            confirm(&shell, passkey, Draft::refused(posted.fields, errors))
        }
        Err(PasskeyChangeError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn path(passkey: &OwnPasskey) -> String {
    format!("{HOME}/passkeys/{}", passkey.id)
}

fn crumbs(t: Text, passkey: &OwnPasskey) -> Vec<Crumb> {
    let mut crumbs = way(t);
    crumbs.push(crumb(passkey.name.clone(), path(passkey)));
    crumbs
}

/// The session's own passkey: another one comes first.
fn in_use(shell: &Shell, passkey: OwnPasskey, status: StatusCode) -> Response {
    let t = shell.text;
    page(shell, t.account_remove()).status(status).show(move || {
        view! {
            <PageHeader title=t.account_remove() crumbs=crumbs(t, &passkey)/>
            <EmptyState title=t.account_in_use()>{t.account_in_use_why()}</EmptyState>
            <form method="post" action="/sign-out"><Button label=t.shell_sign_out()/></form>
        }
    })
}

fn confirm(shell: &Shell, passkey: OwnPasskey, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.account_remove()).of(&draft).show(move || {
        let consequences = vec![
            t.account_remove_signs().to_owned(),
            t.account_remove_ends().to_owned(),
            t.account_remove_final().to_owned(),
        ];
        let here = path(&passkey);
        view! {
            <PageHeader title=t.account_remove() crumbs=crumbs(t, &passkey)/>
            <Confirm title=t.account_remove_title(&passkey.name) consequences=consequences>
                <Form draft=draft submit=t.account_remove() danger=true cancel=here/>
            </Confirm>
        }
    })
}
