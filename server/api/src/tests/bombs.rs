//! Requests that want to cost more than they may (S-29), numbers at their edges (S-07), and nothing written by what was
//! refused (S-15).

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::Api;

#[tokio::test]
async fn a_body_that_is_too_much_is_refused() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let before = api.events().await;
        let deep = format!(r#"{{"slug":"x","name":{}"#, "[".repeat(100_000));
        let long = format!(r#"{{"slug":"x","name":"{}"}}"#, "x".repeat(32 * 1024 * 1024));
        let many = r#""key":1,"#.repeat(200_000);
        let many = format!(r#"{{{many}"slug":"x","name":"x"}}"#);
        // Short enough, and a hundred times as much in memory.
        let wide =
            |unit: &str| format!(r#"{{"slug":"x","name":[{}0]}}"#, unit.repeat(1_000_000 / unit.len()));
        for (body, status) in [
            (deep, 400),
            (long, 413),
            (many, 413),
            (wide(r#"{"a":1},"#), 400),
            (wide("0,"), 400),
            (wide("[],"), 400),
            (r#"{"slug":"x","name":"x","name":"y"}"#.into(), 400),
            (r#"{"slug":"x","name":"x"} {"slug":"y"}"#.into(), 400),
            (r#"{"slug":"x","name":"x","owner":"me"}"#.into(), 422),
            (r#"{"slug":"x"}"#.into(), 422),
            ("[]".into(), 422),
            (String::new(), 422),
            ("{".into(), 400),
            ("\u{feff}{}".into(), 400),
        ] {
            let call = api.call("post", "/api/v1/projects").bearer(&api.olga);
            let shown: String = body.chars().take(60).collect();
            let answer = call.header("content-type", "application/json").send(body).await;
            assert_eq!(answer.status, status, "{shown} {answer:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{shown}");
        }
        assert_eq!(api.events().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
        {
            let call = api.call("post", "/api/v1/projects").bearer(&api.olga).header("content-type", kind);
            let answer = call.send(r#"{"slug":"x","name":"x"}"#).await;
            assert_eq!(answer.status, 415, "{kind}");
        }
        for (slug, kind) in [
            ("x", "application/json"),
            ("y", "Application/JSON; charset=UTF-8"),
            ("z", "application/json;charset=\"utf-8\""),
        ] {
            let call = api.call("post", "/api/v1/projects").bearer(&api.olga).header("content-type", kind);
            let answer = call.send(json!({ "slug": slug, "name": slug }).to_string()).await;
            assert_eq!(answer.status, 201, "{kind} {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let before = api.house.rows().await;
        for path in ["/api/v1/projects", "/api/v1/keys/verify", "/api/v1/keys/bulk-revoke"] {
            for coding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"] {
                let call = api.call("post", path).bearer(&api.olga).header("content-encoding", coding);
                let answer = call.json(json!({ "slug": "x", "name": "x" })).await;
                assert_eq!(answer.status, 415, "{path} {coding}: {answer:?}");
            }
        }
        assert_eq!(api.house.rows().await, before);
        let call =
            api.call("post", "/api/v1/projects").bearer(&api.olga).header("content-encoding", "identity");
        assert_eq!(call.json(json!({ "slug": "x", "name": "x" })).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn every_flaw_of_a_body_is_named_where_it_is() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let answer = api.post("/api/v1/projects", json!({ "slug": "Pay!", "name": "" })).await;
        insta::assert_json_snapshot!("two_flaws", answer.shown());
        let answer = api.post("/api/v1/projects", json!({ "slug": "pay", "name": 7 })).await;
        insta::assert_json_snapshot!("one_wrong_type", answer.shown());
        let answer = api.post("/api/v1/projects", json!({ "slug": "x", "name": "x", "a/b~c": 1 })).await;
        insta::assert_json_snapshot!("one_unknown_field", answer.shown());
    })
    .await;
}

#[tokio::test]
async fn a_limit_is_a_whole_number_from_1_to_200() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for path in [
            "/api/v1/projects",
            "/api/v1/audit",
            "/api/v1/keys",
            "/api/v1/secrets",
            "/api/v1/workloads",
            "/api/v1/teams",
            "/api/v1/roles",
            "/api/v1/users",
        ] {
            for wrong in [
                "0",
                "-1",
                "201",
                "1e3",
                "%201",
                "1%20",
                "+1",
                "01",
                "0x1",
                "1.0",
                "NaN",
                "9223372036854775808",
            ] {
                let answer = api.get(&format!("{path}?limit={wrong}")).await;
                assert_eq!(answer.status, 400, "{path} {wrong} {answer:?}");
            }
            for right in ["1", "200"] {
                assert_eq!(api.get(&format!("{path}?limit={right}")).await.status, 200, "{path} {right}");
            }
        }
        insta::assert_json_snapshot!("limit", api.get("/api/v1/audit?limit=0").await.shown());
    })
    .await;
}

#[tokio::test]
async fn a_query_has_known_parameters_each_once() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let many = "p=1&".repeat(10_000);
        for query in ["limit=1&limit=2", "nonsense=1", "since=yesterday", "cursor=evt_x", &many] {
            let answer = api.get(&format!("/api/v1/audit?{query}")).await;
            assert_eq!(answer.status, 400, "{query}");
        }
    })
    .await;
}
