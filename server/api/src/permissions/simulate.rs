//! `GET /api/v1/permissions/simulation`

use axum::{Json, extract::State};
use keywarden_domain::{
    Domain,
    authz::SignInMethod,
    permissions::{Case, PasskeyAge, Setting, Simulated, Under},
};
use keywarden_model::PolicyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DecidedResource, PolicyConsidered, SmallestRole, action, principal};
use crate::{
    caller::Caller,
    flaw::Flaw,
    problem::Problem,
    query::{Query, Reading},
};

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
            considered: PolicyConsidered::all(it.considered, &it.written),
            smallest_role: it.enough.map(SmallestRole::from),
        }
    }
}

/// Show what would be if somebody did something
///
/// Asks the policies in force, or those in force with one version of a policy besides, and changes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/permissions/simulation",
    tag = "Permissions",
    operation_id = "simulate",
    params(
        ("principal" = String, Query, description = "Who: `usr_…` or `wkl_…`", example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("action" = String, Query, description = "What is done, by its stable name", example = "key.issue"),
        ("resource" = String, Query, description = "To which thing: its id, or `organization`", example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("at" = Option<String>, Query, description = "When; otherwise now"),
        ("address" = Option<String>, Query, description = "From which address; otherwise none is known"),
        ("passkey_age" = Option<String>, Query, description = "How many seconds ago the person showed their passkey, or `never`; otherwise 0. Workloads have none"),
        ("method" = Option<String>, Query, description = "How the person signed in: `passkey` or `recovery`; otherwise `passkey`. Workloads show a token"),
        ("reason_given" = Option<bool>, Query, description = "Whether a reason is given for it; otherwise not"),
        ("policy" = Option<String>, Query, description = "Besides what is in force, ask this policy, in place of its version that decides: `pol_…`"),
        ("version" = Option<i64>, Query, description = "Which version of that policy"),
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
    let (thing, setting) = (query.text("resource"), setting(&mut query));
    let (policy, version) = (query.parse::<PolicyId>("policy"), query.parse::<i64>("version"));
    if policy.is_some() != version.is_some() {
        query.refuse("version", "name a policy and its version, or neither");
    }
    query.end()?;
    let missing = |name| Problem::invalid(Flaw::parameter(name, "is missing"));
    let holder = holder.ok_or_else(|| missing("principal"))?;
    let action = action.ok_or_else(|| missing("action"))?;
    let thing = thing.ok_or_else(|| missing("resource"))?;
    let under = policy.zip(version).map_or(Under::InForce, |(policy, version)| Under::With(policy, version));
    let case = Case { holder, action, thing, setting };
    Ok(Json(domain.simulate(caller.op(), &case, under).await?.into()))
}

/// Takes the moment out of a query.
fn setting(query: &mut Reading) -> Setting {
    let (at, address) = (query.parse("at"), query.parse("address"));
    let reason = query.parse("reason_given").unwrap_or_default();
    let mut setting = Setting { at, address, reason, ..Setting::default() };
    if let Some(text) = query.text("passkey_age") {
        match PasskeyAge::parse(&text) {
            Some(age) => setting.passkey = age,
            None => query.refuse("passkey_age", "use seconds, or `never`"),
        }
    }
    if let Some(text) = query.text("method") {
        setting.method = method(&text);
        if setting.method.is_none() {
            query.refuse("method", "use `passkey` or `recovery`");
        }
    }
    setting
}

/// How a person signs in, by its word.
fn method(word: &str) -> Option<SignInMethod> {
    SignInMethod::named(word).filter(|it| matches!(it, SignInMethod::Passkey | SignInMethod::Recovery))
}
