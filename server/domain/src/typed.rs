//! Codes that people read out and type: drawn here, in Crockford's alphabet, so that no two characters are mistaken for
//! each other. Five bits in each character.

use keywarden_vault::SecretString;
use zeroize::Zeroizing;

use crate::Env;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A fresh code.
pub(crate) fn draw<const LEN: usize>(env: &Env) -> SecretString {
    let bits = Zeroizing::new(env.bytes::<LEN>());
    // 256 is a multiple of 32: every character is as likely as any other.
    let digit = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
    SecretString::new(bits.iter().map(digit).collect())
}

/// As it is shown: with a hyphen between groups of so many characters.
pub(crate) fn grouped(code: &SecretString, group: usize) -> SecretString {
    let mut text = String::with_capacity(code.expose().len().saturating_mul(2));
    for (at, character) in code.expose().chars().enumerate() {
        if at > 0 && at.is_multiple_of(group) {
            text.push('-');
        }
        text.push(character);
    }
    SecretString::new(text)
}

/// A code of so many characters as somebody typed it, in its one spelling: case, spaces and hyphens do not matter, nor
/// does a letter that looks like a digit.
pub(crate) fn read(text: &str, len: usize) -> Option<SecretString> {
    let longest = len.saturating_mul(4);
    if text.len() > longest {
        return None;
    }
    let mut code = String::with_capacity(longest);
    for typed in text.chars().filter(|typed| !typed.is_whitespace() && *typed != '-') {
        code.push(match typed.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    }
    let code = SecretString::new(code);
    let text = code.expose();
    let is_one = text.len() == len && text.bytes().all(|b| ALPHABET.contains(&b));
    is_one.then_some(code)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::env::SystemClock;

    #[test]
    fn however_a_code_is_typed_it_is_one_code() {
        let read = |text: &str| read(text, 24).map(|code| code.expose().to_owned());
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
        let code = draw::<24>(&env);
        let shown = grouped(&code, 6);
        assert_eq!(shown.expose().split('-').map(str::len).collect::<Vec<_>>(), [6; 4]);
        assert_eq!(read(shown.expose(), 24).unwrap().expose(), code.expose());
    }
}
