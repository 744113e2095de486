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
    let rotated = api.post("/api/v1/projects/pay/key/rotate", json!({})).await.json();
    Belongings(vec![
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

#[tokio::test]
async fn an_id_of_another_project_in_a_body_looks_like_one_of_nothing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (key, _) = api.issue("Checkout", json!({})).await;
        let before = api.events().await;
        let nothing = "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB";
        let key_in = |project: &str| json!({ "project": project, "environment": "live", "name": "x", "owner": api.owner });
        for (path, [there, nowhere]) in [
            ("/api/v1/keys", ["pay", "nowhere"].map(key_in)),
            ("/api/v1/keys", [api.pay.id.to_string(), "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB".into()].map(|it: String| key_in(&it))),
            ("/api/v1/workloads", ["pay", "nowhere"].map(|it| json!({ "name": "x", "project": it, "role": "viewer" }))),
            ("/api/v1/roles", ["pay", "nowhere"].map(|it| json!({ "holder": api.owner, "role": "viewer", "project": it }))),
            ("/api/v1/keys/bulk-revoke", [&key, nothing].map(|it| json!({ "keys": [it] }))),
        ] {
            let there = api.call("post", path).bearer(&api.mallory).json(there).await;
            let nowhere = api.call("post", path).bearer(&api.mallory).json(nowhere).await;
            assert_eq!(there.told(), nowhere.told(), "{path}");
            assert_eq!(there.status, 404, "{path} {there:?}");
        }
        assert_eq!(api.events().await, before);
    })
    .await;
}
