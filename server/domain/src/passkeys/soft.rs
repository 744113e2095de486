//! A cast member for tests: browser and authenticator in one, with real keys and signatures, well-behaved until told
//! otherwise by its [`Habits`].

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::b64;
use super::cbor::Writer;

/// How an authenticator behaves. Each field is read at every call, so a test may change them in between.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of authenticator data")]
pub struct Habits {
    /// Says that somebody was there.
    pub user_present: bool,
    /// Says that it verified them.
    pub user_verified: bool,
    /// Calls its passkeys synced.
    pub backup_eligible: bool,
    /// Says that there is a copy.
    pub backed_up: bool,
    /// Says that it could not keep the passkey, in `credProps`.
    pub forgetful: bool,
    /// Creates although it holds one of `excludeCredentials`.
    pub ignores_exclusions: bool,
    /// Says whom the passkey belongs to.
    pub tells_user: bool,
    /// Counts its signatures; synced passkeys commonly stay at 0.
    pub counts: bool,
    /// Says that the call came from a frame of another origin.
    pub cross_origin: bool,
    /// The call in `clientDataJSON`, if not the one made.
    pub call: Option<&'static str>,
    /// The relying party signed for, if not the one asked for.
    pub rp_id: Option<&'static str>,
    /// The id of the next new credential, if not a random one.
    pub credential_id: Option<Vec<u8>>,
    /// Its model.
    pub aaguid: [u8; 16],
}

impl Default for Habits {
    /// A security key that does everything right.
    fn default() -> Self {
        Self {
            user_present: true,
            user_verified: true,
            backup_eligible: false,
            backed_up: false,
            forgetful: false,
            ignores_exclusions: false,
            tells_user: true,
            counts: true,
            cross_origin: false,
            call: None,
            rp_id: None,
            credential_id: None,
            aaguid: [0; 16],
        }
    }
}

/// Why nothing was made, as a browser would tell its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SoftError {
    /// The options are not WebAuthn's.
    #[error("TypeError")]
    Options,
    /// Holds none of the passkeys asked for.
    #[error("NotAllowedError")]
    NotAllowed,
    /// Holds an excluded passkey.
    #[error("InvalidStateError")]
    InvalidState,
    /// Cannot make a key of the kinds wanted.
    #[error("NotSupportedError")]
    NotSupported,
}

/// Browser and authenticator in one. A clone is a copy of the authenticator, secrets and all.
#[derive(Debug, Clone)]
pub struct SoftAuthenticator {
    /// How it behaves.
    pub habits: Habits,
    random: ChaCha20Rng,
    credentials: Vec<Credential>,
    counter: u32,
}

#[derive(Debug, Clone)]
struct Credential {
    id: Vec<u8>,
    rp_id: String,
    user: String,
    key: SigningKey,
}

impl SoftAuthenticator {
    /// A well-behaved one; different seeds make different keys.
    pub fn new(seed: u64) -> Self {
        Self {
            habits: Habits::default(),
            random: ChaCha20Rng::seed_from_u64(seed),
            credentials: Vec::new(),
            counter: 0,
        }
    }

