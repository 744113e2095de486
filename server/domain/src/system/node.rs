//! Which servers run on these records.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, micros};
use keywarden_store::{StoreError, node};

use super::unseal::quiet;
use crate::{Domain, Fault};

/// A node that has not told for this long is gone.
pub(crate) const GONE: TimeDelta = TimeDelta::minutes(1);
/// An older program's node is waited for longer before what it does not understand is written: it may be cut off.
const OLDER_GONE: TimeDelta = TimeDelta::hours(1);

/// What a running server tells of itself.
#[derive(Debug, Clone)]
pub struct Node {
    /// Random, drawn at its start.
    pub id: String,
    /// Its machine's name.
    pub name: String,
    /// Its program's version.
    pub version: &'static str,
    /// When it started.
    pub started_at: DateTime<Utc>,
}

impl Domain {
    /// Tells the others how this node is.
    pub async fn note_node(&self, of: &Node, condition: &str) -> Result<(), Fault> {
        let now = self.env().now();
        let row = node::NodeRow {
            id: of.id.clone(),
            name: of.name.clone(),
            version: of.version.to_owned(),
            condition: condition.to_owned(),
            started_at: micros(of.started_at),
            seen_at: micros(now),
            holds: self.keyring().ids().iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            unseals_by: self
                .settings()
                .seals
                .iter()
                .map(|it| it.describe().id.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
        };
        self.store()
            .write_silently("how a node is", move |tx| {
                let row = row.clone();
                let silence =
                    node::Silence { gone: earlier(now, GONE), older_gone: earlier(now, OLDER_GONE) };
                Box::pin(async move { node::note(tx, &row, silence).await })
            })
            .await
            .map_err(|error: keywarden_store::WriteError<StoreError>| quiet(error))
    }

    /// Takes this node off the list: it stops.
    pub async fn forget_node(&self, of: &Node) -> Result<(), Fault> {
        let id = of.id.clone();
        self.store()
            .write_silently("a node that stops", move |tx| {
                let id = id.clone();
                Box::pin(async move { node::forget(tx, &id).await })
            })
            .await
            .map_err(|error: keywarden_store::WriteError<StoreError>| quiet(error))
    }
}
