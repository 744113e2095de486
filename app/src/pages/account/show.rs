//! `GET /account`: all of it on one page.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op, Refused,
    people::{OwnPasskey, OwnSession},
    roles::{Holder, RoleBinding},
};
use keywarden_model::PasskeyId;
use leptos::prelude::*;

use super::{HOME, agent::browser};
use crate::{
    cells,
    context::{Asking, House},
    layout,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Act, Badge, ButtonKind, Column, EmptyState, Facts, LinkButton, PageHeader, Panel, Row, Table, Time,
        Tone, fact, row,
    },
};

struct Account {
    passkeys: Vec<OwnPasskey>,
    codes: i64,
    sessions: Vec<OwnSession>,
    roles: Vec<RoleBinding>,
}

pub(super) async fn show(State(house): State<House>, Asking { mut shell, op }: Asking) -> Response {
    shell.section = Some(Section::Account);
    let t = shell.text;
    let current = op.actor.person().and_then(|person| person.passkey);
    let account = match load(&house, &op).await {
        Ok(account) => account,
        Err(refused) => return render::refused(&shell, refused),
    };
    let (theme, language) = (layout::account::theme(&shell), layout::account::language(&shell));
    page(&shell, t.account()).show(move || {
        let Account { passkeys, codes, sessions, roles } = account;
        let add = view! { <LinkButton kind=ButtonKind::Primary label=t.account_passkey_add() href="/account/passkeys/new"/> };
        let only = (passkeys.len() == 1).then(|| view! { <p>{t.account_passkey_add_lead()}</p> });
        let left = if codes == 0 { t.account_codes_none().to_owned() } else { t.account_codes_left(codes) };
        let others = (sessions.len() > 1).then(|| {
            view! { <Act id="others" label=t.account_end_others() action="/account/sessions/others/end"/> }.into_any()
        });
        view! {
            <PageHeader title=t.account() lead=t.account_lead()/>
            <Panel id="passkeys" title=t.account_passkeys() aside=add.into_any()>
                {only}
                {passkeys_table(t, passkeys, current)}
            </Panel>
            <Panel id="codes" title=t.codes() aside=view! { <LinkButton label=t.codes_renew() href="/account/recovery-codes"/> }.into_any()>
                <p>{left}</p>
            </Panel>
            <Panel id="sessions" title=t.account_sessions() aside=others.into_any()>
                {sessions_table(t, sessions)}
            </Panel>
            <Panel id="roles" title=t.account_roles()>{roles_table(t, roles)}</Panel>
            <Panel id="preferences" title=t.account_preferences()>
                <p>{t.account_preferences_why()}</p>
                <Facts facts=vec![fact(t.shell_theme(), theme), fact(t.account_language(), language)]/>
            </Panel>
        }
    })
}

async fn load(house: &House, op: &Op) -> Result<Account, Refused> {
    let person = op.actor.person().ok_or(Refused::NotFound)?;
    Ok(Account {
        passkeys: house.domain.own_passkeys(op).await?,
        codes: house.domain.recovery_codes_left(op).await?,
        sessions: house.domain.list_own_sessions(op).await?,
        roles: house.domain.roles_of(op, Holder::Person(person.id)).await?,
    })
}

/// Synced or bound to its device, with the reason why it matters.
pub(super) fn kind(t: Text, synced: bool) -> AnyView {
    let (label, title) = if synced {
        (t.account_passkey_synced(), t.account_passkey_synced_why())
    } else {
        (t.account_passkey_bound(), t.account_passkey_bound_why())
    };
    view! { <Badge label=label title=title/> }.into_any()
}

fn passkeys_table(t: Text, passkeys: Vec<OwnPasskey>, current: Option<PasskeyId>) -> AnyView {
    let columns = vec![
        Column::text(t.account_name()),
        Column::text(t.account_passkey_kind()),
        Column::text(t.account_added()),
        Column::text(t.account_last_used()),
    ];
    let rows = passkeys
        .into_iter()
        .map(|it| {
            let here = (current == Some(it.id))
                .then(|| view! { " " <Badge tone=Tone::Good label=t.account_passkey_this()/> });
            let cells = cells![
                view! { {kind(t, it.synced)}{here} },
                view! { <Time at=it.created_at/> },
                view! { <Time at=it.last_used_at/> },
            ];
            row(format!("{HOME}/passkeys/{}", it.id), it.name, cells)
        })
        .collect();
    view! { <Table caption=t.account_passkeys() columns=columns rows=rows/> }.into_any()
}

fn sessions_table(t: Text, sessions: Vec<OwnSession>) -> AnyView {
    let columns = vec![
        Column::text(t.account_browser()),
        Column::text(t.account_address()),
        Column::text(t.account_signed_in()),
        Column::text(t.account_last_seen()),
        Column::text(t.account_end()),
    ];
    let rows = sessions
        .into_iter()
        .map(|it| {
            let whole = it.agent.unwrap_or_default();
            let agent = browser(t, &whole);
            let end = if it.current {
                view! { <Badge tone=Tone::Good label=t.account_session_here()/> }.into_any()
            } else {
                let action = format!("{HOME}/sessions/{}/end", it.id);
                let name = t.account_end_what(&agent);
                view! { <Act id=it.id.to_string() label=t.account_end() name=name action=action/> }.into_any()
            };
            let recovering = it
                .recovering
                .then(|| view! { " " <Badge tone=Tone::Warn label=t.account_session_recovering()/> });
            let terminal = it.terminal.then(|| view! { " " <Badge label=t.account_session_terminal()/> });
            let cells = cells![
                view! { <span translate="no">{it.address.map(|address| address.to_string())}</span> },
                view! { <Time at=it.signed_in_at/> },
                view! { <Time at=it.last_seen_at/> },
                end,
            ];
            Row::plain(view! { <span translate="no" title=whole>{agent}</span>{terminal}{recovering} }, cells)
        })
        .collect();
    view! { <Table caption=t.account_sessions() columns=columns rows=rows/> }.into_any()
}

fn roles_table(t: Text, roles: Vec<RoleBinding>) -> AnyView {
    let columns = vec![
        Column::text(t.account_role()),
        Column::text(t.account_where()),
        Column::text(t.account_since()),
    ];
    let rows = roles
        .into_iter()
        .map(|it| {
            let place = match it.project_slug {
                Some(slug) => {
                    let href = format!("/projects/{slug}");
                    view! { <a href=href translate="no">{slug}</a> }.into_any()
                }
                None => t.account_everywhere().into_any(),
            };
            let cells = cells![place, view! { <Time at=it.created_at/> }];
            Row::plain(t.role(it.role), cells)
        })
        .collect();
    let empty = view! { <EmptyState heading=3 title=t.account_roles()>{t.account_roles_none()}</EmptyState> };
    view! { <Table caption=t.account_roles() columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}
