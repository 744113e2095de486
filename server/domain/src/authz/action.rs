//! Everything that can be done, and by whom: one row for each action.

use keywarden_model::Role;

use super::Resource;

/// What an action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Changes something.
    Change,
    /// Changes nothing, and shows what must be shown to nobody else: a person shows their passkey for it.
    Disclose,
    /// Changes something, and can wait for no passkey: the reviewed list of harmless ones.
    Harmless,
    /// Restricts, and can wait for no passkey: the reviewed list.
    HarmlessRestrict,
    /// Changes nothing.
    Read,
    /// Changes something, and may turn a yes into a no.
    Restrict,
}

/// What kind of thing an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An API key.
    ApiKey,
    /// An environment.
    Environment,
    /// The organization.
    Organization,
    /// A person.
    Person,
    /// A project.
    Project,
    /// A project, or the whole organization.
    Scope,
    /// A secret.
    Secret,
    /// A team.
    Team,
    /// A machine identity.
    Workload,
}

impl Kind {
    /// The Cedar types of it.
    pub(super) const fn types(self) -> &'static [&'static str] {
        match self {
            Self::ApiKey => &["ApiKey"],
            Self::Environment => &["Environment"],
            Self::Organization => &["Organization"],
            Self::Person => &["Person"],
            Self::Project => &["Project"],
            Self::Scope => &["Organization", "Project"],
            Self::Secret => &["Secret"],
            Self::Team => &["Team"],
            Self::Workload => &["Workload"],
        }
    }
}

macro_rules! actions {
    ($(#[doc = $words:literal] $name:ident = $id:literal on $kind:ident, $nature:ident, $who:literal;)*) => {
        /// Everything that can be done, alphabetical within its noun.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $(#[doc = $words] $name,)* }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name, also in events: `key.rotate`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What kind of thing it is done to.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What it does to the world.
            pub const fn nature(self) -> Nature {
                match self { $(Self::$name => Nature::$nature,)* }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            const fn letters(self) -> &'static str {
                match self { $(Self::$name => $who,)* }
            }
        }
    };
}

/// The letters in the table and the Cedar action groups they stand for. Owners may do everything and have no letter.
const LETTERS: [(char, &str); 12] = [
    ('a', "as-auditor"),
    ('b', "as-any-workload"),
    ('d', "as-admin"),
    ('i', "as-issuer"),
    ('g', "as-reader"),
    ('k', "as-key-owner"),
    ('m', "as-manager"),
    ('r', "as-verifier"),
    ('s', "as-oneself"),
    ('t', "as-anybody-signed-in"),
    ('v', "as-viewer"),
    ('w', "while-recovering"),
];

/// The group of all actions that change nothing.
const READING: &str = "reading";

