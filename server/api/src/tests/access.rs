//! A pipeline asks, looks how it is, and takes it back; nothing is approved here.

use serde_json::json;

use super::Api;
use keywarden_domain::cast::{Engine, House};

const REQUESTS: &str = "/api/v1/access-requests";

#[tokio::test]
async fn a_machine_asks_for_a_role_once_and_withdraws_it() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    let wanted = json!({
        "role": "issuer", "project": "pay", "lasts_seconds": 1800, "reason": "deploy 7", "ticket": "INC-7",
    });
    let post = async || {
        let call = api.call("post", REQUESTS).bearer(&api.vera).header("idempotency-key", "deploy-7-now");
        call.json(wanted.clone()).await
    };
    let asked = post().await;
    assert_eq!(asked.status, 201, "{asked:?}");
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(post().await.json()["id"], asked.json()["id"], "asked twice, done once");
    let get = async |token: &str, path: &str| api.call("get", path).bearer(token).send("").await;
    let here = format!("{REQUESTS}/{id}");
    assert_eq!(get(&api.vera, &here).await.json()["state"], "pending");
    assert_eq!(get(&api.vera, REQUESTS).await.json()["items"][0]["id"], asked.json()["id"]);
    assert_eq!(get(&api.alice, REQUESTS).await.json()["items"], json!([]), "one's own");
    let seen = get(&api.alice, &format!("{REQUESTS}?own=false&state=pending")).await;
    assert_eq!(seen.json()["items"][0]["id"], asked.json()["id"]);
    assert_eq!(get(&api.mallory, &here).await.status, 404);
    assert_eq!(get(&api.mallory, &format!("{here}/evidence")).await.status, 404);
    let evidence = get(&api.vera, &format!("{here}/evidence")).await;
    assert_eq!((evidence.status.as_u16(), &evidence.json()["approvals"]), (200, &json!([])));

    let post = async |token: &str, path: &str, body| api.call("post", path).bearer(token).json(body).await;
    assert_eq!(post(&api.mallory, &format!("{here}/withdraw"), json!({})).await.status, 404);
    let denied = post(&api.vera, &format!("{here}/deny"), json!({ "words": "no thanks" })).await;
    assert_eq!(denied.status, 403, "{denied:?}");
    let gone = post(&api.vera, &format!("{here}/withdraw"), json!({})).await;
    assert_eq!(gone.json()["state"], "withdrawn", "{gone:?}");
    let again = post(&api.vera, &format!("{here}/withdraw"), json!({})).await;
    assert_eq!(again.status, 409, "{again:?}");
    // There is no address that approves.
    assert_eq!(post(&api.olga, &format!("{here}/approve"), json!({})).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_told_at_its_field() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    let ask = async |more: serde_json::Value| {
        let mut body =
            json!({ "role": "issuer", "project": "pay", "lasts_seconds": 1800, "reason": "deploy 7" });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let answer = api.call("post", REQUESTS).bearer(&api.vera).json(body).await;
        (answer.status.as_u16(), answer.json()["errors"][0]["pointer"].as_str().map(str::to_owned))
    };
    let at = |pointer: &str| (422, Some(pointer.to_owned()));
    assert_eq!(ask(json!({ "role": "owner" })).await, at("/role"));
    assert_eq!(ask(json!({ "role": "admin" })).await, at("/role"));
    assert_eq!(ask(json!({ "lasts_seconds": 10 })).await, at("/lasts_seconds"));
    assert_eq!(ask(json!({ "lasts_seconds": 999_999 })).await, at("/lasts_seconds"));
    assert_eq!(ask(json!({ "reason": "x" })).await, at("/reason"));
    assert_eq!(ask(json!({ "holder": api.owner })).await, at("/holder"));
    assert_eq!(ask(json!({ "role": "verifier" })).await, (409, None), "held already");
}

#[tokio::test]
async fn who_approves_is_read_and_written() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    let rule = json!({
        "project": "pay", "newest": 0, "approvers": 2, "longest_seconds": 3600, "unanswered_seconds": 3600,
        "strength": "device-bound",
    });
    let refused = api.call("post", "/api/v1/access-rules").bearer(&api.alice).json(rule.clone()).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let set = api.post("/api/v1/access-rules", rule.clone()).await;
    assert_eq!((set.status.as_u16(), &set.json()["approvers"]), (200, &json!(2)), "{set:?}");
    assert_eq!(api.post("/api/v1/access-rules", rule).await.status, 412);
    let shown = api.call("get", "/api/v1/access-rules?project=pay").bearer(&api.alice).send("").await;
    assert_eq!(shown.json()["strength"], "device-bound", "{shown:?}");
    let hidden = api.call("get", "/api/v1/access-rules?project=pay").bearer(&api.mallory).send("").await;
    assert_eq!(hidden.status, 404, "{hidden:?}");
}
