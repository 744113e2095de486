//! `PATCH` as RFC 7396 means it: `null` takes away, or is refused at its field; it is never passed over in silence.

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::{Answer, Api};

async fn made(api: &Api, path: &str, body: Value) -> String {
    let answer = api.post(path, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Each thing that can be patched, with something in every field, by its path in the document.
async fn things(api: &Api) -> Vec<(&'static str, String)> {
    let key = json!({
        "environment": "test", "description": "charges cards", "not_before": "2027-01-31T00:00:00Z",
        "expires_at": "2027-12-31T00:00:00Z",
        "allowed_cidrs": ["10.0.0.0/8"], "rate_limit": { "limit": 100, "window_seconds": 60 },
        "tags": ["critical"], "metadata": { "plan": "gold" },
    });
    let (key, _) = api.issue("Checkout", key).await;
    let secret = api.put("database", json!({ "value": "x" })).await.json()["id"].as_str().unwrap().to_owned();
    let said = json!({ "description": "the shop's", "tags": ["critical"], "owner": api.owner });
    assert_eq!(api.patch(&format!("/api/v1/secrets/{secret}"), said).await.status, 200);
    made(api, "/api/v1/teams", json!({ "slug": "core", "name": "Core" })).await;
    let environments = "/api/v1/projects/pay/environments";
    let stage = json!({ "slug": "stage", "name": "Stage", "label": "stg", "max_lifetime_seconds": 86_400 });
    made(api, environments, stage).await;
    let workload = json!({ "name": "shop", "project": "pay", "role": "verifier" });
    let workload = made(api, "/api/v1/workloads", workload).await;
    let rules = format!("/api/v1/workloads/{workload}/rules");
    let rule = json!({
        "issuer": "https://issuer.example", "claims": { "sub": "shop" }, "jwks_url": "https://issuer.example/keys",
    });
    let rule = made(api, &rules, rule).await;
    let text =
        "forbid (principal, action == Action::\"secret.purge\", resource) when { context.recovering };";
    let policy = made(api, "/api/v1/policies", json!({ "name": "Nobody purges", "text": text })).await;
    let channel = json!({
        "name": "Duty", "kind": "webhook", "target": "https://hooks.example.com/in", "listens": ["seal"],
    });
    let channel = made(api, "/api/v1/channels", channel).await;
    vec![
        ("/api/v1/channels/{channel}", format!("/api/v1/channels/{channel}")),
        ("/api/v1/keys/{key}", format!("/api/v1/keys/{key}")),
        ("/api/v1/policies/{policy}", format!("/api/v1/policies/{policy}")),
        ("/api/v1/projects/{project}", "/api/v1/projects/pay".into()),
        ("/api/v1/projects/{project}/environments/{environment}", format!("{environments}/stage")),
        ("/api/v1/secrets/{secret}", format!("/api/v1/secrets/{secret}")),
        ("/api/v1/teams/{team}", "/api/v1/teams/core".into()),
        ("/api/v1/workloads/{workload}/rules/{rule}", format!("{rules}/{rule}")),
    ]
}

/// The fields of a patch, as the document names them.
fn fields(document: &Value, path: &str) -> Vec<String> {
    let content = &document["paths"][path]["patch"]["requestBody"]["content"]["application/json"];
    let reference = content["schema"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
    let schema = document.pointer(reference).unwrap();
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

/// Whether the field is gone or empty.
fn is_empty(answer: &Answer, field: &str) -> bool {
    match &answer.json()[field] {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[tokio::test]
async fn null_takes_a_field_away_or_is_refused_there() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let document = crate::openapi();
        let patched =
            document["paths"].as_object().unwrap().iter().filter(|(_, it)| it.get("patch").is_some());
        // The fields of a value are its own, whatever they are called: `fields.rs`.
        let patched =
            patched.map(|(path, _)| path.as_str()).filter(|path| !path.ends_with("/secrets/{path}"));
        let patched: Vec<_> = patched.collect();
        let things = things(&api).await;
        assert_eq!(things.iter().map(|(path, _)| *path).collect::<Vec<_>>(), patched);
        let mut told = Vec::new();
        for (path, thing) in things {
            for field in fields(&document, path) {
                let before = api.get(&thing).await;
                let answer = api.patch(&thing, json!({ &field: null })).await;
                let after = api.get(&thing).await;
                let what = match answer.status.as_u16() {
                    200 => {
                        assert!(
                            is_empty(&answer, &field) && is_empty(&after, &field),
                            "{path} {field} {answer:?}"
                        );
                        "taken away"
                    }
                    422 => {
                        let pointer = answer.json()["errors"][0]["pointer"].clone();
                        assert_eq!(pointer, json!(format!("/{field}")), "{answer:?}");
                        assert_eq!(before.json(), after.json(), "{path} {field}");
                        "refused"
                    }
                    _ => panic!("{path} {field} {answer:?}"),
                };
                told.push(format!("{path} {field}: {what}"));
            }
        }
        insta::assert_json_snapshot!("nulls", told);
    })
    .await;
}
