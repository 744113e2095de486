//! Environments that ask why their values are read.

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Answer, Api};

const LIVE: &str = "/api/v1/projects/pay/environments/live";

async fn asking(api: &Api) -> String {
    let put = api.put("database/password", json!({ "value": "hunter2" })).await;
    let edited = api.patch(LIVE, json!({ "reads_need_reason": true })).await;
    assert_eq!((edited.status.as_u16(), &edited.json()["reads_need_reason"]), (200, &json!(true)));
    put.json()["id"].as_str().unwrap().to_owned()
}

fn is_missing(answer: &Answer) {
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.json()["type"].as_str().unwrap().ends_with("#reason-needed"), "{answer:?}");
    assert_eq!(answer.json()["errors"][0]["parameter"], json!("Keywarden-Reason"));
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
}

#[tokio::test]
async fn a_machine_says_why_in_a_header() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let id = asking(&api).await;
        let read = format!("{LIVE}/secrets/database/password");
        let share = format!("/api/v1/secrets/{id}/shares");
        let batch =
            json!({ "project": "pay", "environment": "live", "items": [{ "path": "database/password" }] });
        is_missing(&api.get(&read).await);
        let template = json!({ "value": "${pay/live/database/password}", "template": true });
        assert_eq!(api.put("url", template).await.status, 201);
        let url = format!("{LIVE}/secrets/url");
        let raw = format!("{url}?raw=true");
        is_missing(&api.get(&url).await);
        is_missing(&api.get(&raw).await);
        is_missing(&api.post(&share, json!({ "version": 1, "expires_in": "1h" })).await);
        let exports = format!("{LIVE}/exports");
        is_missing(&api.post(&exports, json!({ "format": "json" })).await);
        is_missing(&api.post(&exports, json!({ "format": "json", "reason": "no" })).await);
        let promote = format!("/api/v1/secrets/{id}/promote");
        is_missing(&api.post(&promote, json!({ "to": "test", "version": 1 })).await);
        let got = api.post("/api/v1/secrets/batch-get", batch.clone()).await;
        assert_eq!((got.status.as_u16(), &got.json()["items"][0]["status"]), (200, &json!(422)), "{got:?}");

        let with = |method: &str, path: &str, reason: &str| {
            api.call(method, path).bearer(&api.olga).header("keywarden-reason", reason)
        };
        let given = with("get", &read, "INC-7: the shop is down").send("").await;
        assert_eq!((given.status.as_u16(), &given.json()["value"]), (200, &json!("hunter2")), "{given:?}");
        let resolved = with("get", &url, "INC-7").send("").await;
        assert_eq!(resolved.json()["value"], "hunter2", "{resolved:?}");
        let raw = with("get", &raw, "INC-7").send("").await;
        assert_eq!(raw.json()["value"], "${pay/live/database/password}", "{raw:?}");
        let got = with("post", "/api/v1/secrets/batch-get", "INC-7").json(batch).await;
        assert_eq!(got.json()["items"][0]["status"], json!(200), "{got:?}");
        let made = with("post", &share, "INC-7").json(json!({ "version": 1, "expires_in": "1h" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let exported = api.post(&exports, json!({ "format": "json", "reason": "the shop moves" })).await;
        assert_eq!(exported.status, 200, "{exported:?}");
        let told = api.get(&format!("/api/v1/audit?resource={id}&action=secret.read")).await;
        assert!(told.body.contains("INC-7: the shop is down"), "{told:?}");

        for wrong in ["ab", " ", "x\u{202e}yz", &"x".repeat(201)] {
            let refused = with("get", &read, wrong).send("").await;
            assert_eq!(refused.status, 400, "{wrong}: {refused:?}");
            assert!(!refused.body.contains("hunter2"), "{refused:?}");
        }
        let twice = with("get", &read, "INC-7").header("keywarden-reason", "INC-8").send("").await;
        assert_eq!(twice.status, 400, "{twice:?}");
    })
    .await;
}

#[tokio::test]
async fn why_a_value_is_put_and_where_it_comes_from_stand_with_the_version() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let why = "INC-7: the database was moved";
        let with = |method: &str, path: &str| {
            let call = api.call(method, path).bearer(&api.alice).header("keywarden-reason", why);
            call.agent("keywarden/1.2.3 (secret)")
        };
        let made =
            with("put", &format!("{LIVE}/secrets/db/password")).json(json!({ "value": "hunter2" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let shown = api.get(&format!("/api/v1/secrets/{id}/versions/1")).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let version = shown.json();
        assert_eq!((&version["version"], &version["id"]), (&json!(1), &made.json()["version_id"]));
        assert!(version["created_by"].as_str().unwrap().starts_with("wkl_"), "{shown:?}");
        let it = &version["made"];
        assert_eq!(
            (&it["way"], &it["command"], &it["reason"]),
            (&json!("client"), &json!("secret"), &json!(why))
        );
        assert_eq!(it["agent"], "keywarden/1.2.3 (secret)");
        assert!(it["event"].as_str().unwrap().starts_with("evt_"), "{shown:?}");
        assert!(it.get("from").is_none() && !shown.body.contains("hunter2"), "{shown:?}");

        let promote = format!("/api/v1/secrets/{id}/promote");
        let there = with("post", &promote).json(json!({ "to": "test", "version": 1 })).await;
        assert_eq!(there.status, 201, "{there:?}");
        let there = there.json()["id"].as_str().unwrap().to_owned();
        let shown = api.get(&format!("/api/v1/secrets/{there}/versions/1")).await;
        let from = json!({ "by": "promoted", "secret": id, "environment": "live", "version": 1 });
        assert_eq!(shown.json()["made"]["from"], from, "{shown:?}");
        assert_eq!(shown.json()["made"]["reason"], why, "{shown:?}");

        let reader = super::token(&api.house, "reader", keywarden_model::Role::Viewer, Some(&api.pay)).await;
        let path = format!("/api/v1/secrets/{id}/versions/1");
        let seen = api.call("get", &path).bearer(&reader).send("").await;
        let it = &seen.json()["made"];
        assert_eq!((&it["way"], &it["reason"]), (&json!("client"), &json!(why)), "{seen:?}");
        for hidden in ["event", "address", "agent"] {
            assert!(it.get(hidden).is_none(), "{hidden}: {seen:?}");
        }
        let strange = api.call("get", &path).bearer(&api.mallory).send("").await;
        assert_eq!(strange.status, 404, "{strange:?}");
        for none in ["2", "0", "x"] {
            let path = format!("/api/v1/secrets/{id}/versions/{none}");
            assert_eq!(api.get(&path).await.status, 404, "{none}");
        }
    })
    .await;
}
