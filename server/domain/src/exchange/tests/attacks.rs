//! Tokens that somebody made up, bent or kept too long.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

use super::super::shelf::Issuer;
use super::*;
use crate::cast::both_engines;

fn coded(value: &Value) -> String {
    B64.encode(value.to_string())
}

/// HMAC with what everybody can read as the key.
fn hmac(key: &[u8], signed: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
    B64.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()))
}

#[tokio::test]
async fn a_signature_that_is_none_proves_nothing() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let claims = scene.claims();
        let good = scene.issuer.sign(&claims);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let mut cases =
            vec![format!("{signed}."), signed.to_owned(), format!("{good}."), format!("{good}.x")];
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let bare = format!("{}.{}", coded(&json!({ "alg": alg, "kid": "k1" })), coded(&claims));
            cases.extend([format!("{bare}."), format!("{bare}.{signature}")]);
        }
        // The public key as a shared secret, in each form somebody could take it in.
        let jwk = scene.issuer.jwk();
        for alg in ["HS256", "HS384", "HS512"] {
            let bare = format!("{}.{}", coded(&json!({ "alg": alg, "kid": "k1" })), coded(&claims));
            for key in [scene.issuer.jwks(), jwk.to_string(), jwk["x"].as_str().unwrap().to_owned()] {
                cases.push(format!("{bare}.{}", hmac(key.as_bytes(), &bare)));
            }
            cases.push(format!("{bare}.{}", hmac(&B64.decode(jwk["x"].as_str().unwrap()).unwrap(), &bare)));
        }
        // A good signature under another algorithm's name, and over other claims.
        for alg in ["ES384", "RS256", "PS256", "EdDSA", "ES512", "RS512"] {
            cases.push(scene.issuer.sign_with(&json!({ "alg": alg, "kid": "k1" }), &claims.to_string()));
        }
        let other = coded(&scene.but(json!({ "sub": "admin" })));
        cases.push(format!("{}.{other}.{signature}", signed.split('.').next().unwrap()));
        // Somebody else's key under the same name.
        cases.push(Issuer::new(URL, "k1", 8).sign(&claims));
        for case in &cases {
            assert!(scene.refuses(case).await, "{case}");
        }
        assert!(scene.exchange(&good).await.is_ok(), "after all that, the good one is good");
    })
    .await;
}

#[tokio::test]
async fn every_byte_of_a_token_matters() {
    let scene = Scene::with_rule(House::new(crate::cast::Engine::Sqlite).await).await;
    let good = scene.issuer.sign(&scene.claims());
    for at in 0..good.len() {
        let mut bent = good.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        assert!(scene.refuses(&bent).await, "byte {at}");
    }
    assert!(scene.exchange(&good).await.is_ok());
}

#[tokio::test]
async fn a_token_does_not_say_where_its_keys_are() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let evil = Issuer::new("https://evil.example", "e1", 66);
        evil.publish(&scene.house.shelf);
        let claims = scene.claims().to_string();
        let before = scene.house.shelf.fetched();
        for more in [
            json!({ "jku": evil.keys_url() }),
            json!({ "x5u": evil.keys_url() }),
            json!({ "jwk": evil.jwk() }),
            json!({ "crit": ["exp"] }),
            json!({ "crit": [], "b64": false }),
            json!({ "kid": "../../keys" }),
            json!({ "kid": "k1' OR '1'='1" }),
            json!({ "kid": evil.keys_url() }),
            json!({ "kid": 1 }),
            json!({ "kid": null }),
            json!({ "kid": "x".repeat(257) }),
            json!({ "typ": "at+jwt" }),
            json!({ "typ": ["JWT"] }),
        ] {
            let mut header = json!({ "alg": "ES256", "kid": "k1" });
            header.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            assert!(scene.refuses(&evil.sign_with(&header, &claims)).await, "{header}");
            let own = scene.issuer.sign_with(&header, &claims);
            assert!(scene.refuses(&own).await, "{header}");
        }
        assert!(
            scene.house.shelf.fetched() <= before + 2,
            "nothing but the issuer's own documents was fetched"
        );
        // An issuer that nobody trusts is asked for nothing.
        let before = scene.house.shelf.fetched();
        assert!(scene.refuses(&evil.sign(&scene.but(json!({ "iss": evil.url })))).await);
        assert_eq!(scene.house.shelf.fetched(), before);
    })
    .await;
}

#[tokio::test]
async fn claims_that_are_not_exactly_so_let_nobody_in() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let now = scene.house.now().timestamp();
        for others in [
            json!({ "iss": null }),
            json!({ "iss": "https://issuer.example/" }),
            json!({ "iss": "https://ISSUER.example" }),
            json!({ "iss": [URL] }),
            json!({ "aud": null }),
            json!({ "aud": "https://keys.example.com/" }),
            json!({ "aud": "https://other.example" }),
            json!({ "aud": [] }),
            json!({ "aud": [AUDIENCE, 7] }),
            json!({ "aud": [[AUDIENCE]] }),
            json!({ "aud": { AUDIENCE: true } }),
            json!({ "aud": vec![AUDIENCE; 21] }),
            json!({ "sub": null }),
            json!({ "sub": "Shop" }),
            json!({ "sub": "shop " }),
            json!({ "sub": "shop\u{0}" }),
            json!({ "sub": ["shop"] }),
            json!({ "exp": null }),
            json!({ "iat": null }),
            json!({ "exp": (now + 300).to_string() }),
            json!({ "exp": true }),
            json!({ "exp": -1 }),
            json!({ "exp": 1e300 }),
            json!({ "exp": now + 86_401 }),
            json!({ "exp": now, "iat": now }),
            json!({ "nbf": "soon" }),
        ] {
            assert!(scene.refuses(&scene.issuer.sign(&scene.but(others.clone()))).await, "{others}");
        }
        for others in [
            json!({ "aud": [AUDIENCE] }),
            json!({ "aud": ["https://kubernetes.default.svc", AUDIENCE] }),
            json!({ "exp": now + 86_400 }),
            json!({ "nbf": now }),
            json!({ "exp": f64::from(u32::try_from(now + 300).unwrap()) + 0.5 }),
            json!({ "jti": null }),
        ] {
            let exchanged = scene.exchange(&scene.issuer.sign(&scene.but(others.clone()))).await;
            assert!(exchanged.is_ok(), "{others}: {exchanged:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_clocks_may_differ_by_a_minute_and_no_more() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let now = scene.house.now().timestamp();
        for (times, good) in [
            (json!({ "iat": now - 300, "exp": now - 59 }), true),
            (json!({ "iat": now - 300, "exp": now - 60 }), false),
            (json!({ "iat": now + 60, "exp": now + 300 }), true),
            (json!({ "iat": now + 61, "exp": now + 300 }), false),
            (json!({ "nbf": now + 60 }), true),
            (json!({ "nbf": now + 61 }), false),
        ] {
            let token = scene.issuer.sign(&scene.but(times.clone()));
            assert_eq!(scene.exchange(&token).await.is_ok(), good, "{times}");
        }
    })
    .await;
}

