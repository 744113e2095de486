//! `GET /api/v1/keys`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    authz::Owner,
    keys::{KeyQuery, ListError, Order},
};
use keywarden_model::{EnvironmentId, ProjectId};

use super::{WholeKey, create::OWNER};
use crate::{
    caller::Caller,
    flaw::Flaw,
    page::{self, Page},
    problem::Problem,
    query::{Query, Reading},
};

/// List keys
///
/// Only those that the caller may see; newest first unless `order` says otherwise.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    tag = "Keys",
    operation_id = "listKeys",
    params(
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("environment" = Option<String>, Query, description = "`env_…`; or a slug, beside `project`"),
        ("state" = Option<String>, Query, description = "`active`, `pre-activation`, `suspended`, `deactivated` or `compromised`"),
        ("owner" = Option<String>, Query, description = "The id of a person or team"),
        ("tag" = Option<String>, Query, description = "`name` or `name=value`"),
        ("unused_days" = Option<u16>, Query, description = "Issued before, and not used for, so many days: 1 to 3650"),
        ("q" = Option<String>, Query, description = "A part of the name, an id, or a public id"),
        ("order" = Option<String>, Query, description = "`created`, `expires`, `last-used` or `name`"),
        ("reversed" = Option<bool>, Query, description = "The other way round"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of keys", body = Page<WholeKey>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let within = (query.text("project"), query.text("environment"));
    let mut wanted = filter(&mut query);
    wanted.order = match query.text("order").map(|text| Order::parse(&text)) {
        Some(None) => {
            query.refuse("order", "use `created`, `expires`, `last-used` or `name`");
            Order::default()
        }
        Some(Some(order)) => order,
        None => Order::default(),
    };
    wanted.reversed = query.parse("reversed").unwrap_or(false);
    wanted.cursor = query.text("cursor");
    wanted.limit = page::limit(&mut query);
    query.end()?;
    narrow(&domain, &caller, within, &mut wanted).await?;
    let found = domain.keys(caller.op(), &wanted).await?;
    let items = found.keys.into_iter().map(|line| WholeKey::of_line(line, caller.op().now)).collect();
    Ok(page::answer(&uri, &Page::<WholeKey> { items, next_cursor: found.next }))
}

/// The parameters that narrow, aside from where.
pub(super) fn filter(query: &mut Reading) -> KeyQuery {
    let owner = query.text("owner").and_then(|text| {
        let owner = Owner::parse(&text);
        if owner.is_none() {
            query.refuse("owner", OWNER);
        }
        owner
    });
    KeyQuery {
        state: query.parse("state"),
        owner,
        tag: query.parse("tag"),
        unused: query.parse("unused_days"),
        search: query.text("q"),
        ..KeyQuery::default()
    }
}

/// Looks up project and environment.
pub(super) async fn narrow(
    domain: &Domain,
    caller: &Caller,
    named: (Option<String>, Option<String>),
    wanted: &mut KeyQuery,
) -> Result<(), Problem> {
    (wanted.project, wanted.environment) = within(domain, caller, named).await?;
    Ok(())
}

/// The project and environment that a query names.
pub(crate) async fn within(
    domain: &Domain,
    caller: &Caller,
    (project, environment): (Option<String>, Option<String>),
) -> Result<(Option<ProjectId>, Option<EnvironmentId>), Problem> {
    let project = match project {
        Some(project) => Some(domain.project(caller.op(), &project).await?.id),
        None => None,
    };
    let environment = match (environment, project) {
        (Some(environment), Some(project)) => {
            Some(domain.environment(caller.op(), project, &environment).await?.id)
        }
        (Some(environment), None) => {
            let why = "write `env_…`, or name the project too";
            let id =
                environment.parse().map_err(|_| Problem::invalid(Flaw::parameter("environment", why)))?;
            Some(id)
        }
        (None, _) => None,
    };
    Ok((project, environment))
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Cursor => Self::invalid(Flaw::parameter("cursor", error)),
            ListError::Refused(refused) => refused.into(),
        }
    }
}
