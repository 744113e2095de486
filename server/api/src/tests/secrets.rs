//! Secrets as callers find them.

mod as_of;
mod versions;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Answer, Api, token, without_ids};

const HOME: &str = "/api/v1/projects/pay/environments/live/secrets";

impl Api {
    async fn value(&self, path: &str) -> Answer {
        self.get(&format!("{HOME}/{path}")).await
    }

    /// How many times a secret's value was given out.
    async fn readings(&self, secret: &str) -> usize {
        let found = self.get(&format!("/api/v1/audit?action=secret.read&resource={secret}&limit=200")).await;
        found.json()["items"].as_array().unwrap().len()
    }
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {answer:?}")).to_owned()
}

#[tokio::test]
async fn a_value_is_put_read_listed_deleted_and_restored() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let made = api.put("database/password", json!({ "value": "hunter2" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let secret = text(&made, "id");
        let again = api.put("database/password", json!({ "value": "{}", "kind": "json" })).await;
        assert_eq!((again.status.as_u16(), again.json()["version"].clone()), (200, json!(2)), "{again:?}");
        let read = api.value("database/password").await;
        insta::assert_json_snapshot!("value", shown(&read));
        assert_eq!(read.header("cache-control"), "no-store");
        assert_eq!(text(&api.value("database/password?version=1").await, "value"), "hunter2");
        assert_eq!(text(&api.value("database/password?label=previous").await, "value"), "hunter2");
        // An address is decoded once: an escaped slash is a slash.
        assert_eq!(api.value("database%2Fpassword").await.status, 200);

        let whole = api.get(&format!("/api/v1/secrets/{secret}")).await;
        insta::assert_json_snapshot!("whole", shown(&whole));
        let patched = json!({ "description": "the shop's", "tags": ["team=payments"] });
        let patched = api.patch(&format!("/api/v1/secrets/{secret}"), patched).await;
        assert_eq!(patched.json()["description"], "the shop's", "{patched:?}");
        let listed = api.get("/api/v1/secrets?project=pay&environment=live&folder=database&q=PASS").await;
        let items = listed.json()["items"].clone();
        assert_eq!(
            (items[0]["id"].clone(), items[0]["current"]["version"].clone()),
            (json!(secret), json!(2))
        );
        assert!(!listed.body.contains("hunter2") && !whole.body.contains("hunter2"));

        let deleted =
            api.call("delete", &format!("{HOME}/database/password")).bearer(&api.olga).send("").await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        assert_eq!(deleted.json()["versions"][0]["state"], "soft-deleted");
        assert!(deleted.json()["purge_at"].is_string());
        assert_eq!(api.value("database/password").await.status, 404);
        assert_eq!(api.put("database/password", json!({ "value": "x" })).await.status, 409);
        assert!(api.get("/api/v1/secrets").await.json()["items"].as_array().unwrap().is_empty());
        assert_eq!(api.get("/api/v1/secrets?deleted=true").await.json()["items"][0]["id"], json!(secret));
        let restored = api.post(&format!("/api/v1/secrets/{secret}/restore"), json!({})).await;
        assert_eq!(restored.status, 200, "{restored:?}");
        assert_eq!(text(&api.value("database/password").await, "value"), "{}");
    })
    .await;
}

/// As other snapshots; a version's id stands in its `ETag` and `uuid` too.
fn shown(answer: &Answer) -> Value {
    fn hide(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(hide),
            Value::Object(map) => {
                for (name, value) in map {
                    match name.as_str() {
                        "uuid" => *value = "…".into(),
                        "etag" if value.as_str().is_some_and(|tag| tag.contains("sev_")) => {
                            *value = "\"sev_…\"".into();
                        }
                        _ => hide(value),
                    }
                }
            }
            _ => {}
        }
    }
    let mut shown = answer.shown();
    hide(&mut shown);
    without_ids(&shown)
}

#[tokio::test]
async fn any_bytes_come_back_as_they_were_sent() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let all: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
        let made = api.put("bin", json!({ "value_base64": STANDARD.encode(&all) })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let read = api.value("bin").await;
        assert_eq!(STANDARD.decode(text(&read, "value_base64")).unwrap(), all);
        assert_eq!((text(&read, "kind"), text(&read, "content_type")), ("binary".into(), "application/octet-stream".into()));
        for value in ["\u{feff}\0 \r\n\u{1f511}", "\u{7f}\u{2028}\"\\", " "] {
            api.put("text", json!({ "value": value })).await;
            assert_eq!(text(&api.value("text").await, "value"), value);
        }
        // A text may come in base64, and be a text.
        let pem = json!({ "value_base64": STANDARD.encode("-----"), "kind": "text", "content_type": "application/x-pem-file" });
        api.put("pem", pem).await;
        let read = api.value("pem").await;
        assert_eq!((text(&read, "value"), text(&read, "content_type")), ("-----".into(), "application/x-pem-file".into()));
    })
    .await;
}

