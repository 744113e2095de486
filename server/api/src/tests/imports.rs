//! Files of values, in and out.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Api, token, without_ids};

const IMPORTS: &str = "/api/v1/projects/pay/environments/live/imports";
const EXPORTS: &str = "/api/v1/projects/pay/environments/live/exports";

fn file(content: &str, more: Value) -> Value {
    let mut body = json!({ "format": "dotenv", "content": content, "folder": "shop" });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    body
}

#[tokio::test]
async fn a_file_is_previewed_imported_once_and_exported_again() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("shop/PASSWORD", json!({ "value": "old" })).await;
        let content = "# the shop\nURL=postgres://canary\nPASSWORD=canary\n";
        let preview = api.post(IMPORTS, file(content, json!({ "preview": true }))).await;
        insta::assert_json_snapshot!("preview", without_ids(&preview.json()));
        assert!(!preview.body.contains("canary"));
        assert_eq!(api.get("/api/v1/secrets?folder=shop&project=pay&environment=live").await.json()["items"].as_array().unwrap().len(), 1);
        let seen = preview.json()["seen"].clone();
        let done = api.post(IMPORTS, file(content, json!({ "seen": seen }))).await;
        insta::assert_json_snapshot!("done", without_ids(&done.json()));
        let late = api.post(IMPORTS, file("URL=x\nPASSWORD=x\n", json!({ "seen": seen }))).await;
        assert_eq!((late.status.as_u16(), late.json()["type"].clone()), (412, json!("/api/docs/problems#precondition-failed")), "{late:?}");
        assert!(late.body.contains("`URL` and 1 more changed"), "entries by their names in the file: {late:?}");
        let again = api.post(IMPORTS, file(content, json!({}))).await.json();
        assert_eq!((again["created"].clone(), again["changed"].clone(), again["unchanged"].clone()), (json!(0), json!(0), json!(2)));

        let exported = api.post(EXPORTS, json!({ "format": "yaml", "folder": "shop", "reason": "it moves" })).await;
        assert_eq!(exported.header("cache-control"), "no-store");
        assert_eq!(
            exported.json(),
            json!({ "name": "pay-live-shop.yaml", "content": "PASSWORD: \"canary\"\nURL: \"postgres://canary\"\n", "secrets": 2, "left_out": [], "templates": [] })
        );
        for (action, events) in [("secret.import", 1), ("secret.export", 1), ("secret.read", 2)] {
            let told = api.get(&format!("/api/v1/audit?action={action}")).await.json();
            assert_eq!(told["items"].as_array().unwrap().len(), events, "{action}: {told}");
            assert!(!told.to_string().contains("canary"));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_by_line() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let before = api.events().await;
        for (name, body) in [
            ("unreadable", file("A=1\nhunter2\nB=\"x\n", json!({}))),
            ("refused", file("A=1\na=2\nC=\n", json!({}))),
            ("fields", json!({ "format": "toml", "content": "", "folder": "/a", "nested": "x" })),
        ] {
            let answer = api.post(IMPORTS, body).await;
            assert_eq!(answer.status, 422, "{answer:?}");
            assert!(!answer.body.contains("hunter2"), "{answer:?}");
            insta::assert_json_snapshot!(name, answer.json()["errors"]);
        }
        let nothing = api.post(EXPORTS, json!({ "format": "json", "folder": "nowhere" })).await;
        assert_eq!(nothing.status, 409, "{nothing:?}");
        assert_eq!(api.events().await, before);
    })
    .await;
}

#[tokio::test]
async fn nobody_else_learns_that_there_is_anything() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("shop/A", json!({ "value": "1" })).await;
        for caller in [&api.mallory] {
            for body in
                [file("A=1\n", json!({ "preview": true })), file("A=2\n", json!({})), file("?", json!({}))]
            {
                let answer = api.call("post", IMPORTS).bearer(caller).json(body).await;
                assert_eq!(answer.status, 404, "{answer:?}");
            }
            let answer = api.call("post", EXPORTS).bearer(caller).json(json!({ "format": "json" })).await;
            assert_eq!(answer.status, 404, "{answer:?}");
        }
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let answer = api.call("post", EXPORTS).bearer(&viewer).json(json!({ "format": "json" })).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let answer =
            api.call("post", IMPORTS).bearer(&viewer).json(file("A=1\n", json!({ "preview": true }))).await;
        assert_eq!(answer.json()["entries"][0]["outcome"], "refused", "no word of whether it is the same");
    })
    .await;
}
