//! Every kind of event that there is, by name: most are an [`Action`], the rest are listed here.
//!
//! A new name that is not an action's gets a line. The tests of this crate refuse to make an event of a kind that is not
//! known here, so that none is left out where all of them are judged (`backup/events/verdict.rs`).

use crate::Action;

/// What an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Something that was asked for.
    Action(Action),
    /// Something else.
    Other(Other),
}

macro_rules! others {
    ($($name:ident = $id:literal;)*) => {
        /// Events under names that no action has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Other { $($name,)* }

        impl Other {
            fn named(name: &str) -> Option<Self> {
                match name { $($id => Some(Self::$name),)* _ => None }
            }
        }
    };
}

others! {
    DenyAccess = "access.deny";
    EditAccessRequest = "access.edit";
    EndAccess = "access.end";
    ExpireAccessRequest = "access.expire";
    GrantAccess = "access.grant";
    WithdrawAccessRequest = "access.withdraw";
    AddRecipient = "backup.add-recipient";
    ApplyEvents = "backup.apply-events";
    DrillFailed = "backup.drill-failed";
    DrillPassed = "backup.drill-passed";
    ForgetDrillKey = "backup.forget-drill-key";
    RemoveRecipient = "backup.remove-recipient";
    Restore = "backup.restore";
    BackupFailed = "backup.failed";
    CreateChannel = "channel.create";
    DeleteChannel = "channel.delete";
    EditChannel = "channel.edit";
    PauseChannel = "channel.pause";
    ResumeChannel = "channel.resume";
    RotateChannelSecret = "channel.rotate-secret";
    TestChannel = "channel.test";
    GiveUpDelivery = "delivery.give-up";
    RetryDelivery = "delivery.retry";
    BulkRevokeKeys = "key.bulk-revoke";
    DestroyKeyValue = "key.destroy-value";
    KeyExpiresSoon = "key.expires-soon";
    OldValueInUse = "key.old-value-in-use";
    DestroyKeyringKey = "keyring-key.destroy";
    GenerateKeyringKey = "keyring-key.generate";
    RotateKeyringKey = "keyring-key.rotate";
    KeysVerified = "keys.verified";
    SetUp = "organization.set-up";
    AskToDisablePolicy = "policy.ask-disable";
    AskForProof = "policy.ask-proof";
    ProvePolicy = "policy.prove";
    RenamePolicy = "policy.rename";
    RollBackPolicy = "policy.roll-back";
    SchedulePolicy = "policy.schedule";
    SubmitPolicy = "policy.submit";
    WithdrawPolicy = "policy.withdraw";
    DeletePolicyTest = "policy-test.delete";
    SavePolicyTest = "policy-test.save";
    DestroyProjectKey = "project-key.destroy";
    GenerateProjectKey = "project-key.generate";
    OpenRecoveryLink = "recovery.open-link";
    UseRecoveryCode = "recovery.use-code";
    UseRecoveryLink = "recovery.use-link";
    RefusalsCounted = "refusals.count";
    FinishRewrap = "rewrap.finish";
    PauseRewrap = "rewrap.pause";
    ProceedRewrap = "rewrap.proceed";
    ResumeRewrap = "rewrap.resume";
    GrantRole = "role.grant";
    RevokeRole = "role.revoke";
    SealAnswers = "seal.answers";
    SealSilent = "seal.silent";
    AddSeal = "seal.add";
    DestroySealKey = "seal.destroy-key";
    ForgetPins = "seal.forget-pins";
    OfferSeal = "seal.offer";
    RemoveSeal = "seal.remove";
    RotateSealKey = "seal.rotate-key";
    WithdrawSeal = "seal.withdraw";
    ExpireShare = "secret.expire-share";
    ExportSecrets = "secret.export";
    ImportSecrets = "secret.import";
    PurgeSecretVersion = "secret.purge-version";
    RefuseShare = "secret.refuse-share";
    ShareSecret = "secret.share";
    ExchangeToken = "service-token.exchange";
    OpenTerminal = "session.open-terminal";
    RefuseTerminal = "session.refuse-terminal";
    SignIn = "session.sign-in";
    StepUp = "session.step-up";
    OpenSetup = "setup.open";
    ActivateStandard = "standard.activate";
    ApproveStandard = "standard.approve";
    AskToEndStandard = "standard.ask-end";
    DraftStandard = "standard.draft";
    EndStandard = "standard.end";
    RollBackStandard = "standard.roll-back";
    SubmitStandard = "standard.submit";
    WithdrawStandard = "standard.withdraw";
    AcceptClock = "system.accept-clock";
    ChangeRpId = "system.change-rp-id";
    Copy = "system.copy";
    AddMember = "team.add-member";
    RemoveMember = "team.remove-member";
    RenameTeam = "team.rename";
    Join = "user.join";
    ReactivateUser = "user.reactivate";
    WithdrawInvitation = "user.withdraw-invitation";
}

impl EventKind {
    /// The kind of this name; `None`: this version makes no such event.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let action = Action::ALL.iter().find(|action| action.name() == name);
        action.copied().map(Self::Action).or_else(|| Other::named(name).map(Self::Other))
    }
}
