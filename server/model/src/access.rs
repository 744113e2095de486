//! Words of access that is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{Description, TextError};

/// No such word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {0}")]
pub struct WordError(String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
                found.ok_or_else(|| WordError(Self::ALL.map(Self::as_str).join(", ")))
            }
        }
    };
}

words! {
    /// Where a request for access is in its life.
    AccessState {
        /// Approved, and the role is held.
        Active = "active",
        /// Somebody who may approve said no.
        Denied = "denied",
        /// Approved, and the role is held no longer.
        Ended = "ended",
        /// Nobody answered in time.
        Expired = "expired",
        /// Waits for its answer.
        Pending = "pending",
        /// Taken back by whoever asked.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// How a role that was held for a while was over.
    GrantEnd {
        /// Its time was over.
        Expired = "expired",
        /// Whoever held it gave it back.
        GivenBack = "given-back",
        /// Somebody who may took it.
        Revoked = "revoked",
    }
}

words! {
    /// Which passkeys may sign an approval.
    PasskeyStrength {
        /// Any that is old enough.
        Any = "any",
        /// Only those that do not leave their device.
        DeviceBound = "device-bound",
    }
}

/// Where else a request is spoken of: one line of at most 120 characters, perhaps empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Ticket(String);

impl Ticket {
    /// The longest one, in characters.
    pub const MAX: usize = 120;

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Ticket {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        // A description of one line: nothing invisible.
        let text = text.parse::<Description>()?;
        let text = text.as_str().trim();
        if text.contains(['\n', '\r', '\t']) {
            return Err(TextError::Invisible);
        }
        if text.chars().count() > Self::MAX {
            Err(TextError::TooLong(Self::MAX))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}
