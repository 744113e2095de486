//! `Idempotency-Key`: a POST or PUT that is sent twice is done once.

use futures_util::future::join_all;
use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Answer, Api};

const KEY: &str = "4b1d2f0e-5c1f-4a76-9a0e-0d5a3f7f9f11";

async fn make(api: &Api, key: &str, slug: &str) -> Answer {
    let call = api.call("post", "/api/v1/projects").bearer(&api.olga).header("idempotency-key", key);
    call.json(json!({ "slug": slug, "name": slug })).await
}

#[tokio::test]
async fn a_repeated_post_is_done_once_and_answers_the_same() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let first = make(&api, KEY, "shop").await;
        assert_eq!(first.status, 201, "{first:?}");
        let events = api.events().await;
        assert_eq!(make(&api, KEY, "shop").await.told(), first.told());
        assert_eq!(make(&api, &format!("\"{KEY}\""), "shop").await.told(), first.told());
        assert_eq!(api.events().await, events);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_was_used_for_another_request_is_refused() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        assert_eq!(make(&api, KEY, "shop").await.status, 201);
        let other_body = make(&api, KEY, "shop2").await;
        insta::assert_json_snapshot!("other_body", other_body.shown());
        let path = "/api/v1/projects/shop/environments";
        let other_path = api.call("post", path).bearer(&api.olga).header("idempotency-key", KEY);
        assert_eq!(other_path.json(json!({ "slug": "shop", "name": "shop" })).await.status, 422);
    })
    .await;
}

#[tokio::test]
async fn two_callers_may_use_the_same_key() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let path = "/api/v1/projects/pay/environments";
        for (token, slug) in [(&api.olga, "a"), (&api.alice, "b")] {
            let call = api.call("post", path).bearer(token).header("idempotency-key", KEY);
            let answer = call.json(json!({ "slug": slug, "name": slug })).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn twenty_at_once_make_one_thing_and_all_hear_of_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let answers = join_all((0..20).map(|_| make(&api, KEY, "shop"))).await;
        for answer in &answers {
            assert_eq!(answer.told(), answers[0].told());
        }
        assert_eq!(answers[0].status, 201, "{:?}", answers[0]);
    })
    .await;
}

#[tokio::test]
async fn a_key_has_8_to_255_printable_characters_and_stands_once() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for wrong in ["short", "with a space", &"x".repeat(256), ""] {
            assert_eq!(make(&api, wrong, "shop").await.status, 400, "{wrong}");
        }
        let call = api.call("post", "/api/v1/projects").bearer(&api.olga);
        let twice = call.header("idempotency-key", KEY).header("idempotency-key", KEY);
        assert_eq!(twice.json(json!({ "slug": "shop", "name": "shop" })).await.status, 400);
    })
    .await;
}

const VALUE: &str = "/api/v1/projects/pay/environments/live/secrets/database/password";

async fn put(api: &Api, key: &str, value: &str) -> Answer {
    let call = api.call("put", VALUE).bearer(&api.olga).header("idempotency-key", key);
    call.json(json!({ "value": value })).await
}

#[tokio::test]
async fn a_repeated_put_makes_no_second_version() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let first = put(&api, KEY, "one").await;
        assert_eq!(first.status, 201, "{first:?}");
        assert_eq!(put(&api, KEY, "one").await.told(), first.told(), "though by now it would be a version");
        let second = "5c2e3a1f-5c1f-4a76-9a0e-0d5a3f7f9f11";
        let made = put(&api, second, "two").await;
        assert_eq!((made.status.as_u16(), made.json()["version"].clone()), (200, json!(2)), "{made:?}");
        let events = api.events().await;
        assert_eq!(put(&api, second, "two").await.told(), made.told());
        assert_eq!(put(&api, KEY, "one").await.told(), first.told(), "and the old one stays the old one");
        assert_eq!(api.events().await, events);
        assert_eq!(put(&api, KEY, "other").await.status, 422);
        let label = format!("/api/v1/secrets/{}/labels/stable", first.json()["id"].as_str().unwrap());
        let label = api.call("put", &label).bearer(&api.olga).header("idempotency-key", KEY);
        assert_eq!(label.json(json!({ "version": 1 })).await.status, 422, "another request");
        assert_eq!(api.get(VALUE).await.json()["version"], 2);
        assert_eq!(put(&api, "short", "three").await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn twenty_puts_at_once_make_one_version_and_all_hear_of_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (key, version) in [("first-4b1d2f0e", 1), ("second-4b1d2f0e", 2)] {
            let answers = join_all((0..20).map(|_| put(&api, key, "one"))).await;
            for answer in &answers {
                assert_eq!(answer.told(), answers[0].told());
            }
            assert_eq!(answers[0].json()["version"], version, "{:?}", answers[0]);
        }
    })
    .await;
}