actions! {
    /// Approve or deny what somebody asks for.
    ApproveAccess = "access.approve" on Scope, Restrict, "dm";
    /// Give back a role that you hold for a while.
    GiveBackAccess = "access.give-back" on Organization, HarmlessRestrict, "tb";
    /// Ask for a role for a while.
    RequestAccess = "access.request" on Organization, Harmless, "tb";
    /// End a role that somebody holds for a while.
    RevokeAccess = "access.revoke" on Scope, Restrict, "dm";
    /// Say who may approve access, and for how long.
    SetAccessRule = "access.set-rule" on Scope, Restrict, "d";
    /// See who asked for access, and who holds a role for a while.
    ViewAccess = "access.view" on Scope, Read, "adm";

    /// See the audit record of a project, or of everything.
    ReadAudit = "audit.read" on Scope, Read, "adm";

    /// Say whom backups are encrypted to.
    ManageRecipients = "backup.manage-recipients" on Organization, Change, "";
    /// Let the newest backup be restored for a look, and taken away again.
    DrillBackup = "backup.drill" on Organization, Change, "d";
    /// Make a backup of everything.
    MakeBackup = "backup.make" on Organization, Change, "";
    /// Open the doors after a restore.
    AcceptRestore = "backup.accept-restore" on Organization, Restrict, "";

    /// Make, change, test or delete a channel of the organization, and try its deliveries again.
    ManageChannels = "channel.manage" on Organization, Change, "d";
    /// Make, change, test or delete a channel of your own, and try its deliveries again.
    ManageOwnChannels = "channel.manage-own" on Person, Change, "s";
    /// See the organization's channels and their deliveries.
    ViewChannels = "channel.view" on Organization, Read, "ad";

    /// Make an environment in a project.
    CreateEnvironment = "environment.create" on Project, Change, "dm";
    /// Change an environment's name, lifetime or overlap.
    EditEnvironment = "environment.edit" on Environment, Change, "dm";

    /// Ask whether a leaked value is one of ours.
    CheckFingerprint = "fingerprint.check" on Organization, Harmless, "adt";

    /// Change a key's attributes.
    EditKey = "key.edit" on ApiKey, Restrict, "dim";
    /// Let an old value work longer.
    ExtendKeyOverlap = "key.extend-overlap" on ApiKey, Restrict, "dimk";
    /// Import a key that callers already hold.
    ImportKey = "key.import" on Environment, Change, "dim";
    /// Issue a key.
    IssueKey = "key.issue" on Environment, Change, "dim";
    /// Resume a suspended key.
    ResumeKey = "key.resume" on ApiKey, Restrict, "dim";
    /// Revoke a key.
    RevokeKey = "key.revoke" on ApiKey, Restrict, "dimk";
    /// Rotate a key.
    RotateKey = "key.rotate" on ApiKey, Restrict, "dimk";
    /// Stop an old value now.
    StopOldKeyValue = "key.stop-old-value" on ApiKey, Restrict, "dimk";
    /// Suspend a key.
    SuspendKey = "key.suspend" on ApiKey, HarmlessRestrict, "dimk";
    /// Verify a project's keys.
    VerifyKeys = "key.verify" on Project, Read, "dmr";
    /// See a key, its values' states and its use.
    ViewKey = "key.view" on ApiKey, Read, "adimvk";

    /// Take a leaked value and learn whose it is.
    LookUpLeak = "leak.look-up" on Organization, Harmless, "adtb";

    /// Choose what you are told of.
    ChooseMessages = "message.choose" on Person, Harmless, "s";
    /// Dismiss a notice to yourself.
    DismissNotice = "notice.dismiss" on Person, Harmless, "s";

    /// Add a passkey to your account.
    AddPasskey = "passkey.add" on Person, Restrict, "sw";
    /// Rename a passkey of your own.
    RenamePasskey = "passkey.rename" on Person, Change, "s";
    /// Remove a passkey of your own.
    RemovePasskey = "passkey.remove" on Person, Restrict, "s";
    /// Make new recovery codes for yourself.
    RenewRecoveryCodes = "recovery-codes.renew" on Person, Restrict, "s";

    /// Let a version of a policy decide.
    ActivatePolicy = "policy.activate" on Scope, Restrict, "m";
    /// Approve what somebody else wrote as a policy.
    ApprovePolicy = "policy.approve" on Scope, Change, "dm";
    /// Disable a policy.
    DisablePolicy = "policy.disable" on Scope, Restrict, "m";
    /// Write a policy, put it to review or take it back.
    DraftPolicy = "policy.draft" on Scope, Change, "dm";
    /// Say whether policies need a second person.
    RequireReview = "policy.require-review" on Organization, Change, "";
    /// See policies.
    ViewPolicy = "policy.view" on Scope, Read, "adm";
    /// See who may do what, and why something was refused.
    ExplainPermissions = "permission.explain" on Scope, Read, "adm";

    /// Archive a project.
    ArchiveProject = "project.archive" on Project, Restrict, "d";
    /// Make a project.
    CreateProject = "project.create" on Organization, Change, "d";
    /// Rename a project.
    EditProject = "project.edit" on Project, Change, "dm";
    /// Let a project have a seal of its own, or take it away.
    NameProjectSeal = "project.name-seal" on Project, Change, "d";
    /// Give a project a new key, or pause the rewrap to it.
    RotateProjectKey = "project-key.rotate" on Project, Change, "dm";
    /// See a project and its environments.
    ViewProject = "project.view" on Project, Read, "adgimvr";

    /// Give or take a role of the organization below owner.
    GrantOrganizationRole = "role.grant-organization" on Organization, Restrict, "d";
    /// Give or take the role of owner.
    GrantOwner = "role.grant-owner" on Organization, Restrict, "";
    /// Give or take a role in a project.
    GrantProjectRole = "role.grant-project" on Project, Restrict, "dm";

    /// Give a secret a name for clients of another system, or take it away.
    AliasSecret = "secret.alias" on Secret, Change, "dm";
    /// Make a secret.
    CreateSecret = "secret.create" on Environment, Change, "dm";
    /// Delete a secret.
    DeleteSecret = "secret.delete" on Secret, Change, "dm";
    /// Delete a version of a secret.
    DeleteSecretVersion = "secret.delete-version" on Secret, Change, "dm";
    /// Destroy a version of a secret.
    DestroySecretVersion = "secret.destroy-version" on Secret, Change, "dm";
    /// Stop a version of a secret from being read.
    DisableSecretVersion = "secret.disable-version" on Secret, Change, "dm";
    /// Change what is said about a secret.
    EditSecret = "secret.edit" on Secret, Change, "dm";
    /// Let a version of a secret be read again.
    EnableSecretVersion = "secret.enable-version" on Secret, Change, "dm";
    /// Let a label point at a version of a secret.
    LabelSecret = "secret.label" on Secret, Change, "dm";
    /// Open a link to a value that is for you.
    OpenShare = "secret.open-share" on Person, Disclose, "s";
    /// Destroy a deleted secret.
    PurgeSecret = "secret.purge" on Secret, Change, "dm";
    /// Give a secret a new value.
    PutSecret = "secret.put" on Secret, Change, "dm";
    /// Read a secret's value.
    ReadSecret = "secret.read" on Secret, Disclose, "dgm";
    /// Restore a deleted secret.
    RestoreSecret = "secret.restore" on Secret, Change, "dm";
    /// Restore a deleted version of a secret.
    RestoreSecretVersion = "secret.restore-version" on Secret, Change, "dm";
    /// Let an environment's secrets be as they were at an instant.
    ReturnSecrets = "secret.return" on Environment, Change, "dm";
    /// Give a secret's value a new data key.
    RotateDataKey = "secret.rotate-data-key" on Secret, Change, "dm";
    /// See a secret, its versions and labels.
    ViewSecret = "secret.view" on Secret, Read, "adgmv";
    /// Withdraw a link to a secret's value.
    WithdrawShare = "secret.withdraw-share" on Secret, Harmless, "dgm";

    /// Let a terminal act as you.
    ApproveTerminal = "session.approve-terminal" on Person, Change, "s";
    /// Sign out another person's session.
    EndOthersSession = "session.end-others" on Person, Restrict, "d";
    /// Sign out a session of your own.
    EndOwnSession = "session.end-own" on Person, HarmlessRestrict, "sw";
    /// See your own sessions, passkeys and roles.
    ViewOwnAccount = "account.view" on Person, Read, "sw";

    /// Change the seals or the keyring's keys.
    ManageSeals = "system.manage-seals" on Organization, Restrict, "d";
    /// See the HSM, nodes and settings.
    ViewSystem = "system.view" on Organization, Read, "ad";

    /// Make a team.
    CreateTeam = "team.create" on Organization, Change, "d";
    /// Rename a team, add or remove its members.
    EditTeam = "team.edit" on Team, Restrict, "d";
    /// See teams and their members.
    ViewTeams = "team.view" on Organization, Read, "adt";

    /// Deactivate a person, or let one back in.
    DeactivateUser = "user.deactivate" on Person, Restrict, "d";
    /// Give what a person owns to somebody else.
    HandOverUser = "user.hand-over" on Person, Restrict, "d";
    /// Invite a person, withdraw an invitation.
    InviteUser = "user.invite" on Organization, Restrict, "d";
    /// See the people.
    ViewUsers = "user.view" on Organization, Read, "adt";

    /// Make a workload.
    CreateWorkload = "workload.create" on Scope, Change, "dm";
    /// Deactivate a workload.
    DeactivateWorkload = "workload.deactivate" on Workload, Restrict, "dm";
    /// Let a workload sign in with tokens of another issuer.
    CreateTrustRule = "trust-rule.create" on Workload, Change, "dm";
    /// Delete a sign-in rule of a workload.
    DeleteTrustRule = "trust-rule.delete" on Workload, Restrict, "dm";
    /// Change a sign-in rule of a workload.
    EditTrustRule = "trust-rule.edit" on Workload, Restrict, "dm";
    /// Issue a service token.
    IssueServiceToken = "service-token.issue" on Workload, Change, "dm";
    /// Revoke a service token.
    RevokeServiceToken = "service-token.revoke" on Workload, Restrict, "dm";
    /// See a workload, its roles and tokens.
    ViewWorkload = "workload.view" on Workload, Read, "adimv";
}

