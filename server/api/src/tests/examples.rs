//! Requests made from the document itself: a route cannot be forgotten, and an example cannot lie.

use keywarden_domain::cast::Stage;
use keywarden_model::UserId;
use serde_json::{Map, Value, json};

/// Paths and their methods, as far as a caller must show a token.
pub(super) fn routes() -> Vec<(String, Vec<String>)> {
    let document = crate::openapi();
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &Value| -> Vec<String> {
        let all = path.as_object().unwrap().iter();
        all.filter(|(_, operation)| operation.get("security").is_none())
            .map(|(method, _)| method.clone())
            .collect()
    };
    let routes = paths.iter().map(|(path, it)| (path.clone(), methods(it)));
    routes.filter(|(_, methods)| !methods.is_empty()).collect()
}

/// Whether a call there asks and changes nothing, whatever its method.
pub(super) fn asks(path: &str) -> bool {
    [
        "verify",
        "introspect",
        "authorize",
        "leaks",
        "fingerprints/check",
        "policies/check",
        "policies/tests/run",
        "standards/check",
        "batch-get",
    ]
    .iter()
    .any(|it| path.ends_with(it))
}

/// The path with the project `pay`, and otherwise with what could be there and is not.
pub(super) fn fill(path: &str, pay: &Stage) -> String {
    nowhere(&path.replace("{project}", &pay.slug).replace("{environment}", "live"))
}

/// The path with what could be there and is not.
pub(super) fn nowhere(path: &str) -> String {
    path.replace("{project}", "nowhere")
        .replace("{environment}", "nowhere")
        .replace("{request}", "acr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{grant}", "grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{channel}", "chn_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{decision}", "dec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{event}", "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{policy}", "pol_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{test}", "pts_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{standard}", "std_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{key}", "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{value}", "kvl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{secret}", "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{share}", "shr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{path}", "database/password")
        .replace("{version}", "1")
        .replace("{label}", "blue")
        .replace("{dialect}", "aws")
        .replace("{name}", "prod/database-password")
        .replace("{workload}", "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{token}", "stk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{user}", "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{team}", "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{rewrap}", "rwp_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{rule}", "tru_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
        .replace("{role}", "rbd_01JDB2W1N9F6Q3R8T5V7X9Z0AB")
}

/// A body that the document promises to be good: every field's example. Persons are `owner`.
pub(super) fn body(method: &str, path: &str, owner: UserId) -> Option<Value> {
    let text = promised(method, path)?.to_string().replace(NOBODY, &owner.to_string());
    serde_json::from_str(&text).ok()
}

const NOBODY: &str = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB";

fn promised(method: &str, path: &str) -> Option<Value> {
    let document = crate::openapi();
    let content = &document["paths"][path][method]["requestBody"]["content"]["application/json"];
    if let Some(example) = content.get("example") {
        return Some(example.clone());
    }
    let reference = content["schema"]["$ref"].as_str()?;
    Some(example(&document, document.pointer(reference.strip_prefix('#')?)?))
}

fn example(document: &Value, schema: &Value) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return example(document, document.pointer(reference.strip_prefix('#').unwrap()).unwrap());
    }
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let fields = properties.iter().filter(|(_, it)| it.get("example").is_some() || it.get("$ref").is_some());
    let fields: Map<_, _> = fields.map(|(name, it)| (name.clone(), example(document, it))).collect();
    json!(fields)
}
