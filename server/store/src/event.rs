//! Audit events. The event's bytes are the record; the other columns only help to find it.

use chrono::{DateTime, Utc};
use keywarden_model::{EventId, ProjectId, RequestId, SessionId, TypedId as _};

use crate::{Conn, StoreError, Tx, Value, count::number, dialect, filter::Select, sql};

/// An event as the domain made it.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// The action's stable name: `key.rotate`.
    pub action: String,
    /// `allowed`, `refused` or `failed`.
    pub outcome: &'static str,
    /// `person`, `workload`, `operator`, `system`, `link` or `nobody`.
    pub actor_kind: &'static str,
    /// The actor's typed id, or a job's name.
    pub actor_id: String,
    /// The kind of thing it was about.
    pub resource_kind: &'static str,
    /// The thing's typed id.
    pub resource_id: String,
    /// The project it belongs to.
    pub project_id: Option<ProjectId>,
    /// The request that did it.
    pub request_id: RequestId,
    /// The session in which it was done.
    pub session_id: Option<SessionId>,
    /// The canonical event (RFC 8785).
    pub bytes: Vec<u8>,
    /// What tells of people, sealed for each subject.
    pub personal: Vec<PersonalRow>,
}

/// What an event tells of one subject.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PersonalRow {
    /// Whose key it is sealed under.
    pub subject_id: String,
    /// The sealed fields and their salts.
    pub sealed: Vec<u8>,
}

pub(crate) async fn insert(tx: &mut Tx, event: &EventRow) -> Result<(), StoreError> {
    sql("INSERT INTO events (id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, project_id,
                             request_id, session_id, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(event.id)
    .bind(event.at)
    .bind(&event.action)
    .bind(event.outcome)
    .bind(event.actor_kind)
    .bind(&event.actor_id)
    .bind(event.resource_kind)
    .bind(&event.resource_id)
    .bind(event.project_id)
    .bind(event.request_id)
    .bind(event.session_id)
    .bind(&event.bytes)
    .execute(tx)
    .await?;
    for personal in &event.personal {
        sql("INSERT INTO event_personal (event_id, subject_id, sealed) VALUES ($1, $2, $3)")
            .bind(event.id)
            .bind(&personal.subject_id)
            .bind(&personal.sealed)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// How often an actor did something from an instant on, to the millisecond. Whoever counts the same waits until this write has
/// ended, and counts what it did: a bound that is kept here holds on all nodes together.
pub async fn count_in_turn(
    tx: &mut Tx,
    actor: &str,
    action: &str,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    dialect::take_turns(tx, &format!("{action} {actor}")).await?;
    // Ids sort by the moment they were made at: the actor's index leads to the last few.
    let first = EventId::from_parts(since, 0);
    let counted =
        sql("SELECT count(*) AS number FROM events WHERE actor_id = $1 AND id >= $2 AND action = $3");
    number(counted.bind(actor).bind(first).bind(action), tx).await
}

/// Actions that one filter names; what more it names is not looked for.
const MOST_ACTIONS: usize = 20;

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An action's name, or a prefix that ends in `.`; several of them between commas.
    pub action: Option<String>,
    /// The actor's id.
    pub actor: Option<String>,
    /// The thing's id.
    pub resource: Option<String>,
    /// Only events of these projects; `None` is all, those of no project too.
    pub projects: Option<Vec<ProjectId>>,
    /// The outcome's word.
    pub outcome: Option<String>,
    /// From this instant on.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only older ones than this.
    pub before: Option<EventId>,
}

/// A stored event.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id.
    pub id: EventId,
    /// When, in microseconds.
    pub at: i64,
    /// The action's stable name.
    pub action: String,
    /// The outcome's word.
    pub outcome: String,
    /// The actor's kind.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The thing's kind.
    pub resource_kind: String,
    /// The thing's id.
    pub resource_id: String,
    /// Its project.
    pub project_id: Option<ProjectId>,
    /// The canonical event.
    pub bytes: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(try_from = "String")]
    id: EventId,
    at: i64,
    action: String,
    outcome: String,
    actor_kind: String,
    actor_id: String,
    resource_kind: String,
    resource_id: String,
    project_id: Option<String>,
    bytes: Vec<u8>,
}

impl TryFrom<FoundRow> for Found {
    type Error = StoreError;
    fn try_from(row: FoundRow) -> Result<Self, StoreError> {
        let damaged = |cause: keywarden_model::IdError| StoreError::Damaged {
            table: "events",
            cause: cause.to_string(),
        };
        Ok(Self {
            id: row.id,
            at: row.at,
            action: row.action,
            outcome: row.outcome,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            resource_kind: row.resource_kind,
            resource_id: row.resource_id,
            project_id: row.project_id.map(|it| it.parse()).transpose().map_err(damaged)?,
            bytes: row.bytes,
        })
    }
}

const COLUMNS: &str =
    "SELECT id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, project_id, bytes
                       FROM events";

pub(crate) const NEWEST_FIRST: &str = "ORDER BY id DESC LIMIT ?";

