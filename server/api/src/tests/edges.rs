//! Numbers at their edges, in every field that the document calls a number (S-07), and bodies that are none of ours, on
//! every route that takes one (S-25, S-29).

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::{Api, examples, strangers};

/// What no number of ours is. `i64::MAX` is beyond every limit, zero has its own meaning in some.
fn edges() -> Vec<Value> {
    let mut edges =
        vec![json!(-1), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(1.5), json!(1e3)];
    edges.extend(["1", " 1", "NaN", "0x1", ""].map(Value::from));
    edges.extend([json!(true), json!([1]), json!({ "a": 1 })]);
    edges
}

/// Where numbers stand in the example of a body.
fn numbers(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), body)];
    while let Some((pointer, value)) = left.pop() {
        match value {
            Value::Number(_) => found.push(pointer),
            Value::Object(map) if !pointer.ends_with("/metadata") => {
                let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
                left.extend(map.iter().map(|(name, value)| (format!("{pointer}/{}", step(name)), value)));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test]
async fn no_edge_of_a_number_is_taken_in_any_field() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        let before = api.house.rows().await;
        let mut fields = 0;
        for (path, methods) in examples::routes() {
            let there = belongings.at(&path);
            for method in methods {
                let Some(body) = examples::body(&method, &path, api.owner) else { continue };
                for pointer in numbers(&body) {
                    fields += 1;
                    for edge in edges() {
                        let mut body = body.clone();
                        *body.pointer_mut(&pointer).unwrap() = edge.clone();
                        let answer = api.call(&method, &there).bearer(&api.olga).json(body).await;
                        let at = format!("{method} {path} {pointer} = {edge}");
                        assert!([400, 422].contains(&answer.status.as_u16()), "{at}: {answer:?}");
                        assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
                    }
                }
            }
        }
        assert!(fields >= 6, "{fields}");
        assert_eq!(api.house.rows().await, before);
    })
    .await;
}

/// The names of a route's parameters in the query.
fn parameters(path: &str) -> Vec<String> {
    let document = crate::openapi();
    let listed = document["paths"][path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
    let named = listed.iter().filter(|it| it["in"] == "query").filter_map(|it| it["name"].as_str());
    named.map(Into::into).collect()
}

#[tokio::test]
async fn no_text_that_a_database_cannot_hold_breaks_a_search() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        strangers::belongings(&api).await;
        let mut asked = 0;
        // What a proxy asks in a caller's name answers for the caller, and says 401.
        for (path, _) in examples::routes().into_iter().filter(|(path, _)| !path.ends_with("/authorize")) {
            for name in parameters(&path) {
                for text in ["%00", "a%00b", "%ff", "%ed%a0%80", "%25", "_", "%27", "%5c", "%f0%9f%94%91"] {
                    let address = format!("{}?{name}={text}", examples::fill(&path, &api.pay));
                    let answer = api.get(&address).await;
                    assert!([200, 400, 404].contains(&answer.status.as_u16()), "{address}: {answer:?}");
                    asked += 1;
                }
            }
            if path.contains('{') {
                let odd = path.replace('{', "%00").replace('}', "");
                let answer = api.get(&odd).await;
                assert!(answer.status.is_client_error(), "{odd}: {answer:?}");
            }
        }
        assert!(asked > 200, "{asked}");
        let (_, key) = api.issue("Odd", json!({})).await;
        assert_eq!(api.verify(&key, json!({ "caller": "shop\u{0}/1" })).await["valid"], true);
        assert_eq!(api.house.domain.flush_usage().await.unwrap(), 1);
    })
    .await;
}

/// The ends of our calendar and of RFC 3339's, and what is no moment.
const MOMENTS: [&str; 6] = [
    "-262143-01-01T00:00:00Z",
    "%2B262142-12-31T23:59:59.999999999Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "1969-12-31T23:59:59%2B23:59",
    "999999999-01-01T00:00:00Z",
];

#[tokio::test]
async fn no_edge_of_time_breaks_a_question() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        let mut fine = 0;
        for (path, _) in examples::routes().into_iter().filter(|(path, _)| !path.ends_with("/authorize")) {
            let there = belongings.at(&path);
            for name in parameters(&path) {
                for moment in MOMENTS {
                    let address = format!("{}?{name}={moment}", examples::fill(&there, &api.pay));
                    let answer = api.get(&address).await;
                    assert!([200, 400, 404, 422].contains(&answer.status.as_u16()), "{address}: {answer:?}");
                    fine += u32::from(answer.status == 200);
                }
            }
        }
        // Events, uses and folders as they were, at least, are asked for by time.
        assert!(fine > 10, "{fine}");
    })
    .await;
}

#[tokio::test]
async fn no_route_takes_a_body_that_a_foreign_page_could_send() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        let before = api.house.rows().await;
        let mut routes = 0;
        for (path, methods) in examples::routes() {
            let there = belongings.at(&path);
            for method in methods {
                let Some(body) = examples::body(&method, &path, api.owner) else { continue };
                routes += 1;
                for kind in
                    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
                {
                    let call = api.call(&method, &there).bearer(&api.olga).header("content-type", kind);
                    let answer = call.header("origin", "https://evil.example").send(body.to_string()).await;
                    // What only asks (introspection) takes forms, as RFC 7662 says.
                    let asks = path == "/oauth2/introspect" && kind == "application/x-www-form-urlencoded";
                    assert!(asks || answer.status == 415, "{method} {path} {kind}: {answer:?}");
                }
            }
        }
        assert!(routes > 15, "{routes}");
        assert_eq!(api.house.rows().await, before);
    })
    .await;
}
