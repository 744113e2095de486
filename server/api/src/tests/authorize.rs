//! `GET /api/v1/keys/authorize`: what a reverse proxy is told.

use http::HeaderName;
use keywarden_domain::cast::both_engines;
use keywarden_model::OfSomebodyElse;
use serde_json::{Value, json};

use super::{Answer, Api};

const PATH: &str = "/api/v1/keys/authorize";

fn headers(answer: &Answer) -> Value {
    let ours = |name: &&HeaderName| !["content-length", "cache-control"].contains(&name.as_str());
    let told = answer.headers.keys().filter(ours);
    let told = told.map(|name| (name.to_string(), Value::from(answer.header(name.as_str()))));
    super::without_ids(&json!({
        "status": answer.status.as_u16(),
        "headers": told.collect::<serde_json::Map<_, _>>(),
        "body": answer.body,
    }))
}

#[tokio::test]
async fn a_good_key_is_let_through_with_what_is_known_of_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let rate = json!({ "rate_limit": { "limit": 10, "window_seconds": 60 } });
        let (_, key) = api.issue("Checkout", rate).await;
        let call = api.call("get", &format!("{PATH}?scope=orders:read+orders:write&ip=198.51.100.7"));
        let answer = call.bearer(&api.vera).header("x-api-key", &key).send("").await;
        insta::assert_json_snapshot!("let_through", headers(&answer));
        let call = api.call("get", PATH).header("x-keywarden-token", &api.vera).bearer(&key);
        assert_eq!(call.send("").await.status, 200);
        let call = api.call("get", PATH).bearer(&api.vera).header("x-api-key", &format!("Bearer {key}"));
        assert_eq!(call.send("").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_let_through_is_401_or_403_and_nothing_else() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ask = async |key: &str, query: &str| {
            let call = api.call("get", &format!("{PATH}?{query}")).bearer(&api.vera);
            call.header("x-api-key", key).send("").await
        };
        let (id, key) = api.issue("Checkout", json!({ "allowed_cidrs": ["10.0.0.0/8"] })).await;
        insta::assert_json_snapshot!("scope_missing", headers(&ask(&key, "scope=a:b&ip=10.0.0.1").await));
        assert_eq!(ask(&key, "ip=11.0.0.1").await.header("x-keywarden-code"), "ip_not_allowed");
        let (_, limited) =
            api.issue("Limited", json!({ "rate_limit": { "limit": 1, "window_seconds": 60 } })).await;
        assert_eq!(ask(&limited, "").await.status, 200);
        insta::assert_json_snapshot!("too_often", headers(&ask(&limited, "").await));
        insta::assert_json_snapshot!("unknown", headers(&ask("kwk_no", "").await));
        let none = api.call("get", PATH).bearer(&api.vera).send("").await;
        assert_eq!(headers(&none), headers(&ask("kwk_no", "").await));
        api.post(&format!("/api/v1/keys/{id}/revoke"), json!({})).await;
        let revoked = ask(&key, "ip=10.0.0.1").await;
        assert_eq!((revoked.status.as_u16(), revoked.header("x-keywarden-code")), (401, "revoked"));
    })
    .await;
}

/// Whoever asks is who they say: what is refused is another's key, so that the server's door counts it against nobody.
#[tokio::test]
async fn a_verdict_is_told_from_a_proxy_that_is_nobody() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ask = async |token: &str, key: &str| {
            let call = api.call("get", PATH).header("x-keywarden-token", token);
            let answer = if key.is_empty() { call.send("") } else { call.bearer(key).send("") }.await;
            (answer.status.as_u16(), answer.extensions.get::<OfSomebodyElse>().is_some())
        };
        assert_eq!(ask(&api.vera, "").await, (401, true));
        assert_eq!(ask(&api.vera, "kwk_no").await, (401, true));
        assert_eq!(ask("kws_none", "kwk_no").await, (401, false));
    })
    .await;
}

#[tokio::test]
async fn where_the_request_came_from_is_what_the_proxy_wrote_last() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, key) = api.issue("Checkout", json!({ "allowed_cidrs": ["10.0.0.0/8"] })).await;
        let ask = async |query: &str, forwarded: &str| {
            let call = api.call("get", &format!("{PATH}?{query}")).bearer(&api.vera);
            call.header("x-api-key", &key).header("x-forwarded-for", forwarded).send("").await.status
        };
        assert_eq!(ask("ip_from=x-forwarded-for", "192.0.2.1, 10.0.0.1").await, 200);
        assert_eq!(ask("ip_from=x-forwarded-for", "10.0.0.1, 192.0.2.1").await, 403);
        assert_eq!(ask("ip_from=x-forwarded-for", "nonsense").await, 403);
        assert_eq!(ask("", "10.0.0.1").await, 403);
        // Whom the server takes for the client: its proxies are considered before the API sees a request.
        assert_eq!(ask("ip_from=client", "10.0.0.1").await, 403);
        let (_, near) = api.issue("Near", json!({ "allowed_cidrs": ["192.0.2.7/32"] })).await;
        let call = api.call("get", &format!("{PATH}?ip_from=client")).bearer(&api.vera);
        let call = call.header("x-api-key", &near).header("x-forwarded-for", "10.0.0.1");
        assert_eq!(call.send("").await.status, 200);
        assert_eq!(ask("ip_from=x-real-ip", "10.0.0.1").await, 400);
        assert_eq!(ask("ip=10", "").await, 400);
        assert_eq!(ask("scope=A", "").await, 400);
    })
    .await;
}

#[tokio::test]
async fn below_the_address_the_held_request_cannot_say_what_is_asked_of_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, key) = api.issue("Checkout", json!({})).await;
        let ask = async |method: &str, held: &str, scope: &str| {
            let call = api.call(method, &format!("{PATH}{held}"));
            let call = call.header("x-keywarden-token", &api.vera).bearer(&key);
            call.header("x-keywarden-scope", scope).send("").await.status
        };
        for method in ["get", "head", "post", "put", "delete", "options"] {
            for held in
                ["/orders/7?scope=orders:read&nonsense=1", "/", "/?scope=orders:read&nonsense=1", "//"]
            {
                assert_eq!(ask(method, held, "orders:read").await, 200, "{method} {held}");
                assert_eq!(ask(method, held, "refunds:write").await, 403, "{method} {held}");
            }
        }
    })
    .await;
}