/// Newest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Found>, StoreError> {
    let rows: Vec<FoundRow> = page(filter).then(NEWEST_FIRST, [limit]).all(conn).await?;
    rows.into_iter().map(Found::try_from).collect()
}

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(projects) = &filter.projects {
        select = select.and_in("project_id", projects.iter().copied());
    }
    if let Some(action) = &filter.action {
        let wanted: Vec<String> = action.split(',').take(MOST_ACTIONS).map(str::to_owned).collect();
        select = if wanted.iter().any(|action| action.ends_with('.')) {
            select.and_any(wanted.into_iter().map(|action| match action.strip_suffix('.') {
                // From `key.` to before `key/`, the next character: a prefix without LIKE.
                Some(prefix) => {
                    let end = format!("{prefix}/");
                    ("action >= ? AND action < ?", vec![action, end])
                }
                None => ("action = ?", vec![action]),
            }))
        } else {
            select.and_in("action", wanted)
        };
    }
    if let Some(actor) = &filter.actor {
        select = select.and("actor_id = ?", [actor.clone()]);
    }
    if let Some(resource) = &filter.resource {
        select = select.and("resource_id = ?", [resource.clone()]);
    }
    if let Some(outcome) = &filter.outcome {
        select = select.and("outcome = ?", [outcome.clone()]);
    }
    if let Some(since) = filter.since {
        select = select.and("at >= ?", [since]);
    }
    if let Some(until) = filter.until {
        select = select.and("at < ?", [until]);
    }
    if let Some(before) = filter.before {
        select = select.and("id < ?", [before]);
    }
    select
}

/// Of the last `window` events of a thing the last one by each actor under each of these names, if it was not refused; the
/// newest first.
pub async fn last_of_each(
    conn: &mut Conn,
    resource: &str,
    actions: &[&str],
    window: i64,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    let ids: Vec<(String,)> = lately(resource, actions, window).then(EACH_ONCE, [limit]).all(conn).await?;
    let those = Select::from(COLUMNS).and_in("id", ids.into_iter().map(|(id,)| id));
    let rows: Vec<FoundRow> = those.then(NEWEST_FIRST, [limit]).all(conn).await?;
    rows.into_iter().map(Found::try_from).collect()
}

pub(crate) const EACH_ONCE: &str = "GROUP BY actor_id, action ORDER BY max(id) DESC LIMIT ?";

/// The window is taken first: whatever happened before, no more is read.
pub(crate) fn lately(resource: &str, actions: &[&str], window: i64) -> Select {
    let from =
        "SELECT max(id) AS id FROM (SELECT id, action, outcome, actor_id FROM events WHERE resource_id = ?
                                           ORDER BY id DESC LIMIT ?) AS lately";
    Select::from_with(from, [Value::from(resource), Value::from(window)])
        .and("outcome = ?", ["allowed"])
        .and_in("action", actions.iter().copied())
}

/// When the oldest of the last `window` events of a thing was, in microseconds, if there are still older ones.
pub async fn window_began(conn: &mut Conn, resource: &str, window: i64) -> Result<Option<i64>, StoreError> {
    let before = window.saturating_sub(1);
    let there: Vec<(i64,)> = of_thing(resource).then(TWO_FROM_THERE, [before]).all(conn).await?;
    Ok(match there.as_slice() {
        [(oldest,), _] => Some(*oldest),
        _ => None,
    })
}

pub(crate) const TWO_FROM_THERE: &str = "ORDER BY id DESC LIMIT 2 OFFSET ?";

pub(crate) fn of_thing(resource: &str) -> Select {
    Select::from("SELECT at FROM events").and("resource_id = ?", [resource])
}

/// One event.
pub async fn find(conn: &mut Conn, id: EventId) -> Result<Option<Found>, StoreError> {
    let row: Option<FoundRow> =
        Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await?;
    row.map(Found::try_from).transpose()
}

/// An event as it is stored, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: EventId,
    /// The canonical event.
    pub bytes: Vec<u8>,
}

const STORED: &str = "SELECT id, bytes FROM events";

pub(crate) const OLDEST_FIRST: &str = "ORDER BY id LIMIT ?";

/// Those after an id, the oldest first.
pub async fn after(conn: &mut Conn, id: EventId, limit: u32) -> Result<Vec<Stored>, StoreError> {
    following(id).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn following(id: EventId) -> Select {
    Select::from(STORED).and("id > ?", [id])
}

/// The last one before an id.
pub async fn last_before(conn: &mut Conn, id: EventId) -> Result<Option<Stored>, StoreError> {
    Select::from(STORED).and("id < ?", [id]).then(NEWEST_FIRST, [1_u32]).optional(conn).await
}

/// Those of these ids that are there.
pub async fn those(conn: &mut Conn, ids: &[EventId]) -> Result<Vec<Stored>, StoreError> {
    Select::from(STORED).and_in("id", ids.iter().copied()).then::<i64>("ORDER BY id", []).all(conn).await
}

/// What an event tells of people, sealed.
pub async fn personal(conn: &mut Conn, id: EventId) -> Result<Vec<PersonalRow>, StoreError> {
    sql("SELECT subject_id, sealed FROM event_personal WHERE event_id = $1 ORDER BY subject_id")
        .bind(id)
        .all(conn)
        .await
}
