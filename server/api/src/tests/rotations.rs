//! Many values at once, and keys rotated below them.

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Api, door};

fn batch(items: &[Value]) -> Value {
    json!({ "project": "pay", "environment": "live", "items": items })
}

#[tokio::test]
async fn many_values_are_read_each_on_its_own_account() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (path, value) in [("a", "one"), ("a", "two"), ("b/c", "three")] {
            api.put(path, json!({ "value": value })).await;
        }
        let before = api.events().await;
        let wanted = batch(&[
            json!({ "path": "a" }),
            json!({ "path": "a", "version": 1 }),
            json!({ "path": "nowhere" }),
            json!({ "path": "../a" }),
            json!({ "path": "b/c", "label": "current" }),
        ]);
        let got = api.post("/api/v1/secrets/batch-get", wanted.clone()).await;
        assert_eq!((got.status.as_u16(), got.header("cache-control")), (200, "no-store"), "{got:?}");
        let items = got.json()["items"].as_array().unwrap().clone();
        let told: Vec<_> =
            items.iter().map(|it| (it["status"].clone(), it["value"]["value"].clone())).collect();
        let gone = (json!(404), Value::Null);
        assert_eq!(
            told,
            [
                (json!(200), json!("two")),
                (json!(200), json!("one")),
                gone.clone(),
                gone,
                (json!(200), json!("three")),
            ]
        );
        assert_eq!(api.events().await, before + 3, "each reading is told, and nothing else");

        // A stranger to the project reads nothing, and learns of nothing.
        let strange = api.call("post", "/api/v1/secrets/batch-get").bearer(&api.mallory).json(wanted).await;
        let items = strange.json()["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|it| it["status"] == 404 && it.get("value").is_none()), "{strange:?}");
        assert_eq!(api.events().await, before + 3);
        let many: Vec<_> = (0..101).map(|n| json!({ "path": format!("{n}") })).collect();
        for wrong in [batch(&[]), batch(&many), batch(&[json!({ "path": "a", "version": 1, "label": "x" })])]
        {
            let refused = api.post("/api/v1/secrets/batch-get", wrong).await;
            assert_eq!(refused.status, 422, "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_projects_key_and_a_data_key_are_rotated_and_the_rewrap_is_seen_paused_and_resumed() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let rotate = "/api/v1/projects/pay/key/rotate";
        assert_eq!(api.post(rotate, json!({})).await.status, 409, "there is no key yet");
        let secret = api.put("a", json!({ "value": "one" })).await.json()["id"].as_str().unwrap().to_owned();
        let rotated = api.post(rotate, json!({})).await;
        assert_eq!(rotated.status, 200, "{rotated:?}");
        assert_eq!(api.post(rotate, json!({})).await.status, 409, "the last one is not done");
        let rewrap = format!("/api/v1/rewraps/{}", rotated.json()["rewrap"].as_str().unwrap());
        let paused = api.post(&format!("{rewrap}/pause"), json!({})).await;
        assert_eq!(paused.json()["state"], "paused", "{paused:?}");
        assert_eq!(api.post(&format!("{rewrap}/pause"), json!({})).await.status, 409);
        assert_eq!(api.house.domain.rewrap().await.unwrap(), 0);
        assert_eq!(api.post(&format!("{rewrap}/resume"), json!({})).await.status, 200);
        assert_eq!(api.house.domain.rewrap().await.unwrap(), 1);
        let end = api.get(&rewrap).await.json();
        assert_eq!((&end["state"], &end["done"], &end["total"]), (&json!("done"), &json!(1), &json!(1)));
        let stranger = api.call("get", &rewrap).bearer(&api.mallory).send("").await;
        assert_eq!(stranger.status, 404, "{stranger:?}");
        let key = api.get("/api/v1/projects/pay/key").await.json();
        assert_eq!((key["keys"].as_array().unwrap().len(), &key["keys"][0]["uses"]), (1, &json!(1)), "{key}");
        assert_eq!(api.get("/api/v1/rewraps").await.json()["items"][0]["state"], "done");

        let again = api.post(&format!("/api/v1/secrets/{secret}/data-key/rotate"), json!({})).await;
        assert_eq!(again.json()["labels"], json!({ "current": 2, "previous": 1 }), "{again:?}");
        let read = api.get("/api/v1/projects/pay/environments/live/secrets/a").await;
        assert_eq!((&read.json()["value"], &read.json()["version"]), (&json!("one"), &json!(2)));
    })
    .await;
}

#[tokio::test]
async fn a_stream_tells_what_changed_and_never_to_what() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (query, status) in [("", 400), ("project=pay", 400), ("project=pay&environment=nowhere", 404)] {
            assert_eq!(api.get(&format!("/api/v1/secrets/watch?{query}")).await.status, status, "{query}");
        }
        let watch = "/api/v1/secrets/watch?project=pay&environment=live";
        let stranger = api.call("get", watch).bearer(&api.mallory).send("").await;
        assert_eq!(stranger.status, 404, "{stranger:?}");
        // To see a project is not to see its secrets.
        let vera = api.call("get", watch).bearer(&api.vera).send("").await;
        assert_eq!(vera.status, 404, "{vera:?}");
        let request = Request::get(watch)
            .header(header::AUTHORIZATION, format!("Bearer {}", api.olga))
            .body(Body::empty())
            .unwrap();
        let response = door(&api.house).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body();
        api.put("a", json!({ "value": "canary-7" })).await;
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let told = String::from_utf8(frame.to_vec()).unwrap();
        assert!(told.contains("event: secret\n") && told.contains(r#""path":"a","version":1"#), "{told}");
        assert!(told.starts_with("id: evt_") && !told.contains("canary"), "{told}");
    })
    .await;
}
