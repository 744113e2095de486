//! `POST /oauth2/token` (RFC 8693) and the rules behind it.

use keywarden_domain::{cast::both_engines, exchange::shelf::Issuer};
use keywarden_model::KeptForStranger;
use serde_json::{Value, json};

use super::{Answer, Api, without_ids};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

async fn ask(api: &Api, fields: &[(&str, &str)]) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    api.call("post", "/oauth2/token").header("content-type", FORM).send(form.finish()).await
}

async fn exchange(api: &Api, token: &str) -> Answer {
    ask(api, &[("grant_type", GRANT), ("subject_token_type", JWT), ("subject_token", token)]).await
}

/// A workload with a rule, by the API alone: the rules' address, and the issuer.
async fn stage(api: &Api) -> (String, Issuer) {
    let issuer = Issuer::new("https://issuer.example", "k1", 7);
    issuer.publish(&api.house.shelf);
    let workload = json!({ "name": "shop", "project": "pay", "role": "verifier" });
    let workload = api.post("/api/v1/workloads", workload).await.json();
    let rules = format!("/api/v1/workloads/{}/rules", workload["id"].as_str().unwrap());
    let rule = json!({ "issuer": issuer.url, "claims": { "sub": "shop" } });
    let made = api.post(&rules, rule).await;
    assert_eq!(made.status, 201, "{made:?}");
    (rules, issuer)
}

fn claims(api: &Api, sub: &str) -> Value {
    let now = api.house.now().timestamp();
    json!({ "iss": "https://issuer.example", "aud": "https://keys.example.com", "sub": sub, "iat": now, "exp": now + 300 })
}

#[tokio::test]
async fn a_platforms_token_becomes_a_service_token_that_works() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, issuer) = stage(&api).await;
        let answer = exchange(&api, &issuer.sign(&claims(&api, "shop"))).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        insta::assert_json_snapshot!("exchanged", answer.shown());
        let (_, key) = api.issue("Checkout", json!({})).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let verified =
            api.call("post", "/api/v1/keys/verify").bearer(&token).json(json!({ "key": key })).await;
        assert_eq!(verified.json()["valid"], true);
    })
    .await;
}

#[tokio::test]
async fn a_platforms_token_opens_nothing_until_it_is_exchanged() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, issuer) = stage(&api).await;
        let token = issuer.sign(&claims(&api, "shop"));
        for path in ["/api/v1/projects", "/api/v1/keys", "/api/v1/secrets"] {
            let answer = api.call("get", path).bearer(&token).send("").await;
            assert_eq!(answer.status, 401, "{path}: {answer:?}");
        }
        let (_, key) = api.issue("Checkout", json!({})).await;
        let asks = async |by: &str| {
            api.call("post", "/api/v1/keys/verify").bearer(by).json(json!({ "key": key })).await
        };
        assert_eq!(asks(&token).await.status, 401);
        let exchanged = exchange(&api, &token).await.json();
        assert_eq!(asks(exchanged["access_token"].as_str().unwrap()).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_the_question_is_said_in_the_words_of_oauth() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let good = [("grant_type", GRANT), ("subject_token_type", JWT), ("subject_token", "a.b.c")];
        let mut told = Vec::new();
        let but = |name: &'static str, value: &'static str| {
            let mut fields: Vec<_> = good.into_iter().filter(|(it, _)| *it != name).collect();
            fields.push((name, value));
            fields
        };
        for fields in [
            vec![],
            but("grant_type", ""),
            but("grant_type", "client_credentials"),
            but("subject_token_type", ""),
            but("subject_token_type", "urn:ietf:params:oauth:token-type:saml2"),
            but("subject_token", ""),
            but("subject_token", "a.b.c"),
            but("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
            but("audience", "https://other.example"),
            but("resource", "https://other.example"),
            but("scope", "admin"),
            but("actor_token", "x"),
            but("client_id", "shop"),
            [&good[..], &[("subject_token", "d.e.f")]].concat(),
        ] {
            let answer = ask(&api, &fields).await;
            assert_eq!(answer.status, 400, "{fields:?}: {answer:?}");
            told.push(json!([fields.last(), answer.json()]));
        }
        insta::assert_json_snapshot!("errors", told);
        let json = api.call("post", "/oauth2/token").json(json!({})).await;
        assert_eq!((json.status.as_u16(), json.json()["error"].as_str()), (400, Some("invalid_request")));
        let call = api.call("post", "/oauth2/token").header("content-type", FORM);
        assert_eq!(call.send("x".repeat(64 * 1024 + 1)).await.status, 413);
    })
    .await;
}

