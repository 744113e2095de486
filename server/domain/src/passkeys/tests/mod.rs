//! The ceremonies against a soft authenticator: S-08, and what else an answer can get wrong.

mod answer;
mod approval;
mod flips;
mod parsers;
mod registration;
mod sign_in;
mod step_up;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::soft::SoftAuthenticator;
use super::*;

const ORIGIN: &str = "http://localhost:3000";

/// Where an answer must not come from.
const OTHER_ORIGINS: [&str; 9] = [
    "http://evillocalhost:3000",
    "http://console.localhost:3000",
    "http://localhost:3001",
    "http://localhost",
    "https://localhost:3000",
    "http://localhost:3000/",
    "http://localhost:3000/console",
    "http://user@localhost:3000",
    "HTTP://LOCALHOST:3000",
];

/// One person at one Keywarden.
struct Stage {
    passkeys: Passkeys,
    user: UserHandle,
    now: DateTime<Utc>,
}

impl Stage {
    fn new() -> Self {
        Self::of(1)
    }

    /// Another person at the same Keywarden.
    fn of(person: u8) -> Self {
        let relying = Relying {
            rp_id: "localhost".to_owned(),
            origin: ORIGIN.to_owned(),
            name: "Keywarden".to_owned(),
        };
        Self {
            passkeys: Passkeys::new(&relying).unwrap(),
            user: UserHandle::try_from(vec![person; 64]).unwrap(),
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    fn start_registration(&self, exclude: &[CredentialId]) -> (Value, Ceremony) {
        let registrant = Registrant { handle: &self.user, name: "ada@example.com", display_name: "Ada" };
        let (options, ceremony) = self.passkeys.start_registration(registrant, exclude, self.now).unwrap();
        (serde_json::to_value(options).unwrap(), through_the_store(&ceremony))
    }

    fn finish_registration(&self, ceremony: Ceremony, answer: &Value) -> Result<Registered, PasskeyError> {
        self.passkeys.finish_registration(ceremony, &bytes(answer), self.now)
    }

    fn register(&self, soft: &mut SoftAuthenticator) -> PasskeyRecord {
        let (options, ceremony) = self.start_registration(&[]);
        let answer = soft.create(ORIGIN, &options).unwrap();
        let registered = self.finish_registration(ceremony, &answer).unwrap();
        PasskeyRecord::from_json(&registered.passkey.to_json().unwrap()).unwrap()
    }

    fn start_sign_in(&self) -> (Value, Ceremony) {
        let (options, ceremony) = self.passkeys.start_sign_in(self.now).unwrap();
        (serde_json::to_value(options).unwrap(), through_the_store(&ceremony))
    }

    fn finish_sign_in(
        &self,
        ceremony: Ceremony,
        answer: &Value,
        passkey: &PasskeyRecord,
    ) -> Result<Asserted, PasskeyError> {
        self.passkeys.finish_sign_in(ceremony, &bytes(answer), std::slice::from_ref(passkey), self.now)
    }

    /// Signs in, as the soft authenticator would with its present habits, at `origin`.
    fn sign_in(
        &self,
        soft: &mut SoftAuthenticator,
        origin: &str,
        passkey: &PasskeyRecord,
    ) -> Result<Asserted, PasskeyError> {
        let (options, ceremony) = self.start_sign_in();
        self.finish_sign_in(ceremony, &soft.get(origin, &options).unwrap(), passkey)
    }

    fn start_step_up(&self, passkeys: &[PasskeyRecord]) -> (Value, Ceremony) {
        let (options, ceremony) = self.passkeys.start_step_up(passkeys, self.now).unwrap();
        (serde_json::to_value(options).unwrap(), through_the_store(&ceremony))
    }

    fn start_approval(&self, passkeys: &[PasskeyRecord], content: &[u8]) -> (Value, Ceremony) {
        let (options, ceremony) = self.passkeys.start_approval(passkeys, content, self.now).unwrap();
        (serde_json::to_value(options).unwrap(), through_the_store(&ceremony))
    }

    fn later(&self, seconds: i64) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(seconds)
    }
}

fn bytes(answer: &Value) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap()
}

/// What the row does to a ceremony.
fn through_the_store(ceremony: &Ceremony) -> Ceremony {
    let back = Ceremony::from_bytes(&ceremony.to_bytes().unwrap()).unwrap();
    assert_eq!(back.kind(), ceremony.kind());
    assert_eq!(back.expires_at(), ceremony.expires_at());
    back
}

fn refused<T>(result: Result<T, PasskeyError>) -> PasskeyError {
    result.err().expect("must be refused")
}
