//! Every route that the document names × everybody who may not (S-05).

use keywarden_domain::{
    cast::{House, both_engines},
    workloads::{NewWorkload, TokenLifetime},
};
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Api, examples, token};

/// Tokens that are none, or none of ours; and headers that carry none.
const NOBODIES: &[&[(&str, &str)]] = &[
    &[],
    &[("authorization", "")],
    &[("authorization", "Bearer ")],
    &[("authorization", "Bearer kws_live_0A1B2C3D4E5F_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11G2Z3Z")],
    &[("authorization", "Bearer kws_test_0A1B2C3D4E5F_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11G2Z3Z")],
    &[("authorization", "Bearer kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf")],
    &[("authorization", "Basic b2xnYTpvbGdh")],
    &[("cookie", "session=anything; __Host-session=anything")],
    &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
];

#[tokio::test]
async fn every_route_refuses_whoever_shows_no_good_token_in_the_same_words() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let before = api.events().await;
        let mut told = None;
        for (path, methods) in examples::routes() {
            for method in methods {
                for headers in NOBODIES {
                    // Told apart by the scheme alone, as its caller asks: `introspect.rs`.
                    if path == "/oauth2/introspect" && headers.iter().any(|(_, it)| it.starts_with("Basic")) {
                        continue;
                    }
                    let answer = ask(&api, &method, &path, headers).await;
                    let told = told.get_or_insert_with(|| answer.told());
                    assert_eq!(*told, answer.told(), "{method} {path} {headers:?}");
                }
            }
        }
        let (status, headers, body) = told.unwrap();
        insta::assert_json_snapshot!((status.as_u16(), headers, body));
        assert_eq!(api.events().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_token_in_the_query_or_twice_in_a_header_is_none() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let path = format!("/api/v1/projects?access_token={}", api.olga);
        assert_eq!(api.call("get", &path).send("").await.status, 401);
        let twice = api.call("get", "/api/v1/projects").bearer(&api.olga).bearer(&api.olga);
        assert_eq!(twice.send("").await.status, 401);
    })
    .await;
}

async fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let body = examples::body(method, path, api.owner);
    let mut call = api.call(method, &examples::fill(path, &api.pay));
    for (name, value) in headers {
        call = call.header(name, value);
    }
    match body {
        Some(body) => call.json(body).await,
        None => call.send("").await,
    }
}

