//! `GET /api/v1/policies/{policy}/versions/{version}/difference` and `GET /api/v1/policies/{policy}/difference`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain, Op,
    policy::difference::{
        self as domain, Change, Difference, DifferenceError, PolicyChange, RowKey, RowPage, When,
    },
};
use keywarden_model::PolicyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Place;
use crate::{
    at::At,
    caller::Caller,
    json,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// How many are concerned, each counted once.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct DifferenceSum {
    #[schema(example = 4)]
    people: u64,
    #[schema(example = 0)]
    workloads: u64,
    #[schema(example = 37)]
    things: u64,
    /// Somebody and a thing.
    #[schema(example = 148)]
    pairs: u64,
}

/// Something with what it is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalledThing {
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// Absent where the caller may not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada")]
    name: Option<String>,
}

/// What changes about one action in one place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceLine {
    /// `gained` or `lost`.
    #[schema(example = "gained")]
    change: &'static str,
    /// `always`; `as-assumed`: at the moment that is assumed, at others perhaps not; `otherwise`: perhaps at other moments.
    #[schema(example = "always")]
    when: &'static str,
    #[schema(example = "secret.read")]
    action: &'static str,
    /// The kind of things.
    #[schema(example = "secret")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<CalledThing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<CalledThing>,
    #[serde(flatten)]
    sum: DifferenceSum,
}

/// What changes for somebody about a thing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceRow {
    /// `gained` or `lost`.
    #[schema(example = "gained")]
    change: &'static str,
    /// As in a line.
    #[schema(example = "always")]
    when: &'static str,
    #[schema(example = "secret.read")]
    action: &'static str,
    /// A person or a workload.
    principal: CalledThing,
    /// The kind of the thing.
    #[schema(example = "secret")]
    kind: &'static str,
    thing: CalledThing,
}

/// What was not looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceLeft {
    /// There are more people or workloads.
    people: bool,
    /// There are more things.
    things: bool,
    /// Things that were not asked about any more, each action of each one.
    #[schema(example = 0)]
    questions: u64,
}

/// Who would gain and who would lose what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyDifference {
    /// Gained at the moment that is assumed.
    gained: DifferenceSum,
    /// Lost at the moment that is assumed.
    lost: DifferenceSum,
    /// Not at that moment, but perhaps gained at others.
    perhaps_gained: DifferenceSum,
    /// Not at that moment, but perhaps lost at others.
    perhaps_lost: DifferenceSum,
    /// People are assumed to ask at this moment, from an address that is not known, with a passkey shown just now.
    assumed_at: DateTime<Utc>,
    /// The actions that were asked about.
    #[schema(example = json!(["secret.read"]))]
    actions: Vec<&'static str>,
    /// People and workloads that were looked at.
    #[schema(example = 120)]
    principals: usize,
    /// Things that were looked at.
    #[schema(example = 37)]
    things: usize,
    /// Whether this is all that changes.
    complete: bool,
    /// What was not looked at, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<DifferenceLeft>,
    /// By action and place; what weighs most first.
    lines: Vec<DifferenceLine>,
    /// Lines that are left out.
    #[schema(example = 0)]
    more_lines: usize,
    /// One by one, a page of them.
    #[serde(flatten)]
    #[schema(inline)]
    rows: Page<DifferenceRow>,
}

impl From<domain::Sum> for DifferenceSum {
    fn from(sum: domain::Sum) -> Self {
        let domain::Sum { people, workloads, things, pairs } = sum;
        Self { people, workloads, things, pairs }
    }
}

impl From<domain::Called> for CalledThing {
    fn from(called: domain::Called) -> Self {
        Self { id: called.id, name: called.name }
    }
}

impl From<domain::Line> for DifferenceLine {
    fn from(line: domain::Line) -> Self {
        Self {
            change: line.change.as_str(),
            when: line.when.as_str(),
            action: line.action.name(),
            kind: line.kind,
            project: line.project.map(CalledThing::from),
            environment: line.environment.map(CalledThing::from),
            sum: line.sum.into(),
        }
    }
}

impl From<domain::Row> for DifferenceRow {
    fn from(row: domain::Row) -> Self {
        Self {
            change: row.change.as_str(),
            when: row.when.as_str(),
            action: row.action.name(),
            principal: row.who.into(),
            kind: row.kind,
            thing: row.thing.into(),
        }
    }
}

impl From<Difference> for PolicyDifference {
    fn from(found: Difference) -> Self {
        let now = |change| found.at_the_moment(change).into();
        let perhaps = |change| {
            let sum = found.sums.get(&(change, When::Otherwise)).copied();
            sum.unwrap_or_default().into()
        };
        let left = found.left;
        Self {
            gained: now(Change::Gained),
            lost: now(Change::Lost),
            perhaps_gained: perhaps(Change::Gained),
            perhaps_lost: perhaps(Change::Lost),
            assumed_at: found.assumed_at,
            actions: found.actions.iter().map(|it| it.name()).collect(),
            principals: found.people,
            things: found.things,
            complete: left.nothing(),
            left: (!left.nothing()).then_some(DifferenceLeft {
                people: left.people,
                things: left.things,
                questions: left.questions,
            }),
            lines: found.lines.into_iter().map(DifferenceLine::from).collect(),
            more_lines: found.more_lines,
            rows: Page {
                items: found.rows.into_iter().map(DifferenceRow::from).collect(),
                next_cursor: found.next.map(|it| it.to_string()),
            },
        }
    }
}

async fn answer(
    domain: &Domain,
    op: &Op,
    (policy, change): (PolicyId, PolicyChange),
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let limit = page::limit(&mut query);
    let cursor = query.text("cursor");
    let after = cursor.as_deref().and_then(RowKey::parse);
    if cursor.is_some() && after.is_none() {
        query.refuse("cursor", "use `next_cursor` of the page before");
    }
    query.end()?;
    let page = RowPage { after, limit };
    let found = domain.policy_difference(op, policy, change, &page).await?;
    Ok(json::ok(&PolicyDifference::from(found)))
}

/// Show what a version of a policy would change
///
/// Who gains and who loses what, over today's people, workloads and things, if this version decided in place of the one that
/// does. Whoever asks must be able to see who may do what there, the people, and all things that are told of.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy}/versions/{version}/difference",
    tag = "Policies",
    operation_id = "showPolicyDifference",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "What would change", body = PolicyDifference)),
)]
pub(crate) async fn version(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    query: Query,
) -> Result<Response, Problem> {
    answer(&domain, caller.op(), (place.policy, PolicyChange::Version(place.version)), query).await
}

/// Show what disabling a policy would change
///
/// Who gains and who loses what, over today's people, workloads and things, if no version of it decided.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy}/difference",
    tag = "Policies",
    operation_id = "showPolicyDisablingDifference",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "What would change", body = PolicyDifference)),
)]
pub(crate) async fn disabling(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
    query: Query,
) -> Result<Response, Problem> {
    answer(&domain, caller.op(), (policy, PolicyChange::Disabled), query).await
}

impl From<DifferenceError> for Problem {
    fn from(error: DifferenceError) -> Self {
        match error {
            DifferenceError::Refused(refused) => refused.into(),
            DifferenceError::Text(_) => Self::conflict(error),
        }
    }
}
