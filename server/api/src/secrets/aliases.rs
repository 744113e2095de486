//! `GET`, `PUT` and `DELETE /api/v1/secrets/{secret}/aliases/{dialect}`, and
//! `GET /api/v1/projects/{project}/environments/{environment}/aliases/{dialect}/{name}`

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use keywarden_domain::{
    Domain,
    secrets::{Address, AliasSecretError},
};
use keywarden_model::{Alias, Dialect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WholeSecret, after, at::Of, whole};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaw,
    json::{self, Asked},
    keys::create::place,
    problem::Problem,
};

/// What clients of another system call a secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretAlias {
    /// `aws`, `azure`, `conjur`, `gcp` or `vault-kv2`.
    #[schema(example = "aws")]
    dialect: &'static str,
    #[schema(example = "prod/database-password")]
    name: String,
}

/// The name that a secret is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveAlias {
    /// As clients of that system write it. AWS: 1 to 512 ASCII letters, digits or characters of `/_+=.@-`. Azure: 1 to 127
    /// ASCII letters, digits or `-`; case makes no difference. Google Cloud: 1 to 255 ASCII letters, digits, `_` or `-`.
    /// Conjur and Vault: at most 512 bytes, names between single slashes.
    #[schema(example = "prod/database-password")]
    name: String,
}

/// Show what clients of another system call a secret
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/aliases/{dialect}",
    tag = "Secrets",
    operation_id = "showSecretAlias",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("dialect" = String, Path, description = "`aws`, `azure`, `conjur`, `gcp` or `vault-kv2`"),
    ),
    responses((status = 200, description = "The name", body = SecretAlias)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Dialect>,
) -> Result<Response, Problem> {
    let view = domain.secret(caller.op(), &Address::Id(of.secret)).await?;
    let alias = view.alias(of.part).ok_or_else(Problem::not_found)?;
    Ok(json::ok(&SecretAlias { dialect: alias.dialect().as_str(), name: alias.name().to_owned() }))
}

/// Give a secret a name for clients of another system
///
/// In place of the one that it has there. A name is one secret's within its environment, also while that one is deleted.
#[utoipa::path(
    put,
    path = "/api/v1/secrets/{secret}/aliases/{dialect}",
    tag = "Secrets",
    operation_id = "aliasSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("dialect" = String, Path, description = "`aws`, `azure`, `conjur`, `gcp` or `vault-kv2`"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    request_body = GiveAlias,
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn give(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Dialect>,
    Seen(seen): Seen,
    asked: Asked<GiveAlias>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let alias = Alias::new(of.part, &body.name).map_err(|why| Problem::invalid(Flaw::at("/name", why)))?;
    domain.alias_secret(&op, of.secret, seen, &alias).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Take a secret's name in another system away
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{secret}/aliases/{dialect}",
    tag = "Secrets",
    operation_id = "unaliasSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("dialect" = String, Path, description = "`aws`, `azure`, `conjur`, `gcp` or `vault-kv2`"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn take(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Dialect>,
    Seen(seen): Seen,
) -> Result<Response, Problem> {
    domain.unalias_secret(caller.op(), of.secret, seen, of.part).await?;
    after(&domain, caller.op(), &Address::Id(of.secret)).await
}

/// Find a secret by what clients of another system call it
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/environments/{environment}/aliases/{dialect}/{*name}",
    tag = "Secrets",
    operation_id = "findSecretByAlias",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("dialect" = String, Path, description = "`aws`, `azure`, `conjur`, `gcp` or `vault-kv2`"),
        ("name" = String, Path, description = "The name, with its slashes as they are"),
    ),
    responses((status = 200, description = "The secret, without its values", body = WholeSecret)),
)]
pub(crate) async fn find(
    State(domain): State<Domain>,
    caller: Caller,
    named: Result<Path<(String, String, String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let Path((project, environment, dialect, name)) = named.map_err(|_| Problem::not_found())?;
    let dialect = dialect.parse().map_err(|_| Problem::not_found())?;
    let alias = Alias::new(dialect, &name).map_err(|_| Problem::not_found())?;
    let place = place(&domain, caller.op(), &project, &environment).await?;
    Ok(whole(domain.secret(caller.op(), &Address::Alias { place, alias }).await?))
}

impl From<AliasSecretError> for Problem {
    fn from(error: AliasSecretError) -> Self {
        match error {
            AliasSecretError::Deleted => Self::conflict(error),
            AliasSecretError::Refused(refused) => refused.into(),
            AliasSecretError::Stale => etag::changed(),
            AliasSecretError::Taken => Self::taken("/name", error),
        }
    }
}