/// One of everything that belongs to `pay`, by the name of its parameter.
pub(super) struct Belongings(Vec<(&'static str, String)>);

impl Belongings {
    /// The path to it, as far as it belongs to the project.
    pub(super) fn within(&self, path: &str) -> String {
        self.0.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }

    /// The path to it; a team, which is the organization's, is none that is there.
    pub(super) fn at(&self, path: &str) -> String {
        let there = self.within(path);
        assert!(!there.replace("{team}", "").contains('{'), "say in `belongings` what is at {there}");
        examples::nowhere(&there)
    }
}

pub(super) async fn belongings(api: &Api) -> Belongings {
    let (key, _) = api.issue("Checkout", json!({})).await;
    let value = api.get(&format!("/api/v1/keys/{key}")).await.json()["values"][0]["id"].clone();
    let workload = json!({ "name": "checkout", "project": "pay", "role": "verifier" });
    let workload = api.post("/api/v1/workloads", workload).await.json();
    let id = workload["id"].as_str().unwrap();
    let token = api.post(&format!("/api/v1/workloads/{id}/tokens"), json!({})).await.json()["id"].clone();
    let rule = json!({ "issuer": "https://issuer.example", "claims": { "sub": "shop" } });
    let rule = api.post(&format!("/api/v1/workloads/{id}/rules"), rule).await.json()["id"].clone();
    let event = api.get(&format!("/api/v1/audit?resource={key}")).await.json()["items"][0]["id"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secret = api.put("database/password", json!({ "value": "hunter2" })).await.json()["id"].clone();
    let shares = format!("/api/v1/secrets/{}/shares", text(&secret));
    let named = json!({ "name": "prod/database-password" });
    let alias = format!("/api/v1/secrets/{}/aliases/aws", text(&secret));
    assert_eq!(api.call("put", &alias).bearer(&api.olga).json(named).await.status, 200);
    let share = api.post(&shares, json!({ "version": 1, "expires_in": "24h" })).await.json()["id"].clone();
    let refused = api.call("get", &format!("/api/v1/keys/{key}")).bearer(&api.mallory).send("").await;
    let decision = refused.json()["decision"].clone();
    let rotated = api.post("/api/v1/projects/pay/key/rotate", json!({})).await.json();
    let policy = json!({
        "name": "Nobody purges", "project": "pay",
        "text": "forbid (principal, action == Action::\"secret.purge\", resource) when { context.recovering };",
    });
    let policy = api.post("/api/v1/policies", policy).await.json()["id"].clone();
    let case = json!({ "principal": api.owner, "action": "key.issue", "resource": api.pay.live });
    let test = json!({ "name": "Nobody issues", "project": "pay", "case": case, "allowed": false });
    let test = api.post("/api/v1/policies/tests", test).await.json()["id"].clone();
    let standard = json!({ "name": "Payments", "project": "pay", "rules": { "team_owner": true } });
    let standard = api.post("/api/v1/standards", standard).await.json()["id"].clone();
    let request = json!({ "role": "viewer", "project": "pay", "lasts_seconds": 3600, "reason": "INC-7" });
    let request = api.call("post", "/api/v1/access-requests").bearer(&api.vera).json(request).await;
    let request = text(&request.json()["id"]);
    api.house
        .put_by(&[
            "INSERT INTO access_grants (id, request_id, project_id, scope, role, holder_kind, holder_id, starts_at, ends_at)
             SELECT 'grt_01JDB2W1N9F6Q3R8T5V7X9Z0AC', id, project_id, scope, role, holder_kind, holder_id, created_at,
                    expires_at FROM access_requests",
        ])
        .await;
    let channel = json!({ "name": "Duty", "kind": "webhook", "target": "https://hooks.example.com/in" });
    let channel = api.post("/api/v1/channels", channel).await.json()["id"].clone();
    Belongings(vec![
        ("{request}", request),
        ("{grant}", "grt_01JDB2W1N9F6Q3R8T5V7X9Z0AC".into()),
        ("{channel}", text(&channel)),
        ("{policy}", text(&policy)),
        ("{test}", text(&test)),
        ("{standard}", text(&standard)),
        ("{rewrap}", text(&rotated["rewrap"])),
        ("{secret}", text(&secret)),
        ("{share}", text(&share)),
        ("{path}", "database/password".into()),
        ("{version}", "1".into()),
        ("{label}", "current".into()),
        ("{dialect}", "aws".into()),
        ("{name}", "prod/database-password".into()),
        ("{project}", api.pay.slug.clone()),
        ("{environment}", "live".into()),
        ("{key}", key),
        ("{value}", text(&value)),
        ("{workload}", id.to_owned()),
        ("{role}", text(&workload["roles"][0]["id"])),
        ("{token}", text(&token)),
        ("{rule}", text(&rule)),
        ("{event}", text(&event)),
        ("{decision}", text(&decision)),
        ("{user}", api.owner.to_string()),
    ])
}

#[tokio::test]
async fn what_belongs_to_another_project_looks_like_what_is_not_there() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = belongings(&api).await;
        let other = api.house.project("elsewhere").await;
        let mut strangers = vec![("nothing anywhere", nothing(&api.house).await)];
        for role in [Role::Issuer, Role::Manager, Role::Reader, Role::Verifier, Role::Viewer] {
            strangers.push((role.as_str(), token(&api.house, role.as_str(), role, Some(&other)).await));
        }
        let before = api.house.rows().await;
        for (who, stranger) in &strangers {
            looks_absent(&api, &belongings, who, stranger).await;
        }
        assert_eq!(api.house.rows().await, before);
    })
    .await;
}

