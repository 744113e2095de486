//! How the house is: for the system page, the operator's shell and `doctor`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::{
    KeyringKeyId,
    time::{earlier, from_micros},
};
use keywarden_store::{instance, node};
use keywarden_vault::keyring::KeyringState;
use keywarden_vault::{Protection, Purpose, SealId, SealKind};

use super::node::GONE;
use super::records::Records;
use crate::authz::{Action, Resource};
use crate::{Domain, Fault, Op, Refused};

/// How the house is.
#[derive(Debug, Clone)]
pub struct System {
    /// `SQLite` or `PostgreSQL`.
    pub engine: String,
    /// The schema's version, and the oldest program version that works with it.
    pub schema: (i64, i64),
    /// The change counter, as this node last read it, and how long ago.
    pub counter: Option<(i64, Duration)>,
    /// Whether this node has its keys.
    pub keyring: KeyringState,
    /// What wraps the keys, the oldest first. One alone is one accident away from losing everything.
    pub seals: Vec<SealStatus>,
    /// The keys, by purpose, the newest first.
    pub keys: Vec<KeyStatus>,
    /// The running servers.
    pub nodes: Vec<NodeStatus>,
    /// Whether keys are protected by software only, on this node.
    pub software_protected: bool,
    /// When the first owner was made.
    pub set_up_at: Option<DateTime<Utc>>,
}

/// A seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealStatus {
    /// Kind, colon, label.
    pub id: SealId,
    /// What it is.
    pub kind: SealKind,
    /// Its name for people.
    pub label: String,
    /// How well it keeps its key.
    pub protection: Protection,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// Keys that it does not wrap: it could not unseal a node alone.
    pub lacks: usize,
}

/// A key of the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its id.
    pub id: KeyringKeyId,
    /// What it is for.
    pub purpose: Purpose,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From then on it only verifies and opens.
    pub retired_at: Option<DateTime<Utc>>,
    /// Envelopes it sealed; at most 2^32 − 1.
    pub uses: u64,
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its machine's name.
    pub name: String,
    /// Its program's version.
    pub version: String,
    /// `ready`, `degraded`, `sealed` …
    pub condition: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last told.
    pub seen_at: DateTime<Utc>,
}

impl Domain {
    /// How the house is.
    pub async fn system(&self, op: &Op) -> Result<System, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        Ok(self.look_around(op.now).await?)
    }

    pub(super) async fn look_around(&self, now: DateTime<Utc>) -> Result<System, Fault> {
        let mut conn = self.store().read().await?;
        let schema = instance::schema(&mut conn).await?;
        let instance = instance::find(&mut conn).await?;
        let records = Records::load(&mut conn).await?;
        let nodes = node::list(&mut conn, earlier(now, GONE)).await?;
        drop(conn);
        let mut keys: Vec<_> = records
            .keys
            .iter()
            .map(|key| KeyStatus {
                id: key.id,
                purpose: key.purpose,
                created_at: key.created_at,
                retired_at: key.retired_at,
                uses: key.uses,
            })
            .collect();
        keys.sort_by_key(|key| (key.purpose, std::cmp::Reverse(key.created_at)));
        Ok(System {
            engine: self.store().engine().to_string(),
            schema: (schema.version, schema.oldest_compatible),
            counter: self.last_look(),
            keyring: self.keyring().state(),
            seals: seals(&records),
            keys,
            nodes: nodes.into_iter().map(NodeStatus::from).collect(),
            software_protected: self.settings().software_protected,
            set_up_at: instance.set_up_at.map(from_micros),
        })
    }
}

pub(super) fn seals(records: &Records) -> Vec<SealStatus> {
    let lacks = |id: &SealId| {
        let wrapped = |key| records.wraps.iter().any(|wrap| wrap.key_id == key && wrap.seal_id == *id);
        records.keys.iter().filter(|key| !wrapped(key.id)).count()
    };
    let status = |seal: &keywarden_vault::SealRecord| SealStatus {
        lacks: lacks(&seal.id),
        id: seal.id.clone(),
        kind: seal.kind,
        label: seal.label.clone(),
        protection: seal.protection,
        added_at: seal.added_at,
    };
    records.seals.iter().map(status).collect()
}

impl From<node::NodeRow> for NodeStatus {
    fn from(row: node::NodeRow) -> Self {
        Self {
            name: row.name,
            version: row.version,
            condition: row.condition,
            started_at: from_micros(row.started_at),
            seen_at: from_micros(row.seen_at),
        }
    }
}
