//! `PATCH /api/v1/workloads/{workload}/rules/{rule}`

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    trust::{EditTrustRuleError, Terms},
};
use keywarden_model::ClaimRules;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Place, WholeTrustRule};
use crate::{
    caller::Caller,
    etag::{self, Seen, tagged},
    flaw::{Flaw, Flaws},
    json::{self, Asked, Patched, kept, patched},
    problem::Problem,
};

/// What changes; what is absent stays, `null` takes away (RFC 7396). `claims` is set as a whole.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTrustRule {
    /// The token's `iss`, letter by letter.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "https://token.actions.githubusercontent.com")]
    issuer: Option<String>,
    /// One of the token's `aud`.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "https://keys.example.com")]
    audience: Option<String>,
    /// All that the token must claim.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = BTreeMap<String, String>, required = false, example = json!({ "repository": "octo-org/shop", "environment": "production" }))]
    claims: Option<BTreeMap<String, String>>,
    /// Where the issuer's keys are; `null`: its discovery document says so.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    jwks_url: Patched<String>,
    /// The issuer's keys themselves; `null`: they are fetched.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    jwks: Patched<String>,
    /// Whether a token is taken once only.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = bool, required = false, example = false)]
    single_use: Option<bool>,
}

/// Edit a sign-in rule
///
/// The service tokens that it gave are revoked.
#[utoipa::path(
    patch,
    path = "/api/v1/workloads/{workload}/rules/{rule}",
    tag = "Workloads",
    operation_id = "editTrustRule",
    params(
        ("workload" = String, Path, description = "`wkl_…`"),
        ("rule" = String, Path, description = "`tru_…`"),
    ),
    request_body = PatchTrustRule,
    responses((status = 200, description = "The rule as it is now", body = WholeTrustRule)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    Place { workload, rule }: Place,
    seen: Seen,
    asked: Asked<PatchTrustRule>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    for left in seen.tries() {
        let before = domain.trust_rule(&op, workload, rule).await?.rule;
        let row_version = seen.version(before.row_version)?;
        let terms = body.clone().onto(before.terms)?;
        match domain.edit_trust_rule(&op, workload, rule, terms, row_version).await {
            Err(EditTrustRuleError::ChangedMeanwhile) if left > 0 => continue,
            done => done?,
        };
        let shown = domain.trust_rule(&op, workload, rule).await.map_err(Problem::after_all)?;
        let version = shown.rule.row_version;
        return Ok(tagged(json::ok(&WholeTrustRule::from(shown)), version));
    }
    Err(etag::changed())
}

impl PatchTrustRule {
    fn onto(self, before: Terms) -> Result<Terms, Problem> {
        let mut flaws = Flaws::default();
        let issuer = match self.issuer {
            Some(issuer) => flaws.parse("/issuer", &issuer),
            None => Some(before.issuer),
        };
        let audience = match self.audience {
            Some(audience) => flaws.parse("/audience", &audience),
            None => Some(before.audience),
        };
        let claims = match self.claims {
            Some(claims) => flaws.keep("/claims", ClaimRules::new(claims)),
            None => Some(before.claims),
        };
        let keys = super::patched_keys(&mut flaws, before.keys, self.jwks_url, self.jwks);
        let (Some(issuer), Some(audience), Some(claims), Some(keys)) = (issuer, audience, claims, keys)
        else {
            return Err(flaws.problem());
        };
        Ok(Terms { issuer, audience, claims, keys, single_use: self.single_use.unwrap_or(before.single_use) })
    }
}

impl From<EditTrustRuleError> for Problem {
    fn from(error: EditTrustRuleError) -> Self {
        match error {
            EditTrustRuleError::ChangedMeanwhile => etag::changed(),
            EditTrustRuleError::Claims(_) => Self::invalid(Flaw::at("/claims", error)),
            EditTrustRuleError::Refused(refused) => refused.into(),
        }
    }
}