#[tokio::test]
async fn whoever_has_the_value_is_told_so_without_a_reading() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("a", json!({ "value": "one" })).await, "id");
        let tag = api.value("a").await.header("etag").to_owned();
        let ask = async |tag: &str, caller: &str| {
            api.call("get", &format!("{HOME}/a")).bearer(caller).header("if-none-match", tag).send("").await
        };
        for same in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let answer = ask(&same, &api.olga).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (304, ""), "{same}");
            assert_eq!(answer.header("etag"), tag);
        }
        assert_eq!(api.readings(&secret).await, 1);
        for other in ["\"1\"", "\"x\"", "x", "\"sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB\"", ""] {
            assert_eq!(ask(other, &api.olga).await.status, 200, "{other}");
        }
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        assert_eq!(ask(&tag, &viewer).await.status, 403);
        assert_eq!(ask(&tag, &api.mallory).await.status, 404);
        api.put("a", json!({ "value": "two" })).await;
        assert_eq!(text(&ask(&tag, &api.olga).await, "value"), "two");
        let tag = api.value("a").await.header("etag").to_owned();
        api.post(&format!("/api/v1/secrets/{secret}/versions/2/disable"), json!({})).await;
        assert_eq!(ask(&tag, &api.olga).await.status, 409, "not said to be good");
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_overwritten() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let put = async |header: (&'static str, &str), body: Value| {
            let call = api.call("put", &format!("{HOME}/a")).bearer(&api.olga).header(header.0, header.1);
            call.json(body).await.status.as_u16()
        };
        let one = || json!({ "value": "x" });
        assert_eq!(put(("if-match", "\"sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB\""), one()).await, 412);
        assert_eq!(put(("if-none-match", "*"), one()).await, 201);
        assert_eq!(put(("if-none-match", "*"), one()).await, 412);
        let tag = api.value("a").await.header("etag").to_owned();
        assert_eq!(put(("if-match", &tag), one()).await, 200);
        assert_eq!(put(("if-match", &tag), one()).await, 412);
        for wrong in ["*", "\"1\"", "sev_x", ""] {
            assert_eq!(put(("if-match", wrong), one()).await, 400, "{wrong}");
        }
        assert_eq!(put(("if-none-match", &tag), one()).await, 400);
        let numbered = |n: i64| json!({ "value": "x", "expected_version": n });
        assert_eq!(api.put("a", numbered(1)).await.status, 412);
        assert_eq!(api.put("a", numbered(2)).await.status, 200);
        assert_eq!(api.put("new", numbered(0)).await.status, 201);
        assert_eq!(put(("if-match", &tag), numbered(3)).await, 422);
        let delete = api.call("delete", &format!("{HOME}/a")).bearer(&api.olga).header("if-match", &tag);
        assert_eq!(delete.send("").await.status, 412);
        let tag = api.value("a").await.header("etag").to_owned();
        let delete = api.call("delete", &format!("{HOME}/a")).bearer(&api.olga).header("if-match", &tag);
        assert_eq!(delete.send("").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_value_or_no_path_is_refused_where_it_is() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let before = api.house.rows().await;
        let long = "x".repeat(64 * 1024 + 1);
        for (body, pointer) in [
            (json!({}), "/value"),
            (json!({ "value": "" }), "/value"),
            (json!({ "value": long }), "/value"),
            (json!({ "value": "{", "kind": "json" }), "/value"),
            (json!({ "value": "x", "value_base64": "eA==" }), "/value_base64"),
            (json!({ "value_base64": "eA" }), "/value_base64"),
            (json!({ "value_base64": "_-8=" }), "/value_base64"),
            (json!({ "value_base64": "/w==", "kind": "text" }), "/value_base64"),
            (json!({ "value": "x", "kind": "pem" }), "/kind"),
            (json!({ "value": "x", "content_type": "Text" }), "/content_type"),
            (json!({ "value": "x", "label": "Blue" }), "/label"),
            (json!({ "value": "x", "label": "previous" }), "/label"),
            (json!({ "value": "x", "expected_version": -1 }), "/expected_version"),
        ] {
            let shown: String = body.to_string().chars().take(60).collect();
            let answer = api.put("a", body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()["errors"][0]["pointer"].clone()),
                (422, json!(pointer)),
                "{shown}"
            );
            assert!(!answer.body.contains("xxxxxxxx"), "{shown}");
        }
        let huge = format!("{{\"value\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        let call = api
            .call("put", &format!("{HOME}/a"))
            .bearer(&api.olga)
            .header("content-type", "application/json");
        assert_eq!(call.send(huge).await.status, 413);
        let deep = ["a"; 12].join("/");
        let wide = "x".repeat(129);
        let endless = "x/".repeat(5_000) + "x";
        for path in [
            "a/../b",
            "..",
            "a/%2e%2e/b",
            "%2e",
            "a//b",
            "/a",
            "a/",
            "a%00b",
            "a%0ab",
            "%20a",
            "a%20",
            "a%5cb",
            "a%E2%80%8Bb",
            "a%EF%BC%8Fb",
            "%EF%BC%8E%EF%BC%8E/a",
            "e%CC%81",
            "a%E2%88%95b",
            "%ff",
            &deep,
            &wide,
            &endless,
        ] {
            let answer = api.put(path, json!({ "value": "x" })).await;
            let shown: String = path.chars().take(40).collect();
            assert!([400, 404].contains(&answer.status.as_u16()), "{shown}: {answer:?}");
            assert_eq!(api.value(path).await.status, 404, "{shown}");
        }
        assert_eq!(api.house.rows().await, before);
        // Two spellings of one path are one secret or an error, never a second one (S-01).
        assert_eq!(api.put("Db/Key", json!({ "value": "x" })).await.status, 201);
        for twin in ["db/key", "DB/KEY", "%EF%BC%A4b/Key", "Db/%E2%93%80ey"] {
            assert_eq!(api.put(twin, json!({ "value": "x" })).await.status, 409, "{twin}");
            assert_eq!(api.value(twin).await.status, 404, "{twin}");
        }
        // Escaped twice is another name, as plain as any.
        assert_eq!(api.put("a%252e", json!({ "value": "x" })).await.status, 201);
        assert_eq!(text(&api.value("a%252e").await, "path"), "a%2e");
    })
    .await;
}

