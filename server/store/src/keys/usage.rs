//! What was verified: per value, hour and caller.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyValueId};

use crate::{Conn, StoreError, Tx, Value, filter::Select, rows::Rows, sql, sql::Sql};

/// Uses to be added up.
#[derive(Debug, Clone)]
pub struct Uses {
    /// Of which value.
    pub value: KeyValueId,
    /// Of which key.
    pub key: ApiKeyId,
    /// Whole hours since 1970.
    pub hour: i64,
    /// The caller's address; empty if unknown.
    pub address: String,
    /// What the caller calls itself; empty if unknown.
    pub agent: String,
    /// The workload that verified, or another actor's id.
    pub workload: String,
    /// The verdict's word.
    pub outcome: &'static str,
    /// How many.
    pub uses: i64,
    /// The first.
    pub first_at: DateTime<Utc>,
    /// The last.
    pub last_at: DateTime<Utc>,
}

/// How many rows go into one statement: few texts, so that each stays prepared.
const AT_ONCE: [usize; 3] = [128, 16, 1];

const COLUMNS: &str =
    "INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, uses, first_at, last_at,
                                              key_id) VALUES ";
const SUMMED: &str = " ON CONFLICT (value_id, hour, address, agent, workload_id, outcome)
     DO UPDATE SET uses = key_usage.uses + excluded.uses,
         first_at = CASE WHEN key_usage.first_at < excluded.first_at THEN key_usage.first_at ELSE excluded.first_at END,
         last_at = CASE WHEN key_usage.last_at > excluded.last_at THEN key_usage.last_at ELSE excluded.last_at END";

/// Adds up; of each value, hour, caller and outcome there is at most one row in `all`. A caller beyond `most_callers` of
/// its value's hour is summed with the rest, under empty words.
pub async fn add(tx: &mut Tx, all: &[Uses], most_callers: i64) -> Result<(), StoreError> {
    let crowded = crowded(tx, all, most_callers).await?;
    let (alone, together): (Vec<_>, Vec<_>) =
        all.iter().partition(|uses| crowded.contains(&(uses.value, uses.hour)));
    for rows in portions(&together) {
        sum(rows).execute(tx).await?;
    }
    for uses in alone {
        add_to_a_crowd(tx, uses, most_callers).await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Crowd {
    #[sqlx(try_from = "String")]
    value_id: KeyValueId,
    hour: i64,
}

/// The values and hours that may have too many callers once `all` are added.
async fn crowded(
    conn: &mut Conn,
    all: &[Uses],
    most_callers: i64,
) -> Result<HashSet<(KeyValueId, i64)>, StoreError> {
    let mut fresh: HashMap<_, i64> = HashMap::new();
    for uses in all {
        let callers = fresh.entry((uses.value, uses.hour)).or_insert(0);
        *callers = callers.saturating_add(1);
    }
    let room = most_callers.saturating_sub(fresh.values().copied().max().unwrap_or(0));
    let hours: BTreeSet<_> = all.iter().map(|uses| uses.hour).collect();
    let mut crowded: HashSet<_> =
        fresh.iter().filter(|(_, callers)| **callers > most_callers).map(|(of, _)| *of).collect();
    let values: Vec<_> = fresh.into_keys().map(|(value, _)| value).collect();
    for values in portions(&values) {
        let found: Vec<Crowd> = Select::from("SELECT value_id, hour FROM key_usage")
            .and_in("hour", hours.iter().copied())
            .and_in("value_id", values.iter().copied())
            .then("GROUP BY value_id, hour HAVING count(*) > ?", [room])
            .all(conn)
            .await?;
        crowded.extend(found.into_iter().map(|it| (it.value_id, it.hour)));
    }
    Ok(crowded)
}

fn sum(rows: &[&Uses]) -> Sql {
    Rows::after(COLUMNS)
        .each(rows.iter().map(|uses| row(uses, &uses.address, &uses.agent, &uses.workload)))
        .then(SUMMED)
}

fn row(uses: &Uses, address: &str, agent: &str, workload: &str) -> [Value; 10] {
    [
        uses.value.into(),
        uses.hour.into(),
        address.into(),
        agent.into(),
        workload.into(),
        uses.outcome.into(),
        uses.uses.into(),
        uses.first_at.into(),
        uses.last_at.into(),
        uses.key.into(),
    ]
}

async fn add_to_a_crowd(tx: &mut Tx, uses: &Uses, most_callers: i64) -> Result<(), StoreError> {
    #[derive(sqlx::FromRow)]
    struct There {
        told_apart: i64,
        same: i64,
    }
    // The rest, whom no workload names, takes nobody's place.
    let there: There = sql("SELECT count(CASE WHEN workload_id <> '' THEN 1 END) AS told_apart,
                count(CASE WHEN address = $3 AND agent = $4 AND workload_id = $5 AND outcome = $6 THEN 1 END) AS same
         FROM key_usage WHERE value_id = $1 AND hour = $2")
    .bind(uses.value)
    .bind(uses.hour)
    .bind(&uses.address)
    .bind(&uses.agent)
    .bind(&uses.workload)
    .bind(uses.outcome)
    .one(tx)
    .await?;
    let told = if there.told_apart < most_callers || there.same > 0 {
        row(uses, &uses.address, &uses.agent, &uses.workload)
    } else {
        row(uses, "", "", "")
    };
    Rows::after(COLUMNS).each([told]).then(SUMMED).execute_one(tx, "key_usage").await
}

/// A use is noted where the one noted before is a minute older: whoever must know it to the second finds it among the
/// callers.
const OF_VALUES: &str = ") UPDATE key_values SET last_used_at = used.at FROM used
     WHERE key_values.id = used.id AND coalesce(key_values.last_used_at, 0) < used.at - 60000000";
const OF_KEYS: &str = ") UPDATE api_keys SET last_used_at = used.at FROM used
     WHERE api_keys.id = used.id AND coalesce(api_keys.last_used_at, 0) < used.at - 60000000";

/// Notes when values were last found valid, and their keys with them: to the minute. Never goes back.
pub async fn note_uses<'u>(tx: &mut Tx, all: impl IntoIterator<Item = &'u Uses>) -> Result<(), StoreError> {
    let mut values: BTreeMap<KeyValueId, DateTime<Utc>> = BTreeMap::new();
    let mut keys: BTreeMap<ApiKeyId, DateTime<Utc>> = BTreeMap::new();
    for uses in all {
        let of_value = values.entry(uses.value).or_insert(uses.last_at);
        *of_value = uses.last_at.max(*of_value);
        let of_key = keys.entry(uses.key).or_insert(uses.last_at);
        *of_key = uses.last_at.max(*of_key);
    }
    let values: Vec<[Value; 2]> = values.into_iter().map(|(id, at)| [id.into(), at.into()]).collect();
    let keys: Vec<[Value; 2]> = keys.into_iter().map(|(id, at)| [id.into(), at.into()]).collect();
    for (rows, noted) in [(values, OF_VALUES), (keys, OF_KEYS)] {
        for rows in portions(&rows) {
            Rows::after("WITH used (id, at) AS (VALUES ")
                .each(rows.iter().cloned())
                .then(noted)
                .execute(tx)
                .await?;
        }
    }
    Ok(())
}

/// In slices of few lengths.
fn portions<T>(mut all: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = AT_ONCE.into_iter().find(|length| *length <= all.len())?;
        let (portion, rest) = all.split_at_checked(length)?;
        all = rest;
        Some(portion)
    })
}

