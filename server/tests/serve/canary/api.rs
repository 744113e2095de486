//! The door for machines: every operation that the document names, with every field of it filled, well and badly.

mod estate;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    Scene,
    door::Answer,
    marks::{Marks, Whose},
};

/// What hands a value out to whoever may have it.
const HANDS_OUT: [&str; 11] = [
    "GET readSecret",
    "POST authorizeDevice",
    "POST batchGetSecrets",
    "POST createChannel",
    "POST exportSecrets",
    "POST inviteUser",
    "POST issueKey",
    "POST issueToken",
    "POST rotateChannelSecret",
    "POST rotateKey",
    "POST shareSecret",
];

/// Operations with a body that no request here is good enough for, and where they are gone through.
const NEVER_GOOD: [(&str, &str); 3] = [
    ("activatePolicy", "no organization-wide role of a machine lets policies decide: `policies.rs`"),
    ("exchangeToken", "it needs an issuer outside: `exchange.rs`, `login.rs`"),
    ("nameProjectSeal", "it needs a seal that the operator set: `project_seal.rs`"),
];

/// Fields that hold names, words and settings. Whatever is not here is treated as a secret, so that a new field is one until
/// somebody says otherwise.
const TOLD: [&str; 53] = [
    "action",
    "address",
    "allowed_cidrs",
    "at",
    "audience",
    "caller",
    "case",
    "cases",
    "claims",
    "client_id",
    "content_type",
    "description",
    "environment",
    "expires_at",
    "expires_in",
    "folder",
    "format",
    "grant_type",
    "holder",
    "ip",
    "issuer",
    "items",
    "keys",
    "kind",
    "label",
    "last_day",
    "later",
    "listens",
    "metadata",
    "method",
    "name",
    "nested",
    "not_before",
    "note",
    "only",
    "own",
    "owner",
    "passkey_age",
    "policies",
    "principal",
    "project",
    "reason",
    "reason_given",
    "recipient",
    "resource",
    "role",
    "scopes",
    "slug",
    "strength",
    "tags",
    "ticket",
    "to",
    "words",
];

/// Goes after the others, in this order: what ends things.
const LATE: [&str; 30] = [
    "pauseChannel",
    "resumeChannel",
    "testChannel",
    "deleteChannel",
    "extendValue",
    "stopValue",
    "suspendKey",
    "resumeKey",
    "bulkRevoke",
    "revokeKey",
    "unaliasSecret",
    "unlabelSecret",
    "withdrawShare",
    "disableSecretVersion",
    "enableSecretVersion",
    "deleteSecretVersion",
    "restoreSecretVersion",
    "destroySecretVersion",
    "deleteSecret",
    "restoreSecret",
    "purgeSecret",
    "deleteTrustRule",
    "revokeToken",
    "removeMember",
    "revokeRole",
    "deactivateWorkload",
    "deactivateUser",
    "reactivateUser",
    "revokeOwnToken",
    "archiveProject",
];

/// A value that has fields.
const SETTINGS: &str = "/api/v1/projects/pay/environments/live/secrets/database/settings";

/// One operation of the document.
struct Operation {
    name: String,
    method: String,
    path: String,
    /// Its body's type and schema.
    body: Option<(String, Value)>,
    /// Where its parameters stand, and their names.
    parameters: Vec<(String, String)>,
}

/// Goes through all of them; the names of those whose good answers hold values.
pub(crate) fn goes_through(scene: &Scene) -> BTreeSet<String> {
    let document = scene.door.ask("the document", "get", "/api/v1/openapi.json", &[], b"").unwrap().json();
    let mut all = operations(&document);
    let late = |it: &Operation| LATE.iter().position(|late| *late == it.name).map_or(0, |at| at + 1);
    // What is carried over is the version that was looked at: before others change it.
    all.sort_by_key(|it| (it.name != "promoteSecret", late(it)));
    let visit = Visit::new(scene, document);
    // What is asked badly may end a thing all the same: with a header too many, say. It was asked well before that.
    for operation in &all {
        visit.well(operation);
        visit.badly(operation);
    }
    visit.were_all_good(&all);
    HANDS_OUT.iter().map(ToString::to_string).collect()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object().into_iter().flatten().next();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.map(|it| {
                let it = resolved(document, it);
                (it["in"].as_str().unwrap().to_owned(), it["name"].as_str().unwrap().to_owned())
            });
            all.push(Operation {
                name: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.clone(),
                path: path.clone(),
                body: content.map(|(kind, it)| (kind.clone(), resolved(document, &it["schema"]).clone())),
                parameters: parameters.collect(),
            });
        }
    }
    assert!(all.len() > 80, "{}", all.len());
    all
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|it| it.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap(),
        None => value,
    }
}

