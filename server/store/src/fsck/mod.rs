//! What must never be found in the records: each rule selects the rows that break it. Reading only.
//!
//! To add a rule: a row in its noun's file. A rule's statement runs on both engines and selects one text, `thing`: the id
//! of what is wrong. Whatever a change owes beside its own row (its event, its values, its parent) belongs here.

mod access;
mod audit;
mod backups;
mod house;
mod keys;
mod messages;
mod people;
mod policies;
mod project_seals;
mod projects;
mod secrets;
mod standards;
mod workloads;

pub use policies::{PolicyText, policy_texts};
pub use secrets::{SealedVersion, sealed_version, sealed_versions, some_versions};
pub use standards::{StandardText, standard_texts};

use crate::{Conn, Engine, StoreError, sql};

/// Something that must not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name: `key-without-event`.
    pub name: &'static str,
    /// What is wrong with the thing, in words that follow its id.
    pub says: &'static str,
    select: &'static str,
}

const fn rule(name: &'static str, says: &'static str, select: &'static str) -> Rule {
    Rule { name, says, select }
}

/// Every rule, noun by noun.
pub fn rules(engine: Engine) -> impl Iterator<Item = Rule> {
    let own: &[Rule] = match engine {
        Engine::Postgres => &[],
        Engine::Sqlite => SQLITE,
    };
    let nouns = [
        own,
        house::RULES,
        projects::RULES,
        project_seals::RULES,
        people::RULES,
        policies::RULES,
        standards::RULES,
        access::RULES,
        messages::RULES,
        workloads::RULES,
        keys::RULES,
        secrets::RULES,
        audit::RULES,
        backups::RULES,
    ];
    nouns.into_iter().flatten().copied()
}

/// PostgreSQL enforces these itself; an SQLite file may have been written by anything.
const SQLITE: &[Rule] = &[
    rule(
        "page-damaged",
        "is what SQLite says of its file",
        "SELECT integrity_check AS thing FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    ),
    rule(
        "reference-broken",
        "names a row that is not there",
        r#"SELECT "table" || ' row ' || rowid || ' → ' || parent AS thing FROM pragma_foreign_key_check"#,
    ),
];

#[derive(sqlx::FromRow)]
struct Thing {
    thing: String,
}

/// What breaks the rule, at most `limit` things.
pub async fn offenders(conn: &mut Conn, rule: Rule, limit: usize) -> Result<Vec<String>, StoreError> {
    let things: Vec<Thing> = sql(rule.select).all(conn).await?;
    Ok(things.into_iter().take(limit).map(|it| it.thing).collect())
}

/// An event as stored, all of its columns.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventColumns {
    /// Its id.
    pub id: String,
    /// When, in microseconds.
    pub at: i64,
    /// The action's name.
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
    pub project_id: Option<String>,
    /// The request.
    pub request_id: String,
    /// The session.
    pub session_id: Option<String>,
    /// The canonical event.
    pub bytes: Vec<u8>,
}

/// Events after `after` by id, at most `limit`; begin with the empty text.
pub async fn events(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<EventColumns>, StoreError> {
    sql("SELECT id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, project_id, request_id,
                session_id, bytes
         FROM events WHERE id > $1 ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// A role binding.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Binding {
    /// Its id.
    pub id: String,
    /// Whether its holder came with it: no event of its own is owed.
    pub came: bool,
}

/// Every role binding.
pub async fn bindings(conn: &mut Conn) -> Result<Vec<Binding>, StoreError> {
    sql("SELECT b.id, EXISTS (SELECT 1 FROM events e WHERE e.resource_id = b.principal_id AND e.at = b.created_at
                              AND e.action IN ('user.join', 'workload.create')) AS came
         FROM role_bindings b ORDER BY b.id")
    .all(conn)
    .await
}

/// A person in a team.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Member {
    /// The team.
    pub team_id: String,
    /// The person.
    pub user_id: String,
}

/// Every member of every team.
pub async fn members(conn: &mut Conn) -> Result<Vec<Member>, StoreError> {
    sql("SELECT team_id, user_id FROM team_members").all(conn).await
}

/// What an event tells of somebody, sealed under that subject's key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Personal {
    /// The event.
    pub event_id: String,
    /// Of whom.
    pub subject_id: String,
    /// The envelope.
    pub sealed: Vec<u8>,
}

