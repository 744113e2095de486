//! Recovery codes: four groups of six characters, of which the first finds the row and the other three (90 bits)
//! are the secret. Crockford's alphabet, so that no two characters are mistaken for each other.

use keywarden_model::UserId;
use keywarden_store::people::codes;
use keywarden_vault::{Keyring, Purpose, Sealed, SecretString};
use zeroize::Zeroizing;

use crate::Env;

/// How many a person gets.
pub const CODES: usize = 10;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
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
            let code = draw(env);
            let (key, mac) = keyring.mac(Purpose::OneTimeMac, &material(user, &code))?;
            let lookup = code.expose().chars().take(GROUP).collect();
            rows.push(codes::Insert { position, lookup, mac_key_id: key.to_string(), mac });
            shown.push(grouped(&code));
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
        if text.len() > 4 * LEN {
            return None;
        }
        let mut code = String::with_capacity(4 * LEN);
        for typed in text.chars().filter(|typed| !typed.is_whitespace() && *typed != '-') {
            code.push(match typed.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            });
        }
        let code = SecretString::new(code);
        let text = code.expose();
        (text.len() == LEN && text.bytes().all(|b| ALPHABET.contains(&b))).then_some(Self(code))
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

fn draw(env: &Env) -> SecretString {
    let bits = Zeroizing::new(env.bytes::<LEN>());
    // 256 is a multiple of 32: every character is as likely as any other.
    let digit = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
    SecretString::new(bits.iter().map(digit).collect())
}

fn grouped(code: &SecretString) -> SecretString {
    let mut text = String::with_capacity(LEN + 3);
    for (at, character) in code.expose().chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(character);
    }
    SecretString::new(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::env::SystemClock;

    #[test]
    fn however_a_code_is_typed_it_is_one_code() {
        let read = |text: &str| TypedCode::read(text).map(|code| code.0.expose().to_owned());
        let wanted = Some("7K2QFM9XM4TB01C0DEABCDEF".to_owned());
        for typed in
            ["7K2QFM-9XM4TB-01C0DE-ABCDEF", " 7k2qfm 9xm4tb oicode abcdef\n", "7k2qfm9xm4tbolc0deabcdef"]
        {
            assert_eq!(read(typed), wanted, "{typed}");
        }
        for wrong in
            ["", "7K2QFM-9XM4TB-01C0DE-ABCDE", "7K2QFM-9XM4TB-01C0DE-ABCDEU", "７K2QFM-9XM4TB-01C0DE-ABCDEF"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn codes_are_shown_in_groups_and_read_back() {
        let env = Env::seeded(Arc::new(SystemClock), 7);
        let code = draw(&env);
        let shown = grouped(&code);
        assert_eq!(shown.expose().split('-').map(str::len).collect::<Vec<_>>(), [GROUP; 4]);
        assert_eq!(TypedCode::read(shown.expose()).unwrap().0.expose(), code.expose());
    }
}
