//! `keywarden secret` beyond get and put: labels, versions, an end and a way back; and a put that breaks.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::{client::Stage, house::told};

const AT: &str = "pay/live/database/password";

impl Stage {
    fn says(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.done(arguments)).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.done(&[arguments, &["--json"]].concat())).unwrap()
    }

    fn refuses(&self, arguments: &[&str], words: &str) {
        let refused = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {}", told(&refused));
        assert!(told(&refused).contains(words), "{arguments:?}: {}", told(&refused));
    }
}

#[test]
fn labels_and_versions_are_shown_moved_and_switched() {
    let stage = Stage::new();
    for value in ["one", "two", "three"] {
        assert!(stage.put(AT, value.as_bytes()).status.success());
    }
    // A path that is a part of another's is another secret.
    assert!(stage.put("pay/live/database/password-of-old", b"x").status.success());
    assert_eq!(stage.says(&["secret", "labels", AT]), "current      3\nprevious     2\n");
    let moved = ["secret", "labels", AT, "--point", "current=2", "--point", "stable=1"];
    assert_eq!(stage.says(&moved), "current      2\nprevious     3\nstable       1\n");
    assert_eq!(stage.done(&["secret", "get", AT]), b"two");
    assert_eq!(stage.done(&["secret", "get", AT, "--label", "stable"]), b"one");
    let listed = stage.says(&["secret", "versions", AT]);
    let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let shown: Vec<_> = lines.iter().map(|it| (it[0], it[1], it[2], it[3], *it.last().unwrap())).collect();
    assert_eq!(
        shown,
        [
            ("3", "enabled", "text", "5", "previous"),
            ("2", "enabled", "text", "3", "current"),
            ("1", "enabled", "text", "3", "stable")
        ],
        "{listed}"
    );
    let json = stage.json(&["secret", "labels", AT, "--remove", "stable"]);
    assert_eq!(json["labels"], serde_json::json!({ "current": 2, "previous": 3 }));
    stage.refuses(&["secret", "labels", AT, "--remove", "current"], "`current` can be moved");
    stage.refuses(&["secret", "labels", AT, "--point", "current=9"], "no such version");
    stage.refuses(&["secret", "labels", "pay/live/database"], "there is no such secret");

    let disabled = stage.says(&["secret", "disable", AT, "--version", "3"]);
    assert_eq!(disabled, "version 3 of database/password is disabled\n");
    stage.refuses(&["secret", "get", AT, "--version", "3"], "disabled");
    let enabled = stage.json(&["secret", "enable", AT, "--version", "3"]);
    assert_eq!(enabled["versions"][0]["state"], "enabled");
    assert_eq!(stage.done(&["secret", "get", AT, "--version", "3"]), b"three");
    stage.server.stop();
}

#[test]
fn a_secret_is_deleted_and_comes_back_and_a_version_goes_for_good_when_its_name_is_typed() {
    let stage = Stage::new();
    for value in ["one", "two"] {
        assert!(stage.put(AT, value.as_bytes()).status.success());
    }
    assert!(stage.says(&["secret", "delete", AT]).contains("it can be restored until 20"));
    stage.refuses(&["secret", "get", AT], "no such");
    stage.refuses(&["secret", "delete", AT], "");
    assert!(stage.says(&["secret", "versions", AT]).contains("soft-deleted"));
    assert_eq!(stage.says(&["secret", "restore", AT]), "database/password is there again\n");
    stage.refuses(&["secret", "restore", AT], "there is no such secret");
    assert_eq!(stage.done(&["secret", "get", AT]), b"two");

    let destroy = ["secret", "destroy", AT, "--version", "1"];
    stage.refuses(&destroy, "nothing was destroyed");
    let typed = |words: &str| {
        let mut command = stage.command(&destroy);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    for wrong in ["password\n", "y\n", "database/password x\n"] {
        assert_eq!(typed(wrong).status.code(), Some(1), "{wrong}");
    }
    assert_eq!(stage.done(&["secret", "get", AT, "--version", "1"]), b"one");
    let done = typed("database/password\n");
    assert_eq!(done.stdout, b"version 1 of database/password is destroyed\n", "{}", told(&done));
    stage.refuses(&["secret", "get", AT, "--version", "1"], "destroyed");
    stage.refuses(&["secret", "destroy", AT, "--version", "2", "--yes"], "`current`");
    assert!(stage.put(AT, b"three").status.success());
    let json = stage.json(&["secret", "destroy", AT, "--version", "2", "--yes"]);
    assert_eq!(json["versions"][1]["state"], "destroyed");
    stage.refuses(&["secret", "purge", AT, "--yes"], "there is no such secret");
    stage.says(&["secret", "delete", AT]);
    stage.refuses(&["secret", "purge", AT], "nothing was destroyed");
    assert_eq!(stage.says(&["secret", "purge", AT, "--yes"]), "database/password is destroyed\n");
    stage.refuses(&["secret", "restore", AT], "there is no such secret");
    stage.server.stop();
}

/// A proxy whose first connection breaks after the server answered; the number of connections so far.
fn breaks_once(server: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (server, count) = (server.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            pass(client, &server, first).ok();
        }
    });
    (address, count)
}

