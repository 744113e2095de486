//! What a policy would change, as callers hear of it.

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_draft_says_what_it_would_change_and_would_have_changed() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (key, _) = api.issue("Checkout", json!({})).await;
        let suspended = api.call("post", &format!("/api/v1/keys/{key}/suspend")).bearer(&api.alice);
        assert_eq!(suspended.json(json!({})).await.status, 200);
        api.house.domain.flush_decisions().await.unwrap();
        let text = "forbid (principal is Workload, action == Action::\"key.suspend\", resource) unless { principal in OrganizationRole::\"owner\" };";
        let made = api.post("/api/v1/policies", json!({ "name": "People suspend", "text": text })).await;
        let policy = made.json()["id"].as_str().unwrap().to_owned();
        let there = format!("/api/v1/policies/{policy}/versions/1/difference");
        let found = api.get(&there).await;
        assert_eq!(found.status, 200, "{found:?}");
        let found = found.json();
        assert_eq!(found["lost"], json!({ "people": 0, "workloads": 1, "things": 1, "pairs": 1 }));
        assert_eq!(found["gained"]["pairs"], 0);
        assert_eq!((&found["complete"], &found["more_lines"]), (&json!(true), &json!(0)));
        let line = &found["lines"][0];
        assert_eq!((&line["change"], &line["when"]), (&json!("lost"), &json!("always")));
        assert_eq!((&line["project"]["name"], &line["environment"]["name"]), (&json!("pay"), &json!("live")));
        let rows = found["items"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((&rows[0]["principal"]["name"], &rows[0]["thing"]["id"]), (&json!("alice"), &json!(key)));

        let replay = api.get(&format!("/api/v1/policies/{policy}/versions/1/replay")).await.json();
        assert_eq!((&replay["newly_denied"], &replay["newly_allowed"]), (&json!(1), &json!(0)), "{replay}");
        assert_eq!(replay["decisions"][0]["action"], "key.suspend");
        assert_eq!(replay["decisions"][0]["principal"]["name"], "alice");

        for path in ["difference", "replay"] {
            let disabled = api.get(&format!("/api/v1/policies/{policy}/{path}")).await;
            assert_eq!(disabled.status, 200, "{disabled:?}");
            let none = api.get(&format!("/api/v1/policies/{policy}/versions/2/{path}")).await;
            assert_eq!(none.status, 404);
            let stranger = api.call("get", &format!("/api/v1/policies/{policy}/versions/1/{path}"));
            assert_eq!(stranger.bearer(&api.mallory).send("").await.status, 404);
        }
        let wrong = api.get(&format!("{there}?cursor=somewhere")).await;
        assert_eq!(wrong.status, 400, "{wrong:?}");
    })
    .await;
}
