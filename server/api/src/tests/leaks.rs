//! `POST /api/v1/leaks`

use keywarden_domain::cast::both_engines;
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
        let nothing = json!({ "found": false, "may_rotate": false, "may_revoke": false });
        let unknown = api.post("/api/v1/leaks", json!({ "value": "kwk_live_000000000000_0" })).await;
        assert_eq!((unknown.status.as_u16(), unknown.json()), (200, nothing));
        let token = super::token(&api.house, "pump", keywarden_model::Role::Verifier, Some(&api.pay)).await;
        let found = api.post("/api/v1/leaks", json!({ "value": format!("TOKEN={token}") })).await;
        assert_eq!(
            (&found.json()["token"]["state"], &found.json()["may_revoke"]),
            (&json!("active"), &json!(true))
        );
        assert!(
            found.json()["workload"].as_str().unwrap().starts_with("wkl_") && !found.body.contains(&token)
        );
        let auditor = super::token(&api.house, "audrey", keywarden_model::Role::Auditor, None).await;
        let call = api.call("post", "/api/v1/leaks").bearer(&auditor);
        assert_eq!(call.json(json!({ "value": key })).await.json(), unknown.json());
    })
    .await;
}
