//! Everything that a request is made of, changed by chance, through the whole door (S-28): bodies of every operation, queries,
//! headers, forms, what stands in a path. Nothing is ever our fault, and every refusal is a problem in words.

use std::fmt::Write as _;

use axum::body::Body;
use http::{HeaderName, HeaderValue};
use keywarden_domain::cast::{Engine, House};
use keywarden_garble::some;
use tokio::runtime::Runtime;

use super::{Answer, Api, examples};

/// A door, and what waits for its answers.
struct Door {
    api: Api,
    runtime: Runtime,
}

impl Door {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let api = runtime.block_on(async { Api::in_house(House::new(Engine::Sqlite).await).await });
        Self { api, runtime }
    }

    /// What is answered; a header that HTTP itself cannot carry is left out.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &[u8])], body: impl Into<Body>) -> Answer {
        let mut call = self.api.call(method, path);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            call = call.bearer(&self.api.olga);
        }
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
                call.request = call.request.header(name, value);
            }
        }
        let answer = self.runtime.block_on(call.send(body));
        assert!(!answer.status.is_server_error(), "{method} {path}: {answer:?}");
        answer
    }

    fn refuses_in_words(answer: &Answer) {
        if answer.status.is_client_error() && answer.header("content-type") == "application/problem+json" {
            assert!(answer.json()["detail"].as_str().is_some_and(|it| !it.is_empty()), "{answer:?}");
        }
    }
}

/// Bytes as they stand in an address.
pub(super) fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}

#[test]
fn bodies_of_every_operation() {
    let door = Door::new();
    for (path, methods) in examples::routes() {
        for method in methods {
            let Some(body) = examples::body(&method, &path, door.api.owner) else { continue };
            let path = examples::fill(&path, &door.api.pay);
            some(32, &[body.to_string()], |input| {
                let answer =
                    door.ask(&method, &path, &[("content-type", b"application/json")], input.to_vec());
                Door::refuses_in_words(&answer);
            });
        }
    }
}

#[test]
fn queries_and_paths() {
    let door = Door::new();
    let queries = [
        "limit=50&cursor=key_01JDB2W1N9F6Q3R8T5V7X9Z0AB&state=active&tag=a%3Db",
        "since=2027-01-01T00:00:00Z&until=0000-01-01T00:00:00Z&actor=usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "project=pay&environment=live&folder=a%2Fb&q=%F0%9F%94%91&at=9999-12-31T23:59:59.999999999Z",
        "version=9223372036854775807&label=blue&raw=true&unused_days=3650&order=name&reversed=true",
        "from=2027-01-01T00:00:00%2B14:00&step=day&scope=orders:read&ip=::ffff:1.2.3.4&ip_from=x-forwarded-for",
    ];
    let lists: Vec<_> = examples::routes()
        .into_iter()
        .filter(|(path, methods)| methods.iter().any(|it| it == "get") && !path.ends_with("watch"))
        .map(|(path, _)| examples::fill(&path, &door.api.pay))
        .collect();
    some(4, &queries, |input| {
        let query: String =
            input
                .iter()
                .map(|b| {
                    if b.is_ascii_graphic() && *b != b'#' {
                        char::from(*b).to_string()
                    } else {
                        escaped(&[*b])
                    }
                })
                .collect();
        let which = input.iter().fold(0, |sum, b| sum + usize::from(*b)) % lists.len();
        let path = format!("{}?{query}", lists[which]);
        if path.len() < 60_000 && path.parse::<http::Uri>().is_ok() {
            let answer = door.ask("get", &path, &[], "");
            Door::refuses_in_words(&answer);
        }
    });
    some(4, &["database/password", "..", "%2e%2e", "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB", "1", "blue"], |input| {
        let part = escaped(&input[..input.len().min(4_000)]);
        for path in
            ["projects/pay/environments/live/secrets/", "keys/", "secrets/", "users/", "audit/", "rewraps/"]
        {
            let answer = door.ask("get", &format!("/api/v1/{path}{part}"), &[], "");
            Door::refuses_in_words(&answer);
        }
    });
}

#[test]
fn headers() {
    let door = Door::new();
    let secret = "/api/v1/projects/pay/environments/live/secrets/a";
    let put = br#"{"value":"x"}"#;
    let json = ("content-type", &b"application/json"[..]);
    let specimens = [
        "\"1\"",
        "W/\"1-2\"",
        "*",
        "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "Bearer kws_live_0A1B2C3D4E5F_x",
        "INC-7: größer",
        "Basic eDp5",
        "0123456789abcdef",
    ];
    some(4, &specimens, |input| {
        for name in [
            "if-match",
            "if-none-match",
            "idempotency-key",
            "keywarden-reason",
            "content-type",
            "content-encoding",
        ] {
            let answer = door.ask("put", secret, &[json, (name, input)], put.to_vec());
            Door::refuses_in_words(&answer);
        }
        for name in ["authorization", "if-none-match", "keywarden-reason", "user-agent", "accept"] {
            let answer = door.ask("get", secret, &[(name, input)], "");
            Door::refuses_in_words(&answer);
        }
        for name in
            ["authorization", "x-api-key", "x-keywarden-token", "x-forwarded-for", "x-keywarden-scope"]
        {
            for below in ["", "/x"] {
                let path = format!("/api/v1/keys/authorize{below}?ip_from=x-forwarded-for");
                door.ask("get", &path, &[(name, input)], "");
            }
        }
    });
}

#[test]
fn last_event_ids() {
    let door = Door::new();
    let path = "/api/v1/secrets/watch?project=pay&environment=live";
    let last = [
        "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "evt_00000000000000000000000000",
    ];
    some(4, &last, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return };
        // What begins is not waited for: it has no end.
        let mut call = door.api.call("get", path).bearer(&door.api.olga);
        call.request = call.request.header("last-event-id", value);
        let status = door.runtime.block_on(call.begin());
        assert!(status.is_success(), "{status}");
    });
}

#[test]
fn forms_of_oauth() {
    let door = Door::new();
    let forms = [
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=eyJhbGciOiJSUzI1NiJ9.e30.x&subject_token_type=urn:ietf:params:oauth:token-type:jwt",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=8f14e45f",
        "token=kwk_live_0A1B2C3D4E5F_x&caller=checkout%2F2.4&ip=198.51.100.7",
        "client_id=keywarden",
    ];
    let form = ("content-type", &b"application/x-www-form-urlencoded"[..]);
    some(4, &forms, |input| {
        for path in ["token", "introspect", "revoke"] {
            door.ask("post", &format!("/oauth2/{path}"), &[form], input.to_vec());
        }
    });
    some(4, &["Basic eDprd3NfeA==", "Bearer x", "Basic Og=="], |input| {
        door.ask("post", "/oauth2/introspect", &[form, ("authorization", input)], "token=x");
    });
}
