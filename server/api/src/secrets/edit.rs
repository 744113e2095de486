//! `PATCH /api/v1/secrets/{secret}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    authz::Owner,
    secrets::{Address, EditSecretError, SecretPatch},
};
use keywarden_model::{SecretId, Tags};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WholeSecret, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::{Flaw, Flaws},
    json::{Asked, emptied, kept},
    keys::create::OWNER,
    problem::Problem,
    standards,
};

/// What changes; what is absent stays, `null` empties (RFC 7396; tags are replaced as a whole).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchSecret {
    /// Up to 1 000 characters.
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = "the shop's database, rotated in May")]
    description: Option<String>,
    /// At most 32: `name` or `name=value`.
    #[serde(default, deserialize_with = "emptied")]
    #[schema(example = json!(["team=payments"]))]
    tags: Option<Vec<String>>,
    /// The id of a person or team: whom to ask about it.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: Option<String>,
}

/// Change what is said about a secret
#[utoipa::path(
    patch,
    path = "/api/v1/secrets/{secret}",
    tag = "Secrets",
    operation_id = "editSecret",
    params(("secret" = String, Path, description = "`sec_…`")),
    request_body = PatchSecret,
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    Seen(version): Seen,
    asked: Asked<PatchSecret>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    domain.edit_secret(&op, secret, version, body.read()?).await?;
    after(&domain, &op, &Address::Id(secret)).await
}

impl PatchSecret {
    fn read(self) -> Result<SecretPatch, Problem> {
        let mut flaws = Flaws::default();
        let description = flaws.keep("/description", self.description.map(|text| text.parse()).transpose());
        let tags = flaws.keep("/tags", self.tags.map(Tags::parse).transpose());
        let owner = self.owner.map(|text| Owner::parse(&text).ok_or(OWNER)).transpose();
        let owner = flaws.keep("/owner", owner);
        let (Some(description), Some(tags), Some(owner)) = (description, tags, owner) else {
            return Err(flaws.problem());
        };
        Ok(SecretPatch { description, tags, owner })
    }
}

impl From<EditSecretError> for Problem {
    fn from(error: EditSecretError) -> Self {
        match error {
            EditSecretError::Deleted => Self::conflict(error),
            EditSecretError::OwnerUnknown => Self::invalid(Flaw::at("/owner", error)),
            EditSecretError::Refused(refused) => refused.into(),
            EditSecretError::Stale => etag::changed(),
            EditSecretError::Standard(breach) => standards::broken(&breach),
        }
    }
}
