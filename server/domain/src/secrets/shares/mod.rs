//! One-time links to the value of one version: for a person who signs in, or for whoever was told a passphrase.
//!
//! A link holds no value. It is opened as its maker would read: if they may not any more, if the version is not enabled or
//! outside its time, if the secret is deleted or its project archived, whoever opens it finds nothing and the link has
//! ended for good.
//!
//! A passphrase is drawn here, never chosen: 80 random bits, of which the store keeps a tag under the keyring's key for
//! one-time things. Whoever has the records alone cannot try passphrases at all, and at the door five are tried.
//!
//! **Invariants:** a link gives its value once, however many ask at once: whoever opens it takes its row first. Looking at
//! it changes nothing. A wrong passphrase is counted in the write that finds it wrong. Each end has its event.

mod expire;
mod list;
mod make;
mod open;

use std::str::FromStr;

use chrono::TimeDelta;
use keywarden_model::{ShareId, UserId};
use keywarden_vault::SecretString;
use zeroize::Zeroizing;

pub use list::Share;
pub use make::{MadeShare, NewShare, ShareError};
pub use open::{OpenShareError, SharedLink};

/// Wrong passphrases that end a link.
pub const MOST_PASSPHRASES: i64 = 5;
/// Links to one secret that are open at once.
pub const MOST_SHARES: u32 = 50;

/// The label in a link's value: `kwt_share_…`.
const LABEL: &str = "share";
/// The console's path, to which the value is appended.
const PATH: &str = "/shared/";
/// Characters of a passphrase, and of each of its groups: `7K2Q-9XM4-TB01-C0DE`.
const PASSPHRASE: usize = 16;
const GROUP: usize = 4;

/// How long a link serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareLife {
    /// 24 hours.
    Day,
    /// One hour.
    Hour,
    /// Seven days.
    Week,
}

/// No such lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `1h`, `24h` or `7d`")]
pub struct ShareLifeError;

impl ShareLife {
    /// All, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// The word in forms and bodies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Hour => "1h",
            Self::Week => "7d",
        }
    }

    fn lasts(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::hours(24),
            Self::Hour => TimeDelta::hours(1),
            Self::Week => TimeDelta::days(7),
        }
    }
}

impl FromStr for ShareLife {
    type Err = ShareLifeError;
    fn from_str(text: &str) -> Result<Self, ShareLifeError> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(ShareLifeError)
    }
}

/// What opens a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// The passphrase that was shown with it.
    Passphrase,
    /// This person, signed in.
    Person(UserId),
}

/// What a passphrase's tag is taken over: bound to its link.
fn material(share: ShareId, passphrase: &SecretString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(format!("share-passphrase\0{share}\0{}", passphrase.expose()).into_bytes())
}