    /// `navigator.credentials.create({publicKey: options})` at `origin`, then `toJSON()`.
    pub fn create(&mut self, origin: &str, options: &Value) -> Result<Value, SoftError> {
        let rp_id = text(options, "/rp/id")?.to_owned();
        let user = text(options, "/user/id")?.to_owned();
        let kinds = options["pubKeyCredParams"].as_array().ok_or(SoftError::Options)?;
        if !kinds.iter().any(|kind| kind["alg"] == -7) {
            return Err(SoftError::NotSupported);
        }
        let excluded = ids(&options["excludeCredentials"]);
        let holds_one = self.credentials.iter().any(|held| excluded.contains(&held.id));
        if holds_one && !self.habits.ignores_exclusions {
            return Err(SoftError::InvalidState);
        }

        let key = self.new_key();
        let id = match self.habits.credential_id.take() {
            Some(id) => id,
            None => self.random.random::<[u8; 32]>().to_vec(),
        };
        let point = key.verifying_key().to_sec1_point(false);
        let (x, y) = point.x().zip(point.y()).ok_or(SoftError::NotSupported)?;
        let cose = Writer::default().map(5).int(1).int(2).int(3).int(-7).int(-1).int(1);
        let cose = cose.int(-2).bytes(x).int(-3).bytes(y).finish();
        let id_len = u16::try_from(id.len()).map_err(|_| SoftError::NotSupported)?.to_be_bytes();

        let mut data = self.authenticator_data(&rp_id, 1 << 6);
        data.extend([&self.habits.aaguid[..], &id_len, &id, &cose].concat());
        let attestation = Writer::default().map(3).text("fmt").text("none").text("attStmt").map(0);
        let attestation = attestation.text("authData").bytes(&data).finish();
        let client_data = self.client_data("webauthn.create", origin, text(options, "/challenge")?);
        let answer = json!({
            "id": b64::encode(&id),
            "rawId": b64::encode(&id),
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "response": {
                "attestationObject": b64::encode(attestation),
                "authenticatorData": b64::encode(&data),
                "clientDataJSON": b64::encode(client_data),
                "publicKeyAlgorithm": -7,
                "transports": ["usb", "nfc"],
            },
            "clientExtensionResults": {"credProps": {"rk": !self.habits.forgetful}},
        });
        self.credentials.push(Credential { id, rp_id, user, key });
        Ok(answer)
    }

    /// `navigator.credentials.get({publicKey: options})` at `origin`, then `toJSON()`. Takes the newest that fits.
    pub fn get(&mut self, origin: &str, options: &Value) -> Result<Value, SoftError> {
        let rp_id = text(options, "/rpId")?;
        let allowed = ids(&options["allowCredentials"]);
        let fits =
            |held: &&Credential| held.rp_id == rp_id && (allowed.is_empty() || allowed.contains(&held.id));
        let credential = self.credentials.iter().rev().find(fits).cloned().ok_or(SoftError::NotAllowed)?;
        if self.habits.counts {
            self.counter = self.counter.saturating_add(1);
        }
        let data = self.authenticator_data(rp_id, 0);
        let client_data = self.client_data("webauthn.get", origin, text(options, "/challenge")?);
        let signature: Signature =
            credential.key.sign(&[&data[..], &Sha256::digest(client_data.as_bytes())].concat());
        let user = self.habits.tells_user.then_some(credential.user);
        Ok(json!({
            "id": b64::encode(&credential.id),
            "rawId": b64::encode(&credential.id),
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "response": {
                "authenticatorData": b64::encode(data),
                "clientDataJSON": b64::encode(client_data),
                "signature": b64::encode(signature.to_der().as_bytes()),
                "userHandle": user,
            },
            "clientExtensionResults": {},
        }))
    }

    fn new_key(&mut self) -> SigningKey {
        loop {
            // A number outside the group's order is all but impossible, and not a key.
            if let Ok(key) = SigningKey::from_slice(&self.random.random::<[u8; 32]>()) {
                return key;
            }
        }
    }

    fn authenticator_data(&self, rp_id: &str, more_flags: u8) -> Vec<u8> {
        let habits = &self.habits;
        let flags = u8::from(habits.user_present)
            | u8::from(habits.user_verified) << 2
            | u8::from(habits.backup_eligible) << 3
            | u8::from(habits.backed_up) << 4
            | more_flags;
        let rp_id_hash = Sha256::digest(habits.rp_id.unwrap_or(rp_id));
        [&rp_id_hash[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, call: &str, origin: &str, challenge: &str) -> String {
        json!({
            "type": self.habits.call.unwrap_or(call),
            "challenge": challenge,
            "origin": origin,
            "crossOrigin": self.habits.cross_origin,
        })
        .to_string()
    }
}

fn text<'v>(options: &'v Value, pointer: &str) -> Result<&'v str, SoftError> {
    options.pointer(pointer).and_then(Value::as_str).ok_or(SoftError::Options)
}

fn ids(descriptors: &Value) -> Vec<Vec<u8>> {
    let descriptors = descriptors.as_array().into_iter().flatten();
    descriptors.filter_map(|descriptor| b64::decode(descriptor["id"].as_str()?)).collect()
}
