//! Scopes of API keys: words of other people's services, such as `orders:read` or `orders:*`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Segments of `[a-z0-9._-]+` joined by `:`, at most 128 characters; the last may be `*`, which covers one
/// or more further segments. A lone `*` covers everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Scope(String);

/// Why a text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write scopes as `orders:read` or `orders:*`: lower-case letters, digits, `.`, `_`, `-`, at most 128 characters"
)]
pub struct ScopeError;

impl Scope {
    /// The scope as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether holding `self` is enough where `wanted` is asked for.
    pub fn covers(&self, wanted: &Scope) -> bool {
        match self.0.strip_suffix('*') {
            Some("") => true,
            // `orders:*` covers `orders:read` and `orders:*`, not `orders`.
            Some(prefix) => wanted.0.len() > prefix.len() && wanted.0.starts_with(prefix),
            None => self.0 == wanted.0,
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() || text.len() > 128 {
            return Err(ScopeError);
        }
        let last = text.split(':').count().saturating_sub(1);
        let word = |s: &str| {
            !s.is_empty()
                && s.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        };
        let fits = text.split(':').enumerate().all(|(i, s)| word(s) || (i == last && s == "*"));
        fits.then(|| Self(text.to_owned())).ok_or(ScopeError)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A sorted set of at most 64 scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

/// Why a list is not a set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopesError {
    /// One of them is malformed.
    #[error("`{text}`: {cause}")]
    Malformed {
        /// The word as given, cut to 64 characters.
        text: String,
        /// What is wrong with it.
        cause: ScopeError,
    },
    /// More than 64.
    #[error("use at most 64 scopes")]
    TooMany,
}

impl Scopes {
    /// Parses each word; duplicates fold.
    pub fn parse<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, ScopesError> {
        let mut set = BTreeSet::new();
        for word in words {
            let word = word.as_ref();
            let scope = word
                .parse()
                .map_err(|cause| ScopesError::Malformed { text: word.chars().take(64).collect(), cause })?;
            set.insert(scope);
            if set.len() > 64 {
                return Err(ScopesError::TooMany);
            }
        }
        Ok(Self(set))
    }

    /// Whether every wanted scope is covered by one held here.
    pub fn cover(&self, wanted: &Scopes) -> bool {
        wanted.iter().all(|w| self.0.iter().any(|held| held.covers(w)))
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(Vec::<String>::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(s: &str) -> Scope {
        s.parse().unwrap()
    }

    #[test]
    fn a_star_covers_what_is_below_it_and_nothing_beside_it() {
        assert!(scope("orders:*").covers(&scope("orders:read")));
        assert!(scope("orders:*").covers(&scope("orders:read:own")));
        assert!(scope("orders:*").covers(&scope("orders:*")));
        assert!(!scope("orders:*").covers(&scope("orders")));
        assert!(!scope("orders:*").covers(&scope("orders2:read")));
        assert!(!scope("orders:read").covers(&scope("orders:*")));
        assert!(scope("*").covers(&scope("anything:at:all")));
    }

    #[test]
    fn malformed_scopes_are_refused() {
        for wrong in ["", "Orders", "a b", "a::b", ":a", "a:", "*:a", "a:*:b", "a*", &"x".repeat(129)] {
            assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
        }
    }
}
