//! Streams after they began: what is told on them, and what ends them.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use keywarden_domain::cast::both_engines;
use serde_json::json;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{Api, Call};

const END: &str = "event: end\ndata: {\"reason\":\"permission\"}\n\n";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn open(api: &Api, token: &str) -> Body {
    let call = api.call("get", "/api/v1/secrets/watch?project=pay&environment=live").bearer(token);
    let request = call.request.body(Body::empty()).unwrap();
    let response = call.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// What is sent next.
async fn next(stream: &mut Body) -> String {
    let frame = timeout(PATIENCE, stream.frame()).await.expect("something is sent").expect("no end yet");
    String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap()
}

/// All that is sent until the end.
async fn rest(stream: Body) -> String {
    let all = timeout(PATIENCE, stream.collect()).await.expect("it ends").unwrap();
    String::from_utf8(all.to_bytes().to_vec()).unwrap()
}

/// A workload that may see the secrets of `pay`: its id.
async fn watcher(api: &Api, name: &str) -> String {
    let made =
        api.post("/api/v1/workloads", json!({ "name": name, "project": "pay", "role": "viewer" })).await;
    made.json()["id"].as_str().unwrap().to_owned()
}

/// A token for it, good for so long; its id and itself.
async fn issued(api: &Api, workload: &str, seconds: u32) -> (String, String) {
    let body = json!({ "expires_in_seconds": seconds });
    let made = api.post(&format!("/api/v1/workloads/{workload}/tokens"), body).await.json();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

#[tokio::test]
async fn a_stream_ends_when_its_token_has_run_out() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let watcher = watcher(&api, "watcher").await;
        let (short, long) = (issued(&api, &watcher, 60).await.1, issued(&api, &watcher, 3_600).await.1);
        let (mut ends, mut stays) = (open(&api, &short).await, open(&api, &long).await);
        api.house.clock.advance(Duration::from_secs(58));
        api.put("a", json!({ "value": "hunter2" })).await;
        for stream in [&mut ends, &mut stays] {
            let told = next(stream).await;
            assert!(told.contains("\"path\":\"a\"") && !told.contains("hunter2"), "{told}");
        }
        api.house.clock.advance(Duration::from_secs(3));
        assert_eq!(rest(ends).await, END);
        api.put("b", json!({ "value": "hunter2" })).await;
        assert!(next(&mut stays).await.contains("\"path\":\"b\""));
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_with_the_role_the_token_and_the_workload_that_it_is_permitted_by() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (one, other) = (watcher(&api, "one").await, watcher(&api, "other").await);
        let (token, revoked) = issued(&api, &one, 3_600).await;
        let stays = issued(&api, &one, 3_600).await.1;
        let (by_token, mut stays) = (open(&api, &revoked).await, open(&api, &stays).await);
        let by_workload = open(&api, &issued(&api, &other, 3_600).await.1).await;
        assert_eq!(api.post(&format!("/api/v1/tokens/{token}/revoke"), json!({})).await.status, 204);
        assert_eq!(rest(by_token).await, END);
        assert_eq!(api.post(&format!("/api/v1/workloads/{other}/deactivate"), json!({})).await.status, 200);
        assert_eq!(rest(by_workload).await, END);
        api.put("a", json!({ "value": "hunter2" })).await;
        assert!(next(&mut stays).await.contains("\"path\":\"a\""), "neither was its own");

        let role = api.get(&format!("/api/v1/workloads/{one}")).await.json()["roles"][0]["id"].clone();
        let revoke = format!("/api/v1/roles/{}/revoke", role.as_str().unwrap());
        assert_eq!(api.post(&revoke, json!({})).await.status, 204);
        assert_eq!(rest(stays).await, END);
    })
    .await;
}

#[tokio::test]
async fn where_a_project_has_all_its_streams_another_one_has_room() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let streams = crate::Streams::default();
        let router = crate::router(api.house.domain.clone(), streams.clone());
        let watch = async |project: &str| {
            let path = format!("/api/v1/secrets/watch?project={project}&environment=live");
            let call = Call::at(&router, &api.house, "get", &path).bearer(&api.olga);
            let request = call.request.body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap()
        };
        let all = streams.all_of(api.pay.id);
        let refused = watch("pay").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "10");
        let body = refused.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["type"], "/api/docs/problems#too-many-streams");
        assert_eq!(watch("other").await.status(), 200);
        drop(all);
        assert_eq!(watch("pay").await.status(), 200);
    })
    .await;
}
