//! An issuer's public keys (RFC 7517).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use keywarden_model::Strict;
use serde_json::{Map, Value};

use super::algorithm::KeyKind;
use super::presented::Presented;

/// The most keys of one set.
const MOST: usize = 100;
/// Keys that are tried for one token: those that fit it by name and kind.
const TRIED: usize = 4;
/// RSA moduli, in bytes: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Members that only private or shared keys have.
const PRIVATE: [&str; 3] = ["d", "k", "p"];

/// The keys of a set that can prove a token; others in it are passed over.
pub(crate) struct KeySet {
    keys: Vec<Key>,
    /// Whether a private or shared key stands among them.
    private: bool,
}

struct Key {
    kid: Option<String>,
    alg: Option<String>,
    kind: KeyKind,
    decodes: DecodingKey,
}

/// Why a document is no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It has none that could prove a token.
    #[error("no key in it can prove a token: RSA of at least 2048 bits, P-256, P-384 or Ed25519")]
    NoKey,
    /// It is no JSON, or no JWKS.
    #[error("this is no JWKS: `{{\"keys\": […]}}`")]
    NoSet,
    /// It holds a private key.
    #[error("a private key stands in it: give only public keys, and replace that key, for it has been shown")]
    Private,
    /// Too long.
    #[error("use at most 64 KiB")]
    TooLong,
    /// More than [`MOST`].
    #[error("use at most 100 keys")]
    TooMany,
}

impl KeySet {
    /// Reads a set.
    pub(crate) fn read(document: &[u8]) -> Result<Self, KeySetError> {
        let Ok(Strict(Value::Object(set))) = serde_json::from_slice(document) else {
            return Err(KeySetError::NoSet);
        };
        let Some(Value::Array(listed)) = set.get("keys") else { return Err(KeySetError::NoSet) };
        if listed.len() > MOST {
            return Err(KeySetError::TooMany);
        }
        let objects = || listed.iter().filter_map(Value::as_object);
        let private = objects().any(|key| PRIVATE.iter().any(|name| key.contains_key(*name)));
        let keys: Vec<_> = objects().filter_map(Key::read).collect();
        if keys.is_empty() && !private {
            return Err(KeySetError::NoKey);
        }
        Ok(Self { keys, private })
    }

    /// Whether somebody put a private key where everybody can read it.
    pub(crate) fn holds_private(&self) -> bool {
        self.private
    }

    /// Whether a key in here may be the one that the token names.
    pub(super) fn knows(&self, token: &Presented<'_>) -> bool {
        self.fitting(token).next().is_some()
    }

    /// Whether one of these keys made the token's signature.
    pub(super) fn proves(&self, token: &Presented<'_>) -> bool {
        self.fitting(token).take(TRIED).any(|key| {
            let algorithm = token.algorithm.of_crate();
            jsonwebtoken::crypto::verify(token.signature, token.signed.as_bytes(), &key.decodes, algorithm)
                .unwrap_or(false)
        })
    }

    /// Keys of the token's kind and name. A token that names none fits only the one key there is.
    fn fitting<'a>(&'a self, token: &'a Presented<'_>) -> impl Iterator<Item = &'a Key> {
        let fits = move |key: &&Key| {
            key.kind == token.algorithm.key_kind()
                && key.alg.as_deref().is_none_or(|alg| alg == token.algorithm.name())
        };
        let only = self.keys.iter().filter(fits).count() == 1;
        self.keys.iter().filter(fits).filter(move |key| match &token.kid {
            Some(kid) => key.kid.as_ref() == Some(kid),
            None => only,
        })
    }
}

impl Key {
    fn read(listed: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| listed.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig")
            || PRIVATE.iter().any(|name| listed.contains_key(*name))
        {
            return None;
        }
        let kind = match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => KeyKind::P256,
            ("EC", Some("P-384")) => KeyKind::P384,
            ("OKP", Some("Ed25519")) => KeyKind::Ed25519,
            ("RSA", None) => KeyKind::Rsa,
            _ => return None,
        };
        if kind == KeyKind::Rsa {
            let modulus = URL_SAFE_NO_PAD.decode(text("n")?).ok()?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            MODULUS.contains(&length).then_some(())?;
        }
        // Only what makes the key: what else a set says of it is not heeded.
        let members = ["crv", "e", "kty", "n", "x", "y"];
        let bare = members.iter().filter_map(|name| Some(((*name).to_owned(), listed.get(*name)?.clone())));
        let jwk: Jwk = serde_json::from_value(Value::Object(bare.collect())).ok()?;
        let decodes = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: text("kid").map(Into::into), alg: text("alg").map(Into::into), kind, decodes })
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({})", self.keys.len())
    }
}
