//! `GET /api/v1/permissions`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    permissions::{Entitled, Sought},
};
use keywarden_model::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PermissionPath, action, principal};
use crate::{
    caller::Caller,
    flaw::Flaw,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// Somebody who can.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EffectivePermission {
    /// The id of the person or workload.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    /// `person` or `workload`.
    #[schema(example = "person")]
    kind: &'static str,
    #[schema(example = "Alice")]
    name: String,
    /// Each way that would do by itself.
    paths: Vec<PermissionPath>,
}

impl From<&Entitled> for EffectivePermission {
    fn from(it: &Entitled) -> Self {
        Self {
            principal: it.holder.to_string(),
            kind: it.holder.kind(),
            name: it.name.clone(),
            paths: it.paths.iter().cloned().map(PermissionPath::from).collect(),
        }
    }
}

/// List who can do something to a thing, and by what
///
/// Every active person and workload for whom the policies say yes, by name; a fresh passkey is asked for beside that. Where
/// policies look at the moment, it is this one, from no known address, with a passkey just shown. For owners, admins and
/// auditors, and of what lies in a project for its managers.
#[utoipa::path(
    get,
    path = "/api/v1/permissions",
    tag = "Permissions",
    operation_id = "listWhoCan",
    params(
        ("action" = String, Query, description = "What is done, by its stable name", example = "key.issue"),
        ("resource" = String, Query, description = "To which thing: its id, or `organization`", example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("q" = Option<String>, Query, description = "A part of the name"),
        ("kind" = Option<String>, Query, description = "`person` or `workload`"),
        ("role" = Option<String>, Query, description = "Who can by this role"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of people and workloads", body = Page<EffectivePermission>)),
)]
pub(crate) async fn who_can(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let (action, thing) = (action(&mut query), query.text("resource"));
    let (name, role) = (query.text("q"), query.parse::<Role>("role"));
    let workloads = match query.text("kind").as_deref() {
        None => None,
        Some("person") => Some(false),
        Some("workload") => Some(true),
        Some(_) => {
            query.refuse("kind", "use `person` or `workload`");
            None
        }
    };
    let (after, limit) = (principal(&mut query, "cursor"), page::limit(&mut query));
    query.end()?;
    let missing = |name| Problem::invalid(Flaw::parameter(name, "is missing"));
    let action = action.ok_or_else(|| missing("action"))?;
    let thing = thing.ok_or_else(|| missing("resource"))?;
    let sought = Sought { name, workloads, role };
    let found = domain.who_can(caller.op(), action, &thing).await?.only(&sought);
    let (entitled, next) = found.page(after, limit);
    let items = entitled.iter().map(EffectivePermission::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: next.map(|holder| holder.to_string()) }))
}
