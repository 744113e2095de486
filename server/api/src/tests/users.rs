//! `/api/v1/users`

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Api, without_ids};

#[tokio::test]
async fn people_are_listed_shown_and_shut_out() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let listed = api.get("/api/v1/users?q=oliv&state=active").await;
        insta::assert_json_snapshot!("people", without_ids(&listed.json()));
        let path = format!("/api/v1/users/{}", api.owner);
        let grant = json!({ "holder": api.owner, "role": "issuer", "project": "pay" });
        api.post("/api/v1/roles", grant).await;
        assert_eq!(api.get(&path).await.json()["roles"][0]["role"], "issuer");
        let verb = async |verb: &str| api.post(&format!("{path}/{verb}"), json!({})).await;
        assert_eq!(verb("deactivate").await.json()["state"], "deactivated");
        assert_eq!(verb("deactivate").await.status, 409);
        assert_eq!(verb("reactivate").await.json()["state"], "active");
        assert_eq!(api.get("/api/v1/users?state=gone").await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_a_link_shown_once() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let invite = json!({ "name": "Carol", "role": "issuer", "project": "pay" });
        let invited = api.post("/api/v1/users/invitations", invite).await;
        assert_eq!(invited.status, 201, "{invited:?}");
        assert!(invited.json()["url"].as_str().unwrap().starts_with("https://keys.example.com/"));
        let nowhere =
            api.post("/api/v1/users/invitations", json!({ "name": "Carol", "role": "issuer" })).await;
        assert_eq!(
            (nowhere.status.as_u16(), &nowhere.json()["errors"][0]["pointer"]),
            (422, &json!("/role"))
        );
    })
    .await;
}
