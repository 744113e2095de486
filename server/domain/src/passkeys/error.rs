//! Why a ceremony was refused, and what the person at the browser can do about it.

use webauthn_rs::prelude::WebauthnError;

/// Why a ceremony was refused. Carries nothing of the answer: neither challenge nor credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The answer is longer than [`super::ANSWER_LIMIT`].
    #[error("the answer is too large")]
    TooLarge,
    /// The answer is not what a browser sends.
    #[error("the answer is malformed")]
    Malformed,
    /// An answer to a ceremony of another kind, or a stored ceremony of another kind.
    #[error("the answer belongs to another kind of ceremony")]
    WrongCeremony,
    /// The answer signs another challenge.
    #[error("the answer belongs to another ceremony")]
    AnotherChallenge,
    /// The ceremony took longer than [`super::Ceremony::LIFETIME`].
    #[error("the ceremony has expired")]
    Expired,
    /// The browser was at another origin, or in a frame of one.
    #[error("the answer was made at another address")]
    OtherOrigin,
    /// The authenticator signed for another relying party.
    #[error("the answer was made for another site")]
    OtherRelyingParty,
    /// Nobody touched the authenticator.
    #[error("the authenticator saw nobody")]
    UserNotPresent,
    /// The authenticator did not verify the person by PIN, fingerprint or face.
    #[error("the authenticator did not verify the person")]
    UserNotVerified,
    /// No passkey of the person.
    #[error("the passkey is not known")]
    UnknownCredential,
    /// A passkey of the person, but not one that was asked for.
    #[error("the passkey is another than was asked for")]
    AnotherPasskey,
    /// The passkey says it belongs to somebody else than it was registered for.
    #[error("the passkey belongs to somebody else")]
    OtherPerson,
    /// The signature is not this passkey's, or not over this answer.
    #[error("the signature is not valid")]
    BadSignature,
    /// The signature counter did not rise: there may be a copy of the authenticator.
    #[error("the authenticator's counter went back")]
    CounterWentBack,
    /// A device-bound passkey calls itself synced, or the reverse.
    #[error("the passkey changed between synced and device-bound")]
    BackupChanged,
    /// The passkey was among those to exclude.
    #[error("the passkey is registered already")]
    AlreadyRegistered,
    /// The authenticator kept no discoverable credential, so it could not sign in without a user name.
    #[error("the authenticator did not keep the passkey")]
    NotDiscoverable,
    /// A key or an attestation of a kind that cannot be checked.
    #[error("the authenticator's kind of key is not supported")]
    Unsupported,
    /// There is no passkey to ask for.
    #[error("there is no passkey")]
    NoPasskey,
    /// The content to be approved is not the content that was shown.
    #[error("the content changed since it was shown")]
    ContentChanged,
    /// A stored passkey or ceremony cannot be read, or passkeys of several people were mixed.
    #[error("the stored state is not readable")]
    StoredState,
    /// `webauthn-rs` lays out its state otherwise than the pinned version does.
    #[error("the WebAuthn library does not behave as expected")]
    Library,
}

/// What the person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Begin again; nothing else is needed.
    TryAgain,
    /// Open Keywarden at its own address.
    UseOwnAddress,
    /// Set up a PIN, fingerprint or face on the authenticator, and confirm with it.
    VerifyYourself,
    /// Take another passkey or authenticator.
    UseAnotherPasskey,
    /// Read what is to be approved again, then decide.
    ReadAgain,
    /// Nothing alone: an owner has to look at it.
    AskOwner,
}

impl PasskeyError {
    /// A stable name, for messages and events.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::WrongCeremony => "wrong_ceremony",
            Self::AnotherChallenge => "another_challenge",
            Self::Expired => "expired",
            Self::OtherOrigin => "other_origin",
            Self::OtherRelyingParty => "other_relying_party",
            Self::UserNotPresent => "user_not_present",
            Self::UserNotVerified => "user_not_verified",
            Self::UnknownCredential => "unknown_credential",
            Self::AnotherPasskey => "another_passkey",
            Self::OtherPerson => "other_person",
            Self::BadSignature => "bad_signature",
            Self::CounterWentBack => "counter_went_back",
            Self::BackupChanged => "backup_changed",
            Self::AlreadyRegistered => "already_registered",
            Self::NotDiscoverable => "not_discoverable",
            Self::Unsupported => "unsupported",
            Self::NoPasskey => "no_passkey",
            Self::ContentChanged => "content_changed",
            Self::StoredState => "stored_state",
            Self::Library => "library",
        }
    }

    /// What the person can do.
    pub fn remedy(self) -> Remedy {
        match self {
            Self::TooLarge
            | Self::Malformed
            | Self::WrongCeremony
            | Self::AnotherChallenge
            | Self::Expired
            | Self::UserNotPresent
            | Self::BadSignature => Remedy::TryAgain,
            Self::OtherOrigin | Self::OtherRelyingParty => Remedy::UseOwnAddress,
            Self::UserNotVerified => Remedy::VerifyYourself,
            Self::UnknownCredential
            | Self::AnotherPasskey
            | Self::OtherPerson
            | Self::AlreadyRegistered
            | Self::NotDiscoverable
            | Self::Unsupported => Remedy::UseAnotherPasskey,
            Self::ContentChanged => Remedy::ReadAgain,
            Self::CounterWentBack
            | Self::BackupChanged
            | Self::NoPasskey
            | Self::StoredState
            | Self::Library => Remedy::AskOwner,
        }
    }
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        use WebauthnError as E;
        match error {
            E::InvalidClientDataType => Self::WrongCeremony,
            E::MismatchedChallenge => Self::AnotherChallenge,
            E::InvalidRPOrigin | E::CredentialCrossOrigin => Self::OtherOrigin,
            E::InvalidRPIDHash => Self::OtherRelyingParty,
            E::UserNotPresent => Self::UserNotPresent,
            E::UserNotVerified => Self::UserNotVerified,
            E::CredentialNotFound => Self::UnknownCredential,
            E::AuthenticationFailure | E::SignatureInvalid => Self::BadSignature,
            E::CredentialPossibleCompromise => Self::CounterWentBack,
            E::CredentialBackupEligibilityInconsistent | E::CredentialMayNotBeHardwareBound => {
                Self::BackupChanged
            }
            E::AttestationNotSupported
            | E::CredentialAlteredAlgFromRequest
            | E::COSEKeyInvalidType
            | E::COSEKeyInvalidAlgorithm
            | E::COSEKeyEDUnsupported
            | E::SshPublicKeyEDUnsupported => Self::Unsupported,
            E::Configuration => Self::Library,
            _ => Self::Malformed,
        }
    }
}
