//! Approving: a known person signs content, and the signature is proof for anybody later.
//!
//! `webauthn-rs` takes no challenge from outside, so the one it drew becomes the nonce and the bound challenge is put
//! in its place, in the question and in the library's state. How that state is laid out is not part of its API: the
//! version is pinned, and nothing is replaced unless the nonce is found where it is expected.
//!
//! What it does not prove: WebAuthn has no trusted display. The signature shows that this key signed this content
//! with the person verified; a compromised page could have shown them another text.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use webauthn_rs::prelude::DiscoverableAuthentication;

use super::assertion::Answer;
use super::ceremony::{Asked, Bound, Task};
use super::{
    ApprovalProof, Asserted, Ceremony, PasskeyError, PasskeyRecord, Passkeys, RequestOptions, b64, proof,
};

/// Content was signed.
#[derive(Debug, Clone)]
pub struct Approved {
    /// By whom, with which passkey.
    pub asserted: Asserted,
    /// To keep beside the content.
    pub proof: ApprovalProof,
}

impl Passkeys {
    /// Asks one person to sign `content`: the canonical bytes (RFC 8785) of what they were shown.
    pub fn start_approval(
        &self,
        passkeys: &[PasskeyRecord],
        content: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(RequestOptions, Ceremony), PasskeyError> {
        let asked = Asked::of(passkeys)?;
        let (mut options, state) = self.ask(passkeys.iter().map(PasskeyRecord::descriptor).collect())?;
        let nonce: [u8; 32] = options.0.challenge.as_slice().try_into().map_err(|_| PasskeyError::Library)?;
        let digest = Sha256::digest(content).into();
        let challenge = proof::challenge(&nonce, &digest);
        let state = replace_challenge(&state, &nonce, &challenge)?;
        options.0.challenge = challenge.to_vec();
        let task = Task::Approval { state, asked, content: Bound { nonce, digest } };
        Ok((options, Ceremony::new(task, now)))
    }

    /// Checks the answer, and that `content`, as it is now, is what the person was asked to sign.
    pub fn finish_approval(
        &self,
        ceremony: Ceremony,
        response: &[u8],
        content: &[u8],
        passkeys: &[PasskeyRecord],
        now: DateTime<Utc>,
    ) -> Result<Approved, PasskeyError> {
        let Task::Approval { state, asked, content: Bound { nonce, digest } } = ceremony.open(now)? else {
            return Err(PasskeyError::WrongCeremony);
        };
        if digest != <[u8; 32]>::from(Sha256::digest(content)) {
            return Err(PasskeyError::ContentChanged);
        }
        let answer = Answer::parse(response)?;
        let passkey = asked.pick(&answer, passkeys)?;
        let asserted = self.judge(state, &answer, passkey)?;
        let raw = answer.credential.response;
        let proof = ApprovalProof {
            nonce,
            client_data_json: raw.client_data_json,
            authenticator_data: raw.authenticator_data,
            signature: raw.signature,
            public_key: passkey.public_key()?,
        };
        // What is kept must convince whoever reads it later, so it has to convince here.
        proof.verify(content, &self.rp_id, &self.origin).map_err(|_| PasskeyError::BadSignature)?;
        Ok(Approved { asserted, proof })
    }
}

/// The library's state with another challenge in it.
fn replace_challenge(
    state: &DiscoverableAuthentication,
    old: &[u8; 32],
    new: &[u8; 32],
) -> Result<DiscoverableAuthentication, PasskeyError> {
    let mut json = serde_json::to_value(state).map_err(|_| PasskeyError::Library)?;
    let slot = json.pointer_mut("/ast/challenge").ok_or(PasskeyError::Library)?;
    if slot.as_str() != Some(&b64::encode(old)) {
        return Err(PasskeyError::Library);
    }
    *slot = b64::encode(new).into();
    serde_json::from_value(json).map_err(|_| PasskeyError::Library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passkeys::Relying;

    fn fresh() -> (RequestOptions, DiscoverableAuthentication) {
        let relying = Relying {
            rp_id: "localhost".into(),
            origin: "http://localhost:3000".into(),
            name: "Keywarden".into(),
        };
        Passkeys::new(&relying).unwrap().ask(Vec::new()).unwrap()
    }

    /// Pins the layout that [`replace_challenge`] relies on: with another version of the library, look again.
    #[test]
    fn the_librarys_state_is_laid_out_as_it_was() {
        let (options, state) = fresh();
        let challenge = b64::encode(&options.0.challenge);
        assert_eq!(options.0.challenge.len(), 32);
        assert_eq!(
            serde_json::to_value(state).unwrap(),
            serde_json::json!({"ast": {
                "allow_backup_eligible_upgrade": false,
                "appid": null,
                "challenge": challenge,
                "credentials": [],
                "policy": "required",
            }})
        );
    }

    #[test]
    fn only_the_challenge_is_replaced() {
        let (options, state) = fresh();
        let nonce = options.0.challenge.try_into().unwrap();
        let replaced = replace_challenge(&state, &nonce, &[7; 32]).unwrap();
        let (mut before, after) =
            (serde_json::to_value(state).unwrap(), serde_json::to_value(replaced).unwrap());
        assert_ne!(before, after);
        before["ast"]["challenge"] = b64::encode([7; 32]).into();
        assert_eq!(before, after);
    }

    #[test]
    fn nothing_is_replaced_where_the_nonce_is_not() {
        let (_, state) = fresh();
        let refused = replace_challenge(&state, &[0; 32], &[7; 32]);
        assert_eq!(refused.map(drop), Err(PasskeyError::Library));
    }
}
