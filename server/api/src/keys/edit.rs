//! `PATCH /api/v1/keys/{key}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    authz::Owner,
    keys::{EditKeyError, KeyPatch},
};
use keywarden_model::{AllowedCidrs, ApiKeyId, Metadata, Scopes, Tags};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Rate, WholeKey, after, create::OWNER};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, Patched, emptied, kept, patched},
    problem::Problem,
};

/// What changes; what is absent stays, `null` takes away what the key can be without (RFC 7396; lists and metadata are
/// replaced as a whole).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchKey {
    /// 1 to 120 characters; unique among the environment's living keys.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Checkout")]
    name: Option<String>,
    /// Up to 1 000 characters.
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = "charges cards at checkout")]
    description: Option<String>,
    /// The id of a person or team.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: Option<String>,
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = json!(["orders:read"]))]
    scopes: Option<Vec<String>>,
    /// Not valid before: RFC 3339. It lies ahead only of a key that has not begun; one that has is suspended instead.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, example = "2027-01-31T00:00:00Z")]
    not_before: Patched<String>,
    /// Not valid from then on: RFC 3339. What ended with a key that has expired has ended for good: more time is for the value
    /// of its next rotation.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, example = "2027-12-31T00:00:00Z")]
    expires_at: Patched<String>,
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = json!(["10.0.0.0/8"]))]
    allowed_cidrs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<Rate>)]
    rate_limit: Patched<Rate>,
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = json!(["team=payments"]))]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "emptied")]
    #[schema(value_type = Option<Object>, example = json!({ "plan": "gold" }))]
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Change a key
#[utoipa::path(
    patch,
    path = "/api/v1/keys/{key}",
    tag = "Keys",
    operation_id = "editKey",
    params(("key" = String, Path, description = "`key_…`")),
    request_body = PatchKey,
    responses((status = 200, description = "The key as it is now", body = WholeKey)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    Seen(version): Seen,
    asked: Asked<PatchKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    domain.edit_key(&op, key, version, body.read()?).await?;
    after(&domain, &op, key).await
}

impl PatchKey {
    fn read(self) -> Result<KeyPatch, Problem> {
        let mut flaws = Flaws::default();
        let name = flaws.keep("/name", self.name.map(|text| text.parse()).transpose());
        let description = flaws.keep("/description", self.description.map(|text| text.parse()).transpose());
        let owner = self.owner.map(|text| Owner::parse(&text).ok_or(OWNER)).transpose();
        let owner = flaws.keep("/owner", owner);
        let scopes = flaws.keep("/scopes", self.scopes.map(Scopes::parse).transpose());
        let not_before = self.not_before.map(|text| flaws.instant("/not_before", text.as_deref()));
        let expires_at = self.expires_at.map(|text| flaws.instant("/expires_at", text.as_deref()));
        let cidrs = flaws.keep("/allowed_cidrs", self.allowed_cidrs.map(AllowedCidrs::parse).transpose());
        let rate = self.rate_limit.map(|rate| rate.map(Rate::read).transpose()).transpose();
        let rate_limit = flaws.keep("/rate_limit", rate);
        let tags = flaws.keep("/tags", self.tags.map(Tags::parse).transpose());
        let metadata =
            flaws.keep("/metadata", self.metadata.map(|map| Metadata::from_value(map.into())).transpose());
        if !flaws.is_empty() {
            return Err(flaws.problem());
        }
        Ok(KeyPatch {
            name: name.flatten(),
            description: description.flatten(),
            owner: owner.flatten(),
            scopes: scopes.flatten(),
            not_before: not_before.flatten(),
            expires_at: expires_at.flatten(),
            allowed_cidrs: cidrs.flatten(),
            rate_limit: rate_limit.flatten(),
            tags: tags.flatten(),
            metadata: metadata.flatten(),
        })
    }
}

impl From<EditKeyError> for Problem {
    fn from(error: EditKeyError) -> Self {
        match error {
            EditKeyError::Refused(refused) => refused.into(),
            EditKeyError::Archived | EditKeyError::Revoked => Self::conflict(error),
            EditKeyError::Stale => etag::changed(),
            EditKeyError::Terms(terms) => terms.into(),
        }
    }
}