fn in_days(days: i64) -> String {
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    (now + TimeDelta::days(days)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What is there, and how good the requests were.
struct Visit<'a> {
    scene: &'a Scene,
    document: Value,
    bearer: String,
    /// What stands for each parameter of a path.
    things: Vec<(&'static str, String)>,
    /// What stands for whoever and whatever the examples name.
    examples: Vec<(&'static str, String)>,
    answered: RefCell<BTreeMap<String, BTreeSet<u16>>>,
}

impl Visit<'_> {
    fn marks(&self) -> &Marks {
        &self.scene.marks
    }

    fn asks(&self, name: &str, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("Authorization", self.bearer.as_str()), ("Content-Type", "application/json")];
        let answer = self.scene.door.ask(name, method, path, &headers, body.to_string().as_bytes()).unwrap();
        assert!(answer.status < 300, "{method} {path} {body}: {answer:?}");
        answer
    }

    fn makes(&self, path: &str, body: Value) -> Value {
        // What a thing is made with and its value come back at once.
        let name = ["channels", "keys", "tokens", "shares"].into_iter().find(|it| path.ends_with(it));
        let name = name.map_or("fixture", |it| match it {
            "channels" => "createChannel",
            "keys" => "issueKey",
            "tokens" => "issueToken",
            _ => "shareSecret",
        });
        self.asks(name, "post", path, &body).json()
    }

    fn gets(&self, path: &str) -> Value {
        let headers = [("Authorization", self.bearer.as_str())];
        self.scene.door.ask("fixture", "get", path, &headers, b"").unwrap().json()
    }

    /// Asks as the admin, with more headers; notes how it was answered and what was given out.
    fn tries(&self, it: &Operation, path: &str, more: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let kind = it.body.as_ref().map(|(kind, _)| ("Content-Type", kind.as_str()));
        let said = |name: &str| more.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        let usual = [Some(("Authorization", self.bearer.as_str())), kind];
        let mut headers: Vec<_> = usual.into_iter().flatten().filter(|(name, _)| !said(name)).collect();
        headers.extend(more);
        self.scene.door.ask(&it.name, &it.method, path, &headers, body)
    }

    fn place(&self, it: &Operation) -> String {
        // A secret's description and owner are said when it is made.
        let new = format!("shop/{}", self.marks().told(format!("{}: path", it.name)));
        let path = match it.name.as_str() {
            "putSecret" => it.path.replace("{path}", &new),
            "editSecretFields" => SETTINGS.to_owned(),
            _ => it.path.clone(),
        };
        self.things.iter().fold(path, |path, (name, thing)| path.replace(name, thing))
    }

    /// A good body, every text of which can be told from every other.
    fn good(&self, it: &Operation) -> Map<String, Value> {
        let Some((_, schema)) = &it.body else { return Map::new() };
        if it.name == "editSecretFields" {
            // Its fields are the value's own.
            let field = self.marks().secret(format!("{}: a field", it.name));
            return Map::from_iter([("password".to_owned(), json!(field))]);
        }
        let fields = schema["properties"].as_object().into_iter().flatten();
        fields.filter_map(|(field, schema)| Some((field.clone(), self.fits(it, field, schema)?))).collect()
    }

    fn fits(&self, it: &Operation, field: &str, schema: &Value) -> Option<Value> {
        let what = format!("{}.{field}", it.name);
        let secret = || self.marks().secret(what.clone());
        let told = || self.marks().told(what.clone());
        Some(match (it.name.as_str(), field) {
            (_, "not_before" | "seen" | "sha256" | "value_base64" | "client_id" | "recipient") => {
                return None;
            }
            ("extendValue", "until") => json!(in_days(3)),
            (_, "expires_at" | "last_day" | "until") => json!(in_days(30)),
            (_, "at") => json!(in_days(0)),
            ("bulkRevoke", "keys") => json!([self.examples[1].1]),
            ("grantRole", "role") => json!("viewer"),
            ("exportSecrets", "folder") => json!("database"),
            ("promoteSecret", "to") => json!("stage"),
            ("promoteSecret" | "labelSecret", "version") => json!(1),
            (_, "value" | "key" | "token" | "subject_token" | "device_code") => json!(secret()),
            (_, "content") => json!(format!("{}={}\n", told().to_uppercase(), secret())),
            (_, "name" | "slug" | "description" | "note" | "caller")
            | ("suspendKey" | "exportSecrets", "reason") => json!(told()),
            (_, "tags") => json!([format!("team={}", told())]),
            (_, "metadata") => json!({ told(): told() }),
            (_, "scopes") => json!([format!("{}:read", told())]),
            (_, "claims") => json!({ "sub": told() }),
            _ => self.example(schema)?,
        })
    }

    fn example(&self, schema: &Value) -> Option<Value> {
        if let Some(example) = schema.get("example") {
            let named =
                self.examples.iter().fold(example.to_string(), |text, (it, ours)| text.replace(it, ours));
            return serde_json::from_str(&named).ok().filter(|it: &Value| !it.is_null());
        }
        let one = schema["oneOf"].as_array().into_iter().flatten().find(|it| it.get("$ref").is_some());
        let properties = resolved(&self.document, one.unwrap_or(schema))["properties"].as_object()?;
        Some(properties.iter().filter_map(|(name, it)| Some((name.clone(), self.example(it)?))).collect())
    }

    fn written(it: &Operation, body: &Map<String, Value>) -> Vec<u8> {
        match &it.body {
            None => Vec::new(),
            Some((kind, _)) if kind == "application/json" => json!(body).to_string().into_bytes(),
            Some(_) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in body {
                    form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
                }
                form.finish().into_bytes()
            }
        }
    }

    /// As the document says, with all that it may have.
    fn well(&self, it: &Operation) {
        let once = self.marks().secret(format!("{}: idempotency key", it.name));
        let reason = self.marks().told(format!("{}: reason", it.name));
        let mut headers =
            vec![("User-Agent", reason.clone()), ("Referer", format!("https://x.example/{once}"))];
        for (name, value) in [("Idempotency-Key", &once), ("Keywarden-Reason", &reason)] {
            if it.parameters.iter().any(|(_, it)| it == name) {
                headers.push((name, value.clone()));
            }
        }
        if it.name == "authorizeRequest" {
            headers.push(("X-Api-Key", self.marks().secret("authorizeRequest: X-Api-Key")));
            headers.push(("X-Keywarden-Token", self.scene.token.clone()));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = self.good(it);
        let written = Self::written(it, &body);
        let query = match it.name.as_str() {
            "showSecretsAsOf" => format!("?at={}", in_days(0)),
            "listWhoCan" => "?action=project.create&resource=organization".to_owned(),
            "simulate" => {
                format!("?principal={}&action=project.create&resource=organization", self.examples[0].1)
            }
            "listSecrets" | "watchSecrets" => "?project=pay&environment=live".to_owned(),
            _ => String::new(),
        };
        let path = self.place(it) + &query;
        let Some(answer) = self.tries(it, &path, &headers, &written) else { return };
        self.answered.borrow_mut().entry(it.name.clone()).or_default().insert(answer.status);
        if answer.status >= 300 {
            // Read by whoever sees this test fail.
            println!("{} {path}: {} {}", it.name, String::from_utf8_lossy(&written), answer.whole);
        }
        if let Ok(body) = serde_json::from_str::<Value>(answer.body()) {
            for field in ["key", "token", "url", "passphrase", "device_code"] {
                if let Some(text) = body[field].as_str().filter(|it| it.len() >= 60) {
                    self.marks().note_token(&format!("{}: {field} given out", it.name), text);
                } else if let Some(text) = body[field].as_str().filter(|it| it.len() >= 11 && field != "key")
                {
                    self.marks().note(Whose::Secret, format!("{}: {field} given out", it.name), text);
                }
            }
        }
        // Once more, and once more for something else.
        if headers.iter().any(|(name, _)| *name == "Idempotency-Key") {
            self.tries(it, &path, &headers, &written);
            let other = Self::written(it, &self.good(it));
            self.tries(it, &path, &headers, &other);
        }
    }

    /// With a text where it does not belong: in each field, parameter and header, and in bodies that are none.
    fn badly(&self, it: &Operation) {
        self.wrong_heads(it);
        let path = self.place(it);
        let fields =
            it.body.iter().flat_map(|(_, schema)| schema["properties"].as_object().into_iter().flatten());
        for field in fields.map(|(field, _)| field) {
            let whose = if TOLD.contains(&field.as_str()) { Whose::Told } else { Whose::Secret };
            let new = |how: &str| self.marks().draw(whose, format!("{}.{field}, {how}", it.name));
            // In place of the right one: of a type that may be right, and of one that hardly is.
            for (how, wrong) in [
                ("a text", json!(new("a text"))),
                ("a list", json!([new("a list")])),
                ("an object", json!({ "x": new("an object") })),
                ("too long", json!(new("too long").repeat(3_000))),
            ] {
                // Nothing is made by it, though the field may be good.
                let mut body = self.good(it);
                body.insert(field.clone(), wrong);
                body.insert("no_such_field".into(), json!(new(how)));
                self.tries(it, &path, &[], &Self::written(it, &body));
            }
        }
        if it.body.is_none() {
            return;
        }
        let secret = |how: &str| self.marks().secret(format!("{}: {how}", it.name));
        let cut =
            Self::written(it, &Map::from_iter([("value".to_owned(), json!(secret("a body cut short")))]));
        self.tries(it, &path, &[], cut.strip_suffix(b"\"}").unwrap_or(&cut));
        self.tries(it, &path, &[], secret("no JSON").as_bytes());
        self.tries(it, &path, &[], format!("{{\"value\":\"{}\",\"value\":1}}", secret("twice")).as_bytes());
        self.tries(it, &path, &[("Content-Type", "text/plain")], secret("of another type").as_bytes());
        self.tries(it, &path, &[("Content-Type", &secret("a type"))], b"{}");
        self.tries(it, &path, &[("Content-Encoding", "gzip")], secret("compressed").as_bytes());
        self.tries(it, &path, &[], secret("too large").repeat(100_000).as_bytes());
    }

    fn wrong_heads(&self, it: &Operation) {
        let secret = |how: &str| self.marks().secret(format!("{}: {how}", it.name));
        let told = |how: &str| self.marks().told(format!("{}: {how}", it.name));
        // Who asks: nobody, in every way.
        let bearer = [
            format!("Bearer {}", secret("bearer")),
            format!("Bearer kwk_live_{}", secret("a key as bearer")),
        ];
        let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret("basic"));
        let path = self.place(it);
        for authorization in [&bearer[0], &bearer[1], &format!("Basic {basic}"), &secret("no scheme")] {
            let more = [
                ("Authorization", authorization.as_str()),
                ("Cookie", &format!("__Host-session={}", secret("cookie"))),
                ("X-Forwarded-For", &secret("forwarded")),
            ];
            let body = Self::written(it, &self.good(it));
            self.tries(it, &path, &more, &body);
        }
        // Every header that anything reads, at once and one by one.
        let headers = [
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Keywarden-Reason",
            "Last-Event-ID",
            "X-Api-Key",
            "X-Keywarden-Token",
            "X-Request-Id",
            "Forwarded",
            "Accept",
        ];
        // A reason is for the record.
        let named = headers.iter().map(|name| {
            let mark = if *name == "Keywarden-Reason" { told(name) } else { secret(name) };
            (*name, mark)
        });
        let named: Vec<_> = named.collect();
        let all: Vec<_> = named.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.tries(it, &path, &all, b"");
        let long = secret("a header too long").repeat(20);
        for name in ["Idempotency-Key", "If-Match", "Keywarden-Reason"] {
            self.tries(it, &path, &[(name, &long)], b"");
        }
        // What stands in the address.
        let mut wrong = it.path.clone();
        for (_, name) in it.parameters.iter().filter(|(place, _)| place == "path") {
            wrong = wrong.replace(&format!("{{{name}}}"), &told(&format!("path {name}")));
        }
        let query = it.parameters.iter().filter(|(place, _)| place == "query");
        let query: Vec<_> =
            query.map(|(_, name)| format!("{name}={}", told(&format!("query {name}")))).collect();
        self.tries(it, &wrong, &[], b"");
        self.tries(it, &format!("{path}?{}&access_token={}", query.join("&"), told("query")), &[], b"");
    }

    /// Each operation with a body was asked at least once in a way that it took.
    fn were_all_good(&self, all: &[Operation]) {
        let answered = self.answered.borrow();
        let good = |name: &str| answered.get(name).is_some_and(|it| it.iter().any(|status| *status < 300));
        let bodies = all.iter().filter(|it| it.body.is_some());
        let missing: Vec<_> = bodies
            .filter(|it| good(&it.name) == NEVER_GOOD.iter().any(|(name, _)| *name == it.name))
            .map(|it| format!("{} {:?}", it.name, answered.get(&it.name)))
            .collect();
        assert!(missing.is_empty(), "no good request, or one that was said to be impossible: {missing:#?}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