/// The personal parts of the events after `after` up to `last`, in their order.
pub async fn personal(conn: &mut Conn, after: &str, last: &str) -> Result<Vec<Personal>, StoreError> {
    sql("SELECT event_id, subject_id, sealed FROM event_personal
         WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id, subject_id")
    .bind(after)
    .bind(last)
    .all(conn)
    .await
}

/// Something sealed: where it belongs, and its bytes.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Sealed {
    /// The row's id, for telling and for going on after it.
    pub id: String,
    /// What it is bound to beside its id.
    pub bound: String,
    /// The envelope.
    pub sealed: Vec<u8>,
    /// The second part of the row's key, where it has two.
    #[sqlx(default)]
    pub key_hash: Vec<u8>,
}

/// What is sealed under the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ceremonies under way; bound to their flow and a browser, link or session.
    Ceremonies,
    /// Terminals that ask to be signed in; bound to who approved one, if anybody did.
    DeviceGrants,
    /// The key that opens the newest backup for a drill; `id` is the backup.
    DrillKeys,
    /// Answers kept for a replay; the caller's own key is needed to open them.
    Idempotency,
    /// Posts that wait for a passkey; bound to a session.
    PendingPosts,
    /// Projects' keys; bound to their project, and under the keyring's key and the seal of the project that their row names.
    ProjectKeys,
    /// Sessions; bound to a person.
    Sessions,
    /// Subjects' keys.
    Subjects,
    /// Recovery codes that were not shown yet; `id` is the session.
    UnseenCodes,
}

impl Kind {
    /// The table's name.
    pub fn table(self) -> &'static str {
        match self {
            Self::Ceremonies => "ceremonies",
            Self::DeviceGrants => "device_grants",
            Self::DrillKeys => "drill_keys",
            Self::Idempotency => "idempotency",
            Self::PendingPosts => "pending_posts",
            Self::ProjectKeys => "project_keys",
            Self::Sessions => "sessions",
            Self::Subjects => "subjects",
            Self::UnseenCodes => "unseen_codes",
        }
    }

    fn select(self) -> &'static str {
        match self {
            Self::Ceremonies => {
                "SELECT id, kind || '/' || bound_to AS bound, sealed FROM ceremonies WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::DeviceGrants => {
                "SELECT id, coalesce(user_id, '') AS bound, sealed FROM device_grants
                 WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::DrillKeys => {
                "SELECT id, '' AS bound, sealed FROM drill_keys WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::Idempotency => {
                "SELECT caller || ' ' || created_at || ' ' || resource_id AS id, caller AS bound, sealed, key_hash
                 FROM idempotency
                 WHERE sealed IS NOT NULL AND (caller, key_hash) > ($1, $2)
                 ORDER BY caller, key_hash LIMIT $3"
            }
            Self::PendingPosts => {
                "SELECT id, session_id AS bound, sealed FROM pending_posts WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::ProjectKeys => {
                "SELECT id, project_id || '/' || keyring_key_id || '/' || coalesce(seal_id, '') AS bound, sealed
                 FROM project_keys WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::Sessions => {
                "SELECT id, user_id AS bound, sealed FROM sessions WHERE id > $1 ORDER BY id LIMIT $2"
            }
            Self::Subjects => {
                "SELECT id, '' AS bound, sealed_key AS sealed FROM subjects
                 WHERE sealed_key IS NOT NULL AND id > $1 ORDER BY id LIMIT $2"
            }
            Self::UnseenCodes => {
                "SELECT session_id AS id, '' AS bound, sealed FROM unseen_codes
                 WHERE session_id > $1 ORDER BY session_id LIMIT $2"
            }
        }
    }
}

/// Sealed rows after `after`, at most `limit`. Each page begins where a key leads: a store of any size is read once.
pub async fn sealed(
    conn: &mut Conn,
    kind: Kind,
    after: Option<&Sealed>,
    limit: i64,
) -> Result<Vec<Sealed>, StoreError> {
    let select = sql(kind.select());
    let place = |text: fn(&Sealed) -> &str| after.map_or("", text);
    let select = match kind {
        Kind::Idempotency => {
            let hash = after.map(|row| row.key_hash.clone()).unwrap_or_default();
            select.bind(place(|row| &row.bound)).bind(hash)
        }
        _ => select.bind(place(|row| &row.id)),
    };
    select.bind(limit).all(conn).await
}