#[tokio::test]
async fn strangers_learn_nothing_from_a_refusal_and_it_counts_against_them() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, issuer) = stage(&api).await;
        let forger = Issuer::new(&issuer.url, "k1", 9);
        let unknown = Issuer::new("https://unknown.example", "k1", 9);
        let late = json!({ "iss": issuer.url, "aud": "https://keys.example.com", "sub": "shop", "iat": 1, "exp": 2 });
        let mut told = Vec::new();
        for token in [
            "a.b.c".to_owned(),
            issuer.sign(&claims(&api, "other")),
            issuer.sign(&late),
            forger.sign(&claims(&api, "shop")),
            unknown.sign(&claims(&api, "shop")),
        ] {
            told.push(exchange(&api, &token).await.told());
        }
        assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
        insta::assert_json_snapshot!("refused", (told[0].0.as_u16(), &told[0].1, &told[0].2));
        let answer = ask(&api, &[]).await;
        assert!(answer.extensions.get::<KeptForStranger>().is_some(), "the door counts it");
        // A service token shown at this door is not looked at.
        let call = api.call("post", "/oauth2/token").header("content-type", FORM).bearer("kws_nobody");
        assert_eq!(call.send("").await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn rules_are_made_shown_edited_and_deleted() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (rules, issuer) = stage(&api).await;
        let listed = api.get(&rules).await;
        insta::assert_json_snapshot!("rules", without_ids(&listed.json()));
        let rule = format!("{rules}/{}", listed.json()["items"][0]["id"].as_str().unwrap());
        assert_eq!(exchange(&api, &issuer.sign(&claims(&api, "other"))).await.status, 400);
        let shown = api.get(&rule).await;
        assert_eq!(shown.header("etag"), "\"1\"");
        insta::assert_json_snapshot!("rule", without_ids(&shown.json()));

        let patch = json!({ "claims": { "sub": "other" }, "jwks": issuer.jwks(), "single_use": false });
        let call = api.call("patch", &rule).bearer(&api.olga).header("if-match", "\"1\"");
        let edited = call.json(patch.clone()).await;
        assert_eq!((edited.status.as_u16(), edited.header("etag")), (200, "\"2\""), "{edited:?}");
        let stale = api.call("patch", &rule).bearer(&api.olga).header("if-match", "\"1\"").json(patch).await;
        assert_eq!(stale.status, 412);
        let token = issuer.sign(&claims(&api, "other"));
        for _ in 0..2 {
            assert_eq!(exchange(&api, &token).await.status, 200);
        }
        let by_address = api.patch(&rule, json!({ "jwks_url": "https://issuer.example/keys" })).await.json();
        assert!(by_address.get("jwks").is_none(), "one kind of keys replaces the other: {by_address}");
        let discovered = api.patch(&rule, json!({ "jwks_url": null })).await.json();
        assert!(discovered.get("jwks_url").is_none());
        let deleted = api.call("delete", &rule).bearer(&api.olga).send("").await;
        assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
        assert_eq!(api.get(&rule).await.status, 404);
        assert_eq!(exchange(&api, &token).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn every_flaw_of_a_rule_is_told_at_once() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (rules, issuer) = stage(&api).await;
        let mut told = Vec::new();
        for rule in [
            json!({ "issuer": "http://a.example", "audience": "a b", "claims": {}, "jwks": "{}" }),
            json!({ "issuer": issuer.url, "claims": { "sub": "repo:octo-org*" } }),
            json!({ "issuer": issuer.url, "claims": { "repository": "octo-org/*" } }),
            json!({ "issuer": issuer.url, "claims": { "aud": "x" } }),
            json!({ "issuer": issuer.url, "claims": { "sub": "x" }, "jwks": "{}", "jwks_url": issuer.url }),
            json!({ "issuer": "https://token.actions.githubusercontent.com", "claims": { "ref": "refs/heads/main" } }),
        ] {
            let answer = api.post(&rules, rule).await;
            assert_eq!(answer.status, 422, "{answer:?}");
            told.push(answer.json()["errors"].clone());
        }
        insta::assert_json_snapshot!("flaws", told);
    })
    .await;
}
