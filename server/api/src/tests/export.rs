//! `/api/v1/audit/export`

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::Api;

#[tokio::test]
async fn the_record_is_exported_as_it_is_stored_and_goes_on_after_any_event() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for slug in ["a", "b", "c"] {
            api.post("/api/v1/projects", json!({ "slug": slug, "name": slug })).await;
            api.house.clock.advance(std::time::Duration::from_secs(1));
        }
        let all = api.get("/api/v1/audit/export").await;
        assert_eq!(all.header("content-type"), "application/jsonl");
        let text = all.body;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(text.ends_with('\n') && lines.len() >= 3, "{text}");
        assert!(lines.is_sorted_by_key(|it| it["id"].as_str().unwrap().to_owned()));
        for (line, event) in text.lines().zip(&lines) {
            let shown = api.get(&format!("/api/v1/audit/{}", event["id"].as_str().unwrap())).await.json();
            assert_eq!(&shown["event"], event);
            assert_eq!(serde_json::to_string(event).unwrap(), line, "canonical, to the byte");
        }
        let second = lines[lines.len() - 2]["id"].as_str().unwrap();
        let rest = api.get(&format!("/api/v1/audit/export?after={second}")).await.body;
        assert_eq!(rest.lines().collect::<Vec<_>>(), [text.lines().last().unwrap()]);
        let last_at = lines[lines.len() - 1]["at"].as_str().unwrap();
        let since = api.get(&format!("/api/v1/audit/export?since={last_at}")).await.body;
        let of_then = lines.iter().filter(|it| it["at"] == last_at).count();
        assert!(text.ends_with(&since) && since.lines().count() == of_then, "{since}");
        let refused = api.call("get", "/api/v1/audit/export").bearer(&api.alice).send("").await;
        assert!(
            [403, 404].contains(&refused.status.as_u16()),
            "a part of the record would look like one with holes: {refused:?}"
        );
    })
    .await;
}
