//! Single fields of values that are JSON objects: read one by one, changed by merge patches; the rest stays where it is.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Api, token};

const AT: &str = "/api/v1/projects/pay/environments/live/secrets/db/config";
const CONFIG: &str = r#"{"user": "app", "port": 5432, "on": true, "tls": {"ca": "\u00e9"}, "a.b": null}"#;
const KEY: &str = "4b1d2f0e-5c1f-4a76-9a0e-0d5a3f7f9f11";

impl Api {
    /// Puts JSON at [`AT`]; the secret's id.
    async fn config(&self, text: &str) -> String {
        let put = self.put("db/config", json!({ "value": text, "kind": "json" })).await;
        assert!(put.status.is_success(), "{put:?}");
        put.json()["id"].as_str().unwrap().to_owned()
    }

    async fn field(&self, query: &str) -> Answer {
        self.get(&format!("{AT}?{query}")).await
    }

    async fn text(&self) -> String {
        self.get(AT).await.json()["value"].as_str().unwrap().to_owned()
    }

    /// The newest event of this action about the secret.
    async fn told(&self, secret: &str, action: &str) -> Value {
        let found = self.get(&format!("/api/v1/audit?action={action}&resource={secret}&limit=1")).await;
        found.json()["items"][0].clone()
    }
}

/// A text of an event that tells of its actor.
fn said<'a>(event: &'a Value, field: &str) -> Option<&'a str> {
    event["personal"][event["actor"]["id"].as_str().unwrap()][field].as_str()
}

#[tokio::test]
async fn a_field_is_read_by_its_name_and_the_event_says_which() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = api.config(CONFIG).await;
        let whole = api.get(AT).await;
        assert!(whole.json().get("field").is_none(), "{whole:?}");
        for (name, value, kind, content_type) in [
            ("user", "app", "text", "text/plain"),
            ("port", "5432", "json", "application/json"),
            ("on", "true", "json", "application/json"),
            ("tls", r#"{"ca": "\u00e9"}"#, "json", "application/json"),
            ("a.b", "null", "json", "application/json"),
        ] {
            // Of events of one instant none is the last.
            api.house.clock.advance(std::time::Duration::from_secs(1));
            let read = api.field(&format!("field={name}")).await;
            assert_eq!(read.status, 200, "{read:?}");
            let it = read.json();
            let found = (&it["field"], &it["value"], &it["kind"], &it["content_type"]);
            assert_eq!(found, (&json!(name), &json!(value), &json!(kind), &json!(content_type)));
            assert_eq!((&it["version"], &it["id"]), (&json!(1), &json!(secret)));
            assert_eq!(read.header("etag"), whole.header("etag"));
            let event = api.told(&secret, "secret.read").await;
            assert_eq!(
                (said(&event, "field"), &event["event"]["facts"]["part"]),
                (Some(name), &json!("field"))
            );
            if name != "tls" {
                assert!(!read.body.contains("u00e9"), "nothing else comes with it: {read:?}");
            }
        }
        let held = api.call("get", &format!("{AT}?field=user")).bearer(&api.olga);
        assert_eq!(held.header("if-none-match", whole.header("etag")).send("").await.status, 304);

        api.config(r#"{"user":"other"}"#).await;
        assert_eq!(api.field("field=user").await.json()["value"], "other");
        assert_eq!(api.field("field=user&version=1").await.json()["value"], "app");
        assert_eq!(api.field("field=user&label=previous").await.json()["value"], "app");
    })
    .await;
}

