//! What is refused leaves nothing behind (S-15): no row of any table, whoever is refused and why.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Api, examples, strangers, token};

/// The same body spoilt: without its first field, with one too many, and not JSON at all.
fn spoilt(body: &Value) -> Vec<String> {
    let mut more = body.clone();
    let mut bodies = vec!["{".to_owned(), "[]".to_owned(), "null".to_owned()];
    if let Some(fields) = more.as_object_mut() {
        fields.insert("is_admin".into(), json!(true));
    }
    bodies.push(more.to_string());
    bodies
}

#[tokio::test]
async fn a_refusal_writes_no_row() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        // Who may look at everything in the project, and do nothing.
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let auditor = token(&api.house, "auditor", Role::Auditor, None).await;
        let before = api.house.rows().await;
        let mut refused = 0;
        for (path, methods) in examples::routes() {
            // To verify, introspect or look for a leak is to ask; many values are refused one by one.
            // Anybody may ask for access, too.
            let asks = examples::asks(&path) || path.ends_with("/access-requests");
            let there = belongings.at(&path);
            for method in methods.into_iter().filter(|method| method != "get" && !asks) {
                let body = examples::body(&method, &path, api.owner);
                for (who, caller) in [("viewer", &viewer), ("auditor", &auditor), ("foreigner", &api.mallory)]
                {
                    let call = api
                        .call(&method, &there)
                        .bearer(caller)
                        .header("idempotency-key", "refused-for-good");
                    let answer = match &body {
                        Some(body) => call.json(body.clone()).await,
                        None => call.send("").await,
                    };
                    let status = answer.status.as_u16();
                    assert!([403, 404, 422].contains(&status), "{who}: {method} {path}: {answer:?}");
                    refused += 1;
                }
                for spoilt in body.iter().flat_map(spoilt) {
                    let call = api
                        .call(&method, &there)
                        .bearer(&api.olga)
                        .header("content-type", "application/json");
                    let answer = call.send(spoilt.clone()).await;
                    assert!(answer.status.is_client_error(), "{method} {path} {spoilt}: {answer:?}");
                    refused += 1;
                }
                assert_eq!(api.house.rows().await, before, "{method} {path}");
            }
        }
        assert!(refused > 150, "{refused}");
    })
    .await;
}