impl Action {
    /// What giving or taking a role asks for. Whoever invites somebody, or makes a workload, with a role needs this
    /// permit too.
    pub const fn to_grant(role: Role) -> Self {
        match role {
            Role::Admin | Role::Auditor => Self::GrantOrganizationRole,
            Role::Issuer | Role::Manager | Role::Reader | Role::Verifier | Role::Viewer => {
                Self::GrantProjectRole
            }
            Role::Owner => Self::GrantOwner,
        }
    }

    /// Whether it changes nothing.
    pub fn is_read(self) -> bool {
        self.nature() == Nature::Read
    }

    /// Whether a person needs a fresh passkey assertion for it.
    pub fn needs_step_up(self) -> bool {
        matches!(self.nature(), Nature::Change | Nature::Disclose | Nature::Restrict)
    }

    /// Whether it may turn a yes into a no, so that the change counter moves.
    pub fn restricts(self) -> bool {
        matches!(self.nature(), Nature::Restrict | Nature::HarmlessRestrict)
    }

    /// Whether a list is made by asking where it may be done ([`super::Reach`]): what decides over it must be the same for
    /// all that lies in one project.
    pub fn is_listed(self) -> bool {
        matches!(
            self,
            Self::ExplainPermissions
                | Self::ReadAudit
                | Self::RevokeKey
                | Self::VerifyKeys
                | Self::ViewAccess
                | Self::ViewKey
                | Self::ViewPolicy
                | Self::ViewProject
                | Self::ViewSecret
                | Self::ViewWorkload
        )
    }

