//! `POST /api/v1/standards/{standard}/versions/{version}/…`: what happens to a version.

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, Op, standards::ChangeStandardError};

use super::{Place, WholeStandard, after};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    json::{Asked, Nothing},
    problem::Problem,
};

#[derive(Debug, Clone, Copy)]
enum Step {
    Activate,
    Approve,
    RollBack,
    Submit,
    Withdraw,
}

async fn take(domain: &Domain, op: &Op, place: Place, seen: Seen, step: Step) -> Result<Response, Problem> {
    let Place { standard, version } = place;
    for left in seen.tries() {
        let there = domain.standard(op, standard).await?.standard.row_version;
        let row_version = seen.version(there)?;
        let taken = match step {
            Step::Activate => domain.activate_standard(op, standard, version, row_version).await,
            Step::Approve => domain.approve_standard(op, standard, version, row_version).await,
            Step::RollBack => domain.roll_back_standard(op, standard, version, row_version).await,
            Step::Submit => domain.submit_standard(op, standard, version, row_version).await,
            Step::Withdraw => domain.withdraw_standard(op, standard, version, row_version).await,
        };
        match taken {
            Err(ChangeStandardError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(domain, op, standard).await;
            }
        }
    }
    Err(etag::changed())
}

/// Activate a version of a standard
///
/// It is in force at once, in place of the one that was. What breaks it already goes on, and is reported.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions/{version}/activate",
    tag = "Standards",
    operation_id = "activateStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn activate(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Activate).await
}

/// Approve a version of a standard
///
/// Only people approve, and nobody what they wrote. It is not in force by that.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions/{version}/approve",
    tag = "Standards",
    operation_id = "approveStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn approve(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Approve).await
}

/// Roll a standard back to a version
///
/// One that was in force before is in force again.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions/{version}/roll-back",
    tag = "Standards",
    operation_id = "rollBackStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn roll_back(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::RollBack).await
}

/// Submit a draft of a standard for review
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions/{version}/submit",
    tag = "Standards",
    operation_id = "submitStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn submit(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Submit).await
}

/// Withdraw a version of a standard
///
/// One that was not in force yet.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions/{version}/withdraw",
    tag = "Standards",
    operation_id = "withdrawStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn withdraw(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Withdraw).await
}
