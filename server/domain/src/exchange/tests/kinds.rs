//! Each kind of signature that is taken, made by another library's keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

use super::*;

fn rsa(size: KeySize) -> (RsaKeyPair, Value) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let jwk = json!({
        "kty": "RSA", "kid": "rsa",
        "n": B64.encode(n.big_endian_without_leading_zero()),
        "e": B64.encode(e.big_endian_without_leading_zero()),
    });
    (pair, jwk)
}

fn token(alg: &str, kid: &str, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let coded = |value: &Value| B64.encode(value.to_string());
    let signed = format!("{}.{}", coded(&json!({ "alg": alg, "kid": kid })), coded(claims));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", B64.encode(signature))
}

#[tokio::test]
async fn each_allowed_kind_of_signature_lets_in_and_no_other_does() {
    let scene = Scene::with_rule(House::new(crate::cast::Engine::Sqlite).await).await;
    let random = SystemRandom::new();
    let (pair, rsa_jwk) = rsa(KeySize::Rsa2048);
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let point = p384.public_key().as_ref();
    let p384_jwk = json!({
        "kty": "EC", "crv": "P-384", "kid": "p384",
        "x": B64.encode(&point[1..49]), "y": B64.encode(&point[49..97]),
    });
    let ed = Ed25519KeyPair::generate().unwrap();
    let ed_jwk =
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": B64.encode(ed.public_key().as_ref()) });
    let set = json!({ "keys": [rsa_jwk, p384_jwk, ed_jwk, scene.issuer.jwk()] });
    scene.house.shelf.put(&scene.issuer.keys_url(), set.to_string());

    let pkcs1 = |signed: &[u8]| {
        let mut out = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut out).unwrap();
        out
    };
    let pss = |signed: &[u8]| {
        let mut out = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &random, signed, &mut out).unwrap();
        out
    };
    let ecdsa = |signed: &[u8]| p384.sign(&random, signed).unwrap().as_ref().to_vec();
    let eddsa = |signed: &[u8]| ed.sign(signed).as_ref().to_vec();
    for good in [
        token("RS256", "rsa", &scene.claims(), pkcs1),
        token("PS256", "rsa", &scene.claims(), pss),
        token("ES384", "p384", &scene.claims(), ecdsa),
        token("EdDSA", "ed", &scene.claims(), eddsa),
        scene.issuer.sign(&scene.claims()),
    ] {
        let exchanged = scene.exchange(&good).await;
        assert!(exchanged.is_ok(), "{good}: {exchanged:?}");
    }
    for bad in [
        token("PS256", "rsa", &scene.claims(), pkcs1),
        token("RS256", "rsa", &scene.claims(), pss),
        token("RS512", "rsa", &scene.claims(), pkcs1),
        token("ES256", "p384", &scene.claims(), ecdsa),
        token("ES384", "k1", &scene.claims(), ecdsa),
        token("EdDSA", "rsa", &scene.claims(), eddsa),
        token("RS256", "ed", &scene.claims(), pkcs1),
    ] {
        assert!(scene.refuses(&bad).await, "{bad}");
    }
}

#[test]
fn a_key_says_what_it_is_for_and_weak_ones_are_none() {
    let (_, strong) = rsa(KeySize::Rsa2048);
    let read =
        |key: Value| super::super::KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).map(drop);
    let but = |name: &str, value: Value| {
        let mut key = strong.clone();
        key[name] = value;
        key
    };
    assert_eq!(read(strong.clone()), Ok(()));
    assert_eq!(read(but("use", json!("sig"))), Ok(()));
    let none = Err(super::super::KeySetError::NoKey);
    for weak in [
        but("use", json!("enc")),
        but("n", json!(B64.encode([0xff_u8; 128]))),
        but("n", json!(B64.encode([0xff_u8; 2_048]))),
        but("n", json!("not base64!")),
        but("kty", json!("oct")),
        but("kty", json!("EC")),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({}),
    ] {
        assert_eq!(read(weak.clone()), none, "{weak}");
    }
}
