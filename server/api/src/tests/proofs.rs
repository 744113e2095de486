//! Versions of policies say what a solver showed of them.

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_version_that_is_asked_about_waits_and_then_says_what_was_shown() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let text = "forbid (principal, action == Action::\"secret.purge\", resource);";
        let policy = api.post("/api/v1/policies", json!({ "name": "Nobody purges", "text": text })).await.json();
        assert!(policy["versions"][0].get("proof").is_none(), "{policy}");
        let id = policy["id"].as_str().unwrap();
        let prove = format!("/api/v1/policies/{id}/versions/1/prove");
        let asked = api.post(&prove, json!({})).await;
        assert_eq!(asked.status, 200, "{asked:?}");
        let asked = asked.json();
        assert_eq!(asked["versions"][0]["proof"]["state"], "waiting");
        assert!(asked.get("solver").is_none(), "there is none here: {asked}");
        // As a node with a solver leaves it.
        api.house
            .put_by(&["UPDATE policy_proofs SET state = 'done', verdict = 'narrows', revision = 0, solver = 'cvc5 1.0.3',
                         environments = 3, compared = 3, ended_at = 1800000000000000, took_ms = 420, detail =
                         '{\"principal\":\"person\",\"roles\":[\"owner\"],\"action\":\"secret.purge\",\"resource\":\"secret\",\"own\":false,\"owner\":false,\"now\":\"2027-01-15T08:00:00Z\",\"method\":\"passkey\",\"before\":true,\"after\":false}'"])
            .await;
        let shown = api.get(&format!("/api/v1/policies/{id}")).await.json();
        let proof = &shown["versions"][0]["proof"];
        assert_eq!((&proof["verdict"], &proof["stale"]), (&json!("narrows"), &json!(false)), "{proof}");
        let example = &proof["counter_example"];
        assert_eq!((&example["roles"], &example["after"]), (&json!(["owner"]), &json!(false)), "{proof}");
        // A version that was taken back is proven no more.
        let withdrawn = api.post(&format!("/api/v1/policies/{id}/versions/1/withdraw"), json!({})).await;
        assert_eq!(withdrawn.status, 200, "{withdrawn:?}");
        assert_eq!(api.post(&prove, json!({})).await.status, 409);
        assert_eq!(api.post(&prove.replace("/1/", "/9/"), json!({})).await.status, 404);
    })
    .await;
}
