//! Recovery codes: four groups of six characters, of which the first finds the row and the other three (90 bits)
//! are the secret.

use keywarden_model::UserId;
use keywarden_store::people::codes;
use keywarden_vault::{Keyring, Purpose, Sealed, SecretString};
use zeroize::Zeroizing;

use crate::{Env, typed};

/// How many a person gets.
pub const CODES: usize = 10;
const GROUP: usize = 6;
const LEN: usize = 4 * GROUP;

/// A person's fresh codes, to be shown this once.
#[derive(Debug)]
pub struct RecoveryCodes(Vec<SecretString>);

impl RecoveryCodes {
    /// As they are shown: `7K2QFM-9XM4TB-…`.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        self.0.iter()
    }

    /// One text, for sealing.
    pub(super) fn joined(&self) -> SecretString {
        let mut text = String::with_capacity(CODES * (LEN + 4));
        for code in &self.0 {
            text.push_str(code.expose());
            text.push('\n');
        }
        SecretString::new(text)
    }

    /// From [`RecoveryCodes::joined`].
    pub(super) fn split(joined: &str) -> Self {
        Self(joined.lines().map(|code| SecretString::new(code.to_owned())).collect())
    }

    /// Draws new ones for a person, with the rows that prove them.
    pub(super) fn draw(
        user: UserId,
        keyring: &Keyring,
        env: &Env,
    ) -> Result<(Self, Vec<codes::Insert>), Sealed> {
        let mut shown = Vec::with_capacity(CODES);
        let mut rows = Vec::with_capacity(CODES);
        for position in (0..).take(CODES) {
            let code = typed::draw::<LEN>(env);
            let (key, mac) = keyring.mac(Purpose::OneTimeMac, &material(user, &code))?;
            let lookup = code.expose().chars().take(GROUP).collect();
            rows.push(codes::Insert { position, lookup, mac_key_id: key.to_string(), mac });
            shown.push(typed::grouped(&code, GROUP));
        }
        Ok((Self(shown), rows))
    }
}

/// A code as somebody typed it, in its one spelling.
#[derive(Debug)]
pub(super) struct TypedCode(SecretString);

impl TypedCode {
    /// Case, spaces and hyphens do not matter, nor does a letter that looks like a digit.
    pub(super) fn read(text: &str) -> Option<Self> {
        typed::read(text, LEN).map(Self)
    }

    /// Finds the rows that may be meant.
    pub(super) fn lookup(&self) -> String {
        self.0.expose().chars().take(GROUP).collect()
    }

    /// Whether it is this person's code; costs the same for nobody's.
    pub(super) fn proves(&self, row: Option<&codes::Row>, keyring: &Keyring) -> Result<bool, Sealed> {
        use keywarden_model::KeyringKeyId;
        let nobody = (UserId::NIL, KeyringKeyId::NIL, [0; 32]);
        let read = row.and_then(|row| {
            Some((row.user_id, row.mac_key_id.parse().ok()?, row.mac.as_slice().try_into().ok()?))
        });
        let (user, key, mac) = read.unwrap_or(nobody);
        keyring.verify_mac(Purpose::OneTimeMac, key, &material(user, &self.0), &mac)
    }
}

fn material(user: UserId, code: &SecretString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(format!("recovery-code\0{user}\0{}", code.expose()).into_bytes())
}
