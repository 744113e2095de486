//! Recovery codes: four groups of six characters, of which the first finds the row and the other three (90 bits)
//! are the secret.

use keywarden_model::UserId;
use keywarden_store::people::codes;
use keywarden_vault::{Keyring, Purpose, SecretString};
use zeroize::Zeroizing;

use crate::{Domain, Fault, one_time, typed};

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
}

impl Domain {
    /// Draws new ones for a person, with the rows that prove them on every node.
    pub(super) async fn draw_codes(
        &self,
        user: UserId,
    ) -> Result<(RecoveryCodes, Vec<codes::Insert>), Fault> {
        let key = self.shared_key(Purpose::OneTimeMac).await?;
        let mut shown = Vec::with_capacity(CODES);
        let mut rows = Vec::with_capacity(CODES);
        for position in (0..).take(CODES) {
            let code = typed::draw::<LEN>(self.env());
            let mac = one_time::tag(self.keyring(), key, &material(user, &code))?;
            let lookup = code.expose().chars().take(GROUP).collect();
            rows.push(codes::Insert { position, lookup, mac_key_id: key.to_string(), mac });
            shown.push(typed::grouped(&code, GROUP));
        }
        Ok((RecoveryCodes(shown), rows))
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
    pub(super) fn proves(&self, row: Option<&codes::Row>, keyring: &Keyring) -> Result<bool, Fault> {
        let user = row.map_or(UserId::NIL, |row| row.user_id);
        let tag = row.map(|row| (row.mac_key_id.as_str(), row.mac.as_slice()));
        one_time::proves(keyring, &material(user, &self.0), tag)
    }
}

fn material(user: UserId, code: &SecretString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(format!("recovery-code\0{user}\0{}", code.expose()).into_bytes())
}
