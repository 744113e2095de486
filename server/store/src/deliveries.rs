//! Deliveries: one message on its way through one channel.

use chrono::{DateTime, Utc};
use keywarden_model::{ChannelId, DeliveryId, MessageId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A delivery, with what it carries and by which way.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: DeliveryId,
    /// What it carries.
    #[sqlx(try_from = "String")]
    pub message_id: MessageId,
    /// By which way.
    #[sqlx(try_from = "String")]
    pub channel_id: ChannelId,
    /// What the channel is called.
    pub channel_name: String,
    /// A [`keywarden_model::ChannelKind`]'s word.
    pub channel_kind: String,
    /// Whose own the channel is; `None`: the organization's.
    pub user_id: Option<String>,
    /// A [`keywarden_model::MessageKind`]'s word.
    pub kind: String,
    /// The name of the event that it tells of.
    pub event: String,
    /// A [`keywarden_model::DeliveryState`]'s word.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, in microseconds.
    pub due_at: i64,
    /// What the last attempt came to.
    pub error: Option<String>,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When its receiver took it, or it was given up, in microseconds.
    pub ended_at: Option<i64>,
}

const COLUMNS: &str = "SELECT d.id, d.message_id, d.channel_id, c.name AS channel_name, c.kind AS channel_kind, c.user_id, m.kind, m.event,
           d.state, d.attempts, d.due_at, d.error, d.created_at, d.ended_at
    FROM deliveries d LEFT JOIN channels c ON c.id = d.channel_id LEFT JOIN messages m ON m.id = d.message_id";

/// Writes one that waits; there is one for a message and channel at most.
pub async fn insert(
    tx: &mut Tx,
    id: DeliveryId,
    (message, channel): (MessageId, ChannelId),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("INSERT INTO deliveries (id, message_id, channel_id, state, attempts, due_at, created_at)
         VALUES ($1, $2, $3, 'waiting', 0, $4, $5) ON CONFLICT (message_id, channel_id) DO NOTHING")
    .bind(id)
    .bind(message)
    .bind(channel)
    .bind(now)
    .bind(now)
    .execute(tx)
    .await
    .map(drop)
}

/// What each channel has to carry next.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Due {
    /// The channel.
    #[sqlx(try_from = "String")]
    pub channel_id: ChannelId,
    /// The oldest delivery that is due.
    #[sqlx(try_from = "String")]
    pub id: DeliveryId,
}

/// The oldest delivery that is due and in nobody's hand, of each channel that is not paused; the channel that waits longest first.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, limit: u32) -> Result<Vec<Due>, StoreError> {
    sql("SELECT d.channel_id, min(d.id) AS id FROM deliveries d JOIN channels c ON c.id = d.channel_id
         WHERE d.state = 'waiting' AND d.due_at <= $1 AND c.paused_at IS NULL
           AND (d.claimed_until IS NULL OR d.claimed_until <= $2)
         GROUP BY d.channel_id ORDER BY min(d.due_at), d.channel_id LIMIT $3")
    .bind(now)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await
}

/// Takes it in hand until an instant; false where it is in another one's, or does not wait any more.
pub async fn claim(
    tx: &mut Tx,
    id: DeliveryId,
    claim: &str,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, StoreError> {
    let claimed = sql("UPDATE deliveries SET claim = $1, claimed_until = $2
                       WHERE id = $3 AND state = 'waiting' AND (claimed_until IS NULL OR claimed_until <= $4)")
    .bind(claim)
    .bind(until)
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(claimed == 1)
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// Nobody tries again.
    Dead(String),
    /// Its receiver took it.
    Delivered,
    /// It is tried again then.
    Later(String, DateTime<Utc>),
}

/// Notes how an attempt ended, for whoever has it in hand; false where somebody else has it by now.
pub async fn end(
    tx: &mut Tx,
    id: DeliveryId,
    claim: &str,
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (state, error, due) = match ended {
        Ended::Dead(error) => ("dead", Some(error.as_str()), now),
        Ended::Delivered => ("delivered", None, now),
        Ended::Later(error, due) => ("waiting", Some(error.as_str()), *due),
    };
    let over = state != "waiting";
    let noted = sql(
        "UPDATE deliveries SET state = $1, attempts = attempts + 1, due_at = $2, error = $3, ended_at = $4,
                            claim = NULL, claimed_until = NULL
                     WHERE id = $5 AND claim = $6",
    )
    .bind(state)
    .bind(due)
    .bind(error)
    .bind(over.then_some(now))
    .bind(id)
    .bind(claim)
    .execute(tx)
    .await?;
    Ok(noted == 1)
}

/// Lets one that is dead be tried anew, from the first attempt; false where it is not.
pub async fn revive(tx: &mut Tx, id: DeliveryId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let revived = sql("UPDATE deliveries SET state = 'waiting', attempts = 0, due_at = $1, ended_at = NULL
                       WHERE id = $2 AND state = 'dead'");
    Ok(revived.bind(now).bind(id).execute(tx).await? == 1)
}

/// Lets all of a channel's that are dead be tried anew, at most `limit`; how many.
pub async fn revive_all(
    tx: &mut Tx,
    channel: ChannelId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<u64, StoreError> {
    sql("UPDATE deliveries SET state = 'waiting', attempts = 0, due_at = $1, ended_at = NULL
         WHERE id IN (SELECT id FROM deliveries WHERE channel_id = $2 AND state = 'dead' ORDER BY id LIMIT $3)")
    .bind(now)
    .bind(channel)
    .bind(limit)
    .execute(tx)
    .await
}

/// One of them.
pub async fn find(conn: &mut Conn, id: DeliveryId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("d.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of any of these channels: one, or all that somebody has.
    pub channels: Vec<ChannelId>,
    /// A [`keywarden_model::DeliveryState`]'s word.
    pub state: Option<&'static str>,
    /// Only older ones than this.
    pub before: Option<DeliveryId>,
}

/// The newest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Row>, StoreError> {
    page(filter).then(NEWEST_FIRST, [limit]).all(conn).await
}

pub(crate) const NEWEST_FIRST: &str = "ORDER BY d.id DESC LIMIT ?";

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS).and_in("d.channel_id", filter.channels.iter().copied());
    if let Some(state) = filter.state {
        select = select.and("d.state = ?", [state]);
    }
    if let Some(before) = filter.before {
        select = select.and("d.id < ?", [before]);
    }
    select
}

/// How many of a channel's are in a state.
pub async fn count(conn: &mut Conn, channel: ChannelId, state: &'static str) -> Result<i64, StoreError> {
    let counted = sql("SELECT count(*) AS number FROM deliveries WHERE channel_id = $1 AND state = $2");
    number(counted.bind(channel).bind(state), conn).await
}
