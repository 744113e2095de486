//! A recovery key in shares, for people who shall open backups together only.

use std::fmt;

use rand::CryptoRng;
use vsss_rs::Gf256;

use super::key::SEED;
use super::{RecoveryKey, RecoveryTextError, read, write};
use crate::secret::{SecretBytes, SecretString};

const PREFIX: &str = "kwrp1_";
const WHAT: &str = "a share of a recovery key: it begins with `kwrp1_`";
const ID: usize = 16;

/// More people than that do not meet in an emergency.
pub const MAX_SHARES: u8 = 16;

/// Why shares were not made, or make no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// They are of two keys.
    #[error("these shares belong to different recovery keys")]
    Different,
    /// Threshold and number do not go together.
    #[error("between 2 and {MAX_SHARES} shares, of which at least 2 and at most all are needed")]
    Numbers,
    /// There are not enough.
    #[error("{needed} shares are needed, and {given} different ones were given")]
    TooFew {
        /// The threshold.
        needed: u8,
        /// Different ones given.
        given: usize,
    },
    /// The text is no share.
    #[error(transparent)]
    Text(#[from] RecoveryTextError),
    /// What they make is not the key that they say.
    #[error("these shares do not make the recovery key that they name: one was changed")]
    Wrong,
}

/// One share. Alone, or with fewer others than the threshold, it tells nothing of the key.
pub struct Share {
    threshold: u8,
    key: [u8; ID],
    pub(super) part: SecretBytes,
}

impl Share {
    /// Reads what [`Share::text`] wrote.
    pub fn parse(text: &SecretString) -> Result<Self, ShareError> {
        let bytes = read(PREFIX, WHAT, text.expose())?;
        let parts = || {
            let (threshold, rest) = bytes.expose().split_first()?;
            let (key, part) = rest.split_first_chunk()?;
            (part.len() == SEED + 1).then(|| Self {
                threshold: *threshold,
                key: *key,
                part: SecretBytes::copy_of(part),
            })
        };
        parts().ok_or(ShareError::Text(RecoveryTextError::Kind(WHAT)))
    }

    /// The share as it is kept.
    pub fn text(&self) -> SecretString {
        let bytes = SecretBytes::new([&[self.threshold][..], &self.key, self.part.expose()].concat());
        SecretString::new(write(PREFIX, bytes.expose()))
    }

    /// Whether a text means to be a share.
    pub fn is_meant_by(text: &SecretString) -> bool {
        text.expose().trim_start().starts_with(PREFIX)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}

/// Shares, and what to do with them.
#[derive(Debug)]
pub struct Shares;

impl Shares {
    /// Cuts a key into `number` shares, any `threshold` of which make it again.
    pub fn of(
        key: &RecoveryKey,
        threshold: u8,
        number: u8,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Share>, ShareError> {
        if threshold < 2 || number < threshold || number > MAX_SHARES {
            return Err(ShareError::Numbers);
        }
        let parts = Gf256::split_bytes(threshold.into(), number.into(), key.seed().expose(), rng)
            .map_err(|_| ShareError::Numbers)?;
        let key = name(key);
        Ok(parts.into_iter().map(|part| Share { threshold, key, part: SecretBytes::new(part) }).collect())
    }

    /// Makes the key again.
    pub fn combine(shares: &[Share]) -> Result<RecoveryKey, ShareError> {
        let first = shares.first().ok_or(ShareError::TooFew { needed: 2, given: 0 })?;
        if shares.iter().any(|share| (share.key, share.threshold) != (first.key, first.threshold)) {
            return Err(ShareError::Different);
        }
        let mut parts: Vec<&[u8]> = shares.iter().map(|share| share.part.expose()).collect();
        parts.sort_unstable();
        parts.dedup();
        if parts.len() < first.threshold.into() {
            return Err(ShareError::TooFew { needed: first.threshold, given: parts.len() });
        }
        let mut lent: Vec<Vec<u8>> = parts.into_iter().map(<[u8]>::to_vec).collect();
        let seed = Gf256::combine_bytes(&lent).map(SecretBytes::new);
        zeroize::Zeroize::zeroize(&mut lent);
        let key = seed.ok().and_then(RecoveryKey::from_seed).ok_or(ShareError::Wrong)?;
        if name(&key) == first.key { Ok(key) } else { Err(ShareError::Wrong) }
    }
}

/// Which key shares belong to: its recipient's id in bytes.
fn name(key: &RecoveryKey) -> [u8; ID] {
    key.recipient().id().to_bytes()
}
