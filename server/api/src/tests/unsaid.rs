//! What is refused repeats nothing that was sent: whoever takes one field for another may have put a secret there.

use std::collections::BTreeSet;

use keywarden_domain::cast::{Engine, House};
use serde_json::{Value, json};

use super::{Api, examples, strangers};

const SECRET: &str = "kws_live_0A1B2C3D4E5F_hunter2Hunter2HUNTER2";
const NUMBER: u64 = 8_204_917_736_251;

/// Fields with words of a caller's own, which are quoted to say which of them is wrong.
const QUOTED: [&str; 5] = ["allowed_cidrs", "approved_scopes", "scopes", "seal", "tags"];

/// Where something stands in a body, itself first.
fn places(body: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut at = 0;
    while let Some(pointer) = found.get(at).cloned() {
        match body.pointer(&pointer).unwrap() {
            Value::Array(items) => found.extend((0..items.len()).map(|n| format!("{pointer}/{n}"))),
            Value::Object(members) => {
                let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
                found.extend(members.keys().map(|name| format!("{pointer}/{}", step(name))));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The body with a secret in each place: as it is, in a list, as the name of a field, as a number.
fn spoilt(body: &Value) -> Vec<(String, Value)> {
    let mut spoilt = Vec::new();
    for place in places(body) {
        let here = body.pointer(&place).unwrap();
        let mut put = vec![json!(SECRET), json!([SECRET]), json!({ SECRET: SECRET }), json!(NUMBER)];
        if let Some(members) = here.as_object() {
            let mut members = members.clone();
            members.insert(SECRET.into(), json!(SECRET));
            put.push(members.into());
        }
        for it in put {
            let mut body = body.clone();
            *body.pointer_mut(&place).unwrap() = it;
            spoilt.push((place.clone(), body));
        }
    }
    spoilt
}

#[tokio::test]
async fn a_refusal_repeats_no_secret_wherever_it_stood() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    let belongings = strangers::belongings(&api).await;
    let (number, mut refused, mut quoted) = (NUMBER.to_string(), 0, BTreeSet::new());
    for (path, methods) in examples::routes() {
        let there = belongings.at(&path);
        for method in methods {
            let Some(body) = examples::body(&method, &path, api.owner) else { continue };
            for (place, body) in spoilt(&body) {
                let answer = api.call(&method, &there).bearer(&api.olga).json(body.clone()).await;
                if !answer.status.is_client_error() {
                    continue;
                }
                refused += 1;
                let mut names = place.split('/').skip(1);
                let field = names.find(|it| *it != "rules").unwrap_or_default().to_owned();
                let said = [&SECRET[22..], &number].iter().any(|it| answer.body.contains(it));
                if said && QUOTED.contains(&field.as_str()) {
                    quoted.insert(field);
                } else {
                    assert!(!said, "{method} {path} {body}: {answer:?}");
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
    assert_eq!(quoted.into_iter().collect::<Vec<_>>(), QUOTED, "these are all");
}

#[tokio::test]
async fn what_is_no_json_is_not_repeated_either() {
    let api = Api::in_house(House::new(Engine::Sqlite).await).await;
    for body in [
        SECRET.to_owned(),
        format!("{{\"slug\":{SECRET}}}"),
        format!("{{\"{SECRET}\":1,\"{SECRET}\":2}}"),
        format!("{{\"slug\":\"{SECRET}"),
        format!("{{\"slug\":\"x\",\"name\":\"\\{SECRET}\"}}"),
    ] {
        let call = api.call("post", "/api/v1/projects").bearer(&api.olga);
        let answer = call.header("content-type", "application/json").send(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(!answer.body.contains(&SECRET[22..]), "{body}: {answer:?}");
    }
}
