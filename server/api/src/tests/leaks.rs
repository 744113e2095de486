//! `POST /api/v1/leaks`

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_leaked_value_is_told_to_who_may_act_on_it_and_to_nobody_else() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, key) = api.issue("Checkout", json!({})).await;
        let line = format!("curl -H 'Authorization: Bearer {key}' https://example.com");
        let found = api.post("/api/v1/leaks", json!({ "value": line })).await;
        assert_eq!((found.status.as_u16(), &found.json()["key"]["id"]), (200, &json!(id)));
        assert_eq!((&found.json()["may_rotate"], &found.json()["may_revoke"]), (&json!(true), &json!(true)));
        assert!(!found.body.contains(&key));
        assert_eq!(found.json()["may_stop"], false);
        let nothing = json!({ "found": false, "may_rotate": false, "may_stop": false, "may_revoke": false, "more": false });
        let unknown = api.post("/api/v1/leaks", json!({ "value": "kwk_live_000000000000_0" })).await;
        assert_eq!((unknown.status.as_u16(), unknown.json()), (200, nothing));
        let token = super::token(&api.house, "pump", Role::Verifier, Some(&api.pay)).await;
        let found = api.post("/api/v1/leaks", json!({ "value": format!("TOKEN={token}") })).await;
        assert_eq!(
            (&found.json()["token"]["state"], &found.json()["may_revoke"]),
            (&json!("active"), &json!(true))
        );
        assert!(
            found.json()["workload"].as_str().unwrap().starts_with("wkl_") && !found.body.contains(&token)
        );
        let auditor = super::token(&api.house, "audrey", Role::Auditor, None).await;
        let call = api.call("post", "/api/v1/leaks").bearer(&auditor);
        assert_eq!(call.json(json!({ "value": key })).await.json(), unknown.json());
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_too_long_or_holds_too_much_to_be_looked_through_is_refused_and_not_called_clean() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, key) = api.issue("Checkout", json!({})).await;
        let text = |length: usize| format!("{} {key}", "x".repeat(length - key.len() - 1));
        let found = api.post("/api/v1/leaks", json!({ "value": text(64 * 1024) })).await;
        assert_eq!((found.status.as_u16(), &found.json()["key"]["id"]), (200, &json!(id)));
        let many: Vec<_> = (0..129).map(|_| api.house.made_up_key()).collect();
        for value in [text(64 * 1024 + 1), format!("{} {key}", many.join(" "))] {
            let refused = api.post("/api/v1/leaks", json!({ "value": value })).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]),
                (422, &json!("/value"))
            );
            assert!(refused.body.contains("in parts") && !refused.body.contains(&key), "{}", refused.body);
        }
    })
    .await;
}

/// A scanner's token of a project is as good as an administrator's for the keys that it may act on.
#[tokio::test]
async fn a_workload_of_a_project_is_told_of_its_keys_and_of_no_others() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, key) = api.issue("Checkout", json!({})).await;
        let look = async |token: &str, value: &str| {
            let answer =
                api.call("post", "/api/v1/leaks").bearer(token).json(json!({ "value": value })).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let issuer = super::token(&api.house, "izzy", Role::Issuer, Some(&api.pay)).await;
        for token in [&api.alice, &issuer] {
            let found = look(token, &key).await;
            assert_eq!((&found["found"], &found["key"]["id"]), (&json!(true), &json!(id)), "{found}");
            assert_eq!((&found["may_rotate"], &found["may_revoke"]), (&json!(true), &json!(true)));
        }
        for token in [&api.mallory, &api.vera] {
            assert_eq!(look(token, &key).await, look(token, "kwk_live_000000000000_0").await);
        }
        // An old value is stopped alone: a rotation would end the current one in its place.
        api.post(&format!("/api/v1/keys/{id}/rotate"), json!({ "overlap_seconds": 600 })).await;
        let old = look(&api.alice, &key).await;
        assert_eq!((&old["may_rotate"], &old["may_stop"]), (&json!(false), &json!(true)));
    })
    .await;
}
