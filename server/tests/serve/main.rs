//! The binary itself, as an operator meets it.
#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests are told by their environment what is there to test with"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot start the server has failed"
)]

mod access;
mod authorize;
mod aws;
mod backups;
mod bao;
mod cached;
mod canary;
mod client;
mod clock;
mod commands;
mod connections;
mod copied;
mod cores;
mod degraded;
mod exchange;
mod forwarded;
mod github;
mod house;
mod hsm;
mod library_user;
mod login;
mod memory;
mod owner;
mod pins;
mod policies;
mod project_seal;
mod racing;
mod rewrap;
mod sealing;
mod strangers;
mod templates;
mod tls;
mod token_files;
mod tokens;
mod verbs;
mod watch;
mod watched;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use house::{Server, get_at, keywarden, told};
use nix::{
    sys::{
        signal::{Signal, kill},
        stat::{Mode, umask},
    },
    unistd::{Pid, geteuid},
};

#[test]
fn a_server_starts_on_the_defaults_tells_how_it_is_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"), "{}", server.get("/livez"));
    let status = keywarden(folder.path(), &["status", "--json"]).output().unwrap();
    assert!(status.status.success(), "{}", told(&status));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["listen"], server.address);
    assert_eq!(status["process"], server.child.id());
    server.signal(Signal::SIGHUP);
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    server.signal(Signal::SIGTERM);
    assert!(server.child.wait().unwrap().success());
    assert!(!folder.path().join("data/operator.sock").exists());
    let status = keywarden(folder.path(), &["status"]).output().unwrap();
    assert_eq!(status.status.code(), Some(4));
    assert!(told(&status).contains("keywarden serve"), "{}", told(&status));
}

#[test]
fn a_server_that_waits_for_its_database_ends_when_it_is_told_to() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let folder = tempfile::tempdir().unwrap();
        let mut serve = keywarden(folder.path(), &["serve"]);
        serve
            .env("KEYWARDEN_DATABASE_URL", "postgres://kw@127.0.0.1:1/keys")
            .env("KEYWARDEN_SEAL", "software");
        let mut server = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let id = Pid::from_raw(i32::try_from(server.id()).unwrap());
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("not there yet")), "it does not wait");
        kill(id, Signal::SIGHUP).unwrap();
        assert!(lines.any(|line| line.contains("not there yet")), "it does not wait after a reload");
        kill(id, signal).unwrap();
        // By itself it ends after a minute, and not in good order.
        assert!(server.wait().unwrap().success(), "{:?}", lines.collect::<Vec<_>>());
        assert!(lines.any(|line| line.contains("before the start was over")));
        assert!(!folder.path().join("data/operator.sock").exists());
    }
}

#[test]
fn everything_a_server_makes_is_its_own_users_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let before = umask(Mode::empty());
    let server = Server::start(folder.path());
    umask(before);
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    let mut folders = vec![folder.path().join("data")];
    let mut files = 0;
    while let Some(path) = folders.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        // Whom root has the embedded token's library run as, passes through to the token; nobody else gets so far.
        let passed = path.ends_with("data/softhsm") && geteuid().is_root();
        let closed = if passed { 0o066 } else { 0o077 };
        assert_eq!(metadata.permissions().mode() & closed, 0, "{} is open to others", path.display());
        if metadata.is_dir() {
            folders.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files += 1;
        }
    }
    assert!(files >= 2, "only {files} files were looked at");
}

#[test]
fn a_second_server_on_the_same_folder_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let second = keywarden(folder.path(), &["serve"]).output().unwrap();
    assert_eq!(second.status.code(), Some(3));
    assert!(told(&second).contains(&format!("process {}", server.child.id())), "{}", told(&second));
}

#[test]
fn a_start_that_would_be_unsafe_or_mistaken_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let refusals: &[(&str, &str, &str)] = &[
        ("KEYWARDEN_LISTEN", "0.0.0.0:0", "ssh -L"),
        ("KEYWARDEN_LISTN", "127.0.0.1:0", "`KEYWARDEN_LISTEN`"),
        ("KEYWARDEN_DATABASE_URL", "postgress://db/keys", "postgress"),
        ("KEYWARDEN_CONFIG", "/nowhere/keywarden.toml", "/nowhere/keywarden.toml"),
    ];
    for (variable, value, says) in refusals {
        let refused = keywarden(folder.path(), &["serve"]).env(variable, value).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{variable}: {}", told(&refused));
        assert!(told(&refused).contains(says), "{variable}: {}", told(&refused));
        assert_eq!(told(&refused).lines().count(), 1, "{}", told(&refused));
    }
    assert!(!folder.path().join("data").exists(), "a refused start left something behind");
}

#[test]
fn a_start_where_no_passkey_works_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_PUBLIC_URL", "https://192.0.2.1"), ("KEYWARDEN_SEAL", "software")];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    let said = server.stop();
    let warned = said.iter().find(|line| line.contains("nobody can sign in")).unwrap();
    assert!(warned.contains("need a domain name") && warned.contains("192.0.2.1"), "{warned}");
}

#[test]
fn metrics_are_on_a_listener_of_their_own_and_the_log_says_who_reaches_it() {
    for (listen, warned) in [("127.0.0.1:0", false), ("0.0.0.0:0", true)] {
        let folder = tempfile::tempdir().unwrap();
        let variables = [("KEYWARDEN_METRICS_LISTEN", listen), ("KEYWARDEN_SEAL", "software")];
        let server = Server::start_with(folder.path(), &variables);
        server.becomes("\"ready\"");
        let metrics = server.metrics.clone().unwrap().replace("0.0.0.0", "127.0.0.1");
        let answered = get_at(&metrics, "/metrics", &[]);
        assert!(answered.starts_with("HTTP/1.1 200") && answered.contains("keywarden_http"), "{answered}");
        for elsewhere in [server.get("/metrics"), get_at(&metrics, "/livez", &[])] {
            assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
        }
        let said = server.stop();
        assert_eq!(said.iter().any(|line| line.contains("metrics go in the clear")), warned, "{said:?}");
    }
}

#[test]
fn config_prints_what_is_in_force_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keywarden.toml"), "[log]\nlevel = 'warn'\n").unwrap();
    for form in [&["config"][..], &["config", "--json"]] {
        let shown = keywarden(folder.path(), form)
            .env("KEYWARDEN_DATABASE_URL", "postgres://kw:hunter2@db/keys")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.status.success(), "{}", told(&shown));
        assert!(text.contains("keywarden.toml") && text.contains("KEYWARDEN_DATABASE_URL"), "{text}");
        assert!(text.contains("kw:***@db") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn doctor_finds_what_is_wrong_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = keywarden(folder.path(), &["doctor", "--json"])
        .env("KEYWARDEN_PUBLIC_URL", "http://keys.example.com")
        .output()
        .unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    let checks: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let check =
        |name: &str| checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone();
    assert_eq!(check("passkeys")["outcome"], "failed");
    assert!(check("passkeys")["advice"].as_str().unwrap().contains("https"));
    assert_eq!(check("listener")["outcome"], "fine");
}
