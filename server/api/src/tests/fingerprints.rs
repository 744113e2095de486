//! `POST /api/v1/fingerprints/check`, and what a secret says of its value by itself.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::{Api, token};

const LEAKED: &str = "sk_live_4f9a1c77e2b8d03a";
const CHECK: &str = "/api/v1/fingerprints/check";

#[tokio::test]
async fn a_leaked_string_is_told_to_who_may_see_the_secret() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let put = api.put("database/password", json!({ "value": LEAKED })).await.json();
        api.put("database/password", json!({ "value": "something newer" })).await;
        let found = api.post(CHECK, json!({ "value": LEAKED })).await;
        assert_eq!(found.status, 200, "{found:?}");
        let holding = json!({
            "id": put["id"], "project": "pay", "environment": "live", "path": "database/password",
            "current": false, "versions": [1],
        });
        assert_eq!(found.json(), json!({ "items": [holding] }));
        assert!(!found.body.contains(LEAKED));
        let auditor = token(&api.house, "audrey", Role::Auditor, None).await;
        let seen = api.call("post", CHECK).bearer(&auditor).json(json!({ "value": LEAKED })).await;
        assert_eq!(seen.json(), found.json());
        let unknown = api.post(CHECK, json!({ "value": "sk_live_4f9a1c77e2b8d03b" })).await;
        assert_eq!((unknown.status.as_u16(), unknown.json()), (200, json!({ "items": [] })));
        for (token, status) in [(&api.alice, 403), (&api.vera, 403)] {
            let refused = api.call("post", CHECK).bearer(token).json(json!({ "value": LEAKED })).await;
            assert_eq!(refused.status.as_u16(), status, "{refused:?}");
            assert!(!refused.body.contains("database"), "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_could_be_guessed_and_what_comes_too_often_gets_a_problem_of_its_own() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("weak", json!({ "value": "hunter2" })).await;
        let guess = api.post(CHECK, json!({ "value": "hunter2" })).await;
        assert_eq!(guess.status, 422);
        assert!(guess.json()["type"].as_str().unwrap().ends_with("#guessable-value"), "{guess:?}");
        assert!(!guess.body.contains("hunter2"), "{guess:?}");
        for _ in 0..30 {
            assert_eq!(api.post(CHECK, json!({ "value": LEAKED })).await.status, 200);
        }
        let more = api.post(CHECK, json!({ "value": LEAKED })).await;
        assert_eq!((more.status.as_u16(), more.header("retry-after")), (429, "60"));
        assert!(more.json()["type"].as_str().unwrap().ends_with("#too-many-checks"), "{more:?}");
        for wrong in [json!({}), json!({ "value": 1 }), json!({ "value": LEAKED, "secret": "x" })] {
            assert_eq!(api.post(CHECK, wrong).await.status, 422);
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_says_where_else_its_value_is_and_a_new_version_which_one_has_it_already() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let put = async |path: &str, value: &str| api.put(path, json!({ "value": value })).await.json();
        let first = put("database/password", LEAKED).await;
        assert_eq!(first.get("same_as"), None, "{first}");
        put("database/password", "something newer").await;
        assert_eq!(put("database/password", LEAKED).await["same_as"], 1);
        let copy = put("copy", LEAKED).await;
        let reuse = |id: &serde_json::Value| format!("/api/v1/secrets/{}/reuse", id.as_str().unwrap());
        let found = api.get(&reuse(&copy["id"])).await;
        let holding = json!({
            "id": first["id"], "project": "pay", "environment": "live", "path": "database/password",
            "current": true, "versions": [3, 1],
        });
        assert_eq!((found.status.as_u16(), found.json()), (200, json!({ "items": [holding] })));
        assert!(!found.body.contains(LEAKED));
        let weak = put("weak", "hunter2").await;
        put("weaker", "hunter2").await;
        assert_eq!(api.get(&reuse(&weak["id"])).await.json(), json!({ "items": [] }));
        let viewer = token(&api.house, "walter", Role::Viewer, Some(&api.pay)).await;
        let seen = api.call("get", &reuse(&copy["id"])).bearer(&viewer).send("").await;
        assert_eq!((seen.status.as_u16(), seen.json()), (200, json!({ "items": [] })), "who may not read it");
        let stranger = api.call("get", &reuse(&copy["id"])).bearer(&api.mallory).send("").await;
        assert_eq!(stranger.status, 404);
    })
    .await;
}
