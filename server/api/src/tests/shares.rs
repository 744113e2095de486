//! One-time links to values, made by machines.

use keywarden_domain::{Actor, SecretString, cast::both_engines};
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Api, token};

async fn secret(api: &Api) -> String {
    let put = api.put("database/password", json!({ "value": "hunter2" })).await;
    put.json()["id"].as_str().unwrap().to_owned()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}`: {value}")).to_owned()
}

#[tokio::test]
async fn a_link_is_made_listed_opened_and_withdrawn() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let shares = format!("/api/v1/secrets/{}/shares", secret(&api).await);
        let body = json!({ "version": 1, "expires_in": "1h" });
        let call = || api.call("post", &shares).bearer(&api.alice).header("idempotency-key", "share-once");
        let made = call().json(body.clone()).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(made.header("cache-control"), "no-store");
        assert_eq!(call().json(body).await.json(), made.json(), "sent again it is the same link");
        let made = made.json();
        let (url, passphrase) = (text(&made, "url"), text(&made, "passphrase"));
        let ours =
            api.post(&shares, json!({ "version": 1, "expires_in": "7d", "recipient": api.owner })).await;
        assert!(ours.json().get("passphrase").is_none(), "{ours:?}");

        let listed = api.get(&shares).await;
        assert_eq!(listed.status, 200, "{listed:?}");
        assert!(!listed.body.contains("kwt_") && !listed.body.contains(&passphrase), "{listed:?}");
        let items = listed.json()["items"].clone();
        // Of one millisecond, in either order.
        let items = items.as_array().unwrap();
        let (mine, other): (Vec<_>, Vec<_>) =
            items.iter().partition(|item| item["recipient"] == json!(api.owner));
        let ([mine], [other]) = (&mine[..], &other[..]) else { panic!("{items:?}") };
        assert_eq!(other["wrong_passphrases"], json!(0));

        let value = url.rsplit('/').next().unwrap();
        let nobody = api.house.op(Actor::Nobody);
        let opened = api.house.domain.open_share(&nobody, value, Some(&SecretString::new(passphrase))).await;
        assert_eq!(opened.unwrap().value.expose(), b"hunter2");
        let withdraw = format!("{shares}/{}", text(mine, "id"));
        let withdrawn = api.call("delete", &withdraw).bearer(&api.alice).send("").await;
        assert_eq!((withdrawn.status.as_u16(), withdrawn.body.as_str()), (204, ""));
        assert_eq!(api.call("delete", &withdraw).bearer(&api.alice).send("").await.status, 404);
        assert_eq!(api.get(&shares).await.json()["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_link_is_said_and_who_may_not_read_makes_none() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = secret(&api).await;
        let shares = format!("/api/v1/secrets/{secret}/shares");
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let before = api.house.rows().await;
        let good = json!({ "version": 1, "expires_in": "24h" });
        for (change, status, pointer) in [
            (json!({ "expires_in": "30d" }), 422, "/expires_in"),
            (json!({ "expires_in": "" }), 422, "/expires_in"),
            (json!({ "expires_in": 24 }), 422, "/expires_in"),
            (json!({ "recipient": "Olivia" }), 422, "/recipient"),
            (json!({ "recipient": "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB" }), 422, "/recipient"),
            (json!({ "version": "1" }), 422, "/version"),
            (json!({ "passphrase": "mine" }), 422, "a field here is not known"),
            (json!({ "version": 2 }), 404, ""),
            (json!({ "version": 0 }), 422, "/version"),
            (json!({ "version": -1 }), 422, "/version"),
        ] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
            let answer = api.post(&shares, body).await;
            assert_eq!(answer.status.as_u16(), status, "{change}: {answer:?}");
            assert!(answer.body.contains(pointer), "{change}: {answer:?}");
        }
        for (token, status) in [(&viewer, 403), (&api.mallory, 404), (&api.vera, 404)] {
            let answer = api.call("post", &shares).bearer(token).json(good.clone()).await;
            assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        }
        assert_eq!(api.house.rows().await, before, "nothing was made");
        let disable = format!("/api/v1/secrets/{secret}/versions/1/disable");
        assert_eq!(api.post(&disable, json!({})).await.status, 200);
        assert_eq!(api.post(&shares, good).await.status, 409);
        let put = json!({ "value": "${pay/live/database/password}", "template": true });
        let template = api.put("url", put).await.json();
        let shares = format!("/api/v1/secrets/{}/shares", text(&template, "id"));
        let refused = api.post(&shares, json!({ "version": 1, "expires_in": "24h" })).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.body.contains("version 1 is a template"), "{refused:?}");
    })
    .await;
}
