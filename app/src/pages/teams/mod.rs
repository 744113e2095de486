//! Teams: people who hold roles and own keys together.

mod create;
mod list;
mod members;
mod rename;
mod roles;
mod show;

use axum::{Router, routing::get};
use keywarden_domain::teams::Team;

use roles::OfTeam;

use crate::{
    context::House,
    pages::roles as held,
    text::Text,
    ui::{Crumb, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/teams", get(list::show))
        .route("/teams/new", get(create::new).post(create::create))
        .route("/teams/{team}", get(show::show))
        .route("/teams/{team}/edit", get(rename::edit).post(rename::rename))
        // Whoever loads a refused addition again comes here.
        .route("/teams/{team}/members", get(show::show).post(members::add))
        .route("/teams/{team}/members/{user}/remove", get(members::before).post(members::remove))
        .route("/teams/{team}/roles/new", get(held::new::<OfTeam>).post(held::grant::<OfTeam>))
        .route(
            "/teams/{team}/roles/{binding}/revoke",
            get(held::before::<OfTeam>).post(held::revoke::<OfTeam>),
        )
}

const LIST: &str = "/teams";

fn home(team: &Team) -> String {
    format!("{LIST}/{}", team.slug)
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.people(), "/people"), crumb(t.teams(), LIST)]
}

fn way_to(t: Text, team: &Team) -> Vec<Crumb> {
    let mut way = way(t);
    way.push(crumb(team.name.clone(), home(team)));
    way
}
