//! What an event of the lost time takes away, and the taking of it.
//!
//! **Invariants:** there is no variant that gives. This is the only place where applied events change anything; all that a
//! file of events can do to a house is a list of these. Under purge protection none of them destroys before a window is over that
//! began here.

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{
    ApiKeyId, EventId, KeyValueId, PasskeyId, ProjectId, RecipientId, RevokeReason, Role, RoleBindingId,
    SecretId, SecretVersionId, ServiceTokenId, TeamId, TrustRuleId, UserId, VersionState, WorkloadId,
};
use keywarden_store::people::{codes, links, passkeys, sessions, users};
use keywarden_store::{
    ChangeKind, EventRow, Tx, backups, keys, projects, roles, secrets, teams, tokens, trust_rules, workloads,
};

use crate::audit::{Draft, Fact, Record};
use crate::refused::carries_refused;
use crate::roles::{Holder, RoleBinding};
use crate::secrets::over;
use crate::{Action, Fault, Refused};

/// A version of a secret. The number alone could be another one's after an earlier restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AtVersion {
    pub(super) secret: SecretId,
    pub(super) number: i64,
    pub(super) id: SecretVersionId,
}

/// Something that is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrowing {
    ArchiveProject(ProjectId),
    DeactivatePerson(UserId),
    DeactivateWorkload(WorkloadId),
    DeleteSecret {
        secret: SecretId,
        purge_at: DateTime<Utc>,
    },
    DeleteTrustRule(TrustRuleId),
    DeleteVersion {
        version: AtVersion,
        purge_at: DateTime<Utc>,
    },
    DestroyValue {
        key: ApiKeyId,
        value: KeyValueId,
    },
    DestroyVersion {
        version: AtVersion,
        purged: bool,
    },
    DisableVersion(AtVersion),
    EndCodes(UserId),
    PurgeSecret(SecretId),
    RemoveMember {
        team: TeamId,
        person: UserId,
    },
    RemovePasskey {
        passkey: PasskeyId,
        user: UserId,
    },
    RemoveRecipient(RecipientId),
    RevokeKey {
        key: ApiKeyId,
        reason: RevokeReason,
    },
    RevokeToken(ServiceTokenId),
    SpendCode {
        user: UserId,
        position: i64,
    },
    /// An old value stops, or is revoked.
    StopValue {
        key: ApiKeyId,
        value: KeyValueId,
        at: DateTime<Utc>,
        reason: Option<RevokeReason>,
    },
    SuspendKey(ApiKeyId),
    TakeRole(RoleBindingId),
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    /// It is gone already, or never was here.
    #[error("it is so already")]
    Already,
    /// It stays, for this reason: somebody has to see to it.
    #[error("{0}")]
    Kept(&'static str),
    /// Purge protection lets less be taken.
    #[error("{PROTECTED}")]
    Protected(Narrowing),
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(NotTaken);
use NotTaken::{Already, Kept, Protected};

/// What destroys under purge protection could be written by whoever can write the file, and could not be undone.
pub(super) const PROTECTED: &str =
    "purge protection keeps it until its window is over, and nobody reads it meanwhile";

type Taken = Result<Vec<Draft>, NotTaken>;

impl Narrowing {
    /// Takes it away, in the event's name; what is told names the event that did it first.
    pub(super) async fn take(
        &self,
        tx: &mut Tx,
        record: &Record,
        event: EventId,
    ) -> Result<Vec<EventRow>, NotTaken> {
        let told = match *self {
            Self::ArchiveProject(id) => archive_project(tx, record, id).await?,
            Self::DeactivatePerson(user) => deactivate_person(tx, record, user).await?,
            Self::DeactivateWorkload(id) => deactivate_workload(tx, record, id).await?,
            Self::DeleteSecret { secret, purge_at } => delete_secret(tx, record, secret, purge_at).await?,
            Self::DeleteTrustRule(id) => delete_trust_rule(tx, record, id).await?,
            Self::DeleteVersion { version, purge_at } => {
                delete_version(tx, record, version, purge_at).await?
            }
            Self::DestroyValue { key, value } => destroy_value(tx, record, key, value).await?,
            Self::DestroyVersion { version, purged } => destroy_version(tx, record, version, purged).await?,
            Self::DisableVersion(version) => disable_version(tx, record, version).await?,
            Self::EndCodes(user) => end_codes(tx, record, user, None).await?,
            Self::PurgeSecret(secret) => purge_secret(tx, record, secret).await?,
            Self::RemoveMember { team, person } => remove_member(tx, record, team, person).await?,
            Self::RemovePasskey { passkey, user } => remove_passkey(tx, record, passkey, user).await?,
            Self::RemoveRecipient(id) => remove_recipient(tx, record, id).await?,
            Self::RevokeKey { key, reason } => revoke_key(tx, record, key, reason).await?,
            Self::RevokeToken(id) => revoke_token(tx, record, id).await?,
            Self::SpendCode { user, position } => end_codes(tx, record, user, Some(position)).await?,
            Self::StopValue { key, value, at, reason } => {
                stop_value(tx, record, (key, value), at, reason).await?
            }
            Self::SuspendKey(key) => suspend_key(tx, record, key).await?,
            Self::TakeRole(binding) => take_role(tx, record, binding).await?,
        };
        Ok(told.into_iter().map(|it| it.fact("applies", event).finish()).collect::<Result<_, _>>()?)
    }
}

async fn archive_project(tx: &mut Tx, record: &Record, id: ProjectId) -> Taken {
    let now = record.now();
    let before = projects::find(tx, id).await?.ok_or(Already)?;
    if before.archived_at.is_some() {
        return Err(Already);
    }
    if projects::live_keys(tx, id, now).await? > 0 || projects::live_workloads(tx, id).await? > 0 {
        return Err(Kept("keys or workloads still work in it"));
    }
    projects::archive(tx, id, now).await?;
    tx.restrict(ChangeKind::Authority, id, now).await?;
    let event = record.event(Action::ArchiveProject.name(), "project", id).project(id);
    Ok(vec![event.change("archived_at", Fact::none(), now)])
}

async fn deactivate_person(tx: &mut Tx, record: &Record, user: UserId) -> Taken {
    let now = record.now();
    if !users::set_active(tx, user, false, now).await? {
        return Err(Already);
    }
    if users::is_owner(tx, user).await? && roles::other_owners(tx, user).await? == 0 {
        return Err(Kept("they are the last active owner here"));
    }
    let ended = sessions::end_all(tx, user, None).await?.len();
    let withdrawn = links::withdraw_of(tx, user, now).await?;
    tx.restrict(ChangeKind::Authority, user, now).await?;
    let event = record.event(Action::DeactivateUser.name(), "user", user);
    let ended = u64::try_from(ended).unwrap_or(u64::MAX);
    Ok(vec![event.fact("ended_sessions", ended).fact("withdrawn_links", withdrawn)])
}

async fn deactivate_workload(tx: &mut Tx, record: &Record, id: WorkloadId) -> Taken {
    let now = record.now();
    let before = workloads::find(tx, id).await?.ok_or(Already)?;
    if before.deactivated_at.is_some() {
        return Err(Already);
    }
    workloads::deactivate(tx, id, now).await?;
    let revoked = tokens::revoke_all(tx, id, now).await?;
    tx.restrict(ChangeKind::Authority, id, now).await?;
    let event = record
        .event(Action::DeactivateWorkload.name(), "workload", id)
        .project(project_of(before.project_id.as_deref())?)
        .change("state", Fact::word("active"), Fact::word("deactivated"));
    Ok(vec![event.fact("tokens_revoked", revoked)])
}

async fn revoke_token(tx: &mut Tx, record: &Record, id: ServiceTokenId) -> Taken {
    let now = record.now();
    let before = tokens::find(tx, id).await?.ok_or(Already)?;
    if !tokens::revoke(tx, id, now).await? {
        return Err(Already);
    }
    tx.restrict(ChangeKind::Authority, id, now).await?;
    let workload: Option<WorkloadId> = before.workload_id.and_then(|it| it.parse().ok());
    let home = match workload {
        Some(workload) => workloads::find(tx, workload).await?.and_then(|it| it.project_id),
        None => None,
    };
    let event = record
        .event(Action::RevokeServiceToken.name(), "service-token", id)
        .project(project_of(home.as_deref())?)
        .fact("workload", workload);
    Ok(vec![event.change("revoked_at", Fact::none(), now)])
}

async fn delete_trust_rule(tx: &mut Tx, record: &Record, id: TrustRuleId) -> Taken {
    let now = record.now();
    let before = trust_rules::find(tx, id).await?.ok_or(Already)?;
    let workload = before.workload_id;
    trust_rules::delete(tx, id).await?;
    let revoked = tokens::revoke_exchanged(tx, workload, id, now).await?;
    tx.restrict(ChangeKind::Authority, id, now).await?;
    let home = workloads::find(tx, workload).await?.and_then(|it| it.project_id);
    let event = record
        .event(Action::DeleteTrustRule.name(), "trust-rule", id)
        .project(project_of(home.as_deref())?)
        .fact("workload", workload);
    Ok(vec![event.fact("tokens_revoked", revoked)])
}

/// Nothing says that a person keeps one: who has none is let in again by the operator's shell.
async fn remove_passkey(tx: &mut Tx, record: &Record, passkey: PasskeyId, user: UserId) -> Taken {
    if !passkeys::remove(tx, passkey, user).await? {
        return Err(Already);
    }
    tx.restrict(ChangeKind::Authority, user, record.now()).await?;
    Ok(vec![record.event(Action::RemovePasskey.name(), "passkey", passkey).fact("user", user)])
}

/// One code that was used, or all, in whose place others came.
async fn end_codes(tx: &mut Tx, record: &Record, user: UserId, position: Option<i64>) -> Taken {
    if codes::end(tx, user, position, record.now()).await? == 0 {
        return Err(Already);
    }
    let event = match position {
        Some(position) => {
            record.event("recovery.use-code", "user", user).fact("code", position.saturating_add(1))
        }
        None => record.event(Action::RenewRecoveryCodes.name(), "user", user),
    };
    Ok(vec![event])
}

async fn take_role(tx: &mut Tx, record: &Record, id: RoleBindingId) -> Taken {
    let binding = RoleBinding::try_from(roles::find(tx, id).await?.ok_or(Already)?)?;
    if let (Role::Owner, Holder::Person(person)) = (binding.role, binding.holder)
        && binding.holder_active
        && roles::other_owners(tx, person).await? == 0
    {
        return Err(Kept("its holder is the last active owner here"));
    }
    roles::delete(tx, id).await?;
    tx.restrict(ChangeKind::Authority, binding.holder, record.now()).await?;
    let event = record
        .event("role.revoke", binding.holder.event_kind(), binding.holder)
        .project(binding.project)
        .change("role", binding.role, Fact::none());
    Ok(vec![event.fact("binding", id)])
}

async fn remove_member(tx: &mut Tx, record: &Record, team: TeamId, person: UserId) -> Taken {
    if !teams::remove(tx, team, person).await? {
        return Err(Already);
    }
    tx.restrict(ChangeKind::Authority, person, record.now()).await?;
    Ok(vec![record.event("team.remove-member", "team", team).fact("person", person)])
}

async fn remove_recipient(tx: &mut Tx, record: &Record, id: RecipientId) -> Taken {
    if !backups::remove_recipient(tx, id).await? {
        return Err(Already);
    }
    Ok(vec![record.event("backup.remove-recipient", "recipient", id)])
}

// ---- API keys ------------------------------------------------------------------------------------------------------

async fn claimed_key(tx: &mut Tx, id: ApiKeyId) -> Result<keys::KeyRow, NotTaken> {
    if !keys::claim(tx, id).await? {
        return Err(Already);
    }
    keys::find(tx, id).await?.ok_or(Already)
}

async fn value_of(tx: &mut Tx, key: ApiKeyId, value: KeyValueId) -> Result<keys::ValueRow, NotTaken> {
    keys::values(tx, key).await?.into_iter().find(|it| it.id == value).ok_or(Already)
}

async fn revoke_key(tx: &mut Tx, record: &Record, id: ApiKeyId, reason: RevokeReason) -> Taken {
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

async fn suspend_key(tx: &mut Tx, record: &Record, id: ApiKeyId) -> Taken {
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

async fn stop_value(
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

async fn destroy_value(tx: &mut Tx, record: &Record, key: ApiKeyId, value: KeyValueId) -> Taken {
    let row = claimed_key(tx, key).await?;
    value_of(tx, key, value).await?;
    if !keys::destroy_value(tx, value, record.now()).await? {
        return Err(Already);
    }
    tx.restrict(ChangeKind::Key, key, record.now()).await?;
    Ok(vec![record.event("key.destroy-value", "key", key).project(row.project_id).fact("value", value)])
}

// ---- secrets -------------------------------------------------------------------------------------------------------

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

async fn disable_version(tx: &mut Tx, record: &Record, version: AtVersion) -> Taken {
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
async fn delete_version(tx: &mut Tx, record: &Record, version: AtVersion, purge_at: DateTime<Utc>) -> Taken {
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

async fn destroy_version(tx: &mut Tx, record: &Record, version: AtVersion, purged: bool) -> Taken {
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

async fn delete_secret(tx: &mut Tx, record: &Record, id: SecretId, purge_at: DateTime<Utc>) -> Taken {
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

async fn purge_secret(tx: &mut Tx, record: &Record, id: SecretId) -> Taken {
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

fn project_of(id: Option<&str>) -> Result<Option<ProjectId>, Fault> {
    let project = id.map(str::parse).transpose();
    project.map_err(|cause| Fault::Damaged(format!("workloads: project: {cause}")))
}