/// A token of a workload that holds no role at all.
async fn nothing(house: &House) -> String {
    let op = house.operator(Role::Owner);
    let new = NewWorkload { name: "nothing".parse().unwrap(), project: None, role: None };
    let workload = house.domain.create_workload(&op, new).await.unwrap();
    let issued = house.domain.issue_service_token(&op, workload, TokenLifetime::default()).await.unwrap();
    issued.value.expose().to_owned()
}

async fn looks_absent(api: &Api, belongings: &Belongings, who: &str, stranger: &str) {
    for (path, methods) in examples::routes().into_iter().filter(|(path, _)| path.contains('{')) {
        let there = belongings.at(&path);
        for method in methods {
            let mut told = Vec::new();
            for asked in [there.clone(), examples::nowhere(&path)] {
                let call = api.call(&method, &asked).bearer(stranger);
                let answer = match examples::body(&method, &path, api.owner) {
                    Some(body) => call.json(body).await,
                    None => call.send("").await,
                };
                // That there are people is no secret, so a door to all of them may say 403: to each the same.
                let shut = answer.status == 404 || (answer.status == 403 && path.contains("{user}"));
                assert!(shut, "{who}: {method} {asked}: {answer:?}");
                told.push(answer.told());
            }
            assert_eq!(told[0], told[1], "{who}: {method} {path}");
        }
    }
}

