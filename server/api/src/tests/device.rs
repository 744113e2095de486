//! `POST /oauth2/device_authorization`, the device grant of `POST /oauth2/token` (RFC 8628) and `POST /oauth2/revoke`.

use std::time::Duration;

use keywarden_domain::{
    Op,
    cast::{Held, both_engines},
};
use keywarden_model::{KeptForStranger, Role};
use serde_json::json;

use super::{Answer, Api};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn ask(api: &Api, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    api.call("post", path).header("content-type", FORM).send(form.finish()).await
}

async fn redeem(api: &Api, code: &str) -> Answer {
    ask(api, "/oauth2/token", &[("grant_type", GRANT), ("device_code", code)]).await
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {answer:?}")).to_owned()
}

/// Whether the door counts it.
fn counts(answer: &Answer) -> bool {
    answer.extensions.get::<KeptForStranger>().is_some()
}

#[tokio::test]
async fn a_terminal_asks_waits_is_let_in_and_acts_as_its_person() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ada = api.house.person("Ada", &[(Role::Owner, None)]).await;
        let may_approve_after = api.house.now();
        let passkey = Held { name: "Key", synced: false, last_used_at: None, may_approve_after };
        api.house.holds(&ada, &[passkey]).await;
        let begun = ask(&api, "/oauth2/device_authorization", &[("client_id", "keywarden")]).await;
        assert_eq!((begun.status.as_u16(), begun.header("cache-control")), (200, "no-store"), "{begun:?}");
        assert!(counts(&begun), "a row for a stranger costs them");
        let (device, code) = (text(&begun, "device_code"), text(&begun, "user_code"));
        assert_eq!(text(&begun, "verification_uri"), "https://keys.example.com/device");
        let complete = format!("https://keys.example.com/device?user_code={code}");
        assert_eq!(text(&begun, "verification_uri_complete"), complete);
        assert_eq!((&begun.json()["expires_in"], &begun.json()["interval"]), (&json!(600), &json!(5)));

        let waits = redeem(&api, &device).await;
        assert_eq!((waits.status.as_u16(), text(&waits, "error").as_str()), (400, "authorization_pending"));
        assert!(!counts(&waits), "waiting is no guess");
        let hurries = redeem(&api, &device).await;
        assert_eq!(text(&hurries, "error"), "slow_down");
        assert!(counts(&hurries));
        api.house.domain.approve_terminal(&ada.op(), &code).await.unwrap();
        api.house.clock.advance(Duration::from_secs(10));
        let given = redeem(&api, &device).await;
        assert_eq!(
            (given.status.as_u16(), &given.json()["token_type"]),
            (200, &json!("Bearer")),
            "{given:?}"
        );
        assert_eq!(given.json()["expires_in"], 8 * 60 * 60);
        let token = text(&given, "access_token");
        let again = redeem(&api, &device).await;
        assert_eq!(text(&again, "error"), "expired_token");

        let call = |method: &str, path: &str| api.call(method, path).bearer(&token);
        assert_eq!(call("get", "/api/v1/projects").send("").await.status, 200);
        let made = call("post", "/api/v1/projects").json(json!({ "slug": "shop", "name": "Shop" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let told = api.get("/api/v1/audit?action=project.create&limit=1").await.json();
        assert_eq!(told["items"][0]["actor"]["id"], json!(ada.id.to_string()), "{told}");
        api.house.clock.advance(Duration::from_mins(5));
        let stale = call("post", "/api/v1/projects").json(json!({ "slug": "shop2", "name": "Shop 2" })).await;
        assert_eq!(stale.status, 403);
        assert!(stale.body.contains("keywarden login"), "{stale:?}");
        assert_eq!(
            call("get", "/api/v1/projects").send("").await.status,
            200,
            "what needs no passkey goes on"
        );

        let out = ask(&api, "/oauth2/revoke", &[("token", &token)]).await;
        assert_eq!(out.status, 200, "{out:?}");
        assert_eq!(call("get", "/api/v1/projects").send("").await.status, 401);
        let twice = ask(&api, "/oauth2/revoke", &[("token", &token)]).await;
        assert_eq!(twice.status, 200);
        assert!(counts(&twice));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_oauth() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ada = api.house.person("Ada", &[]).await;
        for (path, fields, error) in [
            ("/oauth2/device_authorization", &[("scope", "admin")][..], "invalid_scope"),
            ("/oauth2/device_authorization", &[("scope", "a"), ("scope", "b")], "invalid_request"),
            ("/oauth2/token", &[("grant_type", GRANT)], "invalid_request"),
            ("/oauth2/token", &[("grant_type", GRANT), ("device_code", "x")], "expired_token"),
            ("/oauth2/revoke", &[], "invalid_request"),
            ("/oauth2/revoke", &[("token", &api.alice)], "unsupported_token_type"),
        ] {
            let answer = ask(&api, path, fields).await;
            assert_eq!((answer.status.as_u16(), text(&answer, "error").as_str()), (400, error), "{answer:?}");
            assert!(counts(&answer), "{answer:?}");
        }
        assert_eq!(api.call("get", "/api/v1/projects").bearer(&api.alice).send("").await.status, 200);
        for path in ["/oauth2/device_authorization", "/oauth2/revoke"] {
            let json = api.call("post", path).json(json!({})).await;
            assert_eq!((json.status.as_u16(), text(&json, "error").as_str()), (400, "invalid_request"));
        }
        let begun = ask(&api, "/oauth2/device_authorization", &[]).await;
        let op: Op = ada.op();
        api.house.domain.refuse_terminal(&op, &text(&begun, "user_code")).await.unwrap();
        assert_eq!(text(&redeem(&api, &text(&begun, "device_code")).await, "error"), "access_denied");
    })
    .await;
}
