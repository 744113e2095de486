//! `/teams/<slug>/members`: in and out.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    policy::difference::Grant,
    teams::{Member, MemberError, Team},
};
use keywarden_model::UserId;
use leptos::prelude::*;

use super::{home, show, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::policies::difference::{self, Impact, panel},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn add(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let team = match house.domain.team(&op, &slug).await {
        Ok(shown) => shown.team,
        Err(refused) => return render::refused(&shell, refused),
    };
    let mut errors = Errors::new();
    match posted.fields.text("person").parse::<UserId>() {
        Ok(person) if difference::is_preview(&posted.fields) => {
            let impact = Impact::given(&house.domain, &op, Grant::Join(team.id, person)).await;
            return match impact {
                Ok(impact) => {
                    let draft = Draft::refused(posted.fields, errors);
                    show::draw(&house, &shell, &op, &slug, (impact, draft)).await
                }
                Err(refused) => house.refused(&shell, &op, &posted, refused).await,
            };
        }
        Err(_) => errors.at("person", t.teams_no_such_person()),
        Ok(person) => match house.domain.add_member(&op, team.id, person).await {
            Ok(_) => return render::done(&shell, &home(&team), t.teams_added()),
            Err(MemberError::AlreadyIn) => errors.at("person", t.teams_already_in()),
            Err(MemberError::LocksOut) => errors.whole(t.roles_locks_out()),
            Err(MemberError::NoSuchPerson | MemberError::NotIn) => {
                errors.at("person", t.teams_no_such_person());
            }
            Err(MemberError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        },
    }
    let draft = Draft::refused(posted.fields, errors);
    show::draw(&house, &shell, &op, &slug, (Impact::None, draft)).await
}

async fn find(house: &House, op: &Op, slug: &str, user: &str) -> Result<(Team, Member), Refused> {
    let user: UserId = user.parse().map_err(|_| Refused::NotFound)?;
    let shown = house.domain.team(op, slug).await?;
    let member = shown.members.into_iter().find(|it| it.user == user).ok_or(Refused::NotFound)?;
    Ok((shown.team, member))
}

pub(super) async fn before(
    State(house): State<House>,
    asking: Asking,
    Path((slug, user)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let found = async {
        let (team, member) = find(&house, &op, &slug, &user).await?;
        let impact = Impact::given(&house.domain, &op, Grant::Leave(team.id, member.user)).await?;
        Ok((team, member, impact))
    };
    let (team, member, impact) = match found.await {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    confirm(&shell, team, member, (impact, Draft::default()))
}

fn confirm(shell: &Shell, team: Team, member: Member, (impact, draft): (Impact, Draft)) -> Response {
    let t = shell.text;
    page(shell, t.teams_remove_what(&member.name)).of(&draft).show(move || {
        let title = t.teams_remove_title(&member.name, &team.name);
        let consequences = vec![t.teams_remove_roles().to_owned(), t.teams_remove_keys().to_owned()];
        let impact = panel(t, impact, None);
        view! {
            <PageHeader title=t.teams_remove_what(&member.name) crumbs=way_to(t, &team)/>
            {impact}
            <Confirm title=title consequences=consequences>
                <Form draft=draft submit=t.teams_remove() danger=true cancel=home(&team)/>
            </Confirm>
        }
    })
}

pub(super) async fn remove(
    State(house): State<House>,
    asking: Asking,
    Path((slug, user)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let (team, member) = match find(&house, &op, &slug, &user).await {
        Ok(found) => found,
        Err(refused) => {
            return house.missed(&shell, &op, &posted, refused, &format!("/teams/{slug}")).await;
        }
    };
    match house.domain.remove_member(&op, team.id, member.user).await {
        // Somebody else was faster: the page shows what is true either way.
        Ok(_) | Err(MemberError::AlreadyIn | MemberError::NoSuchPerson | MemberError::NotIn) => {
            render::done(&shell, &home(&team), t.teams_removed())
        }
        Err(MemberError::LocksOut) => {
            let mut errors = Errors::new();
            errors.whole(t.roles_locks_out());
            confirm(&shell, team, member, (Impact::None, Draft::refused(posted.fields, errors)))
        }
        Err(MemberError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}
