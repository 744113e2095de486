//! The proof that content was approved, and its verifier: no store, no ceremony, no configuration but the relying
//! party's two names. Auditors may run it, or write their own from the dozen lines of [`ApprovalProof::verify`].

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::authenticator_data::AuthenticatorData;
use super::client_data::{Call, ClientData};
use super::{PasskeyError, b64, cose};

/// Keeps approvals apart from every other use of the same passkey.
const DOMAIN: &[u8] = b"keywarden/approval/v1\0";

/// What is kept of an approval, beside the content itself. Whose key it is, the passkey's own record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalProof {
    /// Made the challenge fresh.
    #[serde(with = "b64")]
    pub nonce: [u8; 32],
    /// As the browser wrote it.
    #[serde(with = "b64")]
    pub client_data_json: Vec<u8>,
    /// As the authenticator wrote it.
    #[serde(with = "b64")]
    pub authenticator_data: Vec<u8>,
    /// Over `authenticator_data` and the SHA-256 of `client_data_json`.
    #[serde(with = "b64")]
    pub signature: Vec<u8>,
    /// The passkey's public key, a `COSE_Key`.
    #[serde(with = "b64")]
    pub public_key: Vec<u8>,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Parts that cannot be read.
    #[error("the proof is malformed")]
    Malformed,
    /// Signed by something else than `navigator.credentials.get`.
    #[error("the signature was made for something else than an assertion")]
    NotAnAssertion,
    /// Signed at another origin, or in a frame of one.
    #[error("the signature was made at another origin")]
    OtherOrigin,
    /// Signed for another relying party.
    #[error("the signature was made for another relying party")]
    OtherRelyingParty,
    /// Nobody was there, or nobody was verified.
    #[error("the person was not present and verified")]
    NotVerified,
    /// The signed challenge is not of this content and nonce.
    #[error("the challenge does not match the content")]
    OtherContent,
    /// Not this key's signature over these data.
    #[error("the signature is not valid")]
    BadSignature,
}

impl ApprovalProof {
    /// Proves that the holder of [`Self::public_key`] signed `content`, present and verified, at `origin`.
    pub fn verify(&self, content: &[u8], rp_id: &str, origin: &str) -> Result<(), ProofError> {
        let client = ClientData::check(&self.client_data_json, Call::Get, origin).map_err(|e| match e {
            PasskeyError::WrongCeremony => ProofError::NotAnAssertion,
            PasskeyError::OtherOrigin => ProofError::OtherOrigin,
            _ => ProofError::Malformed,
        })?;
        if !client.answers(&challenge(&self.nonce, &Sha256::digest(content).into())) {
            return Err(ProofError::OtherContent);
        }
        let data = AuthenticatorData::parse(&self.authenticator_data).ok_or(ProofError::Malformed)?;
        if *data.rp_id_hash != <[u8; 32]>::from(Sha256::digest(rp_id)) {
            return Err(ProofError::OtherRelyingParty);
        }
        if !(data.user_present() && data.user_verified()) {
            return Err(ProofError::NotVerified);
        }
        let key = cose::decode(&self.public_key).ok_or(ProofError::Malformed)?;
        let signed = [&self.authenticator_data[..], &Sha256::digest(&self.client_data_json)].concat();
        match key.verify_signature(&self.signature, &signed) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(ProofError::BadSignature),
        }
    }
}

/// The challenge that binds a signature to content.
pub(super) fn challenge(nonce: &[u8; 32], content_digest: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(DOMAIN).chain_update(nonce).chain_update(content_digest).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hashlib; a change would make every kept proof worthless.
    #[test]
    fn the_challenge_is_the_one_every_kept_proof_was_made_with() {
        let nonce = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let digest = Sha256::digest(br#"{"grant":"acr_1"}"#).into();
        assert_eq!(
            hex::encode(challenge(&nonce, &digest)),
            "55642e16d312294862002495853960a18d483b8dcb58900985299d858395769d"
        );
    }
}
