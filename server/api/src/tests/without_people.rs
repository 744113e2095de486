//! A house without people: everything from the first project to the last revocation with a token from the server's
//! shell, in the bodies that scripts are promised.

use chrono::TimeDelta;
use keywarden_domain::cast::{House, both_engines};
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Call, door};

/// What a script has: an address and a token.
struct Script<'a> {
    house: &'a House,
    router: axum::Router,
    token: String,
}

impl<'a> Script<'a> {
    async fn of_the_operator(house: &'a House) -> Self {
        let shell = house.operator(Role::Admin);
        let token = house.domain.operator_token(&shell, Role::Admin, TimeDelta::minutes(15)).await.unwrap();
        Self { house, router: door(house), token: token.expose().to_owned() }
    }

    fn with(&self, token: &str) -> Self {
        Self { house: self.house, router: self.router.clone(), token: token.to_owned() }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let call = Call::at(&self.router, self.house, method, path).bearer(&self.token);
        match body {
            Some(body) => call.json(body).await,
            None => call.send("").await,
        }
    }

    /// Posts and gets what was made.
    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        let answer = self.ask("post", path, Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        answer.json()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("get", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}")).to_owned()
}

/// A project with an environment.
async fn furnish(script: &Script<'_>) {
    script.post("/api/v1/projects", json!({ "slug": "shop", "name": "Shop" }), 201).await;
    let environment = json!({ "slug": "prod", "name": "Production", "label": "live" });
    script.post("/api/v1/projects/shop/environments", environment, 201).await;
}

fn new_key(name: &str) -> Value {
    json!({ "project": "shop", "environment": "prod", "name": name, "scopes": ["orders:read"] })
}

/// A token of a new workload with this role.
async fn workload(script: &Script<'_>, name: &str, role: &str) -> String {
    let body = json!({ "name": name, "project": "shop", "role": role });
    let workload = script.post("/api/v1/workloads", body, 201).await;
    let tokens = format!("/api/v1/workloads/{}/tokens", text(&workload, "id"));
    text(&script.post(&tokens, json!({ "expires_in_seconds": 3_600 }), 201).await, "token")
}

#[tokio::test]
async fn a_key_lives_and_ends_by_the_operators_token_alone() {
    both_engines(async |house| {
        let script = Script::of_the_operator(&house).await;
        furnish(&script).await;
        let issued = script.post("/api/v1/keys", new_key("Checkout"), 201).await;
        let (id, key) = (text(&issued, "id"), text(&issued, "key"));
        let gateway = script.with(&workload(&script, "gateway", "verifier").await);
        let code = async |key: &str| {
            let asked =
                json!({ "key": key, "scopes": ["orders:read"], "ip": "198.51.100.7", "caller": "shop" });
            let verdict = gateway.post("/api/v1/keys/verify", asked, 200).await;
            (text(&verdict, "code"), verdict["superseded"] == true)
        };
        assert_eq!(code(&key).await, ("valid".into(), false));

        let verb = async |verb: &str, body: Value| {
            script.post(&format!("/api/v1/keys/{id}/{verb}"), body, 200).await
        };
        let rotated = verb("rotate", json!({ "overlap_seconds": 3_600 })).await;
        assert_eq!(text(&rotated, "id"), id);
        let new = text(&rotated, "key");
        assert_eq!(code(&new).await, ("valid".into(), false));
        assert_eq!(code(&key).await, ("valid".into(), true));
        house.clock.advance(std::time::Duration::from_hours(1));
        // The token was for a quarter of an hour, the workload's for an hour: both are over with the overlap.
        let again = Script::of_the_operator(&house).await;
        let gateway = again.with(&workload(&again, "gateway 2", "verifier").await);
        let code = async |key: &str| {
            let verdict = gateway.post("/api/v1/keys/verify", json!({ "key": key }), 200).await;
            text(&verdict, "code")
        };
        assert_eq!((code(&key).await.as_str(), code(&new).await.as_str()), ("expired", "valid"));

        let verb =
            async |verb: &str, body: Value| again.post(&format!("/api/v1/keys/{id}/{verb}"), body, 200).await;
        verb("suspend", json!({})).await;
        assert_eq!(code(&new).await, "suspended");
        verb("resume", json!({})).await;
        assert_eq!(code(&new).await, "valid");
        verb("revoke", json!({ "reason": "key-compromise" })).await;
        assert_eq!((code(&key).await.as_str(), code(&new).await.as_str()), ("revoked", "revoked"));
    })
    .await;
}

#[tokio::test]
async fn a_machine_that_names_no_owner_issues_for_the_team_of_operators() {
    both_engines(async |house| {
        let script = Script::of_the_operator(&house).await;
        furnish(&script).await;
        let builder = script.with(&workload(&script, "builder", "issuer").await);
        let mut held = json!({ "value": "sk-Legacy-4f9a1c77e2", "last_day": "2027-02-01T00:00:00Z" });
        held.as_object_mut().unwrap().extend(new_key("Held").as_object().cloned().unwrap());
        let keys = futures_util::future::join_all([
            script.post("/api/v1/keys", new_key("One"), 201),
            builder.post("/api/v1/keys", new_key("Two"), 201),
            script.post("/api/v1/keys/import", held, 201),
        ])
        .await;
        let team = script.get("/api/v1/teams/operators").await;
        assert_eq!((&team["name"], &team["member_count"]), (&json!("Operators"), &json!(0)));
        for key in keys {
            let shown = script.get(&format!("/api/v1/keys/{}", text(&key, "id"))).await;
            assert_eq!(shown["owner"], team["id"], "{shown}");
        }
        assert_eq!(script.get("/api/v1/teams").await["items"].as_array().unwrap().len(), 1);
        let made = script.get(&format!("/api/v1/audit?resource={}", text(&team, "id"))).await;
        assert_eq!(
            (made["items"].as_array().unwrap().len(), &made["items"][0]["action"]),
            (1, &json!("team.create"))
        );
        // Nobody else can have made it, nor can a second one be made.
        let same =
            script.ask("post", "/api/v1/teams", Some(json!({ "slug": "operators", "name": "X" }))).await;
        assert_eq!(same.status, 422, "{same:?}");
    })
    .await;
}

#[tokio::test]
async fn where_another_team_bears_the_name_an_owner_must_be_named() {
    both_engines(async |house| {
        let script = Script::of_the_operator(&house).await;
        furnish(&script).await;
        let team = script.post("/api/v1/teams", json!({ "slug": "ops", "name": "Operators" }), 201).await;
        let refused = script.ask("post", "/api/v1/keys", Some(new_key("One"))).await;
        let pointer = refused.json()["errors"][0]["pointer"].clone();
        assert_eq!((refused.status.as_u16(), pointer), (422, json!("/owner")), "{refused:?}");
        let mut named = new_key("One");
        named["owner"] = team["id"].clone();
        script.post("/api/v1/keys", named, 201).await;
    })
    .await;
}
