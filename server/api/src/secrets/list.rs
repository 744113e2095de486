//! `GET /api/v1/secrets`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    secrets::{SecretLine, SecretListError, SecretQuery},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Secret, SecretVersion};
use crate::{
    caller::Caller,
    flaw::Flaw,
    keys::list::within,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// A secret in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedSecret {
    #[serde(flatten)]
    secret: Secret,
    /// The version that is read when nobody says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<SecretVersion>,
}

/// List secrets
///
/// Only those that the caller may see, in the order of their paths. No value is read.
#[utoipa::path(
    get,
    path = "/api/v1/secrets",
    tag = "Secrets",
    operation_id = "listSecrets",
    params(
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("environment" = Option<String>, Query, description = "`env_…`; or a slug, beside `project`"),
        ("folder" = Option<String>, Query, description = "Only in this folder, or one below it", example = "database"),
        ("q" = Option<String>, Query, description = "A part of the path"),
        ("deleted" = Option<bool>, Query, description = "`true`: the deleted ones that can still be restored, instead of those that are not deleted"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of secrets", body = Page<ListedSecret>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let named = (query.text("project"), query.text("environment"));
    let mut wanted = SecretQuery {
        folder: query.parse("folder"),
        search: query.text("q"),
        deleted: query.parse("deleted").unwrap_or(false),
        cursor: query.text("cursor"),
        limit: page::limit(&mut query),
        ..SecretQuery::default()
    };
    query.end()?;
    (wanted.project, wanted.environment) = within(&domain, &caller, named).await?;
    let found = domain.secrets(caller.op(), &wanted).await?;
    let items = found.secrets.into_iter().map(ListedSecret::from).collect();
    Ok(page::answer(&uri, &Page::<ListedSecret> { items, next_cursor: found.next }))
}

impl From<SecretLine> for ListedSecret {
    fn from(line: SecretLine) -> Self {
        Self { secret: line.secret.into(), current: line.current.map(SecretVersion::from) }
    }
}

impl From<SecretListError> for Problem {
    fn from(error: SecretListError) -> Self {
        match error {
            SecretListError::Cursor => Self::invalid(Flaw::parameter("cursor", error)),
            SecretListError::Refused(refused) => refused.into(),
        }
    }
}
