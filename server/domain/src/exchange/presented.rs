//! A token as it was shown: read, and proven by nothing yet.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keywarden_model::Strict;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;

/// The longest token that is read at all.
const LONGEST: usize = 16 * 1024;
/// The longest name of a key.
const LONGEST_KID: usize = 256;
/// Names in a header that would say where keys come from, or that more must be understood (RFC 7515, 4.1).
const NOT_TAKEN: [&str; 5] = ["b64", "crit", "jku", "jwk", "x5u"];

/// A JWS in compact form whose header and claims are objects without second meanings.
pub(super) struct Presented<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
    /// What the signature is over.
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Presented<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') || signature.is_empty() {
            return None;
        }
        let header = object(header)?;
        if NOT_TAKEN.iter().any(|name| header.contains_key(*name)) {
            return None;
        }
        let kind = header.get("typ").map(Value::as_str);
        if !kind.is_none_or(|kind| kind.is_some_and(|kind| kind.eq_ignore_ascii_case("jwt"))) {
            return None;
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= LONGEST_KID => Some(kid.clone()),
            Some(_) => return None,
        };
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named)?;
        Some(Self { algorithm, kid, claims: object(claims)?, signed, signature })
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Strict(Value::Object(object)) => Some(object),
        Strict(_) => None,
    }
}
