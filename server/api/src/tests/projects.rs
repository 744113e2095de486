//! `/api/v1/projects` and their environments.

use keywarden_domain::cast::{Engine, House, both_engines};
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_project_is_made_shown_renamed_and_archived() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made = api.post("/api/v1/projects", json!({ "slug": "shop", "name": "Shop" })).await;
        insta::assert_json_snapshot!("project_made", made.shown());
        assert_eq!(api.get("/api/v1/projects/shop").await.json(), made.json());
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(api.get(&format!("/api/v1/projects/{id}")).await.json(), made.json());
        let named = api.patch("/api/v1/projects/shop", json!({ "name": "The shop" })).await;
        assert_eq!((named.status.as_u16(), &named.json()["name"]), (200, &json!("The shop")));
        let archived = api.post("/api/v1/projects/shop/archive", json!({})).await;
        assert!(archived.json()["archived_at"].is_string(), "{archived:?}");
        let again = api.post("/api/v1/projects/shop/archive", json!({})).await;
        insta::assert_json_snapshot!("project_archived_twice", again.shown());
    })
    .await;
}

#[tokio::test]
async fn a_slug_or_name_that_is_taken_is_a_conflict_at_its_field() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let slug = api.post("/api/v1/projects", json!({ "slug": "pay", "name": "Another" })).await;
        insta::assert_json_snapshot!("slug_taken", slug.shown());
        let name = api.post("/api/v1/projects", json!({ "slug": "another", "name": "PAY" })).await;
        insta::assert_json_snapshot!("name_taken", name.shown());
    })
    .await;
}

#[tokio::test]
async fn a_change_to_another_version_than_was_seen_is_refused() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let path = "/api/v1/projects/pay";
        let tag = api.get(path).await.header("etag").to_owned();
        let patch = async |tag: &str, name: &str| {
            let call = api.call("patch", path).bearer(&api.olga).header("if-match", tag);
            call.json(json!({ "name": name })).await
        };
        let first = patch(&tag, "One").await;
        assert_eq!(first.status, 200);
        assert_ne!(first.header("etag"), tag);
        insta::assert_json_snapshot!("changed_meanwhile", patch(&tag, "Two").await.shown());
        assert_eq!(patch("\"never\"", "Two").await.status, 412);
        assert_eq!(patch("W/\"1\"", "Two").await.status, 412);
        assert_eq!(patch("nonsense", "Two").await.status, 400);
        assert_eq!(api.get(path).await.json()["name"], "One");
        assert_eq!(patch("*", "Three").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn an_environment_is_made_listed_and_edited() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let path = "/api/v1/projects/pay/environments";
        let made = api.post(path, json!({ "slug": "stage", "name": "Stage", "label": "stg" })).await;
        insta::assert_json_snapshot!("environment_made", made.shown());
        let slugs = api.get(path).await.json();
        let slugs: Vec<_> = slugs["items"].as_array().unwrap().iter().map(|it| &it["slug"]).collect();
        assert_eq!(slugs, ["live", "stage", "test"]);
        let stage = format!("{path}/stage");
        let limited = api.patch(&stage, json!({ "max_lifetime_seconds": 3600 })).await.json();
        assert_eq!((&limited["max_lifetime_seconds"], &limited["name"]), (&json!(3600), &json!("Stage")));
        let unlimited =
            api.patch(&stage, json!({ "max_lifetime_seconds": null, "overlap_seconds": 0 })).await;
        assert_eq!(unlimited.json().get("max_lifetime_seconds"), None);
        assert_eq!(unlimited.json()["overlap_seconds"], 0);
        for wrong in [0, -1, 59, i64::MAX] {
            let answer = api.patch(&stage, json!({ "max_lifetime_seconds": wrong })).await;
            assert_eq!(answer.status, 422, "{wrong}");
            assert_eq!(answer.json()["errors"][0]["pointer"], "/max_lifetime_seconds");
        }
    })
    .await;
}

#[tokio::test]
async fn callers_see_their_own_projects_only() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let list = async |token: &str| {
            let answer = api.call("get", "/api/v1/projects").bearer(token).send("").await.json();
            answer["items"].as_array().unwrap().iter().map(|it| it["slug"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(list(&api.olga).await, ["other", "pay"]);
        assert_eq!(list(&api.alice).await, ["pay"]);
        assert_eq!(list(&api.mallory).await, ["other"]);
    })
    .await;
}

/// A change that names no version is made to whatever is there, also when somebody else is faster.
#[tokio::test]
async fn changes_at_once_without_a_version_are_all_made() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let team = api.post("/api/v1/teams", json!({ "slug": "shop", "name": "Shop" })).await;
        assert_eq!(team.status, 201, "{team:?}");
        let stage = "/api/v1/projects/pay/environments/live";
        for path in ["/api/v1/projects/pay", stage, "/api/v1/teams/shop"] {
            let patch = async |name: &str| api.patch(path, json!({ "name": name })).await;
            let (a, b, c, d) = tokio::join!(patch("A"), patch("B"), patch("C"), patch("D"));
            for answer in [a, b, c, d] {
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
            }
        }
    })
    .await;
}

/// On SQLite, whose writer has a connection of its own: what was made cannot be read, and nobody is told to try again.
#[tokio::test]
async fn what_was_made_and_cannot_be_shown_is_not_said_to_be_undone() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    for path in ["/api/v1/projects", "/api/v1/teams"] {
        let make = async |slug: &str| api.post(path, json!({ "slug": slug, "name": slug })).await;
        assert_eq!(make("known").await.status, 201, "{path}");
        let mut held = Vec::new();
        while let Ok(conn) = api.house.store.read().await {
            held.push(conn);
        }
        let unseen = make("unseen").await;
        drop(held);
        assert_eq!(unseen.status, 503, "{path}: {unseen:?}");
        assert!(unseen.body.contains("it was done") && !unseen.body.contains("try again"), "{}", unseen.body);
        assert_eq!(api.get(&format!("{path}/unseen")).await.status, 200, "{path}");
    }
}
