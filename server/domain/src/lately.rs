//! Who proved themselves on this node lately. It opens nothing: where strangers of an address have asked too much, a door
//! lets these pass to where they prove themselves anew.
//!
//! **Invariant:** kept are digests of what was shown, which is drawn at random and too long to be guessed.

use std::fmt;
use std::time::Duration;

use keywarden_vault::token;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::Domain;
use crate::people::SessionKey;

/// Remembered at once; beyond that, who was not seen for longest is a stranger again.
const MOST: u64 = 50_000;
/// Longer than tokens are remembered, after which they are noted again.
const LATELY: Duration = Duration::from_hours(1);

/// Who shows what was good here lately, told apart from others who do.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof([u8; 32]);

pub(crate) struct Lately(Cache<[u8; 32], ()>);

impl Lately {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(LATELY).build())
    }

    /// The secret with this digest was good.
    pub(crate) fn note(&self, digest: [u8; 32]) {
        self.0.insert(digest, ());
    }

    /// It is good no more.
    pub(crate) fn forget(&self, digest: [u8; 32]) {
        self.0.invalidate(&digest);
    }

    fn find(&self, digest: [u8; 32]) -> Option<Proof> {
        self.0.contains_key(&digest).then_some(Proof(digest))
    }
}

impl Domain {
    /// Whether this token was good on this node lately. Asks nobody.
    pub fn proven_token(&self, presented: &str) -> Option<Proof> {
        let parsed = token::parse(presented).ok()?;
        self.lately().find(Sha256::digest(parsed.material()).into())
    }

    /// Whether this session was good on this node lately. Asks nobody.
    pub fn proven_session(&self, key: &SessionKey) -> Option<Proof> {
        self.lately().find(key.hash())
    }
}

impl fmt::Debug for Lately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lately")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}
