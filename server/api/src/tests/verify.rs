//! `POST /api/v1/keys/verify`: every code, end to end.

use std::time::Duration;

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::{Api, Call, door, token, without_ids};

#[tokio::test]
async fn a_good_key_answers_all_that_is_known_of_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let more = json!({
            "tags": ["team=payments"], "metadata": { "plan": "gold" }, "expires_at": "2027-06-30T00:00:00Z",
            "rate_limit": { "limit": 10, "window_seconds": 60 },
        });
        let (_, key) = api.issue("Checkout", more).await;
        let told =
            api.verify(&key, json!({ "scopes": ["orders:read"], "ip": "198.51.100.7", "caller": "x" })).await;
        insta::assert_json_snapshot!("valid", without_ids(&told));
    })
    .await;
}

#[tokio::test]
async fn each_code_has_its_cause() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let code = async |key: &str, more| api.verify(key, more).await["code"].as_str().unwrap().to_owned();
        let (id, key) = api.issue("Plain", json!({})).await;
        assert_eq!(code(&key, json!({})).await, "valid");
        assert_eq!(code(&key, json!({ "scopes": ["refunds:write"] })).await, "insufficient_scope");

        let (_, ranged) = api.issue("Ranged", json!({ "allowed_cidrs": ["10.0.0.0/8"] })).await;
        assert_eq!(code(&ranged, json!({})).await, "ip_not_allowed");
        assert_eq!(code(&ranged, json!({ "ip": "11.0.0.1" })).await, "ip_not_allowed");
        assert_eq!(code(&ranged, json!({ "ip": "10.0.0.1" })).await, "valid");
        assert_eq!(code(&ranged, json!({ "ip": "::ffff:10.0.0.1" })).await, "valid");

        let (_, early) = api.issue("Early", json!({ "not_before": "2027-01-15T09:00:00Z" })).await;
        assert_eq!(code(&early, json!({})).await, "not_yet_valid");

        let (_, brief) = api.issue("Brief", json!({ "expires_at": "2027-01-15T08:30:00Z" })).await;
        assert_eq!(code(&brief, json!({})).await, "valid");

        let (_, limited) =
            api.issue("Limited", json!({ "rate_limit": { "limit": 2, "window_seconds": 60 } })).await;
        assert_eq!(code(&limited, json!({})).await, "valid");
        assert_eq!(code(&limited, json!({})).await, "valid");
        let over = api.verify(&limited, json!({})).await;
        assert_eq!((&over["code"], &over["rate_limit"]["remaining"]), (&json!("rate_limited"), &json!(0)));

        api.house.clock.advance(Duration::from_mins(30));
        assert_eq!(code(&brief, json!({})).await, "expired");
        api.house.clock.advance(Duration::from_mins(30));
        assert_eq!(code(&early, json!({})).await, "valid");

        api.post(&format!("/api/v1/keys/{id}/suspend"), json!({})).await;
        assert_eq!(code(&key, json!({})).await, "suspended");
        api.post(&format!("/api/v1/keys/{id}/resume"), json!({})).await;
        assert_eq!(code(&key, json!({})).await, "valid");
        api.post(&format!("/api/v1/keys/{id}/revoke"), json!({})).await;
        assert_eq!(code(&key, json!({})).await, "revoked");
    })
    .await;
}

#[tokio::test]
async fn unknown_wrong_and_foreign_values_are_told_alike() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, key) = api.issue("Checkout", json!({})).await;
        let (_, twin) = api.issue("Twin", json!({})).await;
        let stranger =
            token(&api.house, "stranger", Role::Verifier, Some(&api.house.project("third").await)).await;
        let foreign = api.call("post", "/api/v1/keys/verify").bearer(&stranger);
        let foreign = foreign.json(json!({ "key": key })).await;
        insta::assert_json_snapshot!("not_found", foreign.shown());
        let crossed = format!("{}{}", &key[..key.len() - 49], &twin[twin.len() - 49..]);
        for wrong in ["", "x", &key[1..], &crossed, &api.vera, &format!("{key} "), &key.to_uppercase()] {
            let answer = api.call("post", "/api/v1/keys/verify").bearer(&api.vera);
            let answer = answer.json(json!({ "key": wrong })).await;
            assert_eq!(answer.told(), foreign.told(), "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_may_verify_nowhere_is_told_so() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let auditor = token(&api.house, "audrey", Role::Auditor, None).await;
        let call = api.call("post", "/api/v1/keys/verify").bearer(&auditor);
        let answer = call.json(json!({ "key": "x" })).await;
        insta::assert_json_snapshot!("may_not_verify", answer.shown());
    })
    .await;
}

