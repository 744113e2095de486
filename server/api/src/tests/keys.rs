//! `/api/v1/keys`: the life of a key.

use std::time::Duration;

use futures_util::future::join_all;
use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::{Api, without_ids};

fn state(answer: &super::Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_issued_with_all_that_it_can_be() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let body = json!({
            "project": "pay", "environment": "live", "name": "Checkout", "description": "charges cards",
            "owner": api.owner, "scopes": ["orders:read", "refunds:*"], "not_before": "2027-01-31T00:00:00Z",
            "expires_at": "2027-12-31T00:00:00+01:00", "allowed_cidrs": ["10.0.0.0/8", "2001:db8::/32"],
            "rate_limit": { "limit": 100, "window_seconds": 60 }, "tags": ["team=payments", "critical"],
            "metadata": { "plan": "gold", "nested": { "a": [1, 2.5, null] } },
        });
        let answer = api.post("/api/v1/keys", body).await;
        insta::assert_json_snapshot!("issued", answer.shown());
        let shown = api.get(answer.header("location")).await;
        assert_eq!(shown.header("etag"), answer.header("etag"));
        assert_eq!(shown.json().get("key"), None);
        assert!(!shown.body.contains(answer.json()["key"].as_str().unwrap()));
    })
    .await;
}

#[tokio::test]
async fn every_flaw_of_a_new_key_is_named() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let body = json!({
            "project": "pay", "environment": "live", "name": " ", "owner": "me", "scopes": ["Orders"],
            "not_before": "tomorrow", "expires_at": 7.to_string(), "allowed_cidrs": ["10.1.2.3/8"],
            "rate_limit": { "limit": 0, "window_seconds": 60 }, "tags": ["A=b"], "metadata": [1],
        });
        let answer = api.post("/api/v1/keys", body).await;
        insta::assert_json_snapshot!("flawed", answer.shown());
        for (field, value) in [
            ("rate_limit", json!({ "limit": -1, "window_seconds": 60 })),
            ("rate_limit", json!({ "limit": 1e3, "window_seconds": 60 })),
            ("rate_limit", json!({ "limit": 4_294_967_296_u64, "window_seconds": 60 })),
            ("rate_limit", json!({ "limit": 1, "window_seconds": 60, "burst": 1 })),
            ("rate_limit", json!([100, 60])),
            ("expires_at", json!("2027-01-15T08:00:00Z")),
            ("expires_at", json!("2029-01-01T00:00:00Z")),
            ("owner", json!("usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")),
        ] {
            let mut body =
                json!({ "project": "pay", "environment": "live", "name": "x", "owner": api.owner });
            body[field] = value.clone();
            let answer = api.post("/api/v1/keys", body).await;
            assert_eq!(answer.status, 422, "{field} {value} {answer:?}");
            let pointer = answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
            assert!(pointer.starts_with(&format!("/{field}")), "{pointer}");
        }
        assert!(api.get("/api/v1/keys").await.json()["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_key_is_suspended_resumed_and_revoked() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, _) = api.issue("Checkout", json!({})).await;
        let path = format!("/api/v1/keys/{id}");
        let verb = async |verb: &str, body: Value| api.post(&format!("{path}/{verb}"), body).await;
        assert_eq!(state(&verb("suspend", json!({ "reason": "strange traffic" })).await), "suspended");
        assert_eq!(verb("suspend", json!({})).await.status, 409);
        assert_eq!(state(&verb("resume", json!({})).await), "active");
        assert_eq!(verb("resume", json!({})).await.status, 409);
        assert_eq!(verb("revoke", json!({ "reason": "boredom" })).await.status, 422);
        let revoked = verb("revoke", json!({ "reason": "key-compromise", "note": "on a forum" })).await;
        assert_eq!(state(&revoked), "compromised");
        insta::assert_json_snapshot!("revoked_twice", verb("revoke", json!({})).await.shown());
        for path in ["suspend", "resume", "rotate"] {
            assert_eq!(verb(path, json!({})).await.status, 409, "{path}");
        }
        assert_eq!(api.patch(&path, json!({ "name": "x" })).await.status, 409);
    })
    .await;
}

