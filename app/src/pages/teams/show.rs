//! `GET /teams/<slug>`: who is in it, what it may do.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    people::{UserFilter, UserState},
    roles::{Holder, RoleBinding},
    teams::{Member, ShownTeam, Team},
};
use leptos::prelude::*;

use super::{home, way};
use crate::{
    cells,
    context::{Asking, House},
    form::Draft,
    pages::{
        permissions,
        policies::difference::{Impact, panel, preview},
        roles::{self, Subject},
    },
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Badge, Choice, Column, EmptyState, Form, LinkButton, PageHeader, Panel, SelectField, Table, Time,
        choice, row,
    },
};

/// People in the select.
const CANDIDATES: u32 = 200;

struct Shown {
    team: Team,
    members: Vec<Member>,
    roles: Vec<RoleBinding>,
    /// Who could be added, for whoever may add them.
    candidates: Option<Vec<Choice>>,
    /// The way to who can do something to it.
    who: Option<String>,
}

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    draw(&house, &shell, &op, &slug, (Impact::None, Draft::default())).await
}

async fn load(house: &House, op: &Op, slug: &str) -> Result<Shown, Refused> {
    let ShownTeam { team, members } = house.domain.team(op, slug).await?;
    let roles = house.domain.roles_of(op, Holder::Team(team.id)).await?;
    let edits = house.domain.would(op, Action::EditTeam, &Resource::Team(team.id)).await?;
    let candidates = if edits {
        let active = UserFilter { name: None, state: Some(UserState::Active) };
        let people = house.domain.list_users(op, &active, None, CANDIDATES).await?.users;
        let others = people.into_iter().filter(|it| members.iter().all(|member| member.user != it.id));
        Some(others.map(|it| choice(it.id.to_string(), it.name).named()).collect())
    } else {
        None
    };
    let who = permissions::way_for(house, op, &Resource::Team(team.id)).await?;
    Ok(Shown { team, members, roles, candidates, who })
}

/// The page, fresh or after a member could not be added.
pub(super) async fn draw(
    house: &House,
    shell: &Shell,
    op: &Op,
    slug: &str,
    (impact, draft): (Impact, Draft),
) -> Response {
    let t = shell.text;
    let Shown { team, members, roles, candidates, who } = match load(house, op, slug).await {
        Ok(shown) => shown,
        Err(refused) => return render::refused(shell, refused),
    };
    page(shell, team.name.clone()).of(&draft).show(move || {
        let here = home(&team);
        let edits = candidates.is_some();
        let subject = Subject { holder: Holder::Team(team.id), name: team.name.clone(), home: here.clone() };
        let rename =
            edits.then(|| view! { <LinkButton label=t.teams_rename() href=format!("{here}/edit")/> });
        let keys = format!("/keys?owner={}", team.id);
        let who = who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> });
        let actions = view! { {who} {rename} <LinkButton label=t.projects_see_keys() href=keys/> };
        let add = candidates.map(|candidates| {
            view! {
                <Form draft=draft submit=t.teams_add() action=format!("{here}/members") id="add" beside=preview(t)>
                    <SelectField name="person" label=t.teams_person() required=true placeholder=t.teams_choose_person() choices=candidates/>
                </Form>
            }
        });
        let impact = panel(t, impact, None);
        let give = view! { <a href=format!("{here}/roles/new")>{t.roles_give()}</a> };
        view! {
            <PageHeader title=team.name.clone() named=true crumbs=way(t) actions=actions.into_any()/>
            {impact}
            <Panel id="members" title=t.teams_count(team.members)>
                {table(t, &here, members, edits)}
                {add}
            </Panel>
            <Panel id="roles" title=t.people_roles() aside=give.into_any()>
                {roles::table(t, &subject, roles)}
            </Panel>
        }
    })
}

fn table(t: Text, here: &str, members: Vec<Member>, edits: bool) -> AnyView {
    let columns = vec![
        Column::text(t.people_name()),
        Column::text(t.teams_member_since()),
        Column::text(t.people_state()),
        Column::text(t.teams_remove()),
    ];
    let rows = members
        .into_iter()
        .map(|it| {
            let state = if it.active { t.people_active() } else { t.people_deactivated() };
            let remove = edits.then(|| {
                let href = format!("{here}/members/{}/remove", it.user);
                let name = t.teams_remove_what(&it.name);
                view! { <LinkButton label=t.teams_remove() href=href/> <span class="visually-hidden">{name}</span> }
            });
            let cells = cells![
                view! { <Time at=it.added_at/> },
                view! { <Badge label=state/> },
                remove,
            ];
            row(format!("/people/{}", it.user), it.name, cells)
        })
        .collect();
    let empty = view! {
        <EmptyState heading=3 title=t.teams_no_members()>{t.teams_no_members_why()}</EmptyState>
    };
    view! { <Table caption=t.teams_members() columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}
