//! Lists of keys: what is looked for, in which order, from where on.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, EnvironmentId, KeyState, ProjectId, time::micros};

use super::find::{KEYS, KeyRow};
use crate::{Conn, StoreError, Value, dialect::containing, filter::Select};

/// What a list is ordered by; keys of the same rank are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// When they were issued.
    #[default]
    Created,
    /// When they expire; those that never do come last.
    Expires,
    /// When they were last used; those that never were come first.
    LastUsed,
    /// By folded name.
    Name,
}

impl Order {
    /// All orders, alphabetical.
    pub const ALL: [Self; 4] = [Self::Created, Self::Expires, Self::LastUsed, Self::Name];
}

/// Where a page begins: after the key of this rank and id.
#[derive(Debug, Clone, PartialEq)]
pub struct After {
    /// What [`rank`] says of the last key of the page before.
    pub rank: Rank,
    /// Its id.
    pub id: ApiKeyId,
}

/// What a key is sorted by, beside its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    /// A moment in microseconds.
    Moment(i64),
    /// The id alone.
    None,
    /// A folded name.
    Text(String),
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only keys in these projects or of these owners; `None` is all.
    pub reach: Option<(Vec<ProjectId>, Vec<String>)>,
    /// In this project.
    pub project: Option<ProjectId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// Of this user or team.
    pub owner: Option<String>,
    /// With this tag, as written: `team=payments`.
    pub tag: Option<String>,
    /// In this state at `now`.
    pub state: Option<KeyState>,
    /// Only those that are not revoked.
    pub stands: bool,
    /// Only those that were there then, and not used since.
    pub unused_since: Option<DateTime<Utc>>,
    /// With this in the folded name.
    pub name_contains: Option<String>,
    /// With this id, or a value of this public id.
    pub id: Option<String>,
    /// The moment by which states go.
    pub now: DateTime<Utc>,
}

const CREATED: [&str; 2] = ["ORDER BY k.id LIMIT ?", "ORDER BY k.id DESC LIMIT ?"];
const NAME: [&str; 2] =
    ["ORDER BY k.folded_name, k.id LIMIT ?", "ORDER BY k.folded_name DESC, k.id DESC LIMIT ?"];
const LAST_USED: [&str; 2] = [
    "ORDER BY coalesce(k.last_used_at, 0), k.id LIMIT ?",
    "ORDER BY coalesce(k.last_used_at, 0) DESC, k.id DESC LIMIT ?",
];
const EXPIRES: [&str; 2] = [
    "ORDER BY coalesce(k.expires_at, 9223372036854775807), k.id LIMIT ?",
    "ORDER BY coalesce(k.expires_at, 9223372036854775807) DESC, k.id DESC LIMIT ?",
];

impl Order {
    pub(super) fn tail(self, descending: bool) -> &'static str {
        let [up, down] = match self {
            Self::Created => CREATED,
            Self::Expires => EXPIRES,
            Self::LastUsed => LAST_USED,
            Self::Name => NAME,
        };
        if descending { down } else { up }
    }

    fn beyond(self, descending: bool) -> &'static str {
        match (self, descending) {
            (Self::Created, false) => "k.id > ?",
            (Self::Created, true) => "k.id < ?",
            (Self::Expires, false) => "(coalesce(k.expires_at, 9223372036854775807), k.id) > (?, ?)",
            (Self::Expires, true) => "(coalesce(k.expires_at, 9223372036854775807), k.id) < (?, ?)",
            (Self::LastUsed, false) => "(coalesce(k.last_used_at, 0), k.id) > (?, ?)",
            (Self::LastUsed, true) => "(coalesce(k.last_used_at, 0), k.id) < (?, ?)",
            (Self::Name, false) => "(k.folded_name, k.id) > (?, ?)",
            (Self::Name, true) => "(k.folded_name, k.id) < (?, ?)",
        }
    }

    /// What `key` is sorted by in this order.
    pub fn rank(self, key: &KeyRow, folded_name: &str) -> Rank {
        match self {
            Self::Created => Rank::None,
            Self::Expires => Rank::Moment(key.expires_at.unwrap_or(i64::MAX)),
            Self::LastUsed => Rank::Moment(key.last_used_at.unwrap_or(0)),
            Self::Name => Rank::Text(folded_name.to_owned()),
        }
    }
}

/// Keys in order, beginning after `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<KeyRow>, StoreError> {
    page(filter, order, descending, after).then(order.tail(descending), [limit]).all(conn).await
}

#[derive(sqlx::FromRow)]
struct Count {
    n: i64,
}

