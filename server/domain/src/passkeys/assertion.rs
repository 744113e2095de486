//! Judging an assertion, whatever it was asked for.

use webauthn_rs::prelude::{DiscoverableAuthentication, PublicKeyCredential};
use webauthn_rs_proto::AllowCredentials;

use super::ceremony::Asked;
use super::client_data::{self, Call, ClientData};
use super::{CredentialId, PasskeyError, PasskeyRecord, Passkeys, RequestOptions, UserHandle};

/// Somebody proved to hold a passkey, was present and was verified by it.
#[derive(Debug, Clone)]
pub struct Asserted {
    /// Which passkey.
    pub credential_id: CredentialId,
    /// Whose passkey.
    pub user: UserHandle,
    /// The passkey as it is now, when its counter or backup changed: replaces the kept one.
    pub update: Option<PasskeyRecord>,
    /// May be copied to other devices; as it was at registration, else the answer is refused.
    pub synced: bool,
    /// Whether a copy exists now.
    pub backed_up: bool,
}

/// An answer to `navigator.credentials.get`, parsed; every word of it still unproven.
pub(super) struct Answer {
    pub(super) credential: PublicKeyCredential,
    pub(super) credential_id: CredentialId,
    pub(super) user: Option<UserHandle>,
}

impl Answer {
    pub(super) fn parse(response: &[u8]) -> Result<Self, PasskeyError> {
        let credential: PublicKeyCredential = client_data::parse(response)?;
        client_data::names_one_credential(&credential.type_, &credential.id, &credential.raw_id)?;
        let credential_id =
            CredentialId::try_from(credential.raw_id.as_slice()).map_err(|_| PasskeyError::Malformed)?;
        let user = credential.response.user_handle.as_deref().map(UserHandle::try_from);
        let user = user.transpose().map_err(|_| PasskeyError::Malformed)?;
        Ok(Self { credential, credential_id, user })
    }
}

impl Passkeys {
    /// Asks for any of `allowed`, or for whatever the authenticator finds when there is none.
    ///
    /// The library's discoverable ceremony serves all kinds: its state holds no passkeys, so an answer is judged by
    /// the counter kept *now*, not by the one at the question; and it accepts no change to synced.
    pub(super) fn ask(
        &self,
        allowed: Vec<AllowCredentials>,
    ) -> Result<(RequestOptions, DiscoverableAuthentication), PasskeyError> {
        let (options, state) = self.webauthn.start_discoverable_authentication()?;
        let mut options = options.public_key;
        options.allow_credentials = allowed;
        options.extensions = None;
        Ok((RequestOptions(options), state))
    }

    /// Judges an answer by one passkey.
    pub(super) fn judge(
        &self,
        state: DiscoverableAuthentication,
        answer: &Answer,
        passkey: &PasskeyRecord,
    ) -> Result<Asserted, PasskeyError> {
        // Authenticators that did not have to find the credential may leave the person out.
        if answer.user.as_ref().is_some_and(|user| *user != passkey.user) {
            return Err(PasskeyError::OtherPerson);
        }
        ClientData::check(&answer.credential.response.client_data_json, Call::Get, &self.origin)?;
        let result = self.webauthn.finish_discoverable_authentication_v2(
            &answer.credential,
            state,
            &passkey.passkey,
        )?;
        if !result.user_verified() {
            return Err(PasskeyError::UserNotVerified);
        }
        if result.backup_eligible() != passkey.synced {
            return Err(PasskeyError::BackupChanged);
        }
        let mut updated = passkey.clone();
        let changed = updated.passkey.update_credential(&result).ok_or(PasskeyError::Library)?;
        Ok(Asserted {
            credential_id: passkey.credential_id.clone(),
            user: passkey.user.clone(),
            update: changed.then_some(updated),
            synced: passkey.synced,
            backed_up: result.backup_state(),
        })
    }
}

impl Asked {
    /// Asks one person for any of these passkeys of theirs.
    pub(super) fn of(passkeys: &[PasskeyRecord]) -> Result<Self, PasskeyError> {
        let first = passkeys.first().ok_or(PasskeyError::NoPasskey)?;
        if passkeys.iter().any(|passkey| passkey.user != first.user) {
            return Err(PasskeyError::StoredState);
        }
        let allowed = passkeys.iter().map(|passkey| passkey.credential_id.clone()).collect();
        Ok(Self { user: first.user.clone(), allowed })
    }

    /// The passkey that answered, if it is still kept, was asked for and is the same person's.
    pub(super) fn pick<'p>(
        &self,
        answer: &Answer,
        passkeys: &'p [PasskeyRecord],
    ) -> Result<&'p PasskeyRecord, PasskeyError> {
        let passkey = find(passkeys, &answer.credential_id)?;
        match (self.allowed.contains(&passkey.credential_id), passkey.user == self.user) {
            (true, true) => Ok(passkey),
            (true, false) => Err(PasskeyError::OtherPerson),
            (false, true) => Err(PasskeyError::AnotherPasskey),
            (false, false) => Err(PasskeyError::UnknownCredential),
        }
    }
}

/// The passkey with this id.
pub(super) fn find<'p>(
    passkeys: &'p [PasskeyRecord],
    id: &CredentialId,
) -> Result<&'p PasskeyRecord, PasskeyError> {
    passkeys.iter().find(|passkey| passkey.credential_id == *id).ok_or(PasskeyError::UnknownCredential)
}