/// Carries one connection; a broken one ends with the first byte of the answer.
fn pass(mut client: TcpStream, server: &str, breaks: bool) -> std::io::Result<()> {
    let mut there = TcpStream::connect(server)?;
    let (mut from, mut to) = (client.try_clone()?, there.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    if breaks {
        there.read_exact(&mut [0])?;
        return client.shutdown(Shutdown::Both);
    }
    thread::spawn(move || std::io::copy(&mut there, &mut client));
    Ok(())
}

#[test]
fn a_put_whose_connection_breaks_is_sent_again_and_makes_one_version() {
    let stage = Stage::new();
    let (address, connections) = breaks_once(&stage.server.address);
    std::fs::write(stage.folder.path().join("value"), "hunter2").unwrap();
    let put = ["secret", "put", AT, "--file", "value", "--server", &address];
    let put = stage.command(&put).output().unwrap();
    assert_eq!(put.stdout, b"version 1 of database/password\n", "{}", told(&put));
    assert_eq!(connections.load(Ordering::SeqCst), 2, "it was sent twice");
    let whole = stage.json(&["secret", "versions", AT]);
    assert_eq!(whole["versions"].as_array().unwrap().len(), 1, "{whole}");
    stage.server.stop();
}

#[test]
fn where_an_environment_asks_why_the_client_says_it() {
    let stage = Stage::new();
    assert!(stage.put(AT, b"one").status.success());
    let token = std::fs::read_to_string(stage.token()).unwrap();
    let path = "/api/v1/projects/pay/environments/live";
    let edited = stage.server.send("PATCH", path, token.trim(), r#"{"reads_need_reason":true}"#);
    assert!(edited.contains("\"reads_need_reason\":true"), "{edited}");
    stage.refuses(&["secret", "get", AT], "--reason");
    stage.refuses(&["export", "-p", "pay", "-e", "live"], "--reason");
    assert_eq!(stage.done(&["secret", "get", AT, "--reason", "INC-7: the shop is down"]), b"one");
    let exported = stage.says(&["export", "-p", "pay", "-e", "live", "--reason", "größer"]);
    assert!(exported.contains("one"), "{exported}");
    let why = "INC-8: it had leaked";
    assert!(stage.put_with(AT, b"two", &["--reason", why]).status.success());
    let id = stage.json(&["secret", "versions", AT])["id"].as_str().unwrap().to_owned();
    let made = stage.server.send("GET", &format!("/api/v1/secrets/{id}/versions/2"), token.trim(), "");
    for part in ["\"way\":\"client\"", "\"command\":\"secret\"", &format!("\"reason\":\"{why}\"")] {
        assert!(made.contains(part), "{part}: {made}");
    }
    let wrong = stage.command(&["secret", "get", AT, "--reason", "no"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", told(&wrong));
    stage.server.stop();
}
