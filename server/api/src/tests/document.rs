//! The OpenAPI document says what is there, and nothing else is there.

use keywarden_domain::cast::both_engines;
use keywarden_model::RequestId;
use serde_json::Value;

use super::{Api, examples};

#[test]
fn the_document_is_what_was_reviewed() {
    insta::assert_json_snapshot!(crate::openapi());
}

#[tokio::test]
async fn every_documented_route_is_there_and_has_no_other_method() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (path, methods) in examples::routes() {
            let path = examples::fill(&path, &api.pay);
            for method in ["get", "post", "put", "patch", "delete"] {
                let answer = api.call(method, &path).send("").await;
                if methods.iter().any(|it| it == method) {
                    assert_ne!(answer.status, 404, "{method} {path}");
                    assert_ne!(answer.status, 405, "{method} {path}");
                } else {
                    assert_eq!(answer.status, 405, "{method} {path}");
                    assert!(answer.header("allow").to_lowercase().contains(&methods[0]), "{method} {path}");
                    assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
                    let instance = answer.json()["instance"].as_str().map(str::parse::<RequestId>);
                    assert!(matches!(instance, Some(Ok(_))), "{method} {path}: {answer:?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_document_is_served_to_anybody() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let answer = api.call("get", "/api/v1/openapi.json").send("").await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, crate::openapi()));
    })
    .await;
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_own_name() {
    let document = crate::openapi();
    let mut names = std::collections::BTreeSet::new();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                if let Some(Value::String(name)) = map.get("operationId") {
                    assert!(names.insert(name), "{name} stands twice");
                }
                left.extend(map.values());
            }
            _ => {}
        }
    }
    assert!(names.len() > 5);
}

#[tokio::test]
async fn a_body_made_of_the_documents_examples_is_good() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let mut tried = 0;
        for (path, methods) in examples::routes() {
            for method in methods {
                let Some(body) = examples::body(&method, &path, api.owner) else { continue };
                let call = api.call(&method, &examples::fill(&path, &api.pay)).bearer(&api.olga);
                let answer = call.json(body.clone()).await;
                let refused = [400, 415].contains(&answer.status.as_u16());
                // The example of a holder is nobody: what is asked of it is read before that is found.
                let unread = answer.status == 422 && path != "/api/v1/roles";
                assert!(!refused && !unread, "{method} {path} {body}: {answer:?}");
                tried += 1;
            }
        }
        assert!(tried > 10, "{tried}");
    })
    .await;
}
