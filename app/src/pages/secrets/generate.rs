//! Values that nobody thought of.

use std::ops::RangeInclusive;

use keywarden_domain::{Env, SecretBytes};
use zeroize::Zeroizing;

/// How long a made value may be, in characters.
pub(super) const LENGTHS: RangeInclusive<u64> = 16..=256;

/// What a made value consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// 16 characters.
    Hexadecimal,
    /// 62 characters.
    LettersAndDigits,
    /// 78 characters, none of which a shell, a URL's user part or a quoted string takes for its own.
    Symbols,
}

impl Alphabet {
    pub(super) const ALL: [Self; 3] = [Self::LettersAndDigits, Self::Symbols, Self::Hexadecimal];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hexadecimal => "hexadecimal",
            Self::LettersAndDigits => "letters-digits",
            Self::Symbols => "symbols",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    fn characters(self) -> &'static [u8] {
        match self {
            Self::Hexadecimal => b"0123456789abcdef",
            Self::LettersAndDigits => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            Self::Symbols => {
                b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!*+,-.:=?@^_{}|~"
            }
        }
    }
}

/// As many characters of the alphabet, each as likely as the others.
pub(super) fn value(env: &Env, alphabet: Alphabet, length: usize) -> SecretBytes {
    let characters = alphabet.characters();
    // What lies beyond the alphabet is drawn again: a remainder would make its first characters likelier.
    let mask = characters.len().next_power_of_two().saturating_sub(1);
    let mut made = Vec::with_capacity(length);
    while made.len() < length {
        let drawn = Zeroizing::new(env.bytes::<64>());
        let fitting = drawn.iter().filter_map(|byte| characters.get(usize::from(*byte) & mask));
        let wanted = length.saturating_sub(made.len());
        made.extend(fitting.take(wanted));
    }
    SecretBytes::new(made)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keywarden_domain::cast::{Engine, House};

    use super::*;

    #[tokio::test]
    async fn every_character_comes_and_no_other() {
        let house = House::new(Engine::Sqlite).await;
        for alphabet in Alphabet::ALL {
            assert_eq!(Alphabet::named(alphabet.as_str()), Some(alphabet));
            let made = value(house.domain.env(), alphabet, 8_000);
            assert_eq!(made.expose().len(), 8_000);
            let seen: BTreeSet<u8> = made.expose().iter().copied().collect();
            assert_eq!(seen, alphabet.characters().iter().copied().collect(), "{alphabet:?}");
            assert_eq!(seen.len(), alphabet.characters().len(), "none is there twice: {alphabet:?}");
        }
        let env = house.domain.env();
        assert_ne!(
            value(env, Alphabet::LettersAndDigits, 32).expose(),
            value(env, Alphabet::LettersAndDigits, 32).expose()
        );
    }
}