#[tokio::test]
async fn a_question_is_read_as_strictly_as_all_else() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ask = async |body: &str| {
            let call = api.call("post", "/api/v1/keys/verify").bearer(&api.vera);
            call.header("content-type", "application/json").send(body.to_owned()).await
        };
        for (body, status, pointer) in [
            ("", 400, None),
            ("[", 400, None),
            (r#"{"key":"a","key":"b"}"#, 400, None),
            (r#"{"key":"a"} x"#, 400, None),
            ("{}", 422, Some("")),
            (r#"["a"]"#, 422, Some("")),
            (r#" ["a", ["orders:read"], null, null]"#, 422, Some("")),
            (r#"{"key":7}"#, 422, Some("/key")),
            (r#"{"key":"a","ip":"10.0.0.256"}"#, 422, Some("/ip")),
            (r#"{"key":"a","scopes":["A B"]}"#, 422, Some("/scopes")),
            (r#"{"key":"a","project":"pay"}"#, 422, Some("")),
        ] {
            let answer = ask(body).await;
            assert_eq!(answer.status, status, "{body} {answer:?}");
            let told = answer.json();
            assert_eq!(told["errors"][0]["pointer"].as_str(), pointer, "{body} {answer:?}");
            assert!(told["instance"].as_str().unwrap().starts_with("req_"), "{body}");
        }
        let deep = format!(r#"{{"key":"a","scopes":{}"#, "[".repeat(100_000));
        assert!(ask(&deep).await.status.is_client_error());
        let long = format!(r#"{{"key":"{}"}}"#, "x".repeat(32 * 1024 * 1024));
        assert_eq!(ask(&long).await.status, 413);
    })
    .await;
}

#[tokio::test]
async fn a_patient_node_goes_on_answering_while_the_database_is_away_and_says_as_of_when() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let patient = |settings: &mut keywarden_domain::Settings| {
            settings.verify_max_staleness = Duration::from_mins(1);
        };
        let node = api.house.neighbour_with(patient).await;
        let there = door(&node);
        let limit = json!({ "rate_limit": { "limit": 3, "window_seconds": 60 } });
        let (_, key) = api.issue("Checkout", limit).await;
        let at = |method, path| Call::at(&there, &node, method, path);
        let ask = async |token: &str| {
            at("post", "/api/v1/keys/verify").bearer(token).json(json!({ "key": key })).await
        };
        let fresh = ask(&api.vera).await.json();
        assert_eq!((&fresh["code"], fresh.get("as_of")), (&json!("valid"), None));
        api.house.clock.advance(Duration::from_secs(40));
        let mut held = Vec::new();
        while let Ok(conn) = node.store.read().await {
            held.push(conn);
        }

        let stale = ask(&api.vera).await;
        assert_eq!(stale.status, 200, "{stale:?}");
        assert_eq!(stale.json()["code"], "valid");
        assert_eq!(stale.json()["as_of"], "2027-01-15T08:00:00Z");
        let form = format!("token={key}");
        let introspected = at("post", "/oauth2/introspect")
            .bearer(&api.vera)
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)
            .await;
        assert_eq!(introspected.json()["active"], true, "{introspected:?}");
        let authorized =
            at("get", "/api/v1/keys/authorize").bearer(&api.vera).header("x-api-key", &key).send("").await;
        // The node counts by itself, and three are used.
        assert_eq!(
            (authorized.status.as_u16(), authorized.header("x-keywarden-code")),
            (403, "rate_limited")
        );
        let unknown = ask(&api.alice).await;
        assert_eq!(unknown.status, 503, "a token that is not in memory proves nobody: {unknown:?}");
        let managing = at("get", "/api/v1/projects").bearer(&api.vera).send("").await;
        assert_eq!(managing.status, 503, "patience is for verifying alone: {managing:?}");
        drop(held);
    })
    .await;
}
