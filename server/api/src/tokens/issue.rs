//! `POST /api/v1/workloads/{workload}/tokens`

use axum::{extract::State, response::Response};
use http::StatusCode;
use keywarden_domain::{
    Domain,
    workloads::{IssueTokenError, TokenLifetime},
};
use keywarden_model::WorkloadId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    at::At,
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// How long the token is good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueToken {
    /// 60 seconds to 365 days; 90 days otherwise.
    #[schema(example = 7_776_000)]
    expires_in_seconds: Option<i64>,
}

/// A token as its asker gets it, this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "stk_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
    "workload": "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
    "token": "kws_workload_0A1B2C3D4E5F_…",
}))]
pub(crate) struct IssuedToken<'a> {
    id: String,
    workload: String,
    /// The value. It is nowhere kept and not shown again.
    token: &'a str,
}

/// Issue a service token
///
/// The answer holds its value, this once.
#[utoipa::path(
    post,
    path = "/api/v1/workloads/{workload}/tokens",
    tag = "Workloads",
    operation_id = "issueToken",
    params(("workload" = String, Path, description = "`wkl_…`")),
    request_body = IssueToken,
    responses((status = 201, description = "The token", body = IssuedToken)),
)]
pub(crate) async fn issue(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
    asked: Asked<IssueToken>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let issued = domain.issue_service_token(&op, workload, body.read()?).await?;
    let answer = IssuedToken {
        id: issued.id.to_string(),
        workload: workload.to_string(),
        token: issued.value.expose(),
    };
    Ok(json::answer(StatusCode::CREATED, &answer))
}

impl IssueToken {
    fn read(&self) -> Result<TokenLifetime, Problem> {
        let Some(seconds) = self.expires_in_seconds else { return Ok(TokenLifetime::default()) };
        let mut flaws = Flaws::default();
        let read = flaws.keep("/expires_in_seconds", TokenLifetime::from_seconds(seconds));
        read.ok_or_else(|| flaws.problem())
    }
}

impl From<IssueTokenError> for Problem {
    fn from(error: IssueTokenError) -> Self {
        match error {
            IssueTokenError::Deactivated | IssueTokenError::TooMany => Self::conflict(error),
            IssueTokenError::Refused(refused) => refused.into(),
        }
    }
}
