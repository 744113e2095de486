//! What proxies ask before they let a request through, asked as the configurations in `.github/deploy` say.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::json;

use crate::{client::Stage, strangers::ask};

/// The client of the held requests, as its proxy sees it.
const CLIENT: &str = "198.51.100.7";
/// Envoy's own address in its configuration.
const ENVOY: &str = "10.0.0.9";
/// What stands in the place of a token.
const TOKEN: &str = "kws_workload_…";

/// Headers by their names in small letters.
type Headers = BTreeMap<String, String>;
/// What a proxy asks about a key and a client: method, address, headers.
type Proxy = fn(&str, &str) -> (&'static str, String, Headers);

fn recipe(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".github/deploy");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// What is between two words of a line.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(line.split_once(before)?.1.split_once(after)?.0)
}

/// What a caller sends who would like to be somebody else.
fn held(key: &str) -> Headers {
    [
        ("authorization", format!("Bearer {key}").as_str()),
        ("x-forwarded-for", "10.1.1.1"),
        ("x-keywarden-token", "kws_none"),
        ("x-keywarden-scope", ""),
        ("x-keywarden-ip-from", "x-forwarded-for"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What nginx asks: it sends the caller's headers along, except those that its configuration sets.
fn nginx(key: &str, client: &str) -> (&'static str, String, Headers) {
    let text = recipe("nginx.conf");
    let (_, block) = text.split_once("location = /_key {").unwrap();
    let (block, _) = block.split_once("}\n").unwrap_or((block, ""));
    let mut headers = held(key);
    let mut path = String::new();
    for line in block.lines().map(|line| line.trim_start_matches(['#', ' '])) {
        if let Some(address) = between(line, "proxy_pass http://127.0.0.1:3000", ";") {
            path = address.replace("$remote_addr", client);
        }
        if let Some((name, value)) = between(line, "proxy_set_header ", ";").and_then(|it| it.split_once(' '))
        {
            let value = value.trim_matches('"').replace("$remote_addr", client);
            headers.insert(name.to_lowercase(), value);
        }
    }
    ("GET", path, headers)
}

/// What Traefik asks: the headers are those after the middleware that stands before, and the client is its own word.
fn traefik(key: &str, client: &str) -> (&'static str, String, Headers) {
    let text = recipe("traefik.yaml");
    assert!(text.contains("middlewares: [keywarden-token, keywarden, keywarden-done]"), "{text}");
    assert!(!text.contains("trustForwardHeader:"), "{text}");
    let (first, rest) = text.split_once("    keywarden:\n").unwrap();
    assert!(rest.contains("X-Keywarden-Token: \"\""), "the service sees the token: {rest}");
    let token = between(first, "X-Keywarden-Token: \"", "\"").unwrap();
    let path = between(rest, "address: \"http://127.0.0.1:3000", "\"").unwrap();
    let mut headers = held(key);
    headers.insert("x-keywarden-token".to_owned(), token.to_owned());
    headers.insert("x-forwarded-for".to_owned(), client.to_owned());
    ("GET", path.to_owned(), headers)
}

/// What Envoy asks: below its prefix what it holds, with the headers that are allowed and those that are added.
fn envoy(key: &str, client: &str) -> (&'static str, String, Headers) {
    let text = recipe("envoy.yaml");
    assert!(text.contains(&format!("KEYWARDEN_TRUSTED_PROXIES=127.0.0.1/32, {ENVOY}/32")), "{text}");
    assert!(text.contains("use_remote_address: true"), "{text}");
    let allowed: Vec<_> = text.lines().filter_map(|line| between(line, "{ exact: ", ",")).collect();
    let mut headers = held(key);
    headers.retain(|name, _| name == "authorization" || allowed.contains(&name.as_str()));
    let forwarded = headers.get_mut("x-forwarded-for").unwrap();
    *forwarded = format!("{forwarded}, {client}, {ENVOY}");
    for line in text.lines() {
        if let Some(name) = between(line, "{ key: ", ",") {
            headers.insert(name.to_owned(), between(line, "value: \"", "\"").unwrap().to_owned());
        }
    }
    let prefix = text.lines().find_map(|line| line.trim().strip_prefix("path_prefix: ")).unwrap();
    ("POST", format!("{prefix}/orders/7?scope=orders:read&a=b"), headers)
}

#[test]
fn what_the_shipped_configurations_ask_is_answered_by_who_shows_which_key_from_where() {
    let trusted = format!("127.0.0.1/32, {ENVOY}/32");
    let stage = Stage::with(&[("KEYWARDEN_TRUSTED_PROXIES", trusted.as_str())]);
    let admin = fs::read_to_string(stage.token()).unwrap();
    let gate = json!({ "name": "gate", "project": "pay", "role": "verifier" });
    let gate = stage.post("/api/v1/workloads", &admin, &gate)["id"].as_str().unwrap().to_owned();
    let token = stage.post(&format!("/api/v1/workloads/{gate}/tokens"), &admin, &json!({}));
    let token = token["token"].as_str().unwrap();
    let issue = |name: &str, scope: &str| {
        let key = json!({
            "project": "pay", "environment": "live", "name": name, "scopes": [scope],
            "allowed_cidrs": [format!("{CLIENT}/32")],
        });
        stage.post("/api/v1/keys", &admin, &key)["key"].as_str().unwrap().to_owned()
    };
    let (good, other) = (issue("Orders", "orders:read"), issue("Refunds", "refunds:write"));
    let proxies: [(&str, Proxy); 3] = [("nginx", nginx), ("Traefik", traefik), ("Envoy", envoy)];
    for (name, proxy) in proxies {
        let code = |key: &str, client: &str, token: &str| {
            let (method, path, headers) = proxy(key, client);
            let headers: Vec<_> = headers
                .into_iter()
                .filter(|(name, value)| !value.is_empty() && name != "content-length")
                .map(|(name, value)| (name, value.replace(TOKEN, token)))
                .collect();
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let (status, rest) = ask(&stage.server, method, &path, &headers, "");
            let code = between(&rest, "x-keywarden-code: ", "\r\n").unwrap_or_default();
            (status, code.to_owned())
        };
        let told = |status: u16, code: &str| (status, code.to_owned());
        assert_eq!(code(&good, CLIENT, token), told(200, "valid"), "{name}");
        assert_eq!(code(&good, "198.51.100.8", token), told(403, "ip_not_allowed"), "{name}");
        assert_eq!(code(&other, CLIENT, token), told(403, "insufficient_scope"), "{name}");
        assert_eq!(code("kwk_none", CLIENT, token), told(401, "not_found"), "{name}");
        assert_eq!(code(&good, CLIENT, "kws_none"), told(401, ""), "{name}");
    }
    stage.server.stop();
}

#[test]
fn every_place_of_the_nginx_configuration_that_leads_here_says_who_the_client_is() {
    let text = recipe("nginx.conf");
    let places: Vec<_> = text.split("location ").skip(1).filter(|it| it.contains("127.0.0.1:3000")).collect();
    assert_eq!(places.len(), 2, "{text}");
    for place in places {
        assert!(place.contains("proxy_set_header X-Forwarded-For $remote_addr;"), "{place}");
    }
}

#[test]
fn a_proxy_asks_about_any_path_and_introspection_takes_both_ways_to_show_a_token() {
    let stage = Stage::new();
    let admin = fs::read_to_string(stage.token()).unwrap();
    let gate = json!({ "name": "gate", "project": "pay", "role": "verifier" });
    let gate = stage.post("/api/v1/workloads", &admin, &gate)["id"].as_str().unwrap().to_owned();
    let token = stage.post(&format!("/api/v1/workloads/{gate}/tokens"), &admin, &json!({}));
    let token = token["token"].as_str().unwrap();
    let key = json!({ "project": "pay", "environment": "live", "name": "Orders" });
    let key = stage.post("/api/v1/keys", &admin, &key)["key"].as_str().unwrap().to_owned();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for held in ["/", "/?a=b", "//", "/orders/7?a=b", "/%2e%2e/x"] {
            let headers = [("X-Keywarden-Token", token), ("X-Api-Key", key.as_str())];
            let path = format!("/api/v1/keys/authorize{held}");
            let (status, rest) = ask(&stage.server, method, &path, &headers, "");
            assert_eq!(status, 200, "{method} {held}: {rest}");
        }
    }
    let (status, rest) = ask(&stage.server, "POST", "/api/v1/keys/authorize", &[], "");
    assert!(status == 405 && rest.contains("\"instance\":\"req_"), "{rest}");

    let form = format!("token={key}");
    let basic = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("gate:{token}"));
    for shown in [format!("Bearer {token}"), format!("Basic {basic}")] {
        let headers =
            [("Authorization", shown.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        let (status, rest) = ask(&stage.server, "POST", "/oauth2/introspect", &headers, &form);
        assert!(status == 200 && rest.contains("\"active\":true"), "{rest}");
        let (status, rest) = ask(&stage.server, "POST", "/oauth2/introspect", &headers, "");
        assert!(status == 400 && rest.contains("\"error\":\"invalid_request\""), "{rest}");
    }
    stage.server.stop();
}
