//! What ends on one node ends on the other within a second (S-13, S-34).

use std::time::Duration;

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Api, Call, door};

#[tokio::test]
async fn a_token_a_workload_and_a_role_that_end_here_end_there() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let neighbour = api.house.neighbour().await;
        let there = door(&neighbour);
        for ending in ["the token", "the workload", "the role"] {
            let body = json!({ "name": ending, "project": "pay", "role": "viewer" });
            let workload = api.post("/api/v1/workloads", body).await.json();
            let id = workload["id"].as_str().unwrap();
            let token = api.post(&format!("/api/v1/workloads/{id}/tokens"), json!({})).await.json();
            let shown = token["token"].as_str().unwrap();
            let asked = async || {
                let call = Call::at(&there, &neighbour, "get", "/api/v1/projects/pay").bearer(shown);
                call.send("").await.status.as_u16()
            };
            assert_eq!(asked().await, 200, "{ending}");
            let (end, gone) = match ending {
                "the token" => (format!("/api/v1/tokens/{}/revoke", token["id"].as_str().unwrap()), 401),
                "the workload" => (format!("/api/v1/workloads/{id}/deactivate"), 401),
                _ => (format!("/api/v1/roles/{}/revoke", workload["roles"][0]["id"].as_str().unwrap()), 404),
            };
            assert!(api.post(&end, json!({})).await.status.is_success(), "{ending}");
            // Memory may answer for less than a second; the clock stands still until it is moved.
            api.house.clock.advance(Duration::from_secs(1));
            assert_eq!(asked().await, gone, "{ending}");
        }
    })
    .await;
}
