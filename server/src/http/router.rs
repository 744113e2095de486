//! The table of contents: every route of the server, grouped by who calls.

use std::{future::ready, sync::Arc};

use axum::{Router, middleware::from_fn_with_state, response::Response};
use http::{HeaderMap, StatusCode};
use ipnet::IpNet;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    assets,
    bounds::{self, Bounds},
    client_address, csp_report,
    csrf::{self, OwnOrigin},
    headers::{self, Headers},
    health::{self, Condition},
    limits::{self, Meter},
    metrics,
    problem::Problem,
    request_id,
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
}

/// The whole server.
pub(crate) fn router(house: &House, doors: Doors) -> Router {
    let condition = house.condition.subscribe();
    Router::new()
        .merge(probes(house))
        .merge(anyone(house, doors.strangers))
        .merge(files(house))
        .merge(machines(house, doors.machines))
        .merge(people(house, doors.people))
        .fallback(move |asked: HeaderMap| ready(nothing_here(&condition.borrow(), &asked)))
        .layer(CatchPanicLayer::custom(bounds::after_panic))
        .layer(from_fn_with_state(Arc::new(Headers::new(house.config.public.is_https())), headers::set))
        .layer(from_fn_with_state(Arc::clone(&house.metrics), metrics::observe))
        .layer(from_fn_with_state(house.env.clone(), request_id::assign))
        .layer(from_fn_with_state(proxies(house), client_address::note))
}

/// Load balancers and probes.
fn probes(house: &House) -> Router {
    health::routes(house.condition.subscribe())
}

/// Anybody, without signing in; every request counts against its address.
fn anyone(house: &House, door: Router) -> Router {
    door.merge(csp_report::routes())
        .layer(from_fn_with_state(bounds(house), bounds::hold))
        .layer(from_fn_with_state(Meter::new(60, 60), limits::each_request))
}

/// The console's files: the same for everybody, and kept by browsers for ever.
fn files(house: &House) -> Router {
    assets::router().layer(from_fn_with_state(bounds(house), bounds::hold))
}

/// Machines with a token. A token that is refused counts against its address.
fn machines(house: &House, door: Router) -> Router {
    door.layer(from_fn_with_state(bounds(house), bounds::hold))
        .layer(from_fn_with_state(house.condition.subscribe(), health::shut_while_sealed))
        .layer(from_fn_with_state(Meter::new(1_000, 3_000), limits::each_refusal))
}

/// People with a browser. What another site's page sent goes no further than this.
fn people(house: &House, door: Router) -> Router {
    door.layer(from_fn_with_state(bounds(house), bounds::hold))
        .layer(from_fn_with_state(house.condition.subscribe(), health::shut_while_sealed))
        .layer(from_fn_with_state(OwnOrigin::new(&house.config.public), csrf::refuse_other_sites))
        .layer(from_fn_with_state(Meter::new(1_000, 3_000), limits::each_refusal))
}

/// The answer at every other address. Without keys nobody can say what there is, so it is why the doors are shut.
fn nothing_here(condition: &Condition, asked: &HeaderMap) -> Response {
    health::at_shut_door(condition, asked).unwrap_or_else(|| {
        let detail = "there is nothing at this address";
        Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail).answer(asked)
    })
}

fn bounds(house: &House) -> Bounds {
    Bounds { body: house.config.limits.body, time: house.config.limits.request }
}

fn proxies(house: &House) -> Arc<[IpNet]> {
    house.config.listen.trusted_proxies.clone().into()
}
