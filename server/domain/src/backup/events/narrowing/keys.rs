//! What an event takes away of an API key.

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{ApiKeyId, KeyValueId, RevokeReason};
use keywarden_store::{ChangeKind, Tx, keys};

use super::NotTaken::{self, Already};
use super::Taken;
use crate::Action;
use crate::audit::Record;

async fn claimed_key(tx: &mut Tx, id: ApiKeyId) -> Result<keys::KeyRow, NotTaken> {
    if !keys::claim(tx, id).await? {
        return Err(Already);
    }
    keys::find(tx, id).await?.ok_or(Already)
}

async fn value_of(tx: &mut Tx, key: ApiKeyId, value: KeyValueId) -> Result<keys::ValueRow, NotTaken> {
    keys::values(tx, key).await?.into_iter().find(|it| it.id == value).ok_or(Already)
}

pub(super) async fn revoke_key(tx: &mut Tx, record: &Record, id: ApiKeyId, reason: RevokeReason) -> Taken {
    let now = record.now();
    let key = claimed_key(tx, id).await?;
    match key.revoke_reason.as_deref().map(str::parse::<RevokeReason>) {
        None => keys::revoke(tx, id, now, reason.as_str()).await?,
        Some(Ok(before)) if before.is_outdone_by(reason) => keys::compromise(tx, id).await?,
        Some(_) => return Err(Already),
    }
    tx.restrict(ChangeKind::Key, id, now).await?;
    let event = record.event(Action::RevokeKey.name(), "key", id).project(key.project_id);
    Ok(vec![event.fact("reason", reason)])
}

pub(super) async fn suspend_key(tx: &mut Tx, record: &Record, id: ApiKeyId) -> Taken {
    let now = record.now();
    let key = claimed_key(tx, id).await?;
    if key.revoked_at.is_some() || key.suspended_at.is_some() {
        return Err(Already);
    }
    keys::suspend(tx, id, Some(now)).await?;
    tx.restrict(ChangeKind::Key, id, now).await?;
    let event = record.event(Action::SuspendKey.name(), "key", id).project(key.project_id);
    Ok(vec![event.change("suspended", false, true)])
}

pub(super) async fn stop_value(
    tx: &mut Tx,
    record: &Record,
    (key, value): (ApiKeyId, KeyValueId),
    at: DateTime<Utc>,
    reason: Option<RevokeReason>,
) -> Taken {
    let now = record.now();
    let row = claimed_key(tx, key).await?;
    let before = value_of(tx, key, value).await?;
    let earlier = before.revoke_reason.as_deref().map(str::parse::<RevokeReason>);
    let is_outdone = matches!((&earlier, reason), (Some(Ok(before)), Some(it)) if before.is_outdone_by(it));
    if before.destroyed_at.is_some() || before.revoked_at.is_some() && !is_outdone {
        return Err(Already);
    }
    let mut event = record
        .event(Action::StopOldKeyValue.name(), "key", key)
        .project(row.project_id)
        .fact("value", value)
        .change("stops_at", before.stops_at.map(from_micros), at);
    match reason {
        Some(reason) => {
            keys::revoke_value(tx, value, now, reason.as_str()).await?;
            event = event.fact("reason", reason);
        }
        None if before.stops_at.is_some_and(|stops| stops <= micros(at)) => return Err(Already),
        None => keys::stop_value(tx, value, at).await?,
    }
    tx.restrict(ChangeKind::Key, key, now).await?;
    Ok(vec![event])
}

pub(super) async fn destroy_value(tx: &mut Tx, record: &Record, key: ApiKeyId, value: KeyValueId) -> Taken {
    let row = claimed_key(tx, key).await?;
    value_of(tx, key, value).await?;
    if !keys::destroy_value(tx, value, record.now()).await? {
        return Err(Already);
    }
    tx.restrict(ChangeKind::Key, key, record.now()).await?;
    Ok(vec![record.event("key.destroy-value", "key", key).project(row.project_id).fact("value", value)])
}
