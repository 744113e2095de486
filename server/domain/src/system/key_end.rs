//! The end of a seal's old key, be the seal the server's own or one that projects name.

use keywarden_vault::{KeyNumber, SealId};

use crate::audit::{Draft, Record};

/// Why a key of a seal stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStays {
    /// It wraps.
    #[error("key {number} of `{seal}` still wraps {keys} keys: rotate it first")]
    InUse {
        /// The seal.
        seal: SealId,
        /// The key.
        number: KeyNumber,
        /// How many it wraps.
        keys: usize,
    },
    /// It wraps what comes.
    #[error("key {number} is the newest of `{seal}`: it stays")]
    Newest {
        /// The seal.
        seal: SealId,
        /// The key.
        number: KeyNumber,
    },
    /// There is none of this number.
    #[error("`{seal}` has no key {number}")]
    NoKey {
        /// The seal.
        seal: SealId,
        /// The key.
        number: KeyNumber,
    },
}

/// Whether a seal that has these keys, the newest last, has this one as an older one.
pub(crate) fn is_older(seal: &SealId, keys: &[KeyNumber], number: KeyNumber) -> Result<(), KeyStays> {
    let seal = seal.clone();
    match keys.split_last() {
        Some((newest, _)) if *newest == number => Err(KeyStays::Newest { seal, number }),
        Some((_, older)) if older.contains(&number) => Ok(()),
        _ => Err(KeyStays::NoKey { seal, number }),
    }
}

/// Tells that a key is destroyed, which wraps so many, unless it still wraps any.
pub(crate) fn told(
    record: &Record,
    seal: &SealId,
    number: KeyNumber,
    wraps: usize,
) -> Result<Draft, KeyStays> {
    if wraps > 0 {
        return Err(KeyStays::InUse { seal: seal.clone(), number, keys: wraps });
    }
    Ok(record.event("seal.destroy-key", "seal", seal).fact("key", number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_key_that_is_there_may_go() {
        let seal: SealId = "software:acme".parse().unwrap();
        let judged = |keys: &[KeyNumber], number| is_older(&seal, keys, number);
        assert_eq!((judged(&[1, 3], 1), judged(&[1, 2, 3], 2)), (Ok(()), Ok(())));
        for (keys, number) in [([].as_slice(), 1), (&[1, 3], 2), (&[1, 3], 4)] {
            let absent = Err(KeyStays::NoKey { seal: seal.clone(), number });
            assert_eq!(judged(keys, number), absent, "{keys:?}");
        }
        for keys in [[3].as_slice(), &[1, 3]] {
            assert_eq!(judged(keys, 3), Err(KeyStays::Newest { seal: seal.clone(), number: 3 }), "{keys:?}");
        }
    }
}
