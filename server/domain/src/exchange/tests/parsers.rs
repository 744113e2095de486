//! Tokens and keys of issuers outside, changed by chance (S-28).

use keywarden_garble::{bytes, texts};
use serde_json::json;

use super::super::key_set::KeySet;
use super::super::presented::Presented;
use super::super::shelf::Issuer;
use super::URL;

#[test]
fn tokens_are_taken_apart_and_only_the_signed_one_is_proven() {
    let issuer = Issuer::new(URL, "k1", 7);
    let keys = KeySet::read(issuer.jwks().as_bytes()).unwrap();
    let token = issuer.sign(&json!({ "iss": URL, "sub": "shop", "aud": ["x", "y"], "exp": 1_900_000_000 }));
    let (header, claims) = (json!({ "alg": "ES256", "kid": "k2", "crit": [] }), r#"{"sub":1,"sub":2}"#);
    let strange = issuer.sign_with(&header, claims);
    texts(&[&token, &strange], |text| {
        let Some(presented) = Presented::read(text) else { return };
        assert!(text.len() <= 16 * 1024 && text.matches('.').count() == 2);
        let _read = (presented.text("sub"), keys.knows(&presented));
        // Base64 has one spelling here, so no other text is this token.
        assert_eq!(keys.proves(&presented), text == token, "{text}");
    });
}

#[test]
fn sets_of_keys_are_read_or_refused() {
    let issuer = Issuer::new(URL, "k1", 7);
    let token = issuer.sign(&json!({ "sub": "shop" }));
    let presented = Presented::read(&token).unwrap();
    let rsa = json!({ "keys": [
        { "kty": "RSA", "n": "AQAB".repeat(90), "e": "AQAB", "use": "sig", "kid": "r" },
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        { "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" },
        { "kty": "oct", "k": "AA" },
    ] });
    let own: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
    bytes(&[own.to_string(), rsa.to_string()], |input| match KeySet::read(input) {
        Ok(set) => assert!(!set.proves(&presented) || set.knows(&presented)),
        Err(error) => assert!(!error.to_string().is_empty()),
    });
}