#[tokio::test]
async fn a_rotation_answers_the_new_value_and_the_old_one_works_on_for_the_overlap() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, old) = api.issue("Checkout", json!({})).await;
        api.house.clock.advance(Duration::from_mins(1));
        let rotate = format!("/api/v1/keys/{id}/rotate");
        let rotated = api.post(&rotate, json!({ "overlap_seconds": 3600 })).await;
        assert_eq!(rotated.status, 200, "{rotated:?}");
        let new = rotated.json()["key"].as_str().unwrap().to_owned();
        assert_ne!(new, old);
        let told = api.verify(&old, json!({ "ip": "198.51.100.7", "caller": "curl/8" })).await;
        assert_eq!((&told["code"], &told["superseded"]), (&json!("valid"), &json!(true)));
        api.house.domain.flush_usage().await.unwrap();
        let board = api.get(&format!("/api/v1/keys/{id}/drain")).await;
        insta::assert_json_snapshot!("drain_board", without_ids(&board.json()));
        let used = api.get(&format!("/api/v1/keys/{id}/usage?step=hour")).await.json();
        assert_eq!(used["items"].as_array().unwrap().last().unwrap()["valid"], 1);

        let value = board.json()["draining"][0]["value"]["id"].as_str().unwrap().to_owned();
        let values = format!("/api/v1/keys/{id}/values/{value}");
        let extend = json!({ "until": "2027-01-20T00:00:00Z" });
        assert_eq!(api.post(&format!("{values}/extend"), extend).await.status, 200);
        api.house.clock.advance(Duration::from_hours(1));
        assert_eq!(api.verify(&old, json!({})).await["code"], "valid");
        assert_eq!(api.post(&format!("{values}/stop"), json!({})).await.status, 200);
        assert_eq!(api.verify(&old, json!({})).await["code"], "expired");
        assert_eq!(api.verify(&new, json!({})).await["code"], "valid");
        assert_eq!(api.post(&format!("{values}/stop"), json!({})).await.status, 409);

        for wrong in [-1, i64::MIN, i64::MAX, 90 * 86_400 + 1] {
            let answer = api.post(&rotate, json!({ "overlap_seconds": wrong })).await;
            assert_eq!(answer.status, 422, "{wrong} {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_edit_replaces_what_it_names_and_null_takes_away() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let rate = json!({ "limit": 5, "window_seconds": 60 });
        let (id, _) = api.issue("Checkout", json!({ "rate_limit": rate, "tags": ["a"] })).await;
        let path = format!("/api/v1/keys/{id}");
        let tag = api.get(&path).await.header("etag").to_owned();
        let edited = api.patch(&path, json!({ "rate_limit": null, "scopes": ["refunds:read"] })).await;
        assert_eq!(edited.status, 200, "{edited:?}");
        let now = edited.json();
        assert_eq!(now.get("rate_limit"), None);
        assert_eq!((&now["scopes"], &now["tags"]), (&json!(["refunds:read"]), &json!(["a"])));
        let late = api.call("patch", &path).bearer(&api.olga).header("if-match", &tag);
        assert_eq!(late.json(json!({ "name": "Late" })).await.status, 412);
        let taken = api.issue("Other", json!({})).await.0;
        let taken = api.patch(&format!("/api/v1/keys/{taken}"), json!({ "name": "CHECKOUT" })).await;
        assert_eq!((taken.status.as_u16(), &taken.json()["errors"][0]["pointer"]), (409, &json!("/name")));
        for (field, value) in now.as_object().unwrap() {
            let known = ["name", "description", "owner", "scopes", "allowed_cidrs", "tags", "metadata"];
            let dated = ["not_before", "expires_at", "rate_limit"];
            if !known.contains(&field.as_str()) && !dated.contains(&field.as_str()) {
                let answer = api.patch(&path, json!({ field.as_str(): value })).await;
                assert_eq!(answer.status, 422, "{field} can be assigned");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn keys_are_listed_by_filter_and_page() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for name in ["Alpha", "Beta", "Gamma"] {
            api.issue(name, json!({ "tags": [name.to_lowercase()] })).await;
            api.house.clock.advance(Duration::from_secs(1));
        }
        let names = |answer: &Value| -> Vec<String> {
            let items = answer["items"].as_array().unwrap();
            items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        let first = api.get("/api/v1/keys?project=pay&environment=live&state=active&limit=2").await;
        assert_eq!(names(&first.json()), ["Gamma", "Beta"]);
        let next = first.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(names(&api.get(&next).await.json()), ["Alpha"]);
        assert_eq!(names(&api.get("/api/v1/keys?q=bet").await.json()), ["Beta"]);
        assert_eq!(names(&api.get("/api/v1/keys?tag=gamma").await.json()), ["Gamma"]);
        assert_eq!(
            names(&api.get("/api/v1/keys?order=name&reversed=true").await.json()),
            ["Gamma", "Beta", "Alpha"]
        );
        assert!(names(&api.get("/api/v1/keys?state=suspended").await.json()).is_empty());
        let others = api.call("get", "/api/v1/keys").bearer(&api.mallory).send("").await;
        assert!(names(&others.json()).is_empty());
        for wrong in
            ["state=good", "order=size", "owner=me", "tag=A", "cursor=x", "environment=live", "reversed=1"]
        {
            assert_eq!(api.get(&format!("/api/v1/keys?{wrong}")).await.status, 400, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn many_keys_are_revoked_after_a_look_at_what_breaks() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (one, value) = api.issue("One", json!({ "tags": ["old"] })).await;
        let (two, _) = api.issue("Two", json!({ "tags": ["old"] })).await;
        api.issue("Three", json!({})).await;
        api.verify(&value, json!({ "ip": "198.51.100.7" })).await;
        api.house.domain.flush_usage().await.unwrap();
        let preview = api.get("/api/v1/keys/bulk-revoke/preview?project=pay&tag=old").await.json();
        assert_eq!(preview["keys"].as_array().unwrap().len(), 2);
        assert_eq!(preview["affected"][0]["address"], "198.51.100.7");
        assert_eq!(preview["affected"][0]["keys"], json!([one]));
        let revoke = json!({ "keys": [one, two], "reason": "superseded" });
        let done = api.post("/api/v1/keys/bulk-revoke", revoke.clone()).await;
        assert_eq!(done.json(), json!({ "revoked": 2, "already": 0 }));
        assert_eq!(
            api.post("/api/v1/keys/bulk-revoke", revoke).await.json(),
            json!({ "revoked": 0, "already": 2 })
        );
        assert_eq!(api.post("/api/v1/keys/bulk-revoke", json!({ "keys": [] })).await.status, 422);
    })
    .await;
}

#[tokio::test]
async fn a_value_that_callers_hold_is_taken_in_and_verified() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let import = async |name: &str, how: Value| {
            let mut body = json!({
                "project": "pay", "environment": "live", "name": name, "owner": api.owner,
                "last_day": "2027-06-30T00:00:00Z",
            });
            body.as_object_mut().unwrap().extend(how.as_object().cloned().unwrap());
            api.post("/api/v1/keys/import", body).await
        };
        let old = "legacy-5ecretV4lue-1234";
        let made = import("Legacy", json!({ "value": old })).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(!made.body.contains(old));
        assert_eq!(api.verify(old, json!({})).await["key_id"], made.json()["id"]);
        assert_eq!(import("Again", json!({ "value": old })).await.status, 409);
        for (how, pointer) in [
            (json!({ "value": "short" }), "/value"),
            (json!({ "sha256": "00" }), "/sha256"),
            (json!({}), "/sha256"),
            (json!({ "value": old, "sha256": "00" }), "/sha256"),
        ] {
            let answer = import("Wrong", how).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]),
                (422, &json!(pointer))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn twenty_at_once_under_one_idempotency_key_issue_one_key_and_get_one_value() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let body = json!({ "project": "pay", "environment": "live", "name": "Once", "owner": api.owner });
        let issue = async || {
            let call = api.call("post", "/api/v1/keys").bearer(&api.olga);
            call.header("idempotency-key", "one-and-the-same").json(body.clone()).await
        };
        let answers = join_all((0..20).map(|_| issue())).await;
        assert_eq!(answers[0].status, 201, "{:?}", answers[0]);
        assert!(answers.iter().all(|it| it.json()["key"] == answers[0].json()["key"]));
        assert_eq!(api.get("/api/v1/keys").await.json()["items"].as_array().unwrap().len(), 1);

        api.house.clock.advance(Duration::from_hours(1));
        let late = issue().await;
        insta::assert_json_snapshot!("secret_gone", late.shown());
        assert_eq!(late.json()["id"], answers[0].json()["id"]);
    })
    .await;
}