#[tokio::test]
async fn what_has_no_such_field_says_so_and_was_read() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = api.config(CONFIG).await;
        for (query, status, words) in [
            ("field=nothing", 404, "no such field"),
            ("field=ca", 404, "no such field"),
            ("field=tls.ca", 404, "no such field"),
            ("field=", 400, "name of a field"),
            ("field=user&field=port", 400, "twice"),
        ] {
            api.house.clock.advance(std::time::Duration::from_secs(1));
            let refused = api.field(query).await;
            assert_eq!(refused.status, status, "{query}: {refused:?}");
            assert!(refused.body.contains(words) && !refused.body.contains("5432"), "{query}: {refused:?}");
        }
        assert_eq!(said(&api.told(&secret, "secret.read").await, "field"), Some("tls.ca"));
        for (text, kind) in [("[1]", "json"), ("hunter2", "text")] {
            assert!(api.put("db/config", json!({ "value": text, "kind": kind })).await.status.is_success());
            let refused = api.field("field=user").await;
            assert_eq!(refused.status, 404, "{refused:?}");
            assert!(
                refused.body.contains("no JSON object") && !refused.body.contains("hunter2"),
                "{refused:?}"
            );
        }
        // As for a template's `#field`.
        assert!(api.put("db/config", json!({ "value": r#"{"user":"x"}"# })).await.status.is_success());
        assert_eq!(api.field("field=user").await.json()["value"], "x");

        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let ask = async |who: &str, path: &str| api.call("get", path).bearer(who).send("").await;
        let path = format!("{AT}?field=user");
        assert_eq!(ask(&viewer, &path).await.status, 403);
        let nothing = ask(&api.mallory, &format!("{AT}-2?field=user")).await;
        assert_eq!(ask(&api.mallory, &path).await.told(), nothing.told());
        assert_eq!(nothing.status, 404);
    })
    .await;
}

#[tokio::test]
async fn many_fields_are_read_at_once_each_with_its_own_answer() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = api.config(CONFIG).await;
        api.put("plain", json!({ "value": "hunter2" })).await;
        let items = json!([
            { "path": "db/config", "field": "user" }, { "path": "db/config", "field": "port" },
            { "path": "db/config", "field": "none" }, { "path": "plain", "field": "user" }, { "path": "plain" },
        ]);
        let body = json!({ "project": "pay", "environment": "live", "items": items });
        let got = api.post("/api/v1/secrets/batch-get", body).await;
        assert_eq!(got.status, 200, "{got:?}");
        let got = got.json();
        let told: Vec<_> = got["items"].as_array().unwrap().iter().collect();
        let statuses: Vec<_> = told.iter().map(|it| it["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [200, 200, 404, 404, 200]);
        let values: Vec<_> = told.iter().map(|it| &it["value"]["value"]).collect();
        assert_eq!(values, [&json!("app"), &json!("5432"), &Value::Null, &Value::Null, &json!("hunter2")]);
        assert_eq!(told[1]["value"]["field"], "port");
        assert!(told[2]["detail"].as_str().unwrap().contains("no such field"));
        let read = api.get(&format!("/api/v1/audit?action=secret.read&resource={secret}&limit=10")).await;
        assert_eq!(read.json()["items"].as_array().unwrap().len(), 3);
        let nameless = json!([{ "path": "db/config", "field": "" }]);
        let body = json!({ "project": "pay", "environment": "live", "items": nameless });
        let refused = api.post("/api/v1/secrets/batch-get", body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/items/0/field")));
    })
    .await;
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_shows_nothing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = api.config(CONFIG).await;
        let patch =
            r#"{"user": "n\"w", "port": 5433.0, "on": null, "tls": {"key": "k"}, "new": [1], "never": null}"#;
        let call =
            api.call("patch", AT).bearer(&api.olga).header("content-type", "application/merge-patch+json");
        let made = call.header("keywarden-reason", "INC-7").send(patch).await;
        assert_eq!((made.status.as_u16(), &made.json()["version"]), (200, &json!(2)), "{made:?}");
        assert!(!made.body.contains("app") && !made.body.contains("u00e9"), "{made:?}");
        let now = r#"{"user":"n\"w","port":5433.0,"tls":{"ca":"\u00e9","key":"k"},"a.b":null,"new":[1]}"#;
        assert_eq!(api.text().await, now);
        assert_eq!(api.get(AT).await.header("etag"), made.header("etag"));
        let event = api.told(&secret, "secret.put").await;
        assert_eq!(event["event"]["facts"]["edited_version"], 1);
        assert_eq!(said(&event, "fields_written"), Some("user, port, tls, new"));
        assert_eq!(said(&event, "fields_removed"), Some("on"));
        assert_eq!(said(&event, "reason"), Some("INC-7"));
        assert!(!event.to_string().contains("5433.0"), "{event}");

        let later = api.call("patch", &format!("{AT}?label=pending&expires_at=2100-01-01T00:00:00Z"));
        let later = later.bearer(&api.olga).json(json!({ "user": "later" })).await;
        assert_eq!((later.status.as_u16(), later.header("etag")), (200, ""), "{later:?}");
        assert_eq!(api.text().await, now);
        let pending = api.field("label=pending").await.json();
        assert_eq!(
            (&pending["version"], &pending["expires_at"]),
            (&json!(3), &json!("2100-01-01T00:00:00Z"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_patch_heeds_the_version_that_was_seen_and_is_made_once() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.config(CONFIG).await;
        let seen = api.get(AT).await.header("etag").to_owned();
        let patch = async |query: &str, header: (&str, &str), user: &str| {
            let call =
                api.call("patch", &format!("{AT}{query}")).bearer(&api.olga).header(header.0, header.1);
            call.json(json!({ "user": user })).await
        };
        let matched = ("if-match", seen.as_str());
        assert_eq!(patch("", matched, "b").await.status, 200);
        for (query, header, status) in [
            ("", matched, 412),
            ("?expected_version=1", ("accept", "*/*"), 412),
            ("", ("if-none-match", "*"), 412),
            ("?expected_version=2", matched, 400),
            ("?expected_version=0", ("accept", "*/*"), 400),
            ("", ("if-match", "nonsense"), 400),
            ("?label=previous", ("accept", "*/*"), 400),
            ("?expires_at=2020-01-01T00:00:00Z", ("accept", "*/*"), 400),
            ("?not_before=2100-01-01T00:00:00Z&expires_at=2100-01-01T00:00:00Z", ("accept", "*/*"), 400),
            ("?raw=true", ("accept", "*/*"), 400),
        ] {
            let answer = patch(query, header, "c").await;
            assert_eq!(answer.status, status, "{query} {header:?}: {answer:?}");
        }
        assert_eq!(patch("?expected_version=2", ("accept", "*/*"), "c").await.status, 200);

        let once = ("idempotency-key", KEY);
        let first = patch("", once, "d").await;
        assert_eq!(first.json()["version"], 4, "{first:?}");
        assert_eq!(patch("", once, "d").await.told(), first.told());
        assert_eq!(patch("", once, "e").await.status, 422, "something else");
        assert_eq!(patch("?label=pending", once, "d").await.status, 422, "for another label");
        assert_eq!(api.get(AT).await.json()["version"], 4);
    })
    .await;
}

#[tokio::test]
async fn patches_of_other_fields_at_once_are_all_made() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.config("{}").await;
        let names: Vec<_> = (0..8).map(|n| format!("f{n}")).collect();
        for answer in join_all(names.iter().map(|name| api.patch(AT, json!({ name: "x" })))).await {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let now: BTreeMap<String, String> = serde_json::from_str(&api.text().await).unwrap();
        assert_eq!(now.into_keys().collect::<Vec<_>>(), names);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_patched_stays_and_is_not_repeated() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.config(CONFIG).await;
        let before = api.house.rows().await["secret_versions"];
        let send = async |kind: &str, body: String| {
            api.call("patch", AT).bearer(&api.olga).header("content-type", kind).send(body).await
        };
        let long = json!({ "user": "x".repeat(keywarden_domain::secrets::MAX_VALUE) }).to_string();
        let deep = format!("{{\"user\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        for (kind, body, status) in [
            ("application/json", "{}".into(), 422),
            ("application/json", String::new(), 422),
            ("application/json", "[]".into(), 422),
            ("application/json", "\"hunter2\"".into(), 422),
            ("application/json", long, 422),
            ("application/json", "{\"user\":hunter2}".into(), 400),
            ("application/json", "{\"user\":\"hunter2\",\"user\":1}".into(), 400),
            ("application/json", deep, 400),
            ("text/plain", "{\"user\":\"hunter2\"}".into(), 415),
        ] {
            let refused = send(kind, body.clone()).await;
            assert_eq!(refused.status, status, "{body:.40}: {refused:?}");
            assert!(!refused.body.contains("hunter2") && !refused.body.contains("5432"), "{refused:?}");
        }
        let (reader, viewer) = (
            token(&api.house, "reader", Role::Reader, Some(&api.pay)).await,
            token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await,
        );
        let ask = async |who: &str, path: &str| {
            api.call("patch", path).bearer(who).json(json!({ "user": "hunter2" })).await
        };
        assert_eq!(ask(&reader, AT).await.status, 403);
        assert_eq!(ask(&viewer, AT).await.status, 403);
        let nothing = ask(&api.mallory, &format!("{AT}-2")).await;
        assert_eq!(ask(&api.mallory, AT).await.told(), nothing.told());
        assert_eq!(
            (nothing.status.as_u16(), ask(&api.olga, &format!("{AT}-2")).await.status.as_u16()),
            (404, 404)
        );
        assert_eq!(api.house.rows().await["secret_versions"], before, "nothing was made");

        api.config("[1]").await;
        assert_eq!(ask(&api.olga, AT).await.status, 409, "a list has no fields");
        api.put("db/config", json!({ "value": "{}" })).await;
        assert_eq!(ask(&api.olga, AT).await.status, 409, "it is text, whatever it looks like");
    })
    .await;
}

#[tokio::test]
async fn of_a_template_the_text_is_patched_and_a_field_is_read_resolved() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.put("db/password", json!({ "value": "hunter2" })).await;
        let text = r#"{"url":"app:${pay/live/db/password}@db","port":1}"#;
        let put = json!({ "value": text, "kind": "json", "template": true });
        assert_eq!(api.put("db/config", put).await.status, 201);
        assert_eq!(api.field("field=url").await.json()["value"], "app:hunter2@db");
        assert_eq!(api.field("field=url&raw=true").await.json()["value"], "app:${pay/live/db/password}@db");
        let wrong = api.patch(AT, json!({ "url": "app:${pay/live" })).await;
        assert_eq!(wrong.status, 422, "{wrong:?}");
        assert_eq!(api.patch(AT, json!({ "port": 2 })).await.status, 200);
        assert_eq!(api.text().await, r#"{"url":"app:hunter2@db","port":2}"#);
        assert_eq!(
            api.field("raw=true").await.json()["value"],
            r#"{"url":"app:${pay/live/db/password}@db","port":2}"#
        );
    })
    .await;
}
