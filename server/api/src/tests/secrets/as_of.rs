//! A folder as it was at an instant.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::{HOME, text};
use crate::tests::{Api, token};

#[tokio::test]
async fn a_folder_is_shown_as_it_was_and_returned_to() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("db/password", json!({ "value": "one" })).await, "id");
        api.put("db/user", json!({ "value": "app" })).await;
        let then = api.house.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        api.house.clock.advance(std::time::Duration::from_secs(1));
        api.put("db/password", json!({ "value": "two" })).await;
        api.call("delete", &format!("{HOME}/db/user")).bearer(&api.olga).send("").await;
        api.put("db/later", json!({ "value": "x" })).await;
        let base = "/api/v1/projects/pay/environments/live";
        let show = async |query: &str, by: &str| {
            api.call("get", &format!("{base}/as-of?{query}")).bearer(by).send("").await
        };
        let shown = show(&format!("at={then}&folder=db"), &api.olga).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let (seen, mut secrets) = (text(&shown, "mark"), shown.json()["secrets"].clone());
        for it in secrets.as_array_mut().unwrap() {
            it.as_object_mut().unwrap().remove("id");
        }
        assert_eq!(
            secrets,
            json!([
                { "path": "db/later", "then": { "state": "absent" }, "now": { "state": "there", "version": 1 }, "outcome": "later" },
                { "path": "db/password", "then": { "state": "there", "version": 1 }, "now": { "state": "there", "version": 2 },
                  "outcome": "return", "restore": false, "to_version": 1 },
                { "path": "db/user", "then": { "state": "there", "version": 1 }, "now": { "state": "deleted" }, "outcome": "return",
                  "restore": true },
            ])
        );
        for (query, parameter) in [
            ("at=yesterday", "at"),
            ("at=2027-02-30T00:00:00Z", "at"),
            ("at=9999-01-01T00:00:00Z", "at"),
            (&format!("at={then}&folder=../x"), "folder"),
            (&format!("at={then}&unknown=1"), "query"),
        ] {
            let wrong = show(query, &api.olga).await;
            assert_eq!(
                (wrong.status.as_u16(), wrong.json()["errors"][0]["parameter"].clone()),
                (400, json!(parameter)),
                "{query}: {wrong:?}"
            );
        }
        assert_eq!(show(&format!("at={then}"), &api.mallory).await.status, 404);
        let path = format!("{base}/returns");
        for (body, pointer) in [
            (json!({ "at": "x" }), "/at"),
            (json!({ "at": "9999-01-01T00:00:00Z" }), "/at"),
            (json!({ "at": then, "folder": "a//b" }), "/folder"),
            (json!({ "at": then, "later": "burn" }), "/later"),
        ] {
            let wrong = api.post(&path, body).await;
            assert_eq!(
                (wrong.status.as_u16(), wrong.json()["errors"][0]["pointer"].clone()),
                (422, json!(pointer)),
                "{wrong:?}"
            );
        }
        let ask = |seen: &str| json!({ "at": then, "folder": "db", "later": "delete", "seen": seen });
        assert_eq!(api.post(&path, ask("something else")).await.status, 412);
        let call = async |by: &str| api.call("post", &path).bearer(by).json(ask(&seen)).await.status.as_u16();
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        assert_eq!((call(&viewer).await, call(&api.mallory).await), (403, 404));
        let done = api.post(&path, ask(&seen)).await;
        assert_eq!(done.json(), json!({ "moved": 1, "restored": 1, "deleted": 1 }), "{done:?}");
        assert_eq!(text(&api.value("db/password").await, "value"), "one");
        assert_eq!(text(&api.value("db/user").await, "value"), "app");
        assert_eq!(api.value("db/later").await.status, 404);
        assert_eq!(api.post(&path, ask(&seen)).await.status, 412, "what was seen is not so any more");
        let told = api.get(&format!("/api/v1/audit?resource={secret}&action=secret.label")).await;
        assert_eq!(told.json()["items"].as_array().unwrap().len(), 1, "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_where_it_is() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let now = api.house.now();
        let (past, soon) = (
            (now - chrono::TimeDelta::hours(1)).to_rfc3339(),
            (now + chrono::TimeDelta::hours(1)).to_rfc3339(),
        );
        for (more, pointer) in [
            (json!({ "expires_at": past }), "/expires_at"),
            (json!({ "expires_at": now.to_rfc3339() }), "/expires_at"),
            (json!({ "expires_at": soon, "not_before": soon }), "/expires_at"),
            (json!({ "expires_at": "tomorrow" }), "/expires_at"),
            (json!({ "expires_at": "" }), "/expires_at"),
            (json!({ "expires_at": "2027-02-30T00:00:00Z" }), "/expires_at"),
            (json!({ "expires_at": "2027-02-03" }), "/expires_at"),
            (json!({ "not_before": "10000-01-01T00:00:00Z" }), "/not_before"),
            (json!({ "not_before": "x".repeat(10_000) }), "/not_before"),
        ] {
            let mut body = json!({ "value": "hunter2" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let refused = api.put("a", body).await;
            assert_eq!(
                (refused.status.as_u16(), refused.json()["errors"][0]["pointer"].clone()),
                (422, json!(pointer)),
                "{refused:?}"
            );
            assert!(!refused.body.contains("hunter2"));
        }
        for wrong in [json!(7), json!(true), json!([])] {
            assert_eq!(
                api.put("a", json!({ "value": "x", "expires_at": wrong })).await.status,
                422,
                "{wrong}"
            );
        }
        assert_eq!(api.value("a").await.status, 404, "nothing was made");
    })
    .await;
}
