//! Standards at this door: what they refuse is told at its field, and what breaks them is listed.

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::{Answer, Api};

const STANDARDS: &str = "/api/v1/standards";

fn broken(answer: &Answer, pointer: &str, says: &str) {
    assert!(answer.json()["type"].as_str().unwrap().ends_with("#breaks-standard"), "{answer:?}");
    refused(answer, pointer, says);
}

fn refused(answer: &Answer, pointer: &str, says: &str) {
    assert_eq!(answer.status, 422, "{answer:?}");
    let told = &answer.json()["errors"][0];
    assert_eq!(told["pointer"], json!(pointer), "{answer:?}");
    assert!(told["detail"].as_str().unwrap().contains(says), "{answer:?}");
}

fn key(name: &str, more: &Value) -> Value {
    let mut key = json!({ "project": "pay", "environment": "live", "name": name });
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    key
}

#[tokio::test]
async fn what_a_standard_refuses_is_told_at_its_field() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let old = api.post("/api/v1/keys", key("Checkout", &json!({}))).await.json();
        let rules = json!({
            "key_names": "pay-.*", "key_lifetime_days": 30, "tags": ["cost"], "approved_scopes": ["refunds:*"],
            "secret_names": "[a-z]+/[a-z]+",
        });
        let made = api.post(STANDARDS, json!({ "name": "Ours", "rules": rules })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!(made["versions"][0]["rules"], rules, "{made}");
        let there = format!("{STANDARDS}/{}", made["id"].as_str().unwrap());
        let tally = api.get(&format!("{there}/versions/1/tally")).await.json();
        assert!(tally["keys"].as_u64().unwrap() >= 1 && tally["complete"] == json!(true), "{tally}");
        let report = api.get(&format!("{there}/versions/1/report")).await.json();
        let items = report["items"].as_array().unwrap();
        let told = items.iter().find(|it| it["id"] == old["id"]).expect("the old key breaks it");
        assert_eq!(told["demands"].as_array().unwrap().len(), 3, "{told}");

        let active = api.post(&format!("{there}/versions/1/activate"), json!({})).await;
        assert_eq!((active.status.as_u16(), &active.json()["active"]), (200, &json!(1)), "{active:?}");
        let issue = async |name: &str, more: Value| api.post("/api/v1/keys", key(name, &more)).await;
        let tags = json!(["cost=12"]);
        broken(&issue("Books", json!({ "tags": tags })).await, "/name", "`Ours`");
        broken(&issue("pay-books", json!({})).await, "/tags", "`cost`");
        let scoped = json!({ "tags": tags, "scopes": ["refunds:write"] });
        broken(&issue("pay-books", scoped).await, "/scopes", "`refunds:write`");
        let long = json!({ "tags": tags, "expires_at": "2099-01-31T00:00:00Z" });
        assert_eq!(issue("pay-books", long).await.status, 422);
        assert_eq!(issue("pay-books", json!({ "tags": tags })).await.status, 201);
        broken(&api.put("Password", json!({ "value": "hunter2", "tags": tags })).await, "", "[a-z]+/[a-z]+");

        let ended = api.post(&format!("{there}/end"), json!({})).await;
        assert_eq!((ended.status.as_u16(), ended.json().get("active")), (200, None), "{ended:?}");
        assert_eq!(issue("Anything", json!({})).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn rules_that_are_none_are_told_one_by_one() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let wrong = json!({
            "environments": ["a,b"], "key_names": "(", "key_lifetime_days": 0, "tags": ["Cost"], "approved_scopes": ["?"],
        });
        let answer = api.post(STANDARDS, json!({ "name": "Ours", "rules": wrong })).await;
        let told = answer.json();
        let at: Vec<_> =
            told["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str().unwrap()).collect();
        let expected = [
            "/rules/environments",
            "/rules/key_names",
            "/rules/key_lifetime_days",
            "/rules/tags",
            "/rules/approved_scopes",
        ];
        assert_eq!((answer.status.as_u16(), at.as_slice()), (422, expected.as_slice()), "{answer:?}");
        let empty = api.post(STANDARDS, json!({ "name": "Ours", "rules": {} })).await;
        refused(&empty, "/rules", "asks for nothing");
        let checked = json!({ "project": "pay", "rules": { "team_owner": true } });
        let checked = api.post(&format!("{STANDARDS}/check"), checked).await;
        assert_eq!((checked.status.as_u16(), &checked.json()["complete"]), (200, &json!(true)), "{checked:?}");
    })
    .await;
}

#[tokio::test]
async fn rules_that_cannot_be_read_refuse_and_are_left_out() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made =
            api.post(STANDARDS, json!({ "name": "Ours", "rules": { "key_names": ".*" } })).await.json();
        let there = format!("{STANDARDS}/{}", made["id"].as_str().unwrap());
        api.post(&format!("{there}/versions/1/activate"), json!({})).await;
        api.house.put_by(&["UPDATE standard_versions SET rules = '{\"colour\":\"red\"}'"]).await;
        broken(&api.post("/api/v1/keys", key("Books", &json!({}))).await, "", "its rules cannot be read");
        let shown = api.get(&there).await;
        assert_eq!(
            (shown.status.as_u16(), shown.json()["versions"][0].get("rules")),
            (200, None),
            "{shown:?}"
        );
        let ended = api.post(&format!("{there}/end"), json!({})).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        assert_eq!(api.post("/api/v1/keys", key("Books", &json!({}))).await.status, 201);
    })
    .await;
}
