//! What a rule says.

use std::fmt;

use keywarden_model::{Audience, ClaimRules, HttpsUrl};
use keywarden_store::trust_rules as rows;
use serde_json::{Map, Value};

use crate::audit::Fact;
use crate::exchange::{KeySet, KeySetError};

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whose tokens.
    pub issuer: HttpsUrl,
    /// For whom they must be made.
    pub audience: Audience,
    /// What they must claim.
    pub claims: ClaimRules,
    /// What proves them.
    pub keys: Keys,
    /// Whether a token is taken once only.
    pub single_use: bool,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// From this address.
    At(HttpsUrl),
    /// From where the issuer's discovery document says.
    Discovered,
    /// From this document: for an issuer that cannot be reached from here.
    Given(GivenKeys),
}

/// A document of public keys that can prove a token.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenKeys(String);

impl GivenKeys {
    /// The most bytes.
    pub const MAX: usize = 64 * 1024;

    /// Checks a document: it holds keys that can prove a token, and no private one.
    pub fn read(document: &str) -> Result<Self, KeySetError> {
        if document.len() > Self::MAX {
            return Err(KeySetError::TooLong);
        }
        let keys = KeySet::read(document.as_bytes())?;
        if keys.holds_private() { Err(KeySetError::Private) } else { Ok(Self(document.to_owned())) }
    }

    pub(super) fn stored(document: String) -> Self {
        Self(document)
    }

    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GivenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenKeys")
    }
}

impl Keys {
    /// The stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::At(_) => "address",
            Self::Discovered => "discovery",
            Self::Given(_) => "document",
        }
    }

    pub(super) fn fact(&self) -> Fact {
        Fact::word(self.word())
    }
}

impl Terms {
    /// The claims as they are stored.
    pub(super) fn stored_claims(&self) -> String {
        let claims: Map<String, Value> =
            self.claims.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Value::Object(claims).to_string()
    }

    pub(super) fn row<'a>(&'a self, claims: &'a str) -> rows::Terms<'a> {
        rows::Terms {
            issuer: self.issuer.as_str(),
            audience: self.audience.as_str(),
            claims,
            jwks_url: match &self.keys {
                Keys::At(url) => Some(url.as_str()),
                Keys::Discovered | Keys::Given(_) => None,
            },
            jwks: match &self.keys {
                Keys::Given(given) => Some(given.as_str()),
                Keys::At(_) | Keys::Discovered => None,
            },
            single_use: self.single_use,
        }
    }
}
