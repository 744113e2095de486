//! Many at once is as many one by one: the same callers are refused, and the record tells of each (S-35).

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Api, token};

/// Everybody who could ask: a name, and a token.
async fn callers(api: &Api) -> Vec<(&'static str, String)> {
    let mut callers = vec![("owner", api.olga.clone()), ("foreign manager", api.mallory.clone())];
    for role in [Role::Admin, Role::Auditor] {
        callers.push((role.as_str(), token(&api.house, role.as_str(), role, None).await));
    }
    for role in [Role::Issuer, Role::Manager, Role::Verifier, Role::Viewer] {
        callers.push((role.as_str(), token(&api.house, role.as_str(), role, Some(&api.pay)).await));
    }
    callers
}

async fn actions(api: &Api, key: &str) -> Vec<String> {
    let events = api.get(&format!("/api/v1/audit?resource={key}")).await.json();
    let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
    let mut actions: Vec<_> = events["items"].as_array().unwrap().iter().map(action).collect();
    actions.sort_unstable();
    actions
}

#[tokio::test]
async fn revoking_many_is_revoking_each() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (who, caller) in callers(&api).await {
            let (one, _) = api.issue(&format!("one {who}"), json!({})).await;
            let (many, _) = api.issue(&format!("many {who}"), json!({})).await;
            let post =
                async |path: &str, body: Value| api.call("post", path).bearer(&caller).json(body).await;
            let single = post(&format!("/api/v1/keys/{one}/revoke"), json!({ "reason": "superseded" })).await;
            let bulk = json!({ "keys": [many], "reason": "superseded" });
            let bulk = post("/api/v1/keys/bulk-revoke", bulk).await;
            assert_eq!(single.status, bulk.status, "{who}: {single:?} {bulk:?}");
            if single.status != 200 {
                assert_eq!(single.told(), bulk.told(), "{who}");
            }
            assert_eq!(actions(&api, &one).await, actions(&api, &many).await, "{who}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_may_not_be_revoked_keeps_all_the_others() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (ours, value) = api.issue("ours", json!({})).await;
        let theirs = json!({ "project": "other", "environment": "live", "name": "x", "owner": api.owner });
        let theirs = api.post("/api/v1/keys", theirs).await.json()["id"].clone();
        let before = api.house.rows().await;
        for other in [theirs, json!("key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")] {
            let body = json!({ "keys": [ours, other], "reason": "superseded" });
            let answer = api.call("post", "/api/v1/keys/bulk-revoke").bearer(&api.alice).json(body).await;
            assert_eq!(answer.status, 404, "{answer:?}");
        }
        assert_eq!(api.house.rows().await, before);
        assert_eq!(api.verify(&value, json!({})).await["code"], "valid");
    })
    .await;
}

#[tokio::test]
async fn importing_asks_for_what_issuing_asks_for() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (n, (who, caller)) in callers(&api).await.into_iter().enumerate() {
            let key = |name: &str| {
                json!({ "project": "pay", "environment": "live", "name": format!("{name} {who}"), "owner": api.owner })
            };
            let mut held = key("held");
            held["value"] = format!("sk-Legacy-4f9a1c77e2-{n}").into();
            held["last_day"] = "2027-02-01T00:00:00Z".into();
            let post = async |path: &str, body: Value| api.call("post", path).bearer(&caller).json(body).await;
            let issued = post("/api/v1/keys", key("new")).await;
            let imported = post("/api/v1/keys/import", held).await;
            assert_eq!(issued.status, imported.status, "{who}: {issued:?} {imported:?}");
            if issued.status == 201 {
                let id = |answer: &super::Answer| answer.json()["id"].as_str().unwrap().to_owned();
                let (issued, imported) = (actions(&api, &id(&issued)).await, actions(&api, &id(&imported)).await);
                assert_eq!((issued, imported), (vec!["key.issue".to_owned()], vec!["key.import".to_owned()]));
            }
        }
    })
    .await;
}

/// S-01 for what is taken in: the same words are refused at the same place with the same reason, all of them at once.
#[tokio::test]
async fn an_imported_key_is_described_by_the_rules_of_an_issued_one() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        api.issue("Taken", json!({})).await;
        let table = [
            ("name", json!("")),
            ("name", json!(" \t ")),
            ("name", json!("a".repeat(121))),
            ("name", json!("pay\u{202e}ments")),
            ("name", json!("pay\u{200b}ments")),
            ("name", json!("pay\u{0}ments")),
            ("name", json!("ＴＡＫＥＮ")),
            ("name", json!(" taken ")),
            ("description", json!("a".repeat(1001))),
            ("description", json!("a\u{feff}")),
            ("owner", json!("nobody")),
            ("owner", json!("usr_00000000000000000000000000")),
            ("scopes", json!(["Orders:read", ""])),
            ("allowed_cidrs", json!(["10.0.0.1/8"])),
            ("tags", json!(["Team=pay"])),
            ("metadata", json!({ "a": "x".repeat(4096) })),
            ("rate_limit", json!({ "limit": 0, "seconds": 0 })),
            ("not_before", json!("tomorrow")),
            ("expires_at", json!("2020-01-01T00:00:00Z")),
        ];
        let whole = json!({ "project": "pay", "environment": "live", "name": "Held", "owner": api.owner });
        let before = api.house.rows().await;
        for (field, wrong) in table {
            let mut new = whole.clone();
            new[field] = wrong;
            let mut held = new.clone();
            held["value"] = "sk-Legacy-4f9a1c77e2-7".into();
            held["last_day"] = "2027-02-01T00:00:00Z".into();
            let issued = api.post("/api/v1/keys", new.clone()).await;
            let imported = api.post("/api/v1/keys/import", held.clone()).await;
            let told = |answer: &super::Answer| {
                let problem = answer.json();
                (answer.status, problem["type"].clone(), problem["detail"].clone(), problem["errors"].clone())
            };
            assert!([409, 422, 400].contains(&issued.status.as_u16()), "{field}: {issued:?}");
            assert_eq!(told(&issued), told(&imported), "{field}: {}", new[field]);
        }
        assert_eq!(api.house.rows().await, before);
        // Whoever mends the one is not told of the other afterwards.
        let mut held = whole.clone();
        held["name"] = "pay\u{202e}ments".into();
        held["last_day"] = "never".into();
        let answer = api.post("/api/v1/keys/import", held).await;
        let mut pointers: Vec<_> =
            answer.json()["errors"].as_array().unwrap().iter().map(|it| it["pointer"].clone()).collect();
        pointers.sort_by_key(ToString::to_string);
        assert_eq!(pointers, ["/last_day", "/name", "/sha256"], "{answer:?}");
    })
    .await;
}
