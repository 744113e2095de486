//! Registering: a new discoverable passkey for a known person.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use webauthn_rs::prelude::{RegisterPublicKeyCredential, Uuid};
use webauthn_rs_proto::{AttestationConveyancePreference, AuthenticatorTransport, ResidentKeyRequirement};

use super::authenticator_data::AuthenticatorData;
use super::ceremony::Task;
use super::client_data::{self, Call, ClientData};
use super::{
    Ceremony, CreationOptions, CredentialId, PasskeyError, PasskeyRecord, Passkeys, UserHandle, cbor, cose,
};

/// For whom the passkey will be.
#[derive(Debug, Clone, Copy)]
pub struct Registrant<'a> {
    /// Never changes, names the person to authenticators.
    pub handle: &'a UserHandle,
    /// Tells accounts apart in the browser's list, such as an address.
    pub name: &'a str,
    /// How the person is called.
    pub display_name: &'a str,
}

/// A new passkey.
#[derive(Debug, Clone)]
pub struct Registered {
    /// To keep.
    pub passkey: PasskeyRecord,
    /// Whether a copy of a synced passkey exists already.
    pub backed_up: bool,
    /// To keep as it came, for those who want to check it by rules of their own later.
    pub attestation_object: Vec<u8>,
}

/// More than there are kinds of transport.
const MAX_TRANSPORTS: usize = 8;

/// Whether a passkey works for this relying party, as far as its attestation object can be read: of one that cannot nobody
/// knows, and it may.
pub fn may_be_for(attestation_object: &[u8], rp_id: &str) -> bool {
    let data = cbor::auth_data(attestation_object).and_then(AuthenticatorData::parse);
    data.is_none_or(|data| *data.rp_id_hash == <[u8; 32]>::from(Sha256::digest(rp_id)))
}

impl Passkeys {
    /// Asks for a new passkey; authenticators that hold one of `exclude` will say so and refuse.
    ///
    /// No attestation is asked for: without a list of trusted makers it would prove nothing, and browsers warn
    /// people about it.
    pub fn start_registration(
        &self,
        registrant: Registrant<'_>,
        exclude: &[CredentialId],
        now: DateTime<Utc>,
    ) -> Result<(CreationOptions, Ceremony), PasskeyError> {
        let excluded = exclude.iter().map(|id| id.as_bytes().to_vec()).collect();
        // The library knows only UUIDs as handles, but keeps none: the real one is put in below.
        let (options, state) = self.webauthn.start_passkey_registration(
            Uuid::nil(),
            registrant.name,
            registrant.display_name,
            Some(excluded),
        )?;
        let mut options = options.public_key;
        options.user.id = registrant.handle.as_bytes().to_vec();
        options.attestation = Some(AttestationConveyancePreference::None);
        let selection = options.authenticator_selection.as_mut().ok_or(PasskeyError::Library)?;
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
        if let Some(extensions) = options.extensions.as_mut() {
            extensions.uvm = None;
        }
        let task = Task::Registration {
            state: Box::new(state),
            user: registrant.handle.clone(),
            excluded: exclude.to_vec(),
        };
        Ok((CreationOptions(options), Ceremony::new(task, now)))
    }

    /// Checks the answer. That no other person has the same credential is for the store's unique index to say.
    pub fn finish_registration(
        &self,
        ceremony: Ceremony,
        response: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Registered, PasskeyError> {
        let Task::Registration { state, user, excluded } = ceremony.open(now)? else {
            return Err(PasskeyError::WrongCeremony);
        };
        let answer: RegisterPublicKeyCredential = client_data::parse(response)?;
        client_data::names_one_credential(&answer.type_, &answer.id, &answer.raw_id)?;
        ClientData::check(&answer.response.client_data_json, Call::Create, &self.origin)?;

        let data = cbor::auth_data(&answer.response.attestation_object).ok_or(PasskeyError::Malformed)?;
        let data = AuthenticatorData::parse(data).ok_or(PasskeyError::Malformed)?;
        let attested = data.attested().ok_or(PasskeyError::Malformed)?;
        if attested.credential_id.as_bytes() != answer.raw_id.as_slice() {
            return Err(PasskeyError::Malformed);
        }
        // Before the library, which has one error for this and for a wrong algorithm.
        if excluded.contains(&attested.credential_id) {
            return Err(PasskeyError::AlreadyRegistered);
        }
        if answer.extensions.cred_props.as_ref().is_some_and(|reported| reported.rk == Some(false)) {
            return Err(PasskeyError::NotDiscoverable);
        }

        let passkey = self.webauthn.finish_passkey_registration(&answer, &state)?;
        if cose::encode(passkey.get_public_key()).is_none() {
            return Err(PasskeyError::Unsupported);
        }
        let transports = answer.response.transports.unwrap_or_default().into_iter();
        let known = transports.filter(|transport| *transport != AuthenticatorTransport::Unknown);
        let passkey = PasskeyRecord {
            passkey,
            credential_id: attested.credential_id,
            user,
            synced: data.backup_eligible(),
            transports: known.take(MAX_TRANSPORTS).collect(),
            aaguid: Some(Uuid::from_bytes(attested.aaguid)).filter(|aaguid| !aaguid.is_nil()),
        };
        Ok(Registered {
            passkey,
            backed_up: data.backed_up(),
            attestation_object: answer.response.attestation_object,
        })
    }
}