/// Where in an example something is named, by an id or by a slug, and the field that names it.
fn named(body: &Value) -> Vec<(String, String)> {
    fn walk(value: &Value, pointer: &str, field: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    walk(item, &format!("{pointer}/{at}"), field, found);
                }
            }
            Value::Object(fields) => {
                for (name, it) in fields {
                    walk(it, &format!("{pointer}/{name}"), name, found);
                }
            }
            Value::String(text) => {
                let is_id = text.split_once('_').is_some_and(|(_, rest)| {
                    rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                });
                // What the document's examples are about; what is made or made up there is named by nobody else.
                let is_slug = ["pay", "live", "test"].contains(&text.as_str());
                if is_id || (is_slug && !["slug", "label"].contains(&field)) {
                    found.push((pointer.to_owned(), field.to_owned()));
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(body, "", "", &mut found);
    found
}

/// For what names something of a project: the project and environment beside it, what is there, and what is nowhere.
/// `None` where a stranger may know of it.
fn stands_for(api: &Api, belongings: &Belongings, field: &str, at: &str) -> Option<Vec<[String; 3]>> {
    let text = str::to_owned;
    Some(match field {
        "project" => vec![
            [text("pay"), text("pay"), text("nowhere")],
            [text("pay"), api.pay.id.to_string(), text("prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")],
        ],
        "environment" => vec![
            [text("pay"), text("live"), text("nowhere")],
            [text("pay"), api.pay.live.to_string(), text("env_01JDB2W1N9F6Q3R8T5V7X9Z0AB")],
            [text("other"), api.pay.live.to_string(), text("env_01JDB2W1N9F6Q3R8T5V7X9Z0AB")],
        ],
        "keys" | "resource" => {
            vec![[text("other"), belongings.within("{key}"), text("key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]]
        }
        // Whoever may not see who can what hears that, whomever they name.
        "principal" if at.starts_with("post /api/v1/policies/tests") => return None,
        "actor" | "holder" | "principal" => {
            vec![[text("other"), belongings.within("{workload}"), text("wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]]
        }
        "policy" => {
            vec![[text("other"), belongings.within("{policy}"), text("pol_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]]
        }
        // That there are people and teams is no secret, and a promotion leads to an environment of the secret's project.
        "owner" | "recipient" | "to" => return None,
        _ => panic!("say in `stands_for` what `{field}` of {at} names"),
    })
}

/// Every field of every body that names something.
#[tokio::test]
async fn an_id_of_another_project_in_a_body_looks_like_one_of_nothing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = belongings(&api).await;
        let before = api.house.rows().await;
        let mut tried = 0;
        for (path, methods) in examples::routes() {
            for method in methods {
                let Some(example) = examples::body(&method, &path, api.owner) else { continue };
                for (pointer, field) in named(&example) {
                    let at = format!("{method} {path} {pointer}");
                    let Some(pairs) = stands_for(&api, &belongings, &field, &at) else { continue };
                    assert!(!path.contains('{'), "{at}: the path names something, too");
                    for [project, there, nowhere] in pairs {
                        let mut told = Vec::new();
                        for asked in [there, nowhere] {
                            let mut body = example.clone();
                            if let Some(beside) = body.get_mut("project") {
                                *beside = json!(project);
                            }
                            *body.pointer_mut(&pointer).unwrap() = json!(asked);
                            let answer = api.call(&method, &path).bearer(&api.mallory).json(body).await;
                            // Of many that are read, each has an answer of its own.
                            let none = answer.status == 200 && answer.body.contains("\"status\":404");
                            // A project's own workload asks for no role elsewhere, wherever that is.
                            let status = if field == "holder" || path.ends_with("/access-requests") {
                                422
                            } else {
                                404
                            };
                            assert!(none || answer.status == status, "{at} {asked}: {answer:?}");
                            told.push(answer.told());
                        }
                        assert_eq!(told[0], told[1], "{at}");
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried >= 20, "{tried}");
        assert_eq!(api.house.rows().await, before);
    })
    .await;
}

/// Every parameter of a query that names something.
#[tokio::test]
async fn an_id_of_another_project_in_a_query_looks_like_one_of_nothing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = belongings(&api).await;
        let document = crate::openapi();
        let mut tried = 0;
        for (path, _) in examples::routes() {
            let parameters = document["paths"][&path]["get"]["parameters"].as_array().cloned();
            let in_query = |it: &Value| it["in"] == "query";
            let parameters: Vec<_> = parameters.into_iter().flatten().filter(in_query).collect();
            for name in parameters.iter().map(|it| it["name"].as_str().unwrap()) {
                // A place in a list, and what is sought or shown in it.
                if !["project", "environment", "resource", "actor", "owner", "policy", "principal"]
                    .contains(&name)
                {
                    assert!(NARROWS.contains(&name), "say in `NARROWS` or here what `{name}` of {path} is");
                    continue;
                }
                let at = format!("{path}?{name}=");
                let Some(pairs) = stands_for(&api, &belongings, name, &at) else { continue };
                assert!(!path.contains('{'), "{at}: the path names something, too");
                for [project, there, nowhere] in pairs {
                    let beside = match name {
                        "environment" => format!("&project={project}"),
                        "project" if parameters.iter().any(|it| it["name"] == "environment") => {
                            "&environment=live".into()
                        }
                        _ => String::new(),
                    };
                    let mut told = Vec::new();
                    for asked in [there, nowhere] {
                        let asked = format!("{at}{asked}{beside}");
                        let answer = api.call("get", &asked).bearer(&api.mallory).send("").await;
                        let shut = answer.status == 404 || !["project", "environment"].contains(&name);
                        assert!(shut, "{asked}: {answer:?}");
                        told.push(answer.told());
                    }
                    assert_eq!(told[0], told[1], "{at}");
                    tried += 1;
                }
            }
        }
        assert!(tried >= 20, "{tried}");
    })
    .await;
}

/// Parameters of queries that name nothing of a project.
const NARROWS: [&str; 37] = [
    "action",
    "active",
    "address",
    "after",
    "archived",
    "at",
    "channel",
    "cursor",
    "deactivated",
    "deleted",
    "field",
    "folder",
    "from",
    "ip",
    "ip_from",
    "kind",
    "label",
    "limit",
    "method",
    "order",
    "outcome",
    "own",
    "passkey_age",
    "q",
    "raw",
    "reason_given",
    "reversed",
    "role",
    "scope",
    "since",
    "state",
    "step",
    "tag",
    "token_ends_within_days",
    "until",
    "unused_days",
    "version",
];
