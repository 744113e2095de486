//! `/api/v1/audit`

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Api, without_ids};

#[tokio::test]
async fn the_record_is_paged_newest_first_and_each_event_is_there_by_its_id() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for slug in ["a", "b", "c"] {
            api.post("/api/v1/projects", json!({ "slug": slug, "name": slug })).await;
            api.house.clock.advance(std::time::Duration::from_secs(1));
        }
        let first = api.get("/api/v1/audit?action=project.&limit=2").await;
        let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(
            first.header("link"),
            format!("</api/v1/audit?action=project.&limit=2&cursor={cursor}>; rel=\"next\"")
        );
        let next = first.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
        let second = api.get(&next).await.json();
        assert_eq!(second["items"].as_array().unwrap().len(), 1);
        assert_eq!(second.get("next_cursor"), None);
        let event = &first.json()["items"][0];
        let id = event["id"].as_str().unwrap();
        assert_eq!(api.get(&format!("/api/v1/audit/{id}")).await.json(), *event);
        insta::assert_json_snapshot!("event", without_ids(event), {
            ".event.decision.counter" => "a counter",
            ".event.nonce" => "16 random bytes",
            ".event.personal" => "salted hashes",
        });
    })
    .await;
}

#[tokio::test]
async fn a_manager_reads_the_record_of_his_project_only() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let path = "/api/v1/projects/pay/environments";
        api.post(path, json!({ "slug": "stage", "name": "Stage" })).await;
        let read = async |token: &str| {
            let answer =
                api.call("get", "/api/v1/audit?action=environment.create").bearer(token).send("").await;
            answer.json()["items"].as_array().unwrap().clone()
        };
        assert_eq!(read(&api.alice).await.len(), 1);
        assert!(read(&api.mallory).await.is_empty());
        let id = read(&api.alice).await[0]["id"].as_str().unwrap().to_owned();
        let strange = api.call("get", &format!("/api/v1/audit/{id}")).bearer(&api.mallory).send("").await;
        let nothing = api.call("get", "/api/v1/audit/evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB");
        assert_eq!(strange.told(), nothing.bearer(&api.mallory).send("").await.told());
        assert_eq!(strange.status, 404);
    })
    .await;
}

#[tokio::test]
async fn several_actions_are_looked_for_between_commas_and_a_list_never_widens() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.post("/api/v1/projects", json!({ "slug": "a", "name": "A" })).await;
        api.post(
            "/api/v1/projects/a/environments",
            json!({ "slug": "live", "name": "Live", "label": "live" }),
        )
        .await;
        api.patch("/api/v1/projects/a", json!({ "name": "B" })).await;
        api.post("/api/v1/teams", json!({ "slug": "sre", "name": "SRE" })).await;
        let found = async |actions: &str| {
            let answer = api.get(&format!("/api/v1/audit?limit=200&action={actions}")).await.json();
            let items = answer["items"].as_array().unwrap().clone();
            let mut found: Vec<_> =
                items.iter().map(|it| it["action"].as_str().unwrap().to_owned()).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        assert_eq!(found("project.edit,team.create").await, ["project.edit", "team.create"]);
        assert_eq!(found("team.,project.edit").await, ["project.edit", "team.create"]);
        assert_eq!(
            found("project.,environment.").await,
            ["environment.create", "project.create", "project.edit"]
        );
        for nothing in [",", "team", "team,,project", "team.create%20", "project.edit.,team.create."] {
            assert!(found(nothing).await.is_empty(), "{nothing}");
        }
    })
    .await;
}
