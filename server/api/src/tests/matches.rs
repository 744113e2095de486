//! `If-Match` says which version the caller has seen: it is heeded or refused, by every verb, and never dropped.

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Answer, Api};

const HOME: &str = "/api/v1/projects/pay/environments/live/secrets";

async fn ask(api: &Api, method: &str, path: &str, tag: &str) -> Answer {
    let call = api.call(method, path).bearer(&api.olga).header("if-match", tag);
    if method == "post" { call.json(json!({})).await } else { call.send("").await }
}

#[tokio::test]
async fn every_verb_of_a_secret_heeds_the_version_that_was_read() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made = api.put("a", json!({ "value": "one" })).await.json();
        let secret = format!("/api/v1/secrets/{}", made["id"].as_str().unwrap());
        let tag = async || api.get(&secret).await.header("etag").to_owned();
        let stale = tag().await;
        api.put("a", json!({ "value": "two" })).await;
        let blue = api.call("put", &format!("{secret}/labels/blue")).bearer(&api.olga);
        assert_eq!(blue.json(json!({ "version": 1 })).await.status, 200);
        let verbs = [
            ("delete", "labels/blue"),
            ("post", "versions/1/disable"),
            ("post", "versions/1/enable"),
            ("delete", "versions/1"),
            ("post", "versions/1/restore"),
            ("post", "versions/1/destroy"),
            ("post", "data-key/rotate"),
        ];
        let whole = api.get(&secret).await.json();
        for (method, verb) in verbs {
            let path = format!("{secret}/{verb}");
            assert_eq!(ask(&api, method, &path, &stale).await.status, 412, "{method} {verb}");
            assert_eq!(ask(&api, method, &path, "nonsense").await.status, 400, "{method} {verb}");
        }
        assert_eq!(api.get(&secret).await.json(), whole, "nothing was done");
        for (method, verb) in verbs {
            let answer = ask(&api, method, &format!("{secret}/{verb}"), &tag().await).await;
            assert_eq!(answer.status, 200, "{method} {verb}: {answer:?}");
        }

        let deleted = api.call("delete", &format!("{HOME}/a")).bearer(&api.olga).send("").await;
        let restore = format!("{secret}/restore");
        assert_eq!(ask(&api, "post", &restore, &stale).await.status, 412);
        assert_eq!(ask(&api, "post", &restore, deleted.header("etag")).await.status, 200);
    })
    .await;
}
