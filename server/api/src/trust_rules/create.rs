//! `POST /api/v1/workloads/{workload}/rules`

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    trust::{CreateTrustRuleError, Terms},
};
use keywarden_model::{ClaimRules, WorkloadId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeTrustRule;
use crate::{
    at::At,
    caller::Caller,
    etag::tagged,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// A new sign-in rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTrustRule {
    /// The token's `iss`, letter by letter.
    #[schema(example = "https://token.actions.githubusercontent.com")]
    issuer: String,
    /// One of the token's `aud`; this server's public URL otherwise.
    #[schema(example = "https://keys.example.com")]
    audience: Option<String>,
    /// What the token must claim: every value exactly, or `…/*` for one name after a slash.
    #[schema(example = json!({ "repository": "octo-org/shop", "ref": "refs/heads/main" }))]
    claims: BTreeMap<String, String>,
    /// Where the issuer's keys are; its discovery document says so otherwise.
    jwks_url: Option<String>,
    /// The issuer's keys themselves, for one that cannot be reached from this server: a JWKS as text.
    jwks: Option<String>,
    /// Whether a token is taken once only; true otherwise.
    #[schema(example = true)]
    single_use: Option<bool>,
}

/// Let a workload sign in with tokens of another issuer
#[utoipa::path(
    post,
    path = "/api/v1/workloads/{workload}/rules",
    tag = "Workloads",
    operation_id = "createTrustRule",
    params(("workload" = String, Path, description = "`wkl_…`")),
    request_body = CreateTrustRule,
    responses((status = 201, description = "The rule", body = WholeTrustRule)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
    asked: Asked<CreateTrustRule>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let terms = body.read(&domain.settings().origin)?;
    let id = domain.create_trust_rule(&op, workload, terms).await?;
    let shown = domain.trust_rule(&op, workload, id).await.map_err(Problem::after_all)?;
    let version = shown.rule.row_version;
    let location = format!("/api/v1/workloads/{workload}/rules/{id}");
    Ok(tagged(json::created(&location, &WholeTrustRule::from(shown)), version))
}

impl CreateTrustRule {
    fn read(self, origin: &str) -> Result<Terms, Problem> {
        let mut flaws = Flaws::default();
        let issuer = flaws.parse("/issuer", &self.issuer);
        let audience = flaws.parse("/audience", self.audience.as_deref().unwrap_or(origin));
        let claims = flaws.keep("/claims", ClaimRules::new(self.claims));
        let keys = super::keys(&mut flaws, self.jwks_url.as_deref(), self.jwks.as_deref());
        let (Some(issuer), Some(audience), Some(claims), Some(keys)) = (issuer, audience, claims, keys)
        else {
            return Err(flaws.problem());
        };
        Ok(Terms { issuer, audience, claims, keys, single_use: self.single_use.unwrap_or(true) })
    }
}

impl From<CreateTrustRuleError> for Problem {
    fn from(error: CreateTrustRuleError) -> Self {
        match error {
            CreateTrustRuleError::Claims(_) => Self::invalid(Flaw::at("/claims", error)),
            CreateTrustRuleError::Deactivated | CreateTrustRuleError::TooMany => Self::conflict(error),
            CreateTrustRuleError::Refused(refused) => refused.into(),
        }
    }
}
