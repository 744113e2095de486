//! For tests: documents of issuers by their address, and an issuer that signs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keywarden_model::HttpsUrl;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};

use super::{Fetch, FetchError};

/// What lies at which address, and how often it was fetched.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Mutex<Lies>>);

#[derive(Debug, Default)]
struct Lies {
    documents: BTreeMap<String, Vec<u8>>,
    fetched: u64,
}

impl Shelf {
    /// Puts a document there, in place of the one before.
    pub fn put(&self, url: &str, document: impl Into<Vec<u8>>) {
        self.lies(|it| it.documents.insert(url.to_owned(), document.into()));
    }

    /// Nothing answers at any address any more.
    pub fn clear(&self) {
        self.lies(|it| it.documents.clear());
    }

    /// How often somebody fetched.
    pub fn fetched(&self) -> u64 {
        self.lies(|it| it.fetched)
    }

    fn lies<T>(&self, look: impl FnOnce(&mut Lies) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Fetch for Shelf {
    async fn fetch(&self, url: &HttpsUrl) -> Result<Vec<u8>, FetchError> {
        self.lies(|it| {
            it.fetched = it.fetched.saturating_add(1);
            it.documents.get(url.as_str()).cloned().ok_or_else(|| FetchError(format!("{url}: nothing there")))
        })
    }
}

/// An issuer with one P-256 key.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Its address.
    pub url: String,
    /// The name of its key.
    pub kid: String,
    key: SigningKey,
}

#[expect(clippy::expect_used, reason = "it is for tests: what fails here fails the test")]
impl Issuer {
    /// One with a key made of this number.
    pub fn new(url: &str, kid: &str, seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed.max(1); 32]).expect("a scalar");
        Self { url: url.to_owned(), kid: kid.to_owned(), key }
    }

    /// Its public key.
    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let coded = |part: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(part.expect("a coordinate"));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": coded(point.x()), "y": coded(point.y()) })
    }

    /// Its set of keys.
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// Where its keys are, once published.
    pub fn keys_url(&self) -> String {
        format!("{}/keys", self.url)
    }

    /// Puts its discovery document and its keys on the shelf.
    pub fn publish(&self, shelf: &Shelf) {
        let discovery = json!({ "issuer": self.url, "jwks_uri": self.keys_url() });
        shelf.put(&format!("{}/.well-known/openid-configuration", self.url), discovery.to_string());
        shelf.put(&self.keys_url(), self.jwks());
    }

    /// A token with this header and these claims.
    pub fn sign_with(&self, header: &Value, claims: &str) -> String {
        let coded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", coded(&header.to_string()), coded(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid }), &claims.to_string())
    }
}