    /// Whether a policy that somebody wrote may allow it: the reviewed list. What makes somebody an owner or admin, lets them
    /// act as somebody else, or changes what decides stays with the built-in roles, and so does what is only for oneself.
    pub fn is_grantable(self) -> bool {
        match self {
            Self::AcceptRestore
            | Self::ActivatePolicy
            | Self::ApproveAccess
            | Self::ApprovePolicy
            | Self::CreateTrustRule
            | Self::DisablePolicy
            | Self::DraftPolicy
            | Self::EditTeam
            | Self::EditTrustRule
            | Self::GrantOrganizationRole
            | Self::GrantOwner
            | Self::GrantProjectRole
            | Self::InviteUser
            | Self::IssueServiceToken
            | Self::MakeBackup
            | Self::ManageChannels
            | Self::ManageRecipients
            | Self::ManageSeals
            | Self::NameProjectSeal
            | Self::RequireReview
            | Self::RevokeAccess
            | Self::SetAccessRule => false,
            other => !other.letters().contains('s'),
        }
    }

    /// Whether it gives somebody what is theirs from then on: a role, a token, a way in, what decides, where messages go. Whoever
    /// holds a role for a while may not do it by that role.
    pub fn outlasts(self) -> bool {
        !self.is_grantable() && !matches!(self, Self::DraftPolicy | Self::RevokeAccess)
    }

    /// Whether a project's own policy may speak of it: it is done to something in a project, and is not how the organization
    /// keeps its hand on the project. What such a policy allows is never more than a manager may do there.
    pub fn is_of_projects(self) -> bool {
        let within = matches!(
            self.kind(),
            Kind::ApiKey | Kind::Environment | Kind::Project | Kind::Secret | Kind::Workload
        );
        let kept = matches!(
            self,
            Self::ArchiveProject | Self::GrantProjectRole | Self::NameProjectSeal | Self::ViewProject
        );
        within && !kept && self.letters().contains('m')
    }

    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Whether this is a thing that it is done to.
    pub fn applies_to(self, resource: &Resource) -> bool {
        self.kind().types().contains(&resource.type_name())
    }

    /// In words that follow "you may not": `rotate this key`.
    pub fn words(self) -> String {
        let sentence = self.sentence().trim().trim_end_matches('.');
        let mut letters = sentence.chars();
        letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    }

    /// The Cedar action groups it is in.
    pub(super) fn groups(self) -> impl Iterator<Item = &'static str> {
        let named = LETTERS.iter().filter(move |(letter, _)| self.letters().contains(*letter));
        named.map(|(_, group)| *group).chain(self.is_read().then_some(READING))
    }

    /// Every group there is.
    pub(super) fn all_groups() -> impl Iterator<Item = &'static str> {
        LETTERS.iter().map(|(_, group)| *group).chain([READING])
    }
}
