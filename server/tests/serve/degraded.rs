//! Coming in while the HSM is away: it works as long as the keys are in memory, and not a moment longer.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use keywarden_domain::passkeys::soft::SoftAuthenticator;
use serde_json::{Value, json};

use crate::{
    house::{Server, json_of},
    hsm::{Hsm, Keys},
    owner::{ORIGIN, becomes_adas},
};

/// A browser: it keeps what it is told to keep.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn send(&mut self, server: &Server, method: &str, path: &str, kind: &str, body: &str) -> String {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(&server.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: keys.example.com\r\nConnection: close\r\nOrigin: {ORIGIN}\r\n\
             Sec-Fetch-Site: same-origin\r\nCookie: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            cookies.join("; "),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        for line in answer.lines().take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn json(&mut self, server: &Server, path: &str, body: &Value) -> String {
        self.send(server, "POST", path, "application/json", &body.to_string())
    }

    fn form(&mut self, server: &Server, path: &str, body: &str) -> String {
        self.send(server, "POST", path, "application/x-www-form-urlencoded", body)
    }

    fn get(&mut self, server: &Server, path: &str) -> String {
        self.send(server, "GET", path, "text/plain", "")
    }

    /// Signs in with a passkey.
    fn signs_in(&mut self, server: &Server, soft: &mut SoftAuthenticator) {
        let started = self.json(server, "/sign-in/start", &json!({ "next": "/account" }));
        assert!(started.starts_with("HTTP/1.1 200"), "{started}");
        let started = json_of(&started);
        let credential = soft.get(ORIGIN, &started["publicKey"]).unwrap();
        let answer = json!({ "next": "/account", "ceremony": started["ceremony"], "credential": credential });
        let done = self.json(server, "/sign-in/finish", &answer);
        assert!(done.starts_with("HTTP/1.1 200"), "{done}");
        assert_eq!(json_of(&done)["location"], "/account", "{done}");
        let account = self.get(server, "/account");
        assert!(account.starts_with("HTTP/1.1 200") && account.contains("Ada"), "{account}");
    }
}

#[test]
fn whoever_comes_while_the_hsm_is_away_signs_in_and_acts_until_the_grace_is_over() {
    let mut hsm = Hsm::new();
    hsm.variables.push(("KEYWARDEN_PUBLIC_URL", ORIGIN.to_owned()));
    hsm.variables.push(("KEYWARDEN_SEAL_GRACE", "12s".to_owned()));
    let server = hsm.start();
    server.becomes("\"ready\"");
    let mut soft = becomes_adas(&server, hsm.folder.path());
    let keys = Keys::issued(&server, hsm.token());
    let [[suspended, _], [revoked, _], [_, third]] = &keys.all;

    hsm.fails_by("removed");
    server.becomes("degraded");
    let mut browser = Browser::default();
    browser.signs_in(&server, &mut soft);
    assert_eq!(keys.codes(), ["valid", "valid", "valid"]);
    for (path, body) in [
        (format!("/keys/{suspended}/suspend"), "confirm=yes"),
        (format!("/keys/{revoked}/revoke"), "reason=key-compromise"),
    ] {
        let done = browser.form(&server, &path, body);
        assert!(done.starts_with("HTTP/1.1 303"), "{path}: {done}");
    }
    assert_eq!(keys.codes(), ["suspended", "revoked", "valid"]);
    assert!(server.get("/readyz").contains("degraded"), "all that was before the grace was over");

    server.becomes("\"title\":\"Sealed\"");
    let refused = browser.json(&server, "/sign-in/start", &json!({ "next": "/" }));
    let page = browser.get(&server, "/account");
    let verify = server.post("/api/v1/keys/verify", &keys.gateway, &json!({ "key": third }).to_string());
    for answer in [&refused, &page, &verify] {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.to_lowercase().contains("retry-after"), "{answer}");
    }
    for answer in [&refused, &verify] {
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert_eq!(json_of(answer)["title"], "Sealed", "{answer}");
    }

    hsm.fails_by("");
    server.becomes("\"ready\"");
    assert!(browser.get(&server, "/account").starts_with("HTTP/1.1 200"), "nobody was signed out by it");
    assert_eq!(keys.codes(), ["suspended", "revoked", "valid"]);
    Browser::default().signs_in(&server, &mut soft);
    server.stop();
}
