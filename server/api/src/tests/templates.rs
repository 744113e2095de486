//! Templates as callers find them.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Api, token};

const HOME: &str = "/api/v1/projects/pay/environments/live/secrets";

impl Api {
    async fn template(&self, path: &str, text: &str) -> Answer {
        self.put(path, json!({ "value": text, "template": true })).await
    }

    async fn found(&self, path: &str) -> Answer {
        self.get(&format!("{HOME}/{path}")).await
    }

    async fn has(&self, path: &str, tag: &str) -> u16 {
        let call = self.call("get", &format!("{HOME}/{path}")).bearer(&self.olga);
        call.header("if-none-match", tag).send("").await.status.as_u16()
    }
}

fn told(answer: &Answer) -> (u16, Value, Value) {
    let problem = answer.json();
    (answer.status.as_u16(), problem["type"].clone(), problem["detail"].clone())
}

#[tokio::test]
async fn a_template_is_put_shown_read_and_read_raw() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("db", json!({ "value": "{\"user\": \"app\", \"password\": \"hunter2\"}", "kind": "json" }))
            .await;
        let text = "postgres://${pay/live/db#user}:${pay/live/db#password}@db/$${x}";
        let made = api.template("url", text).await;
        assert_eq!(made.status, 201, "{made:?}");
        let read = api.found("url").await;
        assert_eq!(read.json()["value"], "postgres://app:hunter2@db/${x}");
        assert_eq!(read.json()["template"], true);
        let raw = api.found("url?raw=true").await;
        assert_eq!((raw.json()["value"].clone(), raw.status.as_u16()), (json!(text), 200));
        assert_eq!(api.found("db?raw=false").await.json()["template"], false);
        assert_eq!(api.found("url?raw=yes").await.status, 400);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let whole = api.get(&format!("/api/v1/secrets/{id}")).await;
        assert_eq!(
            (whole.json()["versions"][0]["template"].clone(), whole.json()["versions"][0]["size"].clone()),
            (json!(true), json!(text.len()))
        );

        let items = json!([{ "path": "url" }, { "path": "db" }]);
        let batch =
            |raw: Value| json!({ "project": "pay", "environment": "live", "items": items, "raw": raw });
        let got = api.post("/api/v1/secrets/batch-get", batch(json!(false))).await;
        assert_eq!(got.json()["items"][0]["value"]["value"], "postgres://app:hunter2@db/${x}", "{got:?}");
        let got = api.post("/api/v1/secrets/batch-get", batch(json!(true))).await;
        assert_eq!(got.json()["items"][0]["value"]["value"], text);

        let sides = api.get(&format!("/api/v1/secrets/{id}/references")).await;
        let to: Vec<_> =
            sides.json()["references"].as_array().unwrap().iter().map(|it| it["reference"].clone()).collect();
        assert_eq!(to, ["pay/live/db#user", "pay/live/db#password"]);
        let db = sides.json()["references"][0]["secret"].as_str().unwrap().to_owned();
        let sides = api.get(&format!("/api/v1/secrets/{db}/references")).await;
        assert_eq!(sides.json()["referenced_by"][0]["id"], json!(id), "{sides:?}");
        assert_eq!(sides.json()["references"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_tag_of_a_template_is_that_of_all_that_is_in_it() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("a", json!({ "value": "one" })).await;
        api.template("t", "x:${pay/live/a}").await;
        let tag = api.found("t").await.header("etag").to_owned();
        let raw = api.found("t?raw=true").await.header("etag").to_owned();
        assert_ne!(tag, raw);
        assert_eq!((api.has("t", &tag).await, api.has("t?raw=true", &raw).await), (304, 304));
        assert_eq!((api.has("t", &raw).await, api.has("t?raw=true", &tag).await), (200, 200));
        assert_eq!(api.has("t", &format!("W/{tag}")).await, 304);
        api.put("a", json!({ "value": "two" })).await;
        assert_eq!(api.has("t", &tag).await, 200, "it has another value in it now");
        assert_eq!(api.has("t?raw=true", &raw).await, 304);
        let put = async |tag: &str| {
            let call = api.call("put", &format!("{HOME}/t")).bearer(&api.olga).header("if-match", tag);
            call.json(json!({ "value": "plain" })).await.status.as_u16()
        };
        let now = api.found("t").await.header("etag").to_owned();
        assert_eq!(put(&now).await, 200, "what is replaced is the version");
        assert_eq!(put(&now).await, 412);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_resolved_or_is_no_template_is_told_and_nothing_of_what_may_not_be_known() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let other = api.house.project("theirs").await;
        let path = "p".parse().unwrap();
        let place = keywarden_domain::keys::Place::Environment(other.live);
        let owner = api.house.operator(Role::Owner);
        let value = keywarden_domain::SecretBytes::copy_of(b"theirs");
        let value =
            keywarden_domain::secrets::NewValue::new(keywarden_model::SecretKind::Text, None, value).unwrap();
        let put = keywarden_domain::secrets::PutSecret {
            value,
            label: None,
            expected: None,
            validity: keywarden_domain::secrets::Validity::default(),
            about: keywarden_domain::secrets::About::default(),
        };
        api.house.domain.put_secret(&owner, &place, &path, put).await.unwrap();
        api.template("hidden", "${theirs/live/p}").await;
        api.template("absent", "${theirs/live/q}").await;
        api.template("circle", "${pay/live/circle}").await;
        let reader = token(&api.house, "reader", Role::Reader, Some(&api.pay)).await;
        let read = async |path: &str| {
            told(&api.call("get", &format!("{HOME}/{path}")).bearer(&reader).send("").await)
        };
        let kind = json!("/api/docs/problems#unresolved-reference");
        let missing = |reference: &str| {
            let why = "there is no such secret, or you may not see it";
            json!(format!("the reference `{reference}` is not resolved: {why}"))
        };
        assert_eq!(read("hidden").await, (409, kind.clone(), missing("theirs/live/p")));
        assert_eq!(read("absent").await, (409, kind.clone(), missing("theirs/live/q")));
        let (status, found, detail) = read("circle").await;
        assert_eq!((status, found), (409, kind));
        assert!(detail.as_str().unwrap().contains("pay/live/circle → pay/live/circle"), "{detail}");
        let batch = json!({ "project": "pay", "environment": "live", "items": [{ "path": "hidden" }] });
        let batch = api.call("post", "/api/v1/secrets/batch-get").bearer(&reader).json(batch).await;
        assert_eq!(batch.json()["items"][0]["status"], 409, "{batch:?}");

        let before = api.house.rows().await;
        for (body, pointer, says) in [
            (json!({ "value": "a ${x}", "template": true }), "/value", "line 1, character 3: "),
            (json!({ "value": "${pay/live/a", "template": true }), "/value", "close the reference"),
            (json!({ "value": "${pay/live/a}".repeat(51), "template": true }), "/value", "at most 50"),
            (json!({ "value_base64": "/w==", "template": true }), "/value_base64", "text or JSON"),
        ] {
            let refused = api.put("new", body).await;
            assert_eq!(refused.status, 422, "{refused:?}");
            let flaw = refused.json()["errors"][0].clone();
            assert_eq!(flaw["pointer"], pointer);
            assert!(flaw["detail"].as_str().unwrap().contains(says), "{flaw}");
        }
        assert_eq!(api.house.rows().await, before);
    })
    .await;
}
