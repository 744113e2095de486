//! `GET /people/<id>`: who it is, what they may do, what can be done about it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    people::{ShownUser, UserState},
    roles::{Holder, RoleBinding},
};
use leptos::prelude::*;

use super::{find, home, list::state_badge, way};
use crate::{
    context::{Asking, House},
    pages::{permissions, roles},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Facts, Id, LinkButton, PageHeader, Panel, Time, fact},
};

struct Shown {
    user: ShownUser,
    roles: Vec<RoleBinding>,
    may_deactivate: bool,
    may_hand_over: bool,
    ways: [Option<String>; 2],
}

pub(super) async fn show(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    let t = shell.text;
    let Shown { user, roles, may_deactivate, may_hand_over, ways } = match load(&house, &op, &id).await {
        Ok(shown) => shown,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, user.name.clone()).show(move || {
        let here = home(user.id);
        let subject =
            roles::Subject { holder: Holder::Person(user.id), name: user.name.clone(), home: here.clone() };
        let give = view! { <a href=format!("{here}/roles/new")>{t.roles_give()}</a> };
        view! {
            <PageHeader
                title=user.name.clone()
                named=true
                crumbs=way(t)
                state=state_badge(t, user.state)
                actions=actions(t, &user, &here, may_deactivate, may_hand_over, ways)
            />
            <Facts facts=facts(t, user)/>
            <Panel id="roles" title=t.people_roles() aside=give.into_any()>
                {roles::table(t, &subject, roles)}
            </Panel>
        }
    })
}

async fn load(house: &House, op: &Op, id: &str) -> Result<Shown, Refused> {
    let user = find(house, op, id).await?;
    let person = Resource::Person(user.id);
    Ok(Shown {
        roles: house.domain.roles_of(op, Holder::Person(user.id)).await?,
        may_deactivate: house.domain.would(op, Action::DeactivateUser, &person).await?,
        may_hand_over: house.domain.would(op, Action::HandOverUser, &person).await?,
        ways: [
            permissions::way_of(house, op, &person, &home(user.id)).await?,
            permissions::way_for(house, op, &person).await?,
        ],
        user,
    })
}

fn actions(
    t: Text,
    user: &ShownUser,
    here: &str,
    may_deactivate: bool,
    may_hand_over: bool,
    [of, who]: [Option<String>; 2],
) -> AnyView {
    let of = of.map(|href| view! { <LinkButton label=t.permissions_of_button() href=href/> });
    let who = who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> });
    let hand_over =
        may_hand_over.then(|| view! { <LinkButton label=t.hand_over() href=format!("{here}/hand-over")/> });
    let change = may_deactivate.then(|| match user.state {
        UserState::Active => {
            view! { <LinkButton label=t.people_deactivate() href=format!("{here}/deactivate")/> }
        }
        UserState::Deactivated => {
            view! { <LinkButton label=t.people_reactivate() href=format!("{here}/reactivate")/> }
        }
    });
    view! { {of}{who}{hand_over}{change} }.into_any()
}

fn facts(t: Text, user: ShownUser) -> Vec<crate::ui::Fact> {
    let teams = if user.teams.is_empty() {
        t.people_in_no_team().into_any()
    } else {
        let links = user.teams.into_iter().map(|(id, name)| {
            view! { <a href=format!("/teams/{id}") translate="no">{name}</a> " " }
        });
        links.collect_view().into_any()
    };
    let mut facts = vec![
        fact(t.people_id(), view! { <Id value=user.id.to_string() whole=true/> }),
        fact(t.people_joined(), view! { <Time at=user.created_at/> }),
        fact(t.people_brought_by(), view! { <Id value=user.created_by plain=true/> }),
        fact(t.people_last_seen(), view! { <Time at=user.last_seen_at/> }),
        fact(t.people_teams(), teams),
    ];
    if let Some(at) = user.deactivated_at {
        facts.push(fact(t.people_deactivated_at(), view! { <Time at=at/> }));
    }
    if let Some(account) = user.account {
        facts.push(fact(t.people_passkeys(), account.passkeys.to_string()));
        facts.push(fact(t.people_sessions(), account.sessions.to_string()));
        facts.push(fact(t.people_owns(), account.keys.to_string()));
    }
    facts
}
