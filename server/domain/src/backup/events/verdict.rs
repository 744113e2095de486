//! Every kind of event, judged: does it take something away. The two matches are without a rest, so that a new action and a
//! new name have to be judged before this compiles.

use keywarden_model::RevokeReason;

use super::Narrowing;
use super::told::Told;
use crate::Action;
use crate::audit::{EventKind, Other};

/// What an event means for a house that has not seen it.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It takes away, and what it gave beside that is lost: in words that follow a number.
    Both(Narrowing, &'static str),
    /// It may have taken something away, and does not tell enough to repeat it.
    Look,
    /// It takes away.
    Narrows(Narrowing),
    /// What is here is the same without it.
    Neutral,
    /// Nobody here knows what it says.
    Unknown,
    /// What it made, gave or changed is lost: in words that follow a number.
    Widens(&'static str),
}
use Verdict::{Look, Neutral, Widens};

pub(super) fn judge(told: &Told) -> Verdict {
    if told.outcome != "allowed" {
        return Neutral;
    }
    match EventKind::named(&told.action) {
        Some(EventKind::Action(action)) => of_action(action, told).unwrap_or(Verdict::Unknown),
        Some(EventKind::Other(other)) => of_other(other, told).unwrap_or(Verdict::Unknown),
        None => Verdict::Unknown,
    }
}

fn narrows(narrowing: Narrowing) -> Verdict {
    Verdict::Narrows(narrowing)
}

/// `None`: it does not say what it should.
fn of_action(action: Action, told: &Told) -> Option<Verdict> {
    Some(match action {
        // What was read, asked, opened once or ended by itself: sessions, terminals and links are in no backup.
        Action::AcceptRestore
        | Action::ApproveTerminal
        | Action::CheckFingerprint
        | Action::ChooseMessages
        | Action::DismissNotice
        | Action::DrillBackup
        | Action::EndOthersSession
        | Action::EndOwnSession
        | Action::ExplainPermissions
        | Action::LookUpLeak
        | Action::MakeBackup
        | Action::OpenShare
        | Action::ReadAudit
        | Action::RequestAccess
        | Action::ViewAccess
        | Action::ReadSecret
        | Action::VerifyKeys
        | Action::ViewChannels
        | Action::ViewKey
        | Action::ViewOwnAccount
        | Action::ViewPolicy
        | Action::ViewProject
        | Action::ViewSecret
        | Action::ViewSystem
        | Action::ViewTeams
        | Action::ViewUsers
        | Action::ViewWorkload
        | Action::WithdrawShare
        // Their events have other names, or tell of a whole whose parts have events of their own.
        | Action::EditTeam
        | Action::GrantOrganizationRole
        | Action::GrantOwner
        | Action::GrantProjectRole
        | Action::HandOverUser
        | Action::ManageChannels
        | Action::ManageOwnChannels
        | Action::ManageRecipients
        | Action::ManageSeals
        | Action::ReturnSecrets => Neutral,

        Action::AddPasskey => Widens("passkeys added"),
        Action::ApproveAccess => Widens("approvals of access signed"),
        // Who asks by a name is asked for a permit all the same: none is given or taken by it.
        Action::AliasSecret => Widens("aliases of secrets changed"),
        Action::ApprovePolicy => Widens("versions of policies approved"),
        Action::CreateEnvironment => Widens("environments made"),
        Action::CreateProject => Widens("projects made"),
        Action::CreateSecret => Widens("secrets made"),
        Action::CreateTeam => Widens("teams made"),
        Action::CreateTrustRule => Widens("sign-in rules made"),
        Action::CreateWorkload => Widens("workloads made"),
        Action::DraftPolicy => Widens("versions of policies written"),
        Action::EditProject => Widens("projects renamed"),
        Action::EnableSecretVersion => Widens("versions of secrets enabled"),
        Action::ExtendKeyOverlap => Widens("overlaps of API keys extended"),
        Action::ImportKey => Widens("API keys imported"),
        Action::InviteUser => Widens("invitations made"),
        Action::IssueKey => Widens("API keys issued"),
        Action::IssueServiceToken => Widens("service tokens issued"),
        Action::PutSecret => Widens("values put"),
        Action::RenamePasskey => Widens("passkeys renamed"),
        Action::RestoreSecret => Widens("secrets restored"),
        Action::RestoreSecretVersion => Widens("versions of secrets restored"),
        Action::ResumeKey => Widens("API keys resumed"),
        Action::RotateDataKey => Widens("data keys of secrets rotated"),
        Action::RotateProjectKey => Widens("keys of projects rotated"),

        // Narrower or wider, their events do not say it all.
        Action::ActivatePolicy
        | Action::DisablePolicy
        | Action::EditEnvironment
        | Action::EditKey
        | Action::EditSecret
        | Action::EditTrustRule
        | Action::LabelSecret
        | Action::NameProjectSeal
        | Action::RequireReview
        | Action::SetAccessRule => Look,

        Action::GiveBackAccess | Action::RevokeAccess => narrows(Narrowing::EndAccess(told.thing()?)),

        Action::ArchiveProject => narrows(Narrowing::ArchiveProject(told.thing()?)),
        Action::DeactivateUser => narrows(Narrowing::DeactivatePerson(told.thing()?)),
        Action::DeactivateWorkload => narrows(Narrowing::DeactivateWorkload(told.thing()?)),
        Action::DeleteSecret => {
            narrows(Narrowing::DeleteSecret { secret: told.thing()?, purge_at: told.fact("purge_at")? })
        }
        Action::DeleteSecretVersion => narrows(Narrowing::DeleteVersion {
            version: version(told)?,
            purge_at: told.fact("purge_at")?,
        }),
        Action::DeleteTrustRule => narrows(Narrowing::DeleteTrustRule(told.thing()?)),
        Action::DestroySecretVersion => {
            narrows(Narrowing::DestroyVersion { version: version(told)?, purged: false })
        }
        Action::DisableSecretVersion => narrows(Narrowing::DisableVersion(version(told)?)),
        Action::PurgeSecret => narrows(Narrowing::PurgeSecret(told.thing()?)),
        Action::RemovePasskey => {
            narrows(Narrowing::RemovePasskey { passkey: told.thing()?, user: told.fact("user")? })
        }
        Action::RenewRecoveryCodes => {
            Verdict::Both(Narrowing::EndCodes(told.thing()?), "sets of recovery codes renewed")
        }
        Action::RevokeKey => {
            narrows(Narrowing::RevokeKey { key: told.thing()?, reason: told.fact("reason")? })
        }
        Action::RevokeServiceToken => narrows(Narrowing::RevokeToken(told.thing()?)),
        Action::RotateKey => {
            let lost = "API keys rotated";
            // Without an end that changed, the old value's end stands in the backup.
            match (told.fact("superseded"), told.became("stops_at")) {
                (Some(value), Some(at)) => {
                    let key = told.thing()?;
                    Verdict::Both(Narrowing::StopValue { key, value, at, reason: None }, lost)
                }
                _ => Widens(lost),
            }
        }
        Action::StopOldKeyValue => narrows(Narrowing::StopValue {
            key: told.thing()?,
            value: told.fact("value")?,
            at: told.became("stops_at").unwrap_or(told.at),
            reason: told.fact::<RevokeReason>("reason"),
        }),
        Action::SuspendKey => narrows(Narrowing::SuspendKey(told.thing()?)),
    })
}

/// `None`: it does not say what it should.
fn of_other(other: Other, told: &Told) -> Option<Verdict> {
    Some(match other {
        // What is counted, ends by itself, is in no backup, or is told once more by the events of its parts.
        Other::AcceptClock
        // A request that waits again is answered again, or ends by itself, as a role that is held for a while does.
        | Other::DenyAccess
        | Other::EditAccessRequest
        | Other::EndAccess
        | Other::ExpireAccessRequest
        | Other::WithdrawAccessRequest
        | Other::ApplyEvents
        | Other::BackupFailed
        | Other::BulkRevokeKeys
        | Other::Copy
        | Other::DrillFailed
        | Other::DrillPassed
        | Other::ExchangeToken
        | Other::ExpireShare
        | Other::ExportSecrets
        | Other::ForgetDrillKey
        | Other::ForgetPins
        | Other::GiveUpDelivery
        | Other::ImportSecrets
        | Other::KeyExpiresSoon
        | Other::KeysVerified
        | Other::OldValueInUse
        | Other::OpenRecoveryLink
        | Other::OpenSetup
        | Other::OpenTerminal
        | Other::RefusalsCounted
        | Other::RefuseShare
        | Other::RefuseTerminal
        | Other::Restore
        | Other::RetryDelivery
        | Other::SealAnswers
        | Other::SealSilent
        | Other::SetUp
        | Other::ShareSecret
        | Other::SignIn
        | Other::StepUp
        | Other::TestChannel
        // A test that comes back keeps a policy from deciding, and gives nothing.
        | Other::DeletePolicyTest
        | Other::SubmitPolicy
        | Other::SubmitStandard
        // What was shown of a version is shown anew by whoever asks.
        | Other::AskForProof
        | Other::ProvePolicy
        | Other::UseRecoveryLink
        | Other::WithdrawInvitation
        // Keys that wrapped: the rows of the backup lie under those that it brought, and the new seals wrap those.
        | Other::AddSeal
        | Other::DestroyKeyringKey
        | Other::DestroyProjectKey
        | Other::DestroySealKey
        | Other::FinishRewrap
        | Other::GenerateKeyringKey
        | Other::GenerateProjectKey
        | Other::OfferSeal
        | Other::PauseRewrap
        | Other::ProceedRewrap
        | Other::RemoveSeal
        | Other::ResumeRewrap
        | Other::RotateSealKey
        | Other::WithdrawSeal => Neutral,

        Other::AddMember => Widens("members added to teams"),
        Other::CreateChannel => Widens("channels made"),
        Other::RotateChannelSecret => Widens("secrets of channels rotated"),
        Other::AddRecipient => Widens("recovery recipients added"),
        Other::GrantAccess => Widens("roles given for a while"),
        Other::GrantRole => Widens("roles given"),
        Other::Join => Widens("people joined"),
        Other::ReactivateUser => Widens("people let back in"),
        Other::RenamePolicy => Widens("policies renamed"),
        Other::SavePolicyTest => Widens("tests of policies saved"),
        Other::RenameTeam => Widens("teams renamed"),
        Other::RotateKeyringKey => Widens("keys of the keyring rotated"),

        Other::SchedulePolicy => Widens("policies scheduled"),

        Other::ApproveStandard => Widens("versions of standards approved"),
        Other::DraftStandard => Widens("versions of standards written"),

        // One that was withdrawn, and scheduled before that, would come to decide.
        // What a standard refuses, no event of it says.
        Other::ActivateStandard
        | Other::AskToDisablePolicy
        // Where messages go, and what they tell.
        | Other::DeleteChannel
        | Other::EditChannel
        | Other::PauseChannel
        | Other::ResumeChannel
        | Other::AskToEndStandard
        | Other::ChangeRpId
        | Other::EndStandard
        | Other::RollBackPolicy
        | Other::RollBackStandard
        | Other::WithdrawPolicy
        | Other::WithdrawStandard => Look,

        Other::DestroyKeyValue => {
            narrows(Narrowing::DestroyValue { key: told.thing()?, value: told.fact("value")? })
        }
        Other::PurgeSecretVersion => {
            narrows(Narrowing::DestroyVersion { version: version(told)?, purged: true })
        }
        Other::RemoveMember => {
            narrows(Narrowing::RemoveMember { team: told.thing()?, person: told.fact("person")? })
        }
        Other::RemoveRecipient => narrows(Narrowing::RemoveRecipient(told.thing()?)),
        Other::RevokeRole => narrows(Narrowing::TakeRole(told.fact("binding")?)),
        Other::UseRecoveryCode => narrows(Narrowing::SpendCode {
            user: told.thing()?,
            // People count from one.
            position: told.number("code")?.checked_sub(1)?,
        }),
    })
}

fn version(told: &Told) -> Option<super::narrowing::AtVersion> {
    Some(super::narrowing::AtVersion {
        secret: told.thing()?,
        number: told.number("version")?,
        id: told.fact("version_id")?,
    })
}

/// How far an event moved the change counter, at most. Never less than it did: a gap that is named must be one.
pub(super) fn moves(told: &Told) -> i64 {
    let each = || {
        let ended = told.number("ended_sessions").unwrap_or_default();
        1_i64.saturating_add(ended.max(0))
    };
    match EventKind::named(&told.action) {
        // A kind that a newer version made may move it, who knows how far.
        None => i64::from(u32::MAX),
        Some(EventKind::Action(action)) if action.restricts() => each(),
        Some(EventKind::Action(_)) => 0,
        Some(EventKind::Other(other)) => match other {
            Other::ActivateStandard
            | Other::AddMember
            | Other::DestroyKeyValue
            | Other::EndAccess
            | Other::EndStandard
            | Other::GrantAccess
            | Other::GrantRole
            | Other::ReactivateUser
            | Other::RemoveMember
            | Other::RevokeRole
            | Other::RollBackPolicy
            | Other::RollBackStandard
            | Other::SignIn
            | Other::UseRecoveryCode
            | Other::UseRecoveryLink
            | Other::WithdrawInvitation => each(),
            _ => 0,
        },
    }
}
