//! What nobody does, and is told all the same: an end that comes near, an old value that is still used, an HSM that is silent, a
//! backup that was not made. A job looks, and each of them becomes an event.

use std::sync::{Mutex, PoisonError};

use keywarden_model::ApiKeyId;
use keywarden_model::time::from_micros;
use keywarden_store::{Tx, Written, keys, messages};
use keywarden_vault::keyring::KeyringState;

use crate::audit::Record;
use crate::{Domain, Fault, Op, Refused};

/// Keys that one run tells of.
const KEYS: u32 = 200;

/// What this node has told of its seals.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    silent: Mutex<bool>,
}

impl Domain {
    /// Tells of keys that stop working within 30, 7 or 1 days, and of old values that are still used a day before their end;
    /// says how many. A job calls it.
    pub async fn watch_keys(&self, op: &Op) -> Result<u64, Fault> {
        let mut conn = self.store().read().await?;
        let expiring = keys::expiring(&mut conn, op.now, KEYS).await?;
        let stragglers = keys::still_used(&mut conn, op.now, KEYS).await?;
        drop(conn);
        if expiring.is_empty() && stragglers.is_empty() {
            return Ok(0);
        }
        let told = self.change_unasked(op, "keys whose end is near", &[], move |tx, record| {
            let (expiring, stragglers) = (expiring.clone(), stragglers.clone());
            Box::pin(async move { near_ends(tx, &record, &expiring, &stragglers).await })
        });
        match told.await {
            Ok(Told(told)) => Ok(told),
            Err(Refused::NotFound) => Ok(0), // another node told all of it meanwhile
            Err(Refused::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::Unexpected(other.to_string())),
        }
    }

    /// Tells when no seal answers any more, and when one does again. A job calls it on each node.
    pub async fn watch_seals(&self, op: &Op) -> Result<(), Fault> {
        let silent = match self.keyring().state() {
            KeyringState::Degraded { .. } => true,
            KeyringState::Unsealed => false,
            // Nothing can be written down now.
            KeyringState::Sealed { .. } => return Ok(()),
        };
        let known = *self.watched().silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent == known {
            return Ok(());
        }
        let name = if silent { "seal.silent" } else { "seal.answers" };
        self.tell(op, name, "seal", None).await?;
        *self.watched().silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
        Ok(())
    }

    /// Tells that a backup that was due was not made, once a day.
    pub(crate) async fn tell_of_failed_backup(&self, op: &Op) -> Result<(), Fault> {
        let once = format!("backup-failed:{}", op.now.timestamp().div_euclid(86_400));
        let told = messages::was_told(&mut self.store().read().await?, &once).await?;
        if told { Ok(()) } else { self.tell(op, "backup.failed", "backup", Some("not-made")).await }
    }

    async fn tell(
        &self,
        op: &Op,
        event: &'static str,
        kind: &'static str,
        failed: Option<&'static str>,
    ) -> Result<(), Fault> {
        let told = self.change_unasked(op, "something that nobody did", &[], move |_, record| {
            Box::pin(async move {
                let event = record.event(event, kind, "house");
                let event = match failed {
                    Some(why) => event.failed(why),
                    None => event,
                };
                Ok(Written::new((), event.finish()?))
            })
        });
        match told.await {
            Ok(()) => Ok(()),
            Err(Refused::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::Unexpected(other.to_string())),
        }
    }
}

/// How many were told of.
#[derive(Debug)]
struct Told(u64);

impl crate::Repeatable for Told {
    fn thing(&self) -> String {
        self.0.to_string()
    }
    fn again(thing: &str, _: Option<keywarden_vault::SecretString>) -> Option<Self> {
        thing.parse().ok().map(Self)
    }
}

async fn near_ends(
    tx: &mut Tx,
    record: &Record,
    expiring: &[keys::Expiring],
    stragglers: &[keys::StillUsed],
) -> Result<Written<Told>, Refused> {
    let mut events = Vec::new();
    for key in expiring {
        let once = format!("expiry:{}:{}:{}", key.id, key.expires_at, key.days);
        if messages::was_told(tx, &once).await? {
            continue;
        }
        let event = told_of(record, "key.expires-soon", key.id)
            .project(key.project_id)
            .fact("days", key.days)
            .fact("expires_at", from_micros(key.expires_at));
        events.push(event.finish()?);
    }
    for value in stragglers {
        if messages::was_told(tx, &format!("old-value:{}", value.id)).await? {
            continue;
        }
        let event = told_of(record, "key.old-value-in-use", value.key_id)
            .project(value.project_id)
            .fact("value", value.id)
            .fact("stops_at", from_micros(value.stops_at));
        events.push(event.finish()?);
    }
    let told = Told(events.len() as u64);
    let mut events = events.into_iter();
    let first = events.next().ok_or(Refused::NotFound)?;
    Ok(Written::new(told, first).and_all(events))
}

fn told_of(record: &Record, name: &'static str, key: ApiKeyId) -> crate::audit::Draft {
    record.event(name, "key", key)
}
