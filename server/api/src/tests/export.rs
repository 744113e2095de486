//! `/api/v1/audit/export`

use axum::{body::Body, response::Response};
use http_body_util::BodyExt as _;
use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::Api;

#[tokio::test]
async fn the_record_is_exported_as_it_is_stored_and_goes_on_after_any_event() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for slug in ["a", "b", "c"] {
            api.post("/api/v1/projects", json!({ "slug": slug, "name": slug })).await;
            api.house.clock.advance(std::time::Duration::from_secs(1));
        }
        let all = api.get("/api/v1/audit/export").await;
        assert_eq!(all.header("content-type"), "application/jsonl");
        let text = all.body;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(text.ends_with('\n') && lines.len() >= 3, "{text}");
        assert!(lines.is_sorted_by_key(|it| it["id"].as_str().unwrap().to_owned()));
        for (line, event) in text.lines().zip(&lines) {
            let shown = api.get(&format!("/api/v1/audit/{}", event["id"].as_str().unwrap())).await.json();
            assert_eq!(&shown["event"], event);
            assert_eq!(serde_json::to_string(event).unwrap(), line, "canonical, to the byte");
        }
        let second = lines[lines.len() - 2]["id"].as_str().unwrap();
        let rest = api.get(&format!("/api/v1/audit/export?after={second}")).await.body;
        assert_eq!(rest.lines().collect::<Vec<_>>(), [text.lines().last().unwrap()]);
        let last_at = lines[lines.len() - 1]["at"].as_str().unwrap();
        let since = api.get(&format!("/api/v1/audit/export?since={last_at}")).await.body;
        let of_then = lines.iter().filter(|it| it["at"] == last_at).count();
        assert!(text.ends_with(&since) && since.lines().count() == of_then, "{since}");
        let refused = api.call("get", "/api/v1/audit/export").bearer(&api.alice).send("").await;
        assert!(
            [403, 404].contains(&refused.status.as_u16()),
            "a part of the record would look like one with holes: {refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_caller_has_so_many_exports_under_way_and_what_ends_makes_room() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        // Answers that nobody reads to their end.
        let begin = async |token: &str| -> Response {
            let call = api.call("get", "/api/v1/audit/export").bearer(token);
            let request = call.request.body(Body::empty()).unwrap();
            call.router.clone().oneshot(request).await.unwrap()
        };
        let (one, other) = (begin(&api.olga).await, begin(&api.olga).await);
        assert_eq!((one.status().as_u16(), other.status().as_u16()), (200, 200));
        let refused = begin(&api.olga).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "10");
        let body = refused.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["type"], "/api/docs/problems#too-many-exports");
        let auditor = super::token(&api.house, "audrey", Role::Auditor, None).await;
        assert_eq!(begin(&auditor).await.status(), 200, "it is not hers");

        drop(one);
        let mut last = begin(&api.olga).await;
        assert_eq!(last.status(), 200);
        while last.body_mut().frame().await.is_some() {}
        assert_eq!(begin(&api.olga).await.status(), 200, "what was read to its end has ended");
        drop(other);
    })
    .await;
}
