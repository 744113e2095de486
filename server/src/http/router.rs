//! The table of contents: every route of the server, grouped by who calls.

use std::{future::ready, sync::Arc};

use axum::{Router, middleware::from_fn_with_state, response::Response};
use http::HeaderMap;
use keywarden_domain::Domain;
use keywarden_model::ProblemKind;

use super::{
    assets,
    bounds::Bounds,
    csp_report,
    csrf::OwnOrigin,
    door::{self, Counting, Door, Showing},
    frame::{self, Frame},
    health::{self, Condition},
    limits::Meter,
    problem::Problem,
};
use crate::wire::House;

/// The doors that other crates built, each with its routes.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// What the API shows without a caller.
    pub(crate) strangers: Router,
    /// The API: callers show a token, no cookie is ever read.
    pub(crate) machines: Router,
    /// The console: browsers with a session cookie.
    pub(crate) people: Router,
    /// Who counts what is refused before a door; nobody does where there is none.
    pub(crate) domain: Option<Domain>,
}

/// The whole server.
pub(crate) fn router(house: &House, doors: Doors) -> Router {
    let condition = house.condition.subscribe();
    // One for both doors: who guesses at one has not so many guesses more at the other.
    let refusals = Meter::new(1_000, 3_000);
    Router::new()
        .merge(probes(house))
        .merge(anyone(house, doors.strangers, doors.domain.clone()))
        .merge(files(house))
        .merge(machines(house, refusals.clone(), doors.machines, doors.domain.clone()))
        .merge(people(house, refusals, doors.people, doors.domain))
        .fallback(move |asked: HeaderMap| ready(nothing_here(&condition.borrow(), &asked)))
        .layer(from_fn_with_state(Arc::new(Frame::new(house)), frame::surround))
}

/// Load balancers and probes.
fn probes(house: &House) -> Router {
    health::routes(house.condition.subscribe())
}

/// Anybody, without signing in; every request counts against its address.
fn anyone(house: &House, routes: Router, domain: Option<Domain>) -> Router {
    let door = Door::new(bounds(house), Counting::Requests(Meter::new(60, 60))).telling(domain);
    behind(door, routes.merge(csp_report::routes()))
}

/// The console's files: the same for everybody, and kept by browsers for ever.
fn files(house: &House) -> Router {
    behind(Door::new(bounds(house), Counting::Nothing), assets::router())
}

/// Machines with a token. A token that is refused counts against its address.
fn machines(house: &House, refusals: Meter, routes: Router, domain: Option<Domain>) -> Router {
    let door = Door::new(bounds(house), Counting::Refusals(refusals))
        .telling(domain)
        .knowing(Showing::Token)
        .shut_while_sealed(house.condition.subscribe());
    behind(door, routes)
}

/// People with a browser. What another site's page sent goes no further than this.
fn people(house: &House, refusals: Meter, routes: Router, domain: Option<Domain>) -> Router {
    let door = Door::new(bounds(house), Counting::Refusals(refusals))
        .telling(domain)
        .knowing(Showing::Cookie { https: house.config.public.is_https() })
        .shut_while_sealed(house.condition.subscribe())
        .only_own_pages(OwnOrigin::new(&house.config.public));
    behind(door, routes)
}

fn behind(door: Door, routes: Router) -> Router {
    routes.layer(from_fn_with_state(Arc::new(door), door::pass))
}

/// The answer at every other address. Without keys nobody can say what there is, so it is why the doors are shut.
fn nothing_here(condition: &Condition, asked: &HeaderMap) -> Response {
    health::at_shut_door(condition, asked).unwrap_or_else(|| {
        let detail = "there is nothing at this address";
        Problem::new(ProblemKind::NotFound, detail).answer(asked)
    })
}

fn bounds(house: &House) -> Bounds {
    Bounds { body: house.config.limits.body, time: house.config.limits.request }
}
