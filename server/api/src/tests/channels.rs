//! Channels and deliveries at this door.

use std::collections::BTreeSet;

use keywarden_domain::cast::both_engines;
use keywarden_domain::messages::{CarryError, tray::Answer as Says};
use serde_json::{Value, json};

use super::Api;

const CHANNELS: &str = "/api/v1/channels";
const TARGET: &str = "https://hooks.example.com/in/s3cr3t?token=s3cr3t";

/// Routes what was told, and makes one attempt at it.
async fn carry(api: &Api) {
    let domain = &api.house.domain;
    domain.route_messages(&domain.system_op("route-messages")).await.unwrap();
    let op = domain.system_op("deliver-messages");
    for claimed in domain.claim_deliveries(&op, &BTreeSet::new(), 64).await.unwrap() {
        domain.deliver(&op, &claimed).await.unwrap();
    }
}

#[tokio::test]
async fn a_channel_is_made_tested_rotated_paused_and_deleted() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let new =
            json!({ "name": "Duty", "kind": "webhook", "target": TARGET, "listens": ["seal", "account"] });
        let made = api.post(CHANNELS, new).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_"));
        let here = format!("{CHANNELS}/{}", made["id"].as_str().unwrap());
        let shown = api.get(&here).await;
        let text = shown.json().to_string();
        assert!(!text.contains("s3cr3t") && !text.contains(&secret), "{text}");
        assert_eq!(shown.json()["leads_to"], "hooks.example.com");
        assert_eq!(shown.json()["listens"], json!(["account", "seal"]));
        assert_eq!(shown.json()["user"], Value::Null);

        assert_eq!(api.post(&format!("{here}/test"), json!({})).await.status, 204);
        carry(&api).await;
        let found = api.get("/api/v1/deliveries").await.json();
        assert_eq!(found["items"][0]["state"], "delivered", "{found}");
        assert_eq!(found["items"][0]["event"], "channel.test");

        api.house
            .tray
            .answers(TARGET, Says::Fails(CarryError::for_good("hooks.example.com answers 410 Gone")));
        api.post(&format!("{here}/test"), json!({})).await;
        carry(&api).await;
        let of_it = format!("/api/v1/deliveries?state=dead&channel={}", made["id"].as_str().unwrap());
        let dead = api.get(&of_it).await.json();
        assert_eq!(dead["items"][0]["error"], "hooks.example.com answers 410 Gone", "{dead}");
        api.house.tray.takes(TARGET);
        assert_eq!(api.post(&format!("{here}/retry"), json!({})).await.status, 204);
        carry(&api).await;
        assert_eq!(api.get("/api/v1/deliveries?state=dead").await.json()["items"], json!([]));

        let fresh = api.post(&format!("{here}/rotate-secret"), json!({})).await;
        assert_eq!(fresh.status, 200, "{fresh:?}");
        assert_ne!(fresh.json()["secret"], json!(secret));
        for _ in 0..2 {
            let paused = api.post(&format!("{here}/pause"), json!({})).await;
            assert_eq!(paused.status, 200, "paused twice it is as paused as once");
            assert!(paused.json()["paused_at"].is_string());
        }
        assert_eq!(api.post(&format!("{here}/test"), json!({})).await.status, 409);
        let resumed = api.post(&format!("{here}/resume"), json!({})).await.json();
        assert_eq!(resumed["paused_at"], Value::Null);
        let edited = api.patch(&here, json!({ "listens": [] })).await;
        assert_eq!(edited.json()["listens"], json!([]), "{edited:?}");
        assert_eq!(edited.json()["name"], "Duty");
        assert_eq!(api.call("delete", &here).bearer(&api.olga).send("").await.status, 204);
        assert_eq!(api.get(&here).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_told_at_its_field() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (body, pointer) in [
            (json!({ "name": "", "kind": "webhook", "target": TARGET }), "/name"),
            (json!({ "name": "Duty", "kind": "pigeon", "target": TARGET }), "/kind"),
            (
                json!({ "name": "Duty", "kind": "webhook", "target": "http://hooks.example.com/s3cr3t" }),
                "/target",
            ),
            (
                json!({ "name": "Duty", "kind": "mail", "target": "a@b.example\r\nBcc: c@d.example" }),
                "/target",
            ),
            (
                json!({ "name": "Duty", "kind": "slack", "target": TARGET, "listens": ["seal", "x"] }),
                "/listens/1",
            ),
        ] {
            let refused = api.post(CHANNELS, body).await;
            assert_eq!(refused.status, 422, "{refused:?}");
            assert_eq!(refused.json()["errors"][0]["pointer"], json!(pointer), "{refused:?}");
            assert!(!refused.json().to_string().contains("s3cr3t"), "{refused:?}");
        }
        let own = json!({ "name": "Mine", "kind": "slack", "target": TARGET, "own": true });
        assert_eq!(api.post(CHANNELS, own).await.status, 404, "a machine has none of its own");
    })
    .await;
}