/// A client that writes what is absent as `null` is understood.
#[tokio::test]
async fn null_is_as_good_as_absent_where_a_field_may_be_absent() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let nulls = json!({
            "description": null, "scopes": null, "tags": null, "allowed_cidrs": null, "metadata": null,
            "rate_limit": null, "not_before": null, "expires_at": null,
        });
        let (id, key) = api.issue("Bare", nulls.clone()).await;
        let mut import = json!({
            "value": "legacy-0123456789-abcdef", "last_day": "2027-06-30T00:00:00Z", "project": "pay",
            "environment": "live", "name": "Old", "owner": null,
        });
        import.as_object_mut().unwrap().extend(nulls.as_object().cloned().unwrap());
        let imported = api.post("/api/v1/keys/import", import).await;
        assert_eq!(imported.status, 201, "{imported:?}");
        let asked = json!({ "scopes": null, "ip": null, "caller": null });
        assert_eq!(api.verify(&key, asked).await["code"], "valid");
        for (verb, body) in
            [("suspend", json!({ "reason": null })), ("revoke", json!({ "reason": null, "note": null }))]
        {
            let done = api.post(&format!("/api/v1/keys/{id}/{verb}"), body).await;
            assert_eq!(done.status, 200, "{verb}: {done:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_overlap_is_refused_at_the_field_that_was_sent() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, _) = api.issue("Checkout", json!({})).await;
        for (body, pointer) in [
            (json!({ "overlap_until": "2026-01-01T00:00:00Z" }), "/overlap_until"),
            (json!({ "overlap_until": "2027-12-31T00:00:00Z" }), "/overlap_until"),
            (json!({ "overlap_seconds": -1 }), "/overlap_seconds"),
            (json!({ "overlap_seconds": 7_776_001 }), "/overlap_seconds"),
            (json!({ "overlap_seconds": i64::MAX }), "/overlap_seconds"),
        ] {
            let refused = api.post(&format!("/api/v1/keys/{id}/rotate"), body.clone()).await;
            assert_eq!(refused.status, 422, "{body}");
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
        }
    })
    .await;
}

