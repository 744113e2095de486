//! Workloads, their tokens, teams and roles.

use std::time::Duration;

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_workload_gets_a_token_that_works_until_it_is_revoked_or_over() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let body = json!({ "name": "checkout", "project": "pay", "role": "issuer" });
        let made = api.post("/api/v1/workloads", body).await;
        insta::assert_json_snapshot!("workload_made", made.shown());
        let tokens = format!("{}/tokens", made.header("location"));
        let issued = api.post(&tokens, json!({ "expires_in_seconds": 3600 })).await;
        insta::assert_json_snapshot!("token_issued", issued.shown());
        let text = |field: &str| issued.json()[field].as_str().unwrap().to_owned();
        let works =
            async |token: &str| api.call("get", "/api/v1/keys").bearer(token).send("").await.status == 200;
        assert!(works(&text("token")).await);
        let revoke = format!("/api/v1/tokens/{}/revoke", text("id"));
        assert_eq!(api.post(&revoke, json!({})).await.status, 204);
        assert!(!works(&text("token")).await);
        assert_eq!(api.post(&revoke, json!({})).await.status, 409);

        let brief = api.post(&tokens, json!({ "expires_in_seconds": 60 })).await.json();
        let brief = brief["token"].as_str().unwrap();
        assert!(works(brief).await);
        api.house.clock.advance(Duration::from_mins(1));
        assert!(!works(brief).await);

        let last = api.post(&tokens, json!({})).await.json();
        let ended = api.post(&format!("{}/deactivate", made.header("location")), json!({})).await;
        assert_eq!(ended.json()["state"], "deactivated");
        assert!(!works(last["token"].as_str().unwrap()).await);
        assert_eq!(api.post(&tokens, json!({})).await.status, 409);
    })
    .await;
}

#[tokio::test]
async fn edge_numbers_are_no_lifetimes_of_tokens() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made = api.post("/api/v1/workloads", json!({ "name": "x", "project": "pay" })).await;
        let tokens = format!("{}/tokens", made.header("location"));
        for wrong in
            [json!(0), json!(-1), json!(59), json!(i64::MIN), json!(u64::MAX), json!(1e3), json!("60")]
        {
            let answer = api.post(&tokens, json!({ "expires_in_seconds": wrong })).await;
            assert_eq!(answer.status, 422, "{wrong} {answer:?}");
        }
        assert!(api.get(made.header("location")).await.json()["tokens"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_role_is_held_where_it_belongs() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (role, project, status) in [
            ("verifier", Some("pay"), 201),
            ("verifier", None, 422),
            ("admin", Some("pay"), 422),
            ("owner", None, 422),
            ("king", None, 422),
        ] {
            let mut body = json!({ "name": format!("{role} {project:?}"), "role": role });
            if let Some(project) = project {
                body["project"] = project.into();
            }
            assert_eq!(api.post("/api/v1/workloads", body).await.status, status, "{role} {project:?}");
        }
        let grant = json!({ "holder": api.owner, "role": "issuer", "project": "pay" });
        let granted = api.post("/api/v1/roles", grant.clone()).await;
        assert_eq!(granted.status, 201, "{granted:?}");
        assert_eq!(api.post("/api/v1/roles", grant).await.status, 409);
        let id = granted.json()["id"].as_str().unwrap().to_owned();
        let held = api.get("/api/v1/roles?project=pay").await.json();
        assert!(held["items"].as_array().unwrap().iter().any(|it| it["id"] == id.as_str()), "{held}");
        assert_eq!(api.post(&format!("/api/v1/roles/{id}/revoke"), json!({})).await.status, 204);
        assert_eq!(api.post(&format!("/api/v1/roles/{id}/revoke"), json!({})).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn a_team_has_the_members_that_were_put_into_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made = api.post("/api/v1/teams", json!({ "slug": "payments", "name": "Payments" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let member = format!("/api/v1/teams/payments/members/{}", api.owner);
        let put = async |method: &str| api.call(method, &member).bearer(&api.olga).send("").await.status;
        assert_eq!((put("put").await.as_u16(), put("put").await.as_u16()), (204, 204));
        let team = api.get("/api/v1/teams/payments").await.json();
        assert_eq!((&team["member_count"], &team["members"][0]["user"]), (&json!(1), &json!(api.owner)));
        assert_eq!((put("delete").await.as_u16(), put("delete").await.as_u16()), (204, 204));
        assert_eq!(api.get("/api/v1/teams").await.json()["items"][0]["member_count"], 0);
        let renamed = api.patch("/api/v1/teams/payments", json!({ "name": "Payers" })).await;
        assert_eq!(renamed.json()["name"], "Payers");
    })
    .await;
}