/// How many keys there are of these, but no more than `limit`.
pub async fn count(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
    let select = narrowed(Select::from("SELECT count(*) AS n FROM (SELECT 1 AS one FROM api_keys k"), filter);
    let found: Count = select.then("LIMIT ?) counted", [limit]).one(conn).await?;
    Ok(u64::try_from(found.n).unwrap_or(0))
}

pub(super) fn page(filter: &Filter, order: Order, descending: bool, after: Option<&After>) -> Select {
    let mut select = narrowed(Select::from(KEYS), filter);
    if let Some(after) = after {
        let rank = match &after.rank {
            Rank::Moment(at) => Some(Value::from(*at)),
            Rank::None => None,
            Rank::Text(text) => Some(Value::from(text)),
        };
        select = select.and(order.beyond(descending), rank.into_iter().chain([Value::from(after.id)]));
    }
    select
}

fn narrowed(mut select: Select, filter: &Filter) -> Select {
    if let Some((projects, owners)) = &filter.reach {
        let projects = projects.iter().copied().map(Value::from);
        let owners = owners.iter().map(Value::from);
        select = select.and_in_either("k.project_id", projects, "k.owner_id", owners);
    }
    if let Some(project) = filter.project {
        select = select.and("k.project_id = ?", [project]);
    }
    if let Some(environment) = filter.environment {
        select = select.and("k.environment_id = ?", [environment]);
    }
    if let Some(owner) = &filter.owner {
        select = select.and("k.owner_id = ?", [owner]);
    }
    if let Some(tag) = &filter.tag {
        select = select.and("k.id IN (SELECT key_id FROM key_tags WHERE tag = ?)", [tag]);
    }
    if let Some(state) = filter.state {
        select = in_state(select, state, micros(filter.now));
    }
    if filter.stands {
        select = select.and::<i64>("k.revoked_at IS NULL", []);
    }
    if let Some(since) = filter.unused_since {
        let condition = "coalesce(k.last_used_at, 0) < ? AND k.created_at < ?";
        select = select.and(condition, [micros(since), micros(since)]);
    }
    if let Some(needle) = &filter.name_contains {
        select = select.and("k.folded_name LIKE ? ESCAPE '\\'", [containing(needle)]);
    }
    if let Some(id) = &filter.id {
        let condition = "k.id = ? OR k.id IN (SELECT key_id FROM key_values WHERE public_id = ?)";
        select = select.and(condition, [id, id]);
    }
    select
}

/// A value that can be valid at this moment or later: one that is neither revoked, destroyed nor stopped.
pub(crate) const HAS_VALUE: &str =
    "EXISTS (SELECT 1 FROM key_values v WHERE v.key_id = k.id AND v.revoked_at IS NULL
                                     AND v.destroyed_at IS NULL AND (v.stops_at IS NULL OR v.stops_at > ?))";

/// The order of these conditions is the order of verdicts: revoked, suspended, not yet valid, expired.
pub(crate) fn in_state(select: Select, state: KeyState, now: i64) -> Select {
    const STANDS: &str = "k.revoked_at IS NULL";
    let stands = |select: Select| select.and::<i64>(STANDS, []);
    let runs = |select: Select| stands(select).and::<i64>("k.suspended_at IS NULL", []);
    let begun = |select: Select| runs(select).and("k.not_before IS NULL OR k.not_before <= ?", [now]);
    match state {
        KeyState::Active => {
            begun(select).and("k.expires_at IS NULL OR k.expires_at > ?", [now]).and(HAS_VALUE, [now])
        }
        KeyState::Compromised => {
            select.and::<i64>("k.revoked_at IS NOT NULL AND k.revoke_reason = 'key-compromise'", [])
        }
        // Ended by revocation, by time, or with the last of its values.
        KeyState::Deactivated => select.and(
            "(k.revoked_at IS NOT NULL AND k.revoke_reason <> 'key-compromise')
             OR (k.revoked_at IS NULL AND k.suspended_at IS NULL AND (k.not_before IS NULL OR k.not_before <= ?)
                 AND (k.expires_at <= ?
                      OR NOT EXISTS (SELECT 1 FROM key_values v WHERE v.key_id = k.id AND v.revoked_at IS NULL
                                     AND v.destroyed_at IS NULL AND (v.stops_at IS NULL OR v.stops_at > ?))))",
            [now, now, now],
        ),
        // Only values are destroyed; a key's row stays.
        KeyState::Destroyed => select.and::<i64>("1 = 0", []),
        KeyState::PreActivation => runs(select).and("k.not_before > ?", [now]),
        KeyState::Suspended => stands(select).and::<i64>("k.suspended_at IS NOT NULL", []),
    }
}
