//! What an event of the lost time takes away, and the taking of it.
//!
//! **Invariants:** there is no variant that gives. This is the only place where applied events change anything; all that a
//! file of events can do to a house is a list of these. Under purge protection none of them destroys before a window is over that
//! began here.

mod keys;
mod secrets;

use chrono::{DateTime, Utc};
use keywarden_model::{
    AccessGrantId, AccessState, ApiKeyId, EventId, GrantEnd, KeyValueId, PasskeyId, ProjectId, RecipientId,
    RevokeReason, Role, RoleBindingId, SecretId, SecretVersionId, ServiceTokenId, TeamId, TrustRuleId,
    UserId, WorkloadId,
};
use keywarden_store::access::{grants, requests};
use keywarden_store::people::{codes, links, passkeys, sessions, users};
use keywarden_store::{
    ChangeKind, EventRow, Tx, backups, projects, roles, teams, tokens, trust_rules, workloads,
};

use crate::audit::{Draft, Fact, Record};
use crate::refused::carries_refused;
use crate::roles::{Holder, RoleBinding};
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
    EndAccess(AccessGrantId),
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
use NotTaken::{Already, Kept};

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
            Self::DeleteSecret { secret, purge_at } => {
                secrets::delete_secret(tx, record, secret, purge_at).await?
            }
            Self::DeleteTrustRule(id) => delete_trust_rule(tx, record, id).await?,
            Self::DeleteVersion { version, purge_at } => {
                secrets::delete_version(tx, record, version, purge_at).await?
            }
            Self::DestroyValue { key, value } => keys::destroy_value(tx, record, key, value).await?,
            Self::DestroyVersion { version, purged } => {
                secrets::destroy_version(tx, record, version, purged).await?
            }
            Self::DisableVersion(version) => secrets::disable_version(tx, record, version).await?,
            Self::EndAccess(grant) => end_access(tx, record, grant).await?,
            Self::EndCodes(user) => end_codes(tx, record, user, None).await?,
            Self::PurgeSecret(secret) => secrets::purge_secret(tx, record, secret).await?,
            Self::RemoveMember { team, person } => remove_member(tx, record, team, person).await?,
            Self::RemovePasskey { passkey, user } => remove_passkey(tx, record, passkey, user).await?,
            Self::RemoveRecipient(id) => remove_recipient(tx, record, id).await?,
            Self::RevokeKey { key, reason } => keys::revoke_key(tx, record, key, reason).await?,
            Self::RevokeToken(id) => revoke_token(tx, record, id).await?,
            Self::SpendCode { user, position } => end_codes(tx, record, user, Some(position)).await?,
            Self::StopValue { key, value, at, reason } => {
                keys::stop_value(tx, record, (key, value), at, reason).await?
            }
            Self::SuspendKey(key) => keys::suspend_key(tx, record, key).await?,
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

/// Of a role that is held for a while.
async fn end_access(tx: &mut Tx, record: &Record, id: AccessGrantId) -> Taken {
    let now = record.now();
    let before = grants::find(tx, id).await?.ok_or(Already)?;
    if !grants::end(tx, id, (GrantEnd::Revoked.as_str(), "backup.apply-events"), now).await? {
        return Err(Already);
    }
    requests::set_state(tx, before.request_id, AccessState::Ended.as_str()).await?;
    tx.restrict(ChangeKind::Authority, id, now).await?;
    let event = record
        .event(Action::RevokeAccess.name(), "grant", id)
        .project(project_of(before.project_id.as_deref())?)
        .fact("request", before.request_id);
    Ok(vec![event])
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

fn project_of(id: Option<&str>) -> Result<Option<ProjectId>, Fault> {
    let project = id.map(str::parse).transpose();
    project.map_err(|cause| Fault::Damaged(format!("workloads: project: {cause}")))
}
