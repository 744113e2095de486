//! Tests of policies: saved, asked, and in the way of what would fail them.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::Api;

const NEVER: &str = r#"forbid (principal, action == Action::"key.issue", resource);"#;

#[tokio::test]
async fn a_saved_test_keeps_a_policy_from_deciding_until_it_is_deleted() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let issuer = api.house.workload("issuer", Role::Issuer, Some(api.pay.id)).await.id;
        let case = json!({ "principal": issuer, "action": "key.issue", "resource": api.pay.live });
        let test = json!({ "name": "Issuers issue", "project": "pay", "case": case, "allowed": true });
        let saved = api.post("/api/v1/policies/tests", test.clone()).await;
        assert_eq!(saved.status, 201, "{saved:?}");
        let id = saved.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(api.post("/api/v1/policies/tests", test).await.status, 409, "the name is taken");
        let listed = api.get("/api/v1/policies/tests?project=pay").await.json();
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["allowed"]), (&json!(id), &json!(true)));
        assert_eq!(api.get("/api/v1/policies/tests").await.json()["items"], json!([]));
        let run = api.post("/api/v1/policies/tests/run", json!({ "project": "pay" })).await.json();
        let result = &run["results"][0];
        assert_eq!((&result["outcome"], &result["passes"]), (&json!("allowed"), &json!(true)));

        let policy = json!({ "name": "Never", "project": "pay", "text": NEVER });
        let policy = api.post("/api/v1/policies", policy).await.json()["id"].as_str().unwrap().to_owned();
        let activate = format!("/api/v1/policies/{policy}/versions/1/activate");
        let refused = api.post(&activate, json!({})).await;
        assert!(refused.status == 409 && refused.body.contains("`Issuers issue`"), "{refused:?}");
        let path = format!("/api/v1/policies/tests/{id}");
        assert_eq!(api.call("delete", &path).bearer(&api.olga).send("").await.status, 204);
        assert_eq!(api.call("delete", &path).bearer(&api.olga).send("").await.status, 404);
        assert_eq!(api.post(&activate, json!({})).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn texts_and_cases_are_asked_and_not_kept() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let issuer = api.house.workload("issuer", Role::Issuer, Some(api.pay.id)).await.id;
        let case = json!({ "principal": issuer, "action": "key.issue", "resource": api.pay.live });
        let mut gone = case.clone();
        gone["resource"] = json!("env_01JDB2W1N9F6Q3R8T5V7X9Z0AB");
        let run = async |policies: Value, cases: Value| {
            let body = json!({ "project": "pay", "policies": policies, "cases": cases });
            api.post("/api/v1/policies/tests/run", body).await
        };
        let outcomes = |answer: &super::Answer| -> Vec<String> {
            let results = answer.json()["results"].as_array().unwrap().clone();
            results.iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect()
        };
        let both = json!([case, gone]);
        assert_eq!(outcomes(&run(json!([]), both.clone()).await), ["allowed", "gone"]);
        let never = json!([{ "name": "Never", "text": NEVER }]);
        assert_eq!(outcomes(&run(never, both.clone()).await), ["refused", "gone"]);
        assert_eq!(outcomes(&run(json!([]), both).await), ["allowed", "gone"]);
        assert_eq!(api.get("/api/v1/policies?project=pay").await.json()["items"], json!([]));
        let broken = run(json!([{ "name": "A", "text": "forbid" }]), json!([])).await;
        assert!(broken.body.contains("/policies/0/text"), "{broken:?}");
        let mut wrong = case;
        for (field, value) in [
            ("principal", "team_1"),
            ("action", "x"),
            ("address", "x"),
            ("passkey_age", "x"),
            ("method", "token"),
            ("at", "x"),
        ] {
            let before = std::mem::replace(&mut wrong[field], json!(value));
            let answer = run(json!([]), json!([wrong])).await;
            assert!(answer.body.contains(&format!("/cases/0/{field}")), "{answer:?}");
            wrong[field] = before;
        }
        let mallory = api.call("post", "/api/v1/policies/tests/run").bearer(&api.mallory);
        assert_eq!(mallory.json(json!({ "project": "pay" })).await.status, 404);
    })
    .await;
}
