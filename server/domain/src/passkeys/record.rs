//! A registered passkey as it is kept.

use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{Passkey, Uuid};
use webauthn_rs_proto::{AllowCredentials, AuthenticatorTransport};

use super::{CredentialId, PasskeyError, UserHandle, cose};

/// A registered passkey: the public key and counter of `webauthn-rs`, and what it does not keep. Nothing in it is
/// secret. The person it was made for is in it, so that a row moved to somebody else does not sign them in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRecord {
    pub(super) passkey: Passkey,
    pub(super) credential_id: CredentialId,
    pub(super) user: UserHandle,
    pub(super) synced: bool,
    pub(super) transports: Vec<AuthenticatorTransport>,
    pub(super) aaguid: Option<Uuid>,
}

impl PasskeyRecord {
    /// The text for the row.
    pub fn to_json(&self) -> Result<String, PasskeyError> {
        serde_json::to_string(self).map_err(|_| PasskeyError::Library)
    }

    /// From the row's text.
    pub fn from_json(text: &str) -> Result<Self, PasskeyError> {
        let record: Self = serde_json::from_str(text).map_err(|_| PasskeyError::StoredState)?;
        if record.passkey.cred_id().as_slice() == record.credential_id.as_bytes() {
            Ok(record)
        } else {
            Err(PasskeyError::StoredState)
        }
    }

    /// The credential's public name.
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential_id
    }

    /// Whom it was made for.
    pub fn user(&self) -> &UserHandle {
        &self.user
    }

    /// May be copied to other devices of the person; otherwise it is bound to one device. Never changes.
    pub fn synced(&self) -> bool {
        self.synced
    }

    /// How the browser reached the authenticator (`internal`, `usb`, `hybrid` …), as it said itself.
    pub fn transports(&self) -> Vec<String> {
        self.transports.iter().map(ToString::to_string).collect()
    }

    /// The authenticator's model, as it said itself: not attested, good for a picture and a name.
    pub fn aaguid(&self) -> Option<Uuid> {
        self.aaguid
    }

    /// The public key in COSE's bytes, to compare with [`super::ApprovalProof::public_key`].
    pub fn public_key(&self) -> Result<Vec<u8>, PasskeyError> {
        cose::encode(self.passkey.get_public_key()).ok_or(PasskeyError::StoredState)
    }

    /// How to ask for exactly this one.
    pub(super) fn descriptor(&self) -> AllowCredentials {
        AllowCredentials {
            type_: "public-key".to_owned(),
            id: self.credential_id.as_bytes().to_vec(),
            transports: Some(self.transports.clone()).filter(|transports| !transports.is_empty()),
        }
    }
}
