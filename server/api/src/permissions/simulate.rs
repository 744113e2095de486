//! `GET /api/v1/permissions/simulation`

use axum::{Json, extract::State};
use keywarden_domain::{
    Domain,
    permissions::{Circumstances, PasskeyAge, Simulated},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DecidedResource, PolicyConsidered, SmallestRole, action, principal};
use crate::{caller::Caller, flaw::Flaw, problem::Problem, query::Query};

/// What would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Simulation {
    /// The id of the person or workload.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    /// False for somebody deactivated, who can do nothing.
    #[schema(example = true)]
    active: bool,
    #[schema(example = "key.issue")]
    action: &'static str,
    resource: DecidedResource,
    /// What the policies say.
    #[schema(example = false)]
    allowed: bool,
    /// They say yes, and a passkey has to be shown first.
    #[schema(example = false)]
    needs_passkey: bool,
    /// The policies that decided; none where no policy says yes.
    #[schema(example = json!([]))]
    policies: Vec<String>,
    /// Every policy that speaks of the action and the thing, and what it came to.
    considered: Vec<PolicyConsidered>,
    /// Where the answer is no: the smallest role that would be enough. Absent where none would.
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_role: Option<SmallestRole>,
}

impl From<Simulated> for Simulation {
    fn from(it: Simulated) -> Self {
        Self {
            principal: it.holder.to_string(),
            active: it.active,
            action: it.action.name(),
            resource: it.thing.into(),
            allowed: it.allowed,
            needs_passkey: it.needs_passkey,
            policies: it.policies,
            considered: it.considered.into_iter().map(PolicyConsidered::from).collect(),
            smallest_role: it.enough.map(SmallestRole::from),
        }
    }
}

/// Show what would be if somebody did something
///
/// Asks the policies in force, and changes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/permissions/simulation",
    tag = "Permissions",
    operation_id = "simulate",
    params(
        ("principal" = String, Query, description = "Who: `usr_…` or `wkl_…`", example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("action" = String, Query, description = "What is done, by its stable name", example = "key.issue"),
        ("resource" = String, Query, description = "To which thing: its id, or `organization`", example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("recovering" = Option<bool>, Query, description = "The session was opened by a recovery code or link"),
        ("passkey" = Option<String>, Query, description = "When the person last showed a passkey: `fresh` (at most five minutes ago), otherwise `old`"),
    ),
    responses((status = 200, description = "What would be", body = Simulation)),
)]
pub(crate) async fn simulate(
    State(domain): State<Domain>,
    caller: Caller,
    query: Query,
) -> Result<Json<Simulation>, Problem> {
    let mut query = query.read();
    let (holder, action) = (principal(&mut query, "principal"), action(&mut query));
    let (thing, recovering) = (query.text("resource"), query.parse("recovering").unwrap_or(false));
    let passkey = match query.text("passkey").as_deref() {
        None | Some("fresh") => PasskeyAge::Fresh,
        Some("old") => PasskeyAge::Old,
        Some(_) => {
            query.refuse("passkey", "use `fresh` or `old`");
            PasskeyAge::Old
        }
    };
    query.end()?;
    let missing = |name| Problem::invalid(Flaw::parameter(name, "is missing"));
    let holder = holder.ok_or_else(|| missing("principal"))?;
    let action = action.ok_or_else(|| missing("action"))?;
    let thing = thing.ok_or_else(|| missing("resource"))?;
    let circumstances = Circumstances { recovering, passkey };
    Ok(Json(domain.simulate(caller.op(), holder, action, &thing, circumstances).await?.into()))
}
