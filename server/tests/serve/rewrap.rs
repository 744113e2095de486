//! Keys rotated in a running server: killed in the middle, paused from the shell, and everything reads.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::house::{Server, keywarden, printed, told};

const MANY: usize = 450;

fn post(server: &Server, token: &str, path: &str, body: &Value) -> Value {
    let answer = server.post(path, token, &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
    serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap_or_default()
}

/// Puts over one connection: many of them.
fn fill(server: &Server, token: &str) {
    let mut socket = BufReader::new(TcpStream::connect(&server.address).unwrap());
    for n in 0..MANY {
        let body = json!({ "value": format!("value {n}") }).to_string();
        write!(
            socket.get_mut(),
            "PUT /api/v1/projects/pay/environments/live/secrets/many/{n} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (mut length, mut line) = (0, String::new());
        while socket.read_line(&mut line).unwrap() > 2 {
            if let Some(given) = line.to_lowercase().strip_prefix("content-length: ") {
                length = given.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        std::io::Read::read_exact(&mut socket, &mut answer).unwrap();
        assert!(String::from_utf8_lossy(&answer).contains("sev_"), "{n}");
    }
}

fn all_read(server: &Server, token: &str) {
    for from in (0..MANY).step_by(100) {
        let items: Vec<_> =
            (from..MANY.min(from + 100)).map(|n| json!({ "path": format!("many/{n}") })).collect();
        let body = json!({ "project": "pay", "environment": "live", "items": items });
        let got = post(server, token, "/api/v1/secrets/batch-get", &body);
        for (n, item) in got["items"].as_array().unwrap().iter().enumerate() {
            assert_eq!(item["value"]["value"], format!("value {}", from + n), "{item}");
        }
    }
}

fn state(folder: &Path, id: &str) -> Value {
    let shown = printed(folder, &[], &["rewrap", "status", id, "--json"]);
    serde_json::from_str::<Value>(&shown).unwrap()[0].clone()
}

fn wait(server: &Server, folder: &Path, id: &str) {
    server.waits_for("the rewrap's end", || state(folder, id)["state"] == "done");
}

#[test]
fn a_rewrap_outlives_a_killed_server_rests_when_told_to_and_leaves_no_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let server = Server::start(at);
    server.becomes("ready");
    let token = printed(at, &[], &["operator", "token", "--role", "owner", "--ttl", "1h"]).trim().to_owned();
    post(&server, &token, "/api/v1/projects", &json!({ "slug": "pay", "name": "Payments" }));
    let live = json!({ "slug": "live", "name": "Live", "label": "live" });
    post(&server, &token, "/api/v1/projects/pay/environments", &live);
    fill(&server, &token);

    // Paused before its first batch or behind it: either way it rests, and goes on when told to.
    let rotated = post(&server, &token, "/api/v1/projects/pay/key/rotate", &json!({}));
    let rewrap = rotated["rewrap"].as_str().unwrap().to_owned();
    let paused = keywarden(at, &["rewrap", "pause", &rewrap]).output().unwrap();
    if paused.status.success() {
        assert_eq!(state(at, &rewrap)["state"], "paused");
        all_read(&server, &token);
        printed(at, &[], &["rewrap", "resume", &rewrap]);
    } else {
        assert!(told(&paused).contains("is done"), "{}", told(&paused));
    }
    wait(&server, at, &rewrap);

    // Upwards: the keyring's key for projects' keys, then the key in the token.
    let said = printed(at, &[], &["keyring", "rotate", "project-key"]);
    let rewrap = said.split('`').find(|word| word.starts_with("keywarden rewrap status ")).unwrap();
    wait(&server, at, rewrap.rsplit(' ').next().unwrap());
    let seal = printed(at, &[], &["seal", "list", "--json"]);
    let seal = serde_json::from_str::<Value>(&seal).unwrap()[0]["id"].as_str().unwrap().to_owned();
    let early = keywarden(at, &["seal", "destroy-key", &seal, "1"]).output().unwrap();
    assert!(!early.status.success(), "{}", told(&early));
    assert!(printed(at, &[], &["seal", "rotate", &seal]).starts_with("key 2 of"));
    assert!(printed(at, &[], &["seal", "destroy-key", &seal, "1"]).contains("is destroyed"));
    all_read(&server, &token);

    // Killed. That is last: for a minute a rotation of the keyring would wait for the node that died.
    let rotated = post(&server, &token, "/api/v1/projects/pay/key/rotate", &json!({}));
    let rewrap = rotated["rewrap"].as_str().unwrap().to_owned();
    server.signal(Signal::SIGKILL);
    drop(server);
    let server = Server::start(at);
    server.becomes("ready");
    all_read(&server, &token);
    wait(&server, at, &rewrap);
    let end = state(at, &rewrap);
    assert_eq!((&end["done"], &end["skipped"]), (&json!(MANY), &json!(0)), "{end}");
    all_read(&server, &token);
    server.stop();
    let looked = keywarden(at, &["fsck"]).output().unwrap();
    assert!(looked.status.success(), "{}{}", told(&looked), String::from_utf8_lossy(&looked.stdout));
}