#[tokio::test]
async fn purge_protection_goes_on_and_never_off() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let keep = async |days: i64, protection: bool| {
            let body = json!({ "recovery_days": days, "purge_protection": protection });
            let path = "/api/v1/projects/pay/environments/live/retention";
            api.call("put", path).bearer(&api.olga).json(body).await
        };
        assert_eq!(keep(6, false).await.status, 422);
        let on = keep(14, true).await;
        assert_eq!(
            (on.json()["secret_recovery_days"].clone(), on.json()["purge_protection"].clone()),
            (json!(14), json!(true))
        );
        assert_eq!(keep(14, false).await.status, 409);
        assert_eq!(keep(7, true).await.status, 409);
        assert_eq!(keep(30, true).await.status, 200);
        let secret = text(&api.put("a", json!({ "value": "one" })).await, "id");
        api.put("a", json!({ "value": "two" })).await;
        let destroyed = api.post(&format!("/api/v1/secrets/{secret}/versions/1/destroy"), json!({})).await;
        assert_eq!(destroyed.status, 409, "{destroyed:?}");
    })
    .await;
}

#[tokio::test]
async fn a_reader_lists_and_reads_and_does_nothing_else() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("a", json!({ "value": "one" })).await, "id");
        let reader = token(&api.house, "checkout", Role::Reader, Some(&api.pay)).await;
        let ask = async |method: &str, path: &str| api.call(method, path).bearer(&reader).send("").await;
        let listed = ask("get", "/api/v1/secrets?project=pay&environment=live").await;
        assert_eq!(listed.json()["items"][0]["path"], "a", "{listed:?}");
        assert_eq!(text(&ask("get", &format!("{HOME}/a")).await, "value"), "one");
        assert_eq!(ask("get", &format!("/api/v1/secrets/{secret}")).await.status, 200);
        assert_eq!(ask("delete", &format!("{HOME}/a")).await.status, 403);
        assert_eq!(ask("post", &format!("/api/v1/secrets/{secret}/versions/1/disable")).await.status, 403);
        for path in ["a", "new"] {
            let call = api.call("put", &format!("{HOME}/{path}")).bearer(&reader);
            assert_eq!(call.json(json!({ "value": "two" })).await.status, 403, "{path}");
        }
        assert!(ask("get", "/api/v1/keys").await.json()["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_a_secret_is_for_comes_with_its_first_value_and_narrows_the_list() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let team = api.house.team("payments", &[], &[]).await.to_string();
        let about = |value: &str| {
            json!({ "value": value, "description": "the shop's", "tags": ["pci", "team=Shop"], "owner": team })
        };
        let made = api.put("database/password", about("one")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let secret = text(&made, "id");
        let path = format!("/api/v1/secrets/{secret}");
        let whole = api.get(&path).await.json();
        assert_eq!(
            (&whole["owner"], &whole["owner_name"], &whole["tags"], &whole["description"]),
            (&json!(team), &json!("payments"), &json!(["pci", "team=Shop"]), &json!("the shop's"))
        );
        let again = api.put("database/password", about("two")).await;
        assert_eq!(again.status, 409, "what is there is edited: {again:?}");
        for (field, wrong) in
            [("owner", json!("bob")), ("tags", json!(["Team"])), ("description", json!("\u{200b}"))]
        {
            let refused = api.put("new", json!({ "value": "x", field: wrong })).await;
            assert_eq!(refused.status, 422, "{refused:?}");
            assert!(refused.body.contains(&format!("/{field}")), "{refused:?}");
        }
        let nobody = json!({ "value": "x", "owner": "usr_00000000000000000000000000" });
        assert_eq!(api.put("new", nobody).await.status, 422);
        let other = text(&api.put("mail/token", json!({ "value": "x" })).await, "id");
        assert_eq!(api.post(&format!("/api/v1/secrets/{other}/versions/1/disable"), json!({})).await.status, 200);
        let found = async |query: &str| {
            let listed = api.get(&format!("/api/v1/secrets?{query}")).await;
            let items = listed.json()["items"].as_array().unwrap_or_else(|| panic!("{listed:?}")).clone();
            items.iter().map(|it| it["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for query in
            [format!("owner={team}"), "tag=pci".into(), "tag=team=Shop".into(), "q=PAYMENTS".into(), "q=pci".into()]
        {
            assert_eq!(found(&query).await, ["database/password"], "{query}");
        }
        assert_eq!(found("state=unreadable").await, ["mail/token"]);
        assert_eq!(found("state=there").await.len(), 2);
        for wrong in ["owner=bob", "tag=Team", "state=x", "state=there&deleted=true"] {
            assert_eq!(api.get(&format!("/api/v1/secrets?{wrong}")).await.status, 400, "{wrong}");
        }
        let given = api.patch(&path, json!({ "owner": "usr_00000000000000000000000000" })).await;
        assert_eq!(given.status, 422, "{given:?}");
    })
    .await;
}

#[tokio::test]
async fn a_value_is_promoted_to_another_environment() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let secret = text(&api.put("database/password", json!({ "value": "one" })).await, "id");
        let path = format!("/api/v1/secrets/{secret}/promote");
        let there = "/api/v1/projects/pay/environments/test/secrets/database/password";
        let body = || json!({ "to": "test", "version": 1, "expected_version": 0 });
        let made = api.post(&path, body()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let read = api.get(there).await;
        assert_eq!((text(&read, "value"), read.header("etag")), ("one".into(), made.header("etag")));
        assert_eq!(api.post(&path, body()).await.status, 409, "the value is there already");
        let same = api.post(&path, json!({ "to": "test", "version": 1 })).await;
        assert_eq!(same.status, 409, "{same:?}");
        for (wrong, status) in [
            (json!({ "to": "live", "version": 1 }), 422),
            (json!({ "to": "gone", "version": 1 }), 404),
            (json!({ "to": "test", "version": 0 }), 422),
            (json!({ "to": "test", "version": 1, "expected_version": -1 }), 422),
            (json!({ "to": "test", "version": 7 }), 412),
        ] {
            let refused = api.post(&path, wrong.clone()).await;
            assert_eq!(refused.status, status, "{wrong}: {refused:?}");
        }
        let call = |token: &str| api.call("post", &path).bearer(token).json(body());
        assert_eq!(call(&api.mallory).await.status, 404);
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        assert_eq!(call(&viewer).await.status, 403);
        api.put("database/password", json!({ "value": "two" })).await;
        let late = api.post(&path, json!({ "to": "test", "version": 2, "expected_version": 0 })).await;
        assert_eq!(late.status, 412, "something is there meanwhile: {late:?}");
        assert_eq!(api.readings(&secret).await, 1, "only what was done is told");
    })
    .await;
}
