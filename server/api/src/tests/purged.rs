//! A deleted secret that goes for good before its time.

use http::StatusCode;
use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::json;

use super::{Api, token};

#[tokio::test]
async fn a_deleted_secret_is_destroyed_where_nothing_protects_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let at = "/api/v1/projects/pay/environments/live/secrets/database/password";
        let id = api.put("database/password", json!({ "value": "hunter2" })).await;
        let id = id.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/secrets/{id}/purge");
        let early = api.post(&path, json!({})).await;
        assert_eq!(early.status, StatusCode::CONFLICT, "{early:?}");
        assert!(early.body.contains("delete it first"), "{early:?}");
        let deleted = api.call("delete", at).bearer(&api.olga).send("").await;
        assert_eq!(deleted.status, StatusCode::OK, "{deleted:?}");
        let reader = token(&api.house, "reader", Role::Viewer, Some(&api.pay)).await;
        for (bearer, status) in [(&reader, StatusCode::FORBIDDEN), (&api.mallory, StatusCode::NOT_FOUND)] {
            let refused = api.call("post", &path).bearer(bearer).json(json!({})).await;
            assert_eq!(refused.status, status, "{refused:?}");
        }
        for time in ["once", "the same request once more"] {
            let call =
                api.call("post", &path).bearer(&api.alice).header("idempotency-key", "purge-0123456789");
            let done = call.json(json!({})).await;
            assert_eq!((done.status, done.body.as_str()), (StatusCode::NO_CONTENT, ""), "{time}: {done:?}");
        }
        let again = api.call("post", &path).bearer(&api.alice).json(json!({})).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND, "{again:?}");
        for gone in [format!("/api/v1/secrets/{id}"), format!("/api/v1/secrets/{id}/versions/1")] {
            assert_eq!(api.get(&gone).await.status, StatusCode::NOT_FOUND, "{gone}");
        }
        let told = api.get(&format!("/api/v1/audit?resource={id}&action=secret.purge")).await;
        assert_eq!(told.json()["items"].as_array().unwrap().len(), 1, "{told:?}");
        let anew = api.put("database/password", json!({ "value": "anew" })).await;
        assert_eq!(anew.status, StatusCode::CREATED, "its path is free: {anew:?}");
    })
    .await;
}
