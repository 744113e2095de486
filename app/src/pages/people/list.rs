//! `GET /people?q=…&state=…&after=…`.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    people::{UserFilter, UserPage, UserState},
};
use leptos::prelude::*;

use super::{LIST, home, tabs};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, FilterBar, FilterChip, FilterSelect, LinkButton, PageHeader,
        Pager, Table, Tabs, Time, Tone, choice, row,
    },
};

const PAGE: u32 = 50;

pub(super) async fn show(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    params: Params,
) -> Response {
    shell.section = Some(Section::People);
    let t = shell.text;
    let (found, invites, explains) = match load(&house, &op, &params).await {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.people()).show(move || {
        let columns = vec![
            Column::text(t.people_name()),
            Column::text(t.people_state()),
            Column::minor(t.people_joined()),
            Column::text(t.people_last_seen()),
        ];
        let shown = found.users.len();
        let rows = found
            .users
            .into_iter()
            .map(|it| {
                let cells = cells![
                    state_badge(t, it.state),
                    view! { <Time at=it.created_at/> },
                    view! { <Time at=it.last_seen_at/> },
                ];
                row(home(it.id), it.name, cells)
            })
            .collect();
        let pager = Pager {
            shown: t.people_shown(shown),
            first: params.any(&["after"]).then(|| params.first(LIST)),
            next: found.next.map(|next| params.after(LIST, &next.to_string())),
        };
        let mut chips = Vec::new();
        if let Some(label) = params.some("q") {
            chips.push(FilterChip { label, remove: params.without(LIST, "q") });
        }
        if let Some(state) = state(&params) {
            let label = state_name(t, state).to_owned();
            chips.push(FilterChip { label, remove: params.without(LIST, "state") });
        }
        let empty = view! {
            <EmptyState title=t.people_none_match() action=(t.ui_filter_clear(), LIST)>{t.people_none_match_why()}</EmptyState>
        };
        let actions = invites.then(|| {
            view! { <LinkButton kind=ButtonKind::Primary label=t.people_invite() href="/people/invite"/> }.into_any()
        });
        view! {
            <PageHeader title=t.people() lead=t.people_lead() actions=actions.into_any()/>
            <Tabs tabs=tabs(t, LIST, invites, explains)/>
            <FilterBar action=LIST search=params.text("q") search_label=t.people_search() chips=chips>
                <FilterSelect
                    name="state"
                    label=t.people_state()
                    chosen=params.text("state")
                    choices=vec![
                        choice(UserState::Active.as_str(), t.people_active()),
                        choice(UserState::Deactivated.as_str(), t.people_deactivated()),
                    ]
                />
            </FilterBar>
            <Table caption=t.people() columns=columns rows=rows pager=pager empty=empty.into_any()/>
        }
    })
}

async fn load(house: &House, op: &Op, params: &Params) -> Result<(UserPage, bool, bool), Refused> {
    let invites = house.domain.would(op, Action::InviteUser, &Resource::Organization).await?;
    let explains = house.domain.may_explain_somewhere(op).await?;
    let name = match params.text("q") {
        "" => None,
        text => match text.parse() {
            Ok(name) => Some(name),
            // No name looks like this, so nobody has it.
            Err(_) => return Ok((UserPage { users: Vec::new(), next: None }, invites, explains)),
        },
    };
    let filter = UserFilter { name, state: state(params) };
    let after = params.read("after");
    Ok((house.domain.list_users(op, &filter, after, PAGE).await?, invites, explains))
}

fn state(params: &Params) -> Option<UserState> {
    let wanted = params.text("state");
    [UserState::Active, UserState::Deactivated].into_iter().find(|state| state.as_str() == wanted)
}

fn state_name(t: Text, state: UserState) -> &'static str {
    match state {
        UserState::Active => t.people_active(),
        UserState::Deactivated => t.people_deactivated(),
    }
}

pub(super) fn state_badge(t: Text, state: UserState) -> AnyView {
    let tone = if state == UserState::Active { Tone::Good } else { Tone::Neutral };
    view! { <Badge tone=tone label=state_name(t, state)/> }.into_any()
}
