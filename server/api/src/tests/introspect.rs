//! `POST /oauth2/introspect` (RFC 7662).

use base64::{Engine, engine::general_purpose::STANDARD};
use keywarden_domain::cast::both_engines;
use keywarden_model::KeptForStranger;
use serde_json::json;

use super::{Api, without_ids};

const PATH: &str = "/oauth2/introspect";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_good_key_is_active_and_says_whose_it_is() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (_, key) = api.issue("Checkout", json!({ "expires_at": "2027-06-30T00:00:00Z" })).await;
        let call = api.call("post", PATH).bearer(&api.vera).header("content-type", FORM);
        let answer = call.send(format!("token={key}&token_type_hint=access_token")).await;
        insta::assert_json_snapshot!("active", without_ids(&answer.json()));
        let basic = format!("Basic {}", STANDARD.encode(format!("checkout:{}", api.vera)));
        let call = api.call("post", PATH).header("authorization", &basic).header("content-type", FORM);
        assert_eq!(call.send(format!("token={key}")).await.json(), answer.json());
    })
    .await;
}

#[tokio::test]
async fn a_use_is_kept_with_the_callers_own_word_and_never_the_verifiers() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (form, agent) in [("", ""), ("&caller=checkout%2F2.4", "checkout/2.4")] {
            let (id, key) = api.issue(&format!("Key {}", agent.len()), json!({})).await;
            let call = api.call("post", PATH).bearer(&api.vera).header("content-type", FORM);
            let answer = call.agent("gateway/9").send(format!("token={key}{form}")).await;
            assert_eq!(answer.json()["active"], true);
            api.house.domain.flush_usage().await.unwrap();
            let board = api.get(&format!("/api/v1/keys/{id}/drain")).await;
            assert_eq!(board.json()["current"][0]["agent"], agent, "{}", board.body);
            assert!(!board.body.contains("gateway/9"), "{}", board.body);
        }
        let (_, key) = api.issue("Twice", json!({})).await;
        let call = api.call("post", PATH).bearer(&api.vera).header("content-type", FORM);
        assert_eq!(call.send(format!("token={key}&caller=a&caller=b")).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn whatever_is_not_good_is_not_active_and_nothing_more() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, key) = api.issue("Checkout", json!({})).await;
        api.post(&format!("/api/v1/keys/{id}/suspend"), json!({})).await;
        for token in [key.as_str(), "kwk_no", ""] {
            let call = api.call("post", PATH).bearer(&api.vera).header("content-type", FORM);
            let answer = call.send(format!("token={token}")).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "active": false })));
        }
    })
    .await;
}

#[tokio::test]
async fn a_form_is_read_strictly() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (kind, form, status) in [
            ("application/json", r#"{"token":"a"}"#, 415),
            (FORM, "", 400),
            (FORM, "token=a&token=b", 400),
            (FORM, "token=a&ip=nowhere", 400),
            (FORM, "token=a&extra=1", 200),
        ] {
            let call = api.call("post", PATH).bearer(&api.vera).header("content-type", kind);
            let answer = call.send(form.to_owned()).await;
            assert_eq!(answer.status, status, "{form}");
            // In the words that libraries look for (RFC 6749, 5.2), and no guess of a stranger's.
            if status == 400 {
                assert_eq!(answer.json()["error"], "invalid_request", "{form}");
                assert!(answer.json()["error_description"].is_string(), "{form}");
                assert!(answer.extensions.get::<KeptForStranger>().is_none(), "{form}");
            }
        }
        let long = format!("token={}", "x".repeat(64 * 1024));
        let call = api.call("post", PATH).bearer(&api.vera).header("content-type", FORM);
        assert_eq!(call.send(long).await.status, 413);
    })
    .await;
}

#[tokio::test]
async fn whoever_is_refused_is_told_the_scheme_that_they_tried() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let wrong = STANDARD.encode("checkout:kws_none");
        for (shown, told) in [
            (format!("Basic {wrong}"), r#"Basic realm="keywarden""#),
            (format!("basic {wrong}"), r#"Basic realm="keywarden""#),
            ("Bearer kws_none".to_owned(), r#"Bearer realm="keywarden""#),
            (String::new(), r#"Bearer realm="keywarden""#),
        ] {
            let call = api.call("post", PATH).header("authorization", &shown).header("content-type", FORM);
            let answer = call.send("token=a").await;
            assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, told), "{shown}");
        }
    })
    .await;
}
