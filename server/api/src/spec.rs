//! The OpenAPI 3.1 document: paths and schemas are made from the handlers; what holds for all of them is said here once.

use std::sync::LazyLock;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::{
    flaw::Flaw,
    json,
    problem::{Kind, Wire},
    router,
};

/// Where the document is.
pub(crate) const ADDRESS: &str = "/api/v1/openapi.json";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_string());

/// `GET /api/v1/openapi.json`: for anybody; it tells nothing of what is in here.
pub(crate) async fn show() -> Response {
    let mut response = json::written(StatusCode::OK, DOCUMENT.as_str());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The whole document.
pub fn openapi() -> Value {
    let made = serde_json::to_value(router::documented().into_openapi()).unwrap_or_default();
    let paths = made.get("paths").and_then(Value::as_object).cloned().unwrap_or_default();
    // The router's way to say that a parameter may hold slashes is none of OpenAPI's.
    let named = |(path, operations): (String, Value)| (path.replace("{*", "{"), operations);
    let mut paths: Map<_, _> = paths.into_iter().map(named).collect();
    for path in paths.values_mut() {
        for (method, operation) in path.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                complete(method, operation);
            }
        }
    }
    let schemas = made.pointer("/components/schemas").and_then(Value::as_object).cloned();
    let mut schemas = schemas.unwrap_or_default();
    for (name, schema) in [(Wire::name(), Wire::schema()), (Flaw::name(), Flaw::schema())] {
        schemas.insert(name.into_owned(), serde_json::to_value(schema).unwrap_or_default());
    }
    let tags: Vec<_> =
        TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keywarden",
            "version": "1",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "this server" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses(),
            "parameters": parameters(),
            "securitySchemes": { "serviceToken": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "kws_…",
                "description": "A service token of a workload, one that `keywarden operator token` printed, or a person's own that `keywarden login` got.",
            }},
        },
        "security": [{ "serviceToken": [] }],
    })
}

const ABOUT: &str = "\
Keywarden keeps the API keys and secrets of a distributed system: it issues, verifies, rotates and revokes its own keys, \
and keeps and gives out what others gave it.\n\n\
Callers show a service token (`Authorization: Bearer kws_…`). What a caller may not know of answers 404, exactly as what \
does not exist. Errors are `application/problem+json` (RFC 9457) whose `type` is stable. A POST or PUT \
with an `Idempotency-Key` is done once, however often it is sent. Times are RFC 3339 in UTC. Fields may be added to answers; \
unknown fields in requests are refused.";

const TAGS: &[(&str, &str)] = &[
    ("Keys", "API keys: issue, find, change, rotate, suspend, revoke."),
    ("Verification", "Is this key good? For services, reverse proxies and OAuth 2.0 resource servers."),
    ("Secrets", "What others gave us to keep: put, read, labelled, deleted, restored, destroyed."),
    ("Encryption keys", "Projects' keys: rotated; rewraps: how far they are, paused, resumed."),
    ("Projects", "Projects and their environments."),
    ("Policies", "Who may do what, beside roles: Cedar text in versions."),
    ("Access", "Roles for a while: asked for, approved with signatures in the console, given back."),
    (
        "Standards",
        "What keys, secrets and environments have to be like: rules in versions, and what breaks them.",
    ),
    ("Workloads", "Machine identities and their service tokens."),
    ("People", "Persons, teams and roles."),
    ("Permissions", "Effective permissions: who can do what, what would be, and why something was refused."),
    ("Messages", "What is told outside: channels, and how their deliveries go."),
    ("Leaks", "What to do with a value that was found where it should not be."),
    ("Audit", "What happened, when, by whom."),
];

/// Kinds that no endpoint of the API answers with.
const ELSEWHERE: [Kind; 2] = [Kind::CrossSite, Kind::NoDatabase];

/// What a problem looks like, whichever it is.
fn responses() -> Value {
    let content =
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let mut responses = Map::new();
    for status in [400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503] {
        let kinds = Kind::ALL.iter().filter(|kind| kind.status() == status && !ELSEWHERE.contains(kind));
        let said: Vec<_> = kinds.map(|kind| format!("{} (`{}`)", kind.title(), kind.slug())).collect();
        responses.insert(status.to_string(), json!({ "description": said.join("; "), "content": content }));
    }
    responses.into()
}

fn parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "8 to 255 printable characters of the caller's choice. Sent again with the same request, the \
                first answer comes again; a secret in it for one hour, after that 409 with the id, for good. With another request: 422. What \
                had no secret is remembered for seven days: whoever sends it later asks anew.",
            "schema": { "type": "string", "minLength": 8, "maxLength": 255 },
            "example": "4b1d2f0e-5c1f-4a76-9a0e-0d5a3f7f9f11",
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` that was read: if it was changed since, nothing is done and the answer is 412.",
            "schema": { "type": "string" },
            "example": "\"3\"",
        },
    })
}

/// Adds what follows from the method to an operation.
fn complete(method: &str, operation: &mut Map<String, Value>) {
    let given = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let asks_in = |place: &str| given.iter().any(|it| it.get("in").is_some_and(|at| at == place));
    let has_body = operation.contains_key("requestBody");
    // What takes no service token says in its own words what is wrong (RFC 6749, 5.2).
    if operation.contains_key("security") {
        return refer(operation, [413, 429, 500, 503]);
    }
    // A POST that only asks: the question is too secret for an address.
    let asks = operation.remove("x-reads").is_some();
    let reads = asks || method == "get";
    // What answers with a secret: it may be seen and not read.
    let discloses = operation.remove("x-discloses").is_some();
    // What is done only where things are still as they were seen, though no header says how.
    let expects = operation.remove("x-expects").is_some();
    let mut problems = vec![401, 429, 500, 503];
    if asks_in("query") || has_body {
        problems.push(400);
    }
    if asks_in("path") {
        problems.push(404);
    }
    if asks {
        problems.push(403);
    }
    if has_body {
        problems.extend([413, 415, 422]);
    }
    if discloses {
        problems.extend([400, 403, 409, 422]);
    }
    if !reads {
        problems.extend([403, 404, 409]);
        let parameter = match method {
            "patch" => Some("IfMatch"),
            "post" => Some("IdempotencyKey"),
            "put" if has_body => Some("IdempotencyKey"),
            _ => None,
        };
        let names_version = given.iter().any(|it| it.get("name").is_some_and(|name| name == "If-Match"));
        if method == "patch" || expects || names_version {
            problems.push(412);
        }
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let (Some(parameter), Some(parameters)) = (parameter, parameters.as_array_mut()) {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{parameter}") }));
        }
    }
    refer(operation, problems);
}

fn refer(operation: &mut Map<String, Value>, problems: impl IntoIterator<Item = u16>) {
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    for status in problems {
        let reference = json!({ "$ref": format!("#/components/responses/{status}") });
        responses.entry(status.to_string()).or_insert(reference);
    }
}