/// Uses of one hour with one outcome.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Hour {
    /// Whole hours since 1970.
    pub hour: i64,
    /// The verdict's word.
    pub outcome: String,
    /// How many.
    pub uses: i64,
}

/// A key's uses from one hour to before another, in order.
pub async fn hours(conn: &mut Conn, key: ApiKeyId, from: i64, to: i64) -> Result<Vec<Hour>, StoreError> {
    sql("SELECT hour, outcome, CAST(sum(uses) AS BIGINT) AS uses FROM key_usage
         WHERE key_id = $1 AND hour >= $2 AND hour < $3 GROUP BY hour, outcome ORDER BY hour, outcome")
    .bind(key)
    .bind(from)
    .bind(to)
    .all(conn)
    .await
}

/// A caller of a value.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Caller {
    /// Of which key.
    #[sqlx(try_from = "String")]
    pub key_id: ApiKeyId,
    /// Of which value.
    #[sqlx(try_from = "String")]
    pub value_id: KeyValueId,
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub agent: String,
    /// Which workload verified it.
    pub workload_id: String,
    /// That workload's name.
    pub workload_name: Option<String>,
    /// How often it was found valid.
    pub uses: i64,
    /// First.
    pub first_at: i64,
    /// Last.
    pub last_at: i64,
}

/// Whose uses of these values, which are these keys', were valid since `hour`, latest first.
pub async fn callers(
    conn: &mut Conn,
    keys: &[ApiKeyId],
    values: &[KeyValueId],
    hour: i64,
    limit: i64,
) -> Result<Vec<Caller>, StoreError> {
    valid(keys, values, hour).then(EACH_CALLER, [limit]).all(conn).await
}

/// Rows are found by their keys: no index begins with a value.
pub(super) fn valid(keys: &[ApiKeyId], values: &[KeyValueId], hour: i64) -> Select {
    Select::from(
        "SELECT g.key_id, g.value_id, g.address, g.agent, g.workload_id, w.name AS workload_name,
                CAST(sum(g.uses) AS BIGINT) AS uses, min(g.first_at) AS first_at, max(g.last_at) AS last_at
         FROM key_usage g LEFT JOIN workloads w ON w.id = g.workload_id",
    )
    .and_in("g.key_id", keys.iter().copied())
    .and_in("g.value_id", values.iter().copied())
    .and("g.hour >= ?", [hour])
    .and("g.outcome = ?", ["valid"])
}

/// How a statement of [`valid`] ends.
pub(super) const EACH_CALLER: &str = "GROUP BY g.key_id, g.value_id, g.address, g.agent, g.workload_id, w.name ORDER BY max(g.last_at) DESC LIMIT ?";
