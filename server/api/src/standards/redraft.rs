//! `POST /api/v1/standards/{standard}/versions`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    standards::{DraftStandardError, RedraftStandard as Redraft},
};
use keywarden_model::{Description, StandardId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{StandardRules, WholeStandard, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, absent},
    problem::Problem,
};

/// Other rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedraftStandard {
    /// At least one of them.
    rules: StandardRules,
    /// About it; up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "shorter lives")]
    note: String,
}

/// Write another version of a standard
///
/// It is a draft. Versions that were not in force yet are withdrawn.
#[utoipa::path(
    post,
    path = "/api/v1/standards/{standard}/versions",
    tag = "Standards",
    operation_id = "redraftStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("If-Match" = Option<String>, Header, description = "The standard's `ETag` that was read"),
    ),
    request_body = RedraftStandard,
    responses((status = 200, description = "The standard as it is now", body = WholeStandard)),
)]
pub(crate) async fn redraft(
    State(domain): State<Domain>,
    caller: Caller,
    At(standard): At<StandardId>,
    seen: Seen,
    asked: Asked<RedraftStandard>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let note = flaws.parse::<Description>("/note", &body.note);
    let rules = body.rules.read(&mut flaws);
    let (Some(note), Some(rules)) = (note, rules) else { return Err(flaws.problem()) };
    for left in seen.tries() {
        let there = domain.standard(&op, standard).await?.standard.row_version;
        let row_version = seen.version(there)?;
        let new = Redraft { rules: rules.clone(), note: note.clone(), row_version };
        match domain.redraft_standard(&op, standard, new).await {
            Err(DraftStandardError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(&domain, &op, standard).await;
            }
        }
    }
    Err(etag::changed())
}