/// A moment that RFC 3339 cannot write in UTC would come back as no moment at all.
#[tokio::test]
async fn a_moment_beyond_the_years_of_rfc_3339_is_refused() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let wide = json!({ "max_lifetime_seconds": null });
        assert_eq!(api.patch("/api/v1/projects/pay/environments/live", wide).await.status, 200);
        let years = [
            ("9999-12-31T23:59:59-01:00", 422),
            ("0000-12-31T00:00:00Z", 422),
            ("9999-12-31T23:59:59Z", 201),
        ];
        for (at, status) in years {
            let key = json!({
                "project": "pay", "environment": "live", "name": "Long", "owner": api.owner, "expires_at": at,
            });
            let answer = api.post("/api/v1/keys", key).await;
            assert_eq!(answer.status, status, "{at}: {answer:?}");
        }
    })
    .await;
}

/// Nobody believes that a condition was heeded where none is.
#[tokio::test]
async fn if_match_is_heeded_or_refused() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let (id, _) = api.issue("Checkout", json!({})).await;
        let path = format!("/api/v1/keys/{id}");
        let ask = async |verb: &str, tag: &str, body: Value| {
            let call = api.call("post", &format!("{path}{verb}")).bearer(&api.olga);
            call.header("if-match", tag).json(body).await
        };
        let read = async || api.get(&path).await;
        let stale = read().await.header("etag").to_owned();
        api.patch(&path, json!({ "name": "Till" })).await;
        api.house.clock.advance(Duration::from_mins(1));
        assert_eq!(ask("/rotate", read().await.header("etag"), json!({})).await.status, 200);
        let values = read().await.json()["values"].clone();
        let old = format!("/values/{}", values[1]["id"].as_str().unwrap());
        let (stop, extend) = (format!("{old}/stop"), format!("{old}/extend"));
        let until = json!({ "until": "2027-01-16T00:00:00Z" });
        let before = api.house.rows().await;
        let bodies = [
            ("/rotate", json!({})),
            ("/suspend", json!({})),
            ("/resume", json!({})),
            ("/revoke", json!({})),
            (stop.as_str(), json!({})),
            (extend.as_str(), until),
        ];
        for (verb, body) in &bodies {
            let answer = ask(verb, &stale, body.clone()).await;
            assert_eq!(answer.status, 412, "{verb}: {answer:?}");
            assert_eq!(ask(verb, "nonsense", body.clone()).await.status, 400, "{verb}");
        }
        assert_eq!(api.house.rows().await, before, "nothing was done");
        for (verb, body) in [&bodies[5], &bodies[4], &bodies[0], &bodies[1], &bodies[2], &bodies[3]] {
            let tag =
                if *verb == "/resume" { "*".to_owned() } else { read().await.header("etag").to_owned() };
            assert_eq!(ask(verb, &tag, body.clone()).await.status, 200, "{verb}");
        }
        // Where there is no version to heed it is refused.
        let archive =
            api.call("post", "/api/v1/projects/pay/archive").bearer(&api.olga).header("if-match", "\"1\"");
        let refused = archive.json(json!({})).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert_eq!(refused.json()["errors"][0]["parameter"], "If-Match");
    })
    .await;
}
