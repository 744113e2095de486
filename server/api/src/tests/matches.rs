//! `If-Match` says which version the caller has seen: it is heeded or refused, by every verb, and never dropped.

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::{Answer, Api, examples, strangers};

const HOME: &str = "/api/v1/projects/pay/environments/live/secrets";

/// The document says where it is heeded: there the answer may be 412.
fn heeds(document: &Value, path: &str, method: &str) -> bool {
    let is_tag = |it: &Value| it["name"] == "If-Match" || it["$ref"] == "#/components/parameters/IfMatch";
    document["paths"][path][method]["parameters"].as_array().is_some_and(|given| given.iter().any(is_tag))
}

#[tokio::test]
async fn no_operation_drops_the_version_that_its_caller_has_seen() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        let team = json!({ "slug": "crew", "name": "Crew" });
        assert_eq!(api.post("/api/v1/teams", team).await.status, 201);
        let (document, before) = (crate::openapi(), api.house.rows().await);
        let (mut heeded, mut refused) = (0, 0);
        for (path, methods) in examples::routes() {
            let there = belongings.at(&path.replace("{team}", "crew"));
            // A value has its own tag; this one is of none that was ever there.
            let tag = if path.contains("{path}") { "\"sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB\"" } else { "\"0\"" };
            for method in methods.into_iter().filter(|method| method != "get" && !examples::asks(&path)) {
                let call = api.call(&method, &there).bearer(&api.olga).header("if-match", tag);
                let answer = match examples::body(&method, &path, api.owner) {
                    Some(body) => call.json(body).await,
                    None => call.send("").await,
                };
                if heeds(&document, &path, &method) {
                    assert_eq!(answer.status, 412, "{method} {path}: {answer:?}");
                    heeded += 1;
                } else {
                    assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
                    assert_eq!(answer.json()["errors"][0]["parameter"], "If-Match", "{method} {path}");
                    refused += 1;
                }
            }
        }
        assert!(heeded > 20 && refused > 20, "{heeded} {refused}");
        assert_eq!(api.house.rows().await, before, "nothing was done");
    })
    .await;
}

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

        let deleted = api.call("delete", &format!("{HOME}/a")).bearer(&api.olga).send("").await;
        let purge = format!("{secret}/purge");
        assert_eq!(ask(&api, "post", &purge, &stale).await.status, 412);
        assert_eq!(ask(&api, "post", &purge, deleted.header("etag")).await.status, 204);
    })
    .await;
}
