//! Sign-in rules: which tokens of other issuers a workload may exchange.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod show;

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Path};
use chrono::{DateTime, Utc};
use http::request::Parts;
use keywarden_domain::trust::{self, GivenKeys, Keys, ShownTrustRule};
use keywarden_model::{TrustRuleId, WorkloadId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    flaw::{Flaw, Flaws},
    json::Patched,
    problem::Problem,
};

/// A sign-in rule. A token is let in if issuer, audience and every claim fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrustRule {
    #[schema(example = "tru_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    workload: String,
    /// The token's `iss`, letter by letter.
    #[schema(example = "https://token.actions.githubusercontent.com")]
    issuer: String,
    /// One of the token's `aud`.
    #[schema(example = "https://keys.example.com")]
    audience: String,
    /// What the token must claim.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "repository": "octo-org/shop" }))]
    claims: BTreeMap<String, String>,
    /// Where the issuer's keys are; absent if its discovery document says so, or `jwks` holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_url: Option<String>,
    /// The issuer's keys, if they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
    /// Whether a token is taken once only.
    single_use: bool,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
    /// When it last let a token in.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
    /// Counts edits; the `ETag`.
    row_version: i64,
}

/// A rule, and what it last refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeTrustRule {
    #[serde(flatten)]
    rule: TrustRule,
    /// The last token of its issuer that was signed well and refused; only for those who may edit the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_refused: Option<LastRefused>,
}

/// A token that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastRefused {
    at: DateTime<Utc>,
    /// `audience`, `claims`, `early`, `expired`, `spent` or `times`.
    #[schema(example = "claims")]
    why: &'static str,
    /// What it claimed; lists and objects as JSON.
    claims: BTreeMap<String, String>,
    /// The claims that the rule wants otherwise.
    missed: Vec<String>,
}

impl From<trust::TrustRule> for TrustRule {
    fn from(rule: trust::TrustRule) -> Self {
        let (jwks_url, jwks) = match &rule.terms.keys {
            Keys::At(url) => (Some(url.to_string()), None),
            Keys::Discovered => (None, None),
            Keys::Given(given) => (None, Some(given.as_str().to_owned())),
        };
        Self {
            id: rule.id.to_string(),
            workload: rule.workload.to_string(),
            issuer: rule.terms.issuer.to_string(),
            audience: rule.terms.audience.to_string(),
            claims: rule
                .terms
                .claims
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            jwks_url,
            jwks,
            single_use: rule.terms.single_use,
            created_at: rule.created_at,
            created_by: rule.created_by,
            last_used_at: rule.last_used_at,
            row_version: rule.row_version,
        }
    }
}

impl From<ShownTrustRule> for WholeTrustRule {
    fn from(shown: ShownTrustRule) -> Self {
        let last_refused = shown.refused.map(|refused| LastRefused {
            at: refused.at,
            why: refused.why.word(),
            missed: refused.claims.iter().filter(|it| it.missed).map(|it| it.name.clone()).collect(),
            claims: refused.claims.into_iter().map(|it| (it.name, it.value)).collect(),
        });
        Self { rule: shown.rule.into(), last_refused }
    }
}

/// A rule in its workload, by the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) workload: WorkloadId,
    pub(crate) rule: TrustRuleId,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((workload, rule)) = path.map_err(|_| Problem::not_found())?;
        match (workload.parse(), rule.parse()) {
            (Ok(workload), Ok(rule)) => Ok(Self { workload, rule }),
            _ => Err(Problem::not_found()),
        }
    }
}

/// Where keys come from, out of the two fields; at most one of them is set.
fn keys(flaws: &mut Flaws, url: Option<&str>, document: Option<&str>) -> Option<Keys> {
    match (url, document) {
        (None, None) => Some(Keys::Discovered),
        (Some(url), None) => flaws.parse("/jwks_url", url).map(Keys::At),
        (None, Some(document)) => flaws.keep("/jwks", GivenKeys::read(document)).map(Keys::Given),
        (Some(_), Some(_)) => {
            flaws.note(Flaw::at("/jwks", "give `jwks_url` or `jwks`, not both"));
            None
        }
    }
}

/// As [`keys`], for what a patch makes of the keys before: naming one kind replaces the other.
fn patched_keys(
    flaws: &mut Flaws,
    before: Keys,
    url: Patched<String>,
    document: Patched<String>,
) -> Option<Keys> {
    match (url, document) {
        (None, None) => Some(before),
        (None | Some(None), Some(Some(document))) => keys(flaws, None, Some(&document)),
        (Some(Some(url)), None | Some(None)) => keys(flaws, Some(&url), None),
        (Some(Some(url)), Some(Some(document))) => keys(flaws, Some(&url), Some(&document)),
        (Some(None), Some(None)) => Some(Keys::Discovered),
        (Some(None), None) => Some(if matches!(before, Keys::At(_)) { Keys::Discovered } else { before }),
        (None, Some(None)) => Some(if matches!(before, Keys::Given(_)) { Keys::Discovered } else { before }),
    }
}
