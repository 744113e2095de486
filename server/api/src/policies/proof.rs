//! What a solver showed of a version.

use chrono::{DateTime, Utc};
use keywarden_domain::policy::proof::{self, ProofState};
use serde::Serialize;
use utoipa::ToSchema;

/// What a solver shows of a version against what was in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyProof {
    /// `waiting`, `running` or `done`.
    #[schema(example = "done")]
    state: &'static str,
    asked_at: DateTime<Utc>,
    /// The id of who asked.
    asked_by: String,
    /// How many request environments the policy can touch: types of callers, actions and types of things. 0 until a node has looked.
    #[schema(example = 3)]
    environments: i64,
    /// How many of them are compared.
    #[schema(example = 3)]
    compared: i64,
    /// `equivalent`: every request is answered as before. `narrows`: none is allowed that was not, and `counter_example` no longer is.
    /// `grants-nothing`: none is allowed that was not, and nobody knows whether all others still are. `grants`: `counter_example` is allowed and was
    /// not. `not-run`: the solver failed, and `why` says how. `unproven`: nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "narrows")]
    verdict: Option<&'static str>,
    /// A request that is answered otherwise; both sets were asked about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter_example: Option<CounterExample>,
    /// Why something is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Whether something else is in force by now, so that it says nothing of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<bool>,
    /// The revision of what was in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    revision: Option<i64>,
    /// The solver with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "cvc5 1.0.3")]
    solver: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 420)]
    took_ms: Option<u64>,
}

/// Something that a policy looks at, as it is in an example.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExampleFact {
    /// Whose: `context`, `environment`, `project`, `resource`, `tag` for a tag of the thing, or `clock` for the time in a zone.
    #[schema(example = "tag")]
    of: String,
    #[schema(example = "team")]
    name: String,
    #[schema(example = "payments")]
    value: String,
}

/// A request. An id that is absent is any that no policy names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CounterExample {
    /// `person`, `workload` or `operator`.
    #[schema(example = "person")]
    principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<String>,
    /// Roles of the organization that they hold.
    #[schema(example = json!(["owner"]))]
    roles: Vec<String>,
    /// Roles that they hold in the thing's project.
    #[schema(example = json!([]))]
    project_roles: Vec<String>,
    /// Teams that they are in and that a policy names.
    #[schema(example = json!([]))]
    teams: Vec<String>,
    #[schema(example = "secret.read")]
    action: String,
    /// The kind of the thing.
    #[schema(example = "secret")]
    resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// It is theirs, or themselves.
    own: bool,
    /// The thing is somebody who holds the role of owner.
    owner: bool,
    /// What else the policy looks at.
    facts: Vec<ExampleFact>,
    now: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// `passkey`, `recovery`, `shell` or `token`.
    #[schema(example = "passkey")]
    sign_in_method: String,
    /// How long ago they showed their passkey, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 61)]
    passkey_age: Option<i64>,
    /// Whether it was allowed.
    before: bool,
    /// Whether it is with this version.
    after: bool,
}

impl From<&proof::Proof> for PolicyProof {
    fn from(known: &proof::Proof) -> Self {
        let end = match &known.state {
            ProofState::Done(end) => Some(end),
            ProofState::Running | ProofState::Waiting => None,
        };
        Self {
            state: known.state.as_str(),
            asked_at: known.asked_at,
            asked_by: known.asked_by.clone(),
            environments: known.environments,
            compared: known.compared,
            verdict: end.map(|it| it.verdict.as_str()),
            counter_example: end
                .and_then(|it| it.verdict.counter_example())
                .cloned()
                .map(CounterExample::from),
            why: end.and_then(|it| it.verdict.why()).map(ToOwned::to_owned),
            stale: end.map(|it| it.is_stale),
            revision: end.map(|it| it.revision),
            solver: end.map(|it| it.solver.clone()),
            ended_at: end.map(|it| it.at),
            took_ms: end.map(|it| u64::try_from(it.took.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<proof::CounterExample> for CounterExample {
    fn from(it: proof::CounterExample) -> Self {
        Self {
            principal: it.principal,
            principal_id: it.principal_id,
            roles: it.roles,
            project_roles: it.project_roles,
            teams: it.teams,
            action: it.action,
            resource: it.resource,
            resource_id: it.resource_id,
            project: it.project,
            environment: it.environment,
            own: it.own,
            owner: it.owner,
            facts: it.facts.into_iter().map(ExampleFact::from).collect(),
            now: it.now,
            address: it.address,
            sign_in_method: it.method,
            passkey_age: it.passkey_age,
            before: it.before,
            after: it.after,
        }
    }
}

impl From<proof::ExampleFact> for ExampleFact {
    fn from(it: proof::ExampleFact) -> Self {
        Self { of: it.of, name: it.name, value: it.value }
    }
}
