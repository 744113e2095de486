//! The authenticator's own words: relying party, flags, counter and, when registering, the new credential.

use super::CredentialId;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// The fixed head of authenticator data (WebAuthn, section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: &'a [u8; 32],
    flags: u8,
    rest: &'a [u8],
}

/// A new credential's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attested {
    pub(super) aaguid: [u8; 16],
    pub(super) credential_id: CredentialId,
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (_counter, rest) = rest.split_first_chunk::<4>()?;
        Some(Self { rp_id_hash, flags: *flags, rest })
    }

    pub(super) fn user_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    pub(super) fn user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    pub(super) fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub(super) fn backed_up(&self) -> bool {
        self.flags & BACKUP_STATE != 0
    }

    /// The new credential, in authenticator data of a registration.
    pub(super) fn attested(&self) -> Option<Attested> {
        if self.flags & ATTESTED == 0 {
            return None;
        }
        let (aaguid, rest) = self.rest.split_first_chunk::<16>()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let id = rest.get(..usize::from(u16::from_be_bytes(*len)))?;
        Some(Attested { aaguid: *aaguid, credential_id: CredentialId::try_from(id).ok()? })
    }
}
