//! `GET /api/v1/secrets`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    authz::Owner,
    secrets::{SecretLine, SecretListError, SecretQuery, Standing},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Secret, SecretVersion};
use crate::{
    caller::Caller,
    flaw::Flaw,
    keys::{create::OWNER, list::within},
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
        ("q" = Option<String>, Query, description = "A part of the path, of a tag or of the owner's name"),
        ("owner" = Option<String>, Query, description = "`usr_…` or `team_…`"),
        ("tag" = Option<String>, Query, description = "`name` or `name=value`", example = "team=payments"),
        ("state" = Option<String>, Query, description = "`there`, unless this says otherwise; `unreadable`: those of them that give no value, because no version is current or the current one is disabled or outside its validity; `expiring`: those whose current version expires within 30 days, or has expired; `deleted`: the deleted ones that can still be restored", example = "unreadable"),
        ("deleted" = Option<bool>, Query, description = "`true` is `state=deleted`, `false` is `state=there`"),
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
    let owner = query.text("owner").and_then(|text| {
        let owner = Owner::parse(&text);
        if owner.is_none() {
            query.refuse("owner", OWNER);
        }
        owner
    });
    let (state, deleted) = (query.parse("state"), query.parse("deleted"));
    if state.is_some() && deleted.is_some() {
        query.refuse("deleted", "send either this or `state`");
    }
    let of_deleted = deleted.map(|deleted| if deleted { Standing::Deleted } else { Standing::There });
    let mut wanted = SecretQuery {
        folder: query.parse("folder"),
        search: query.text("q"),
        owner,
        tag: query.parse("tag"),
        standing: state.or(of_deleted).unwrap_or_default(),
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