#[tokio::test]
async fn texts_with_two_meanings_and_giants_are_not_read() {
    let scene = Scene::with_rule(House::new(crate::cast::Engine::Sqlite).await).await;
    let header = json!({ "alg": "ES256", "kid": "k1" });
    let claims = scene.claims().to_string();
    let twice = claims.replacen('{', r#"{"sub":"admin","#, 1);
    let escaped = claims.replacen('{', r#"{"s\u0075b":"admin","#, 1);
    for text in
        [twice, escaped, format!("{claims} {claims}"), format!("[{claims}]"), "null".into(), String::new()]
    {
        assert!(scene.refuses(&scene.issuer.sign_with(&header, &text)).await, "{text}");
    }
    let deep = claims.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(5_000), "]".repeat(5_000)), 1);
    let giant = scene.but(json!({ "x": "x".repeat(20_000) })).to_string();
    for text in [deep, giant] {
        assert!(scene.refuses(&scene.issuer.sign_with(&header, &text)).await);
    }
    let good = scene.issuer.sign(&scene.claims());
    for spelled in [
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen('.', "..", 1),
        good.replacen('.', "=.", 1),
        "x".repeat(1 << 20),
        ".".repeat(100),
        String::new(),
        "..".into(),
    ] {
        assert!(scene.refuses(&spelled).await, "{}", &spelled[..spelled.len().min(60)]);
    }
    assert!(scene.exchange(&good).await.is_ok());
}

#[tokio::test]
async fn a_token_is_exchanged_once_however_many_try() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let token = scene.issuer.sign(&scene.claims());
        let all = futures_util::future::join_all((0..40).map(|_| scene.exchange(&token))).await;
        let got = all.iter().filter(|it| it.is_ok()).count();
        assert_eq!(got, 1);
        assert!(all.iter().all(|it| matches!(it, Ok(_) | Err(ExchangeError::Invalid))), "{all:?}");
        // The same `jti` in another token is the same token; without one, what was signed counts.
        let claims = scene.but(json!({ "jti": "one" }));
        assert!(scene.exchange(&scene.issuer.sign(&claims)).await.is_ok());
        let mut again = claims.clone();
        again["more"] = json!(1);
        assert!(scene.refuses(&scene.issuer.sign(&again)).await);
        let nameless = scene.issuer.sign(&scene.but(json!({ "jti": null })));
        assert!(scene.exchange(&nameless).await.is_ok());
        assert!(scene.refuses(&nameless).await);
        // The mark outlives the token, and no longer.
        let op = || scene.house.domain.system_op("sweep");
        scene.house.clock.advance(std::time::Duration::from_secs(359));
        scene.house.domain.sweep(&op()).await.unwrap();
        assert!(scene.refuses(&token).await);
        assert_eq!(scene.house.rows().await["exchanged_tokens"], 3);
        scene.house.clock.advance(std::time::Duration::from_hours(2));
        scene.house.domain.sweep(&op()).await.unwrap();
        assert_eq!(scene.house.rows().await["exchanged_tokens"], 0);
        assert!(scene.refuses(&token).await, "it has expired");
    })
    .await;
}

#[tokio::test]
async fn another_projects_keys_spend_nobody_elses_tokens() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        // Somebody else trusts "the same issuer" by keys of their own, and knows the `jti` that will come.
        let forger = Issuer::new(URL, "k1", 99);
        let other = scene.house.project("other").await;
        let eve = scene.house.person("Eve", &[(Role::Manager, Some(other.id))]).await;
        let new = NewWorkload { name: "trap".parse().unwrap(), project: Some(other.id), role: None };
        let trap = scene.house.domain.create_workload(&eve.op(), new).await.unwrap();
        let given = crate::trust::GivenKeys::read(&forger.jwks()).unwrap();
        let own = Terms { keys: Keys::Given(given), ..terms("sub=shop") };
        scene.house.domain.create_trust_rule(&eve.op(), trap, own).await.unwrap();
        let claims = scene.but(json!({ "jti": "known" }));
        let forged = scene.exchange(&forger.sign(&claims)).await.unwrap();
        assert_eq!(
            scene.speaks(&forged).await,
            Some(trap),
            "their own keys let them in at their own place only"
        );
        let good = scene.exchange(&scene.issuer.sign(&claims)).await.unwrap();
        assert_eq!(scene.speaks(&good).await, Some(scene.workload));
    })
    .await;
}
