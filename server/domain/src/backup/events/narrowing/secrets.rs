//! What an event takes away of a secret.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use keywarden_model::{SecretId, VersionState};
use keywarden_store::{Tx, secrets};

use super::NotTaken::{self, Already, Kept, Protected};
use super::{AtVersion, Narrowing, PROTECTED, Taken};
use crate::audit::{Draft, Fact, Record};
use crate::secrets::over;
use crate::{Action, Fault};

struct Found {
    secret: secrets::SecretRow,
    state: VersionState,
    is_current: bool,
    /// When it is destroyed, if it is deleted.
    purge_at: Option<i64>,
}

/// When what is deleted now is destroyed: as the event says, and under purge protection not before a whole window from now on.
fn goes_at(
    secret: &secrets::SecretRow,
    told: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Fault> {
    let least = if secret.purge_protection { over(now, secret.recovery_days)? } else { now };
    Ok(told.max(least))
}

async fn claimed_secret(tx: &mut Tx, id: SecretId) -> Result<secrets::SecretRow, NotTaken> {
    if !secrets::claim(tx, id).await? {
        return Err(Already);
    }
    secrets::find(tx, id).await?.ok_or(Already)
}

async fn found(tx: &mut Tx, version: AtVersion) -> Result<Found, NotTaken> {
    let secret = claimed_secret(tx, version.secret).await?;
    let row = secrets::version(tx, version.secret, version.number).await?;
    let row = row.filter(|row| row.id == version.id).ok_or(Already)?;
    let state = row.state.parse().map_err(|_| Fault::Damaged(format!("secret_versions: {}", row.id)))?;
    let labels = secrets::labels(tx, version.secret).await?;
    let is_current = labels.iter().any(|it| it.label == "current" && it.number == version.number);
    Ok(Found { secret, state, is_current, purge_at: row.purge_at })
}

fn of_version(record: &Record, action: &'static str, found: &Found, version: AtVersion) -> Draft {
    record
        .event(action, "secret", version.secret)
        .project(found.secret.project_id)
        .fact("version", version.number)
        .fact("version_id", version.id)
}

pub(super) async fn disable_version(tx: &mut Tx, record: &Record, version: AtVersion) -> Taken {
    let found = found(tx, version).await?;
    disable(tx, record, &found, version).await
}

async fn disable(tx: &mut Tx, record: &Record, found: &Found, version: AtVersion) -> Taken {
    if found.state != VersionState::Enabled {
        return Err(Already);
    }
    let to = VersionState::Disabled;
    secrets::set_state(tx, version.secret, version.number, to.as_str()).await?;
    let event = of_version(record, Action::DisableSecretVersion.name(), found, version);
    Ok(vec![event.change("state", found.state, to)])
}

/// The version that is `current` here was not when it was deleted, and what was is lost: it is disabled in its place.
pub(super) async fn delete_version(
    tx: &mut Tx,
    record: &Record,
    version: AtVersion,
    purge_at: DateTime<Utc>,
) -> Taken {
    let now = record.now();
    let found = found(tx, version).await?;
    if found.is_current {
        return disable(tx, record, &found, version).await;
    }
    if !matches!(found.state, VersionState::Disabled | VersionState::Enabled) {
        return Err(Already);
    }
    let purge_at = goes_at(&found.secret, purge_at, now)?;
    secrets::delete_version(tx, version.secret, version.number, now, purge_at).await?;
    let event = of_version(record, Action::DeleteSecretVersion.name(), &found, version);
    Ok(vec![event.change("state", found.state, VersionState::SoftDeleted).fact("purge_at", purge_at)])
}

pub(super) async fn destroy_version(tx: &mut Tx, record: &Record, version: AtVersion, purged: bool) -> Taken {
    let now = record.now();
    let found = found(tx, version).await?;
    if found.state == VersionState::Destroyed {
        return Err(Already);
    }
    if found.secret.purge_protection && found.purge_at.is_none_or(|at| at > micros(now)) {
        return Err(match found.state {
            VersionState::SoftDeleted => Kept(PROTECTED),
            _ => Protected(Narrowing::DeleteVersion { version, purge_at: now }),
        });
    }
    if found.is_current {
        secrets::destroy_current(tx, version.secret, version.number, now).await?;
    } else {
        secrets::destroy_version(tx, version.secret, version.number, now).await?;
    }
    let action = if purged { "secret.purge-version" } else { Action::DestroySecretVersion.name() };
    let event = of_version(record, action, &found, version);
    Ok(vec![event.change("state", found.state, VersionState::Destroyed)])
}

pub(super) async fn delete_secret(
    tx: &mut Tx,
    record: &Record,
    id: SecretId,
    purge_at: DateTime<Utc>,
) -> Taken {
    let secret = claimed_secret(tx, id).await?;
    if secret.deleted_at.is_some() {
        return Err(Already);
    }
    Ok(vec![delete(tx, record, &secret, purge_at).await?])
}

async fn delete(
    tx: &mut Tx,
    record: &Record,
    secret: &secrets::SecretRow,
    purge_at: DateTime<Utc>,
) -> Result<Draft, NotTaken> {
    let now = record.now();
    let purge_at = goes_at(secret, purge_at, now)?;
    secrets::delete(tx, secret.id, now, purge_at).await?;
    let event = record.event(Action::DeleteSecret.name(), "secret", secret.id).project(secret.project_id);
    Ok(event.change("deleted_at", Fact::none(), now).fact("purge_at", purge_at))
}

pub(super) async fn purge_secret(tx: &mut Tx, record: &Record, id: SecretId) -> Taken {
    let now = record.now();
    let secret = claimed_secret(tx, id).await?;
    if secret.purged_at.is_some() {
        return Err(Already);
    }
    // It is purged at the latest when that is over, and read by nobody until then.
    if secret.purge_protection && secret.purge_at.is_some_and(|at| at > micros(now)) {
        return Err(Kept("it is deleted, and this machine's clock says that it can still be restored"));
    }
    if secret.deleted_at.is_none() && secret.purge_protection {
        return Err(Protected(Narrowing::DeleteSecret { secret: id, purge_at: now }));
    }
    let mut told = Vec::new();
    if secret.deleted_at.is_none() {
        told.push(delete(tx, record, &secret, now).await?);
    }
    let versions = secrets::purge(tx, id, now).await?;
    let event = record.event(Action::PurgeSecret.name(), "secret", id).project(secret.project_id).change(
        "purged_at",
        Fact::none(),
        now,
    );
    told.push(event.fact("versions_destroyed", versions));
    Ok(told)
}
