//! Aliases as callers find them.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Api, token};

const ENVIRONMENT: &str = "/api/v1/projects/pay/environments/live";

impl Api {
    async fn alias(&self, secret: &str, dialect: &str, name: &str) -> Answer {
        let path = format!("/api/v1/secrets/{secret}/aliases/{dialect}");
        self.call("put", &path).bearer(&self.alice).json(json!({ "name": name })).await
    }

    async fn led(&self, by: &str, name: &str) -> Answer {
        self.call("get", &format!("{ENVIRONMENT}/aliases/{name}")).bearer(by).send("").await
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_is_named_found_by_its_name_and_named_no_more() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = id(&api.put("database/main%20password", json!({ "value": "hunter2" })).await);
        let given = api.alias(&secret, "vault-kv2", "prod/db main/password").await;
        assert_eq!((given.status.as_u16(), given.header("etag")), (200, "\"2\""), "{given:?}");
        assert_eq!(given.json()["aliases"], json!({ "vault-kv2": "prod/db main/password" }));
        api.alias(&secret, "azure", "Prod-DB").await;
        let found = api.led(&api.alice, "vault-kv2/prod/db%20main/password").await;
        assert_eq!((found.status.as_u16(), id(&found)), (200, secret.clone()), "{found:?}");
        let slash = api.led(&api.alice, "vault-kv2/prod%2Fdb%20main%2Fpassword").await;
        assert_eq!(id(&slash), secret, "an address is decoded once");
        assert_eq!(id(&api.led(&api.alice, "azure/PROD-db").await), secret);
        let shown = api.get(&format!("/api/v1/secrets/{secret}/aliases/azure")).await;
        assert_eq!(shown.json(), json!({ "dialect": "azure", "name": "Prod-DB" }));
        for nothing in
            ["aws/Prod-DB", "azure/Prod-DB-2", "vault-kv2/Prod/db%20main/password", "pigeon/x", "azure/a%00b"]
        {
            assert_eq!(api.led(&api.alice, nothing).await.status, 404, "{nothing}");
        }
        let path = format!("/api/v1/secrets/{secret}/aliases/azure");
        let stale = api.call("delete", &path).bearer(&api.alice).header("if-match", "\"2\"").send("").await;
        assert_eq!(stale.status, 412, "{stale:?}");
        let gone = api.call("delete", &path).bearer(&api.alice).send("").await;
        assert_eq!(gone.json()["aliases"], json!({ "vault-kv2": "prod/db main/password" }));
        for (method, status) in [("delete", 404), ("get", 404)] {
            assert_eq!(api.call(method, &path).bearer(&api.alice).send("").await.status, status, "{method}");
        }
        let told = api.get(&format!("/api/v1/audit?resource={secret}&action=secret.alias")).await.json();
        let events: Vec<&Value> = told["items"].as_array().unwrap().iter().map(|it| &it["event"]).collect();
        let mut dialects: Vec<_> = events.iter().map(|it| it["facts"]["dialect"].as_str().unwrap()).collect();
        dialects.sort_unstable();
        assert_eq!(dialects, ["azure", "azure", "vault-kv2"], "{told}");
        assert!(events.iter().all(|it| !it.to_string().contains("Prod-DB")), "names are told apart: {told}");
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_none_or_anothers_is_refused_at_its_field() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = id(&api.put("a", json!({ "value": "x" })).await);
        let other = id(&api.put("b", json!({ "value": "x" })).await);
        api.alias(&secret, "azure", "Prod-DB").await;
        let long = "x".repeat(10_000);
        for (dialect, name, status) in [
            ("azure", "prod/db", 422),
            ("azure", "", 422),
            ("azure", "PROD-DB", 409),
            ("aws", "schlüssel", 422),
            ("gcp", "a.b", 422),
            ("vault-kv2", "a//b", 422),
            ("vault-kv2", "../b", 422),
            ("vault-kv2", "a\0", 422),
            ("conjur", long.as_str(), 422),
        ] {
            let refused = api.alias(&other, dialect, name).await;
            let pointer = refused.json()["errors"][0]["pointer"].clone();
            assert_eq!((refused.status.as_u16(), pointer), (status, json!("/name")), "{dialect} {name:?}");
        }
        assert_eq!(api.alias(&other, "pigeon", "x").await.status, 404);
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        assert_eq!(id(&api.led(&viewer, "azure/prod-db").await), secret);
        assert_eq!(api.led(&api.mallory, "azure/prod-db").await.status, 404);
        let path = format!("/api/v1/secrets/{secret}/aliases/azure");
        for (by, status) in [(&viewer, 403), (&api.mallory, 404)] {
            let refused = api.call("put", &path).bearer(by).json(json!({ "name": "mine" })).await;
            assert_eq!(refused.status, status, "{refused:?}");
            assert_eq!(api.call("delete", &path).bearer(by).send("").await.status, status);
        }
    })
    .await;
}
