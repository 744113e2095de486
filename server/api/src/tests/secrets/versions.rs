//! Labels and versions at their addresses, and when a version is read.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::{HOME, text};
use crate::tests::{Api, token};

#[tokio::test]
async fn labels_and_versions_are_moved_by_their_addresses() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("a", json!({ "value": "one" })).await, "id");
        let pending = api.put("a", json!({ "value": "two", "label": "pending" })).await;
        assert_eq!(pending.header("etag"), "", "it is not what a GET gives");
        let at = |rest: &str| format!("/api/v1/secrets/{secret}/{rest}");
        let put = async |label: &str, version: i64| {
            api.call("put", &at(&format!("labels/{label}")))
                .bearer(&api.olga)
                .json(json!({ "version": version }))
                .await
        };
        assert_eq!(
            put("current", 2).await.json()["labels"],
            json!({ "current": 2, "pending": 2, "previous": 1 })
        );
        assert_eq!(put("blue", 9).await.status, 422);
        assert_eq!(put("previous", 2).await.status, 409);
        assert_eq!(put("Blue", 1).await.status, 404);
        let gone = api.call("delete", &at("labels/pending")).bearer(&api.olga).send("").await;
        assert_eq!(gone.json()["labels"], json!({ "current": 2, "previous": 1 }));
        let verb = async |rest: &str| api.post(&at(rest), json!({})).await;
        assert_eq!(verb("versions/1/disable").await.json()["versions"][1]["state"], "disabled");
        assert_eq!(verb("versions/1/disable").await.status, 409);
        assert_eq!(api.value("a?version=1").await.status, 409);
        assert_eq!(verb("versions/1/enable").await.status, 200);
        assert_eq!(verb("versions/2/destroy").await.status, 409);
        assert_eq!(verb("versions/1/destroy").await.json()["versions"][1]["state"], "destroyed");
        for wrong in
            ["versions/0/destroy", "versions/01/destroy", "versions/+1/destroy", "versions/x/destroy"]
        {
            assert_eq!(verb(wrong).await.status, 404, "{wrong}");
        }
        for wrong in ["version=0", "version=x", "version=1&label=current", "label=Current", "unknown=1"] {
            assert_eq!(api.value(&format!("a?{wrong}")).await.status, 400, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_version_is_deleted_and_restored_at_its_address() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("a", json!({ "value": "one" })).await, "id");
        api.put("a", json!({ "value": "two" })).await;
        let at = |rest: &str| format!("/api/v1/secrets/{secret}/versions/{rest}");
        let delete = async |rest: &str, by: &str| api.call("delete", &at(rest)).bearer(by).send("").await;
        let current = delete("2", &api.olga).await;
        assert_eq!(
            (current.status.as_u16(), current.json()["type"].clone()),
            (409, json!("/api/docs/problems#conflict"))
        );
        assert!(text(&current, "detail").contains("`current`"), "{current:?}");
        let deleted = delete("1", &api.olga).await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        let version = &deleted.json()["versions"][1];
        assert_eq!(version["state"], "soft-deleted");
        assert!(version["deleted_at"].is_string() && version["purge_at"].is_string(), "{version}");
        assert!(deleted.json().get("deleted_at").is_none(), "the secret is there");
        assert_eq!(deleted.json()["labels"], json!({ "current": 2, "previous": 1 }));
        for read in ["a?version=1", "a?label=previous"] {
            let shut = api.value(read).await;
            assert_eq!(shut.status, 409, "{read}: {shut:?}");
            assert!(text(&shut, "detail").contains("version 1 is soft-deleted"), "{shut:?}");
        }
        assert_eq!(delete("1", &api.olga).await.status, 409);
        assert_eq!(api.post(&at("1/enable"), json!({})).await.status, 409);
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        assert_eq!(delete("1", &viewer).await.status, 403);
        assert_eq!(delete("1", &api.mallory).await.status, 404);
        for wrong in ["0", "01", "9", "x", "1.0", "-1", "99999999999999999999"] {
            assert_eq!(delete(wrong, &api.olga).await.status, 404, "{wrong}");
        }
        let restored = api.post(&at("1/restore"), json!({})).await;
        assert_eq!(restored.json()["versions"][1]["state"], "enabled", "{restored:?}");
        assert_eq!(api.post(&at("1/restore"), json!({})).await.status, 409);
        assert_eq!(text(&api.value("a?version=1").await, "value"), "one");
    })
    .await;
}

#[tokio::test]
async fn a_value_outside_its_validity_is_refused_with_a_problem_of_its_own() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let written = |minutes: i64| (api.house.now() + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
        let (from, until) = (written(10), written(20));
        assert_eq!(api.put("a", json!({ "value": "always" })).await.status, 201);
        let put = json!({ "value": "for a while", "not_before": from, "expires_at": until });
        assert_eq!(api.put("a", put).await.status, 200);
        let outside = async |path: &str, words: &str| {
            let refused = api.value(path).await;
            let told = refused.json();
            assert_eq!(
                (refused.status.as_u16(), told["type"].clone()),
                (409, json!("/api/docs/problems#outside-validity")),
                "{path}: {refused:?}"
            );
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.contains("version 2") && detail.contains(words), "{detail}");
        };
        for path in ["a", "a?version=2", "a?label=current"] {
            outside(path, "before").await;
        }
        let batch = json!({ "project": "pay", "environment": "live", "items": [{ "path": "a" }, { "path": "a", "version": 1 }] });
        let batch = api.post("/api/v1/secrets/batch-get", batch).await;
        let items = batch.json()["items"].clone();
        assert_eq!((items[0]["status"].clone(), items[1]["status"].clone()), (json!(409), json!(200)), "{batch:?}");
        api.house.clock.advance(std::time::Duration::from_mins(10));
        let read = api.value("a").await;
        assert_eq!(text(&read, "value"), "for a while");
        assert!(read.json()["expires_at"].is_string(), "{read:?}");
        let tag = read.header("etag").to_owned();
        let listed = api.get("/api/v1/secrets?state=expiring").await;
        assert_eq!(listed.json()["items"][0]["current"]["version"], 2, "{listed:?}");
        assert!(listed.json()["items"][0]["current"]["not_before"].is_string());
        api.house.clock.advance(std::time::Duration::from_mins(10));
        outside("a", "expired at").await;
        let known = api.call("get", &format!("{HOME}/a")).bearer(&api.olga).header("if-none-match", &tag);
        assert_eq!(known.send("").await.status, 409, "what the caller has is not said to be good");
        assert_eq!(text(&api.value("a?version=1").await, "value"), "always");
        assert_eq!(api.get("/api/v1/secrets?state=unreadable").await.json()["items"][0]["path"], "a");
    })
    .await;
}
