//! One-time links to values: found by their public part, proven by a keyed hash, opened once.

use chrono::{DateTime, Utc};
use keywarden_model::{SecretId, ShareId, UserId};

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A link to be written, open.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: ShareId,
    /// The secret.
    pub secret: SecretId,
    /// The version's number.
    pub version: i64,
    /// The public part of its value.
    pub public_id: String,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: [u8; 32],
    /// Who may open it, if it is one person.
    pub recipient: Option<UserId>,
    /// Else the keyring key of the passphrase's tag, and that tag.
    pub passphrase: Option<(String, [u8; 32])>,
    /// Who made it: an actor's id.
    pub made_by: String,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
}

/// A link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: ShareId,
    /// The secret.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// The version's number.
    pub version: i64,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: Vec<u8>,
    /// Who may open it, if it is one person.
    pub recipient_id: Option<String>,
    /// What that person is called.
    pub recipient_name: Option<String>,
    /// The keyring key of the passphrase's tag.
    pub passphrase_key_id: Option<String>,
    /// The passphrase's tag.
    pub passphrase_mac: Option<Vec<u8>>,
    /// Who made it.
    pub made_by: String,
    /// What they are called, if they are somebody.
    pub maker_name: Option<String>,
    /// `open`, `opened`, `refused`, `withdrawn` or `expired`.
    pub state: String,
    /// Wrong passphrases so far.
    pub tries: i64,
    /// In microseconds.
    pub created_at: i64,
    /// Until when it serves.
    pub expires_at: i64,
}

const SHARES: &str =
    "SELECT h.id, h.secret_id, h.version, h.mac_key_id, h.mac, h.recipient_id, u.name AS recipient_name,
            h.passphrase_key_id, h.passphrase_mac, h.made_by, coalesce(m.name, w.name) AS maker_name, h.state, h.tries,
            h.created_at, h.expires_at
     FROM secret_shares h LEFT JOIN users u ON u.id = h.recipient_id
          LEFT JOIN users m ON m.id = h.made_by LEFT JOIN workloads w ON w.id = h.made_by";

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (passphrase_key, passphrase_mac) = row.passphrase.clone().unzip();
    sql("INSERT INTO secret_shares (id, secret_id, version, public_id, mac_key_id, mac, recipient_id, passphrase_key_id,
                                    passphrase_mac, made_by, state, tries, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', 0, $11, $12)")
    .bind(row.id)
    .bind(row.secret)
    .bind(row.version)
    .bind(&row.public_id)
    .bind(&row.mac_key_id)
    .bind(row.mac)
    .bind(row.recipient)
    .bind(passphrase_key.as_deref())
    .bind(passphrase_mac.map(|mac| mac.to_vec()))
    .bind(&row.made_by)
    .bind(now)
    .bind(row.expires_at)
    .execute_one(tx, "secret_shares")
    .await
}

/// The link with this public part, whatever became of it.
pub async fn find(conn: &mut Conn, public_id: &str) -> Result<Option<Row>, StoreError> {
    Select::from(SHARES).and("h.public_id = ?", [public_id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// A link of a secret by its id, whatever became of it.
pub async fn of_secret(conn: &mut Conn, secret: SecretId, id: ShareId) -> Result<Option<Row>, StoreError> {
    Select::from(SHARES)
        .and("h.id = ?", [id])
        .and("h.secret_id = ?", [secret])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// How [`open_of`] puts them in order.
pub(super) const NEWEST: &str = "ORDER BY h.id DESC LIMIT ?";

/// The links to a secret that serve at `now`, newest first.
pub async fn open_of(
    conn: &mut Conn,
    secret: SecretId,
    now: i64,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    opens(secret, now).then(NEWEST, [limit]).all(conn).await
}

pub(super) fn opens(secret: SecretId, now: i64) -> Select {
    Select::from(SHARES)
        .and::<i64>("h.state = 'open'", [])
        .and("h.secret_id = ?", [secret])
        .and("h.expires_at > ?", [now])
}

#[derive(sqlx::FromRow)]
struct Tries {
    tries: i64,
}

/// Takes an open link's row for this write, and says how many wrong passphrases it has seen; `None` if it does not serve
/// any more. Of any number of writers each waits for the one before it.
pub async fn claim(tx: &mut Tx, id: ShareId, now: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
    let taken: Vec<Tries> = sql("UPDATE secret_shares SET tries = tries
                                 WHERE id = $1 AND state = 'open' AND expires_at > $2 RETURNING tries")
    .bind(id)
    .bind(now)
    .returning(tx)
    .await?;
    Ok(taken.first().map(|it| it.tries))
}

/// Counts a wrong passphrase.
pub async fn count_try(tx: &mut Tx, id: ShareId) -> Result<(), StoreError> {
    sql("UPDATE secret_shares SET tries = tries + 1 WHERE id = $1 AND state = 'open'")
        .bind(id)
        .execute_one(tx, "secret_shares")
        .await
}

/// Ends an open link: it is `opened`, `refused`, `withdrawn` or `expired`. False if it ended before.
pub async fn end(
    tx: &mut Tx,
    id: ShareId,
    state: &'static str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let ended = sql("UPDATE secret_shares SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'open'")
        .bind(id)
        .bind(state)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(ended == 1)
}

#[derive(sqlx::FromRow)]
struct Due {
    #[sqlx(try_from = "String")]
    id: ShareId,
    #[sqlx(try_from = "String")]
    secret_id: SecretId,
}

/// Open links whose time is over at `now`, in microseconds, each with its secret; those that waited longest first.
pub async fn due(conn: &mut Conn, now: i64, limit: u32) -> Result<Vec<(ShareId, SecretId)>, StoreError> {
    let due: Vec<Due> = over(now).then("ORDER BY expires_at LIMIT ?", [limit]).all(conn).await?;
    Ok(due.into_iter().map(|row| (row.id, row.secret_id)).collect())
}

pub(super) fn over(now: i64) -> Select {
    Select::from("SELECT id, secret_id FROM secret_shares")
        .and::<i64>("state = 'open'", [])
        .and("expires_at <= ?", [now])
}
