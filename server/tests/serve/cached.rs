//! `keywarden run --cache`: the values of last time, where the server is away and only there.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::Output,
    thread,
};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    client::Stage,
    house::{Server, told},
    watched::Run,
};

const RUN: [&str; 9] = ["run", "-p", "pay", "-e", "live", "--cache", "kept", "--cache-key-file", "cache.key"];
const SAYS: [&str; 4] = ["--", "sh", "-c", "printf %s \"$URL\""];

/// A stage with a value, and a key for a cache.
fn stage() -> Stage {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"postgres://hunter2").status.success());
    stage.done(&["cache-key", "--to", "cache.key"]);
    stage
}

impl Stage {
    /// Runs what says the value; `more` are arguments of ours.
    fn runs(&self, more: &[&str]) -> Output {
        self.command(&[&RUN[..], more, &SAYS].concat()).output().unwrap()
    }

    /// The server is gone, its address stays.
    fn goes(&mut self) {
        self.server.signal(Signal::SIGTERM);
        assert!(self.server.child.wait().unwrap().success());
    }

    /// It starts with the values of last time, and says so.
    fn starts_with_old_values(&self) {
        let old = self.runs(&[]);
        assert_eq!(old.stdout, b"postgres://hunter2", "{}", told(&old));
        assert!(old.status.success() && told(&old).contains("old values"), "{}", told(&old));
        assert!(!told(&old).contains("hunter2"));
    }

    /// It does not start, for a reason in one line.
    fn does_not_start(&self, more: &[&str], words: &str) {
        let refused = self.runs(more);
        assert!(refused.stdout.is_empty(), "{words}: it was started");
        assert_eq!(refused.status.code(), Some(1), "{words}: {}", told(&refused));
        assert!(told(&refused).contains(words), "{words}: {}", told(&refused));
        assert_eq!(told(&refused).lines().count(), 1, "{}", told(&refused));
    }
}

#[test]
fn a_program_starts_with_the_values_of_last_time_when_the_server_is_gone() {
    let mut stage = stage();
    let path = |name: &str| stage.folder.path().join(name);
    let (kept, key) = (path("kept"), path("cache.key"));
    assert!(!stage.command(&["cache-key", "--to", "cache.key"]).output().unwrap().status.success());
    let none = stage.command(&["run", "-p", "pay", "-e", "live", "--cache", "kept", "--", "true"]).output();
    let none = none.unwrap();
    assert_eq!((none.status.code(), told(&none).contains("keywarden cache-key")), (Some(2), true));
    let fresh = stage.runs(&[]);
    assert_eq!((fresh.stdout.as_slice(), told(&fresh)), (&b"postgres://hunter2"[..], String::new()));
    for file in [&kept, &key] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let sealed = fs::read(&kept).unwrap();
    let opened = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, sealed.trim_ascii());
    assert!(!String::from_utf8_lossy(&opened.unwrap()).contains("hunter2"));

    stage.goes();
    stage.starts_with_old_values();
    let again =
        stage.command(&[&RUN[..7], &SAYS].concat()).env("KEYWARDEN_CACHE_KEY_FILE", &key).output().unwrap();
    assert_eq!(again.stdout, b"postgres://hunter2", "{}", told(&again));
}

#[test]
fn kept_values_that_are_old_foreign_or_changed_are_refused() {
    let mut stage = stage();
    assert!(stage.runs(&[]).status.success());
    stage.done(&["cache-key", "--to", "other.key"]);
    stage.goes();
    let kept = stage.folder.path().join("kept");
    let sealed = fs::read(&kept).unwrap();
    stage.does_not_start(&["--cache-max-age", "0s"], "`--cache-max-age` says 0s");
    for more in [
        &["--only", "URL"][..],
        &["--folder", "x"],
        &["--server", "http://localhost:1"],
        &["--cache-key-file", "other.key"],
    ] {
        // An argument is said once.
        let mut arguments: Vec<&str> = RUN.to_vec();
        if let Some(at) = arguments.iter().position(|it| *it == more[0]) {
            arguments.drain(at..at + 2);
        }
        let refused = stage.command(&[&arguments[..], more, &SAYS].concat()).output().unwrap();
        assert!(refused.stdout.is_empty() && refused.status.code() == Some(1), "{more:?} {}", told(&refused));
        assert!(told(&refused).contains("belongs to another server"), "{more:?}: {}", told(&refused));
    }
    let mut other = RUN;
    other[4] = "test";
    let other = stage.command(&[&other[..], &SAYS].concat()).output().unwrap();
    assert!(other.stdout.is_empty() && told(&other).contains("belongs to another"), "{}", told(&other));
    for at in [0, sealed.len() / 2, sealed.len() - 2] {
        let mut changed = sealed.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        fs::write(&kept, changed).unwrap();
        stage.does_not_start(&[], "are of no use");
    }
    fs::write(&kept, "").unwrap();
    stage.does_not_start(&[], "it was changed, or belongs to another");
    fs::remove_file(&kept).unwrap();
    stage.does_not_start(&[], "nothing is kept there yet");
    fs::write(&kept, sealed).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
    stage.does_not_start(&[], "0600");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
    stage.starts_with_old_values();
}

#[test]
fn a_server_that_says_no_is_believed_and_one_in_trouble_is_not_asked_twice() {
    let mut stage = stage();
    assert!(stage.runs(&[]).status.success());
    let admin = fs::read_to_string(stage.token()).unwrap();
    stage.post("/api/v1/projects", admin.trim(), &json!({ "slug": "other", "name": "Other" }));
    let token = |role: &str, project: &str| {
        let asked = json!({ "name": format!("{role} of {project}"), "project": project, "role": role });
        let id = stage.post("/api/v1/workloads", admin.trim(), &asked)["id"].as_str().unwrap().to_owned();
        let made = stage.post(&format!("/api/v1/workloads/{id}/tokens"), admin.trim(), &json!({}));
        made["token"].as_str().unwrap().to_owned()
    };
    for (shown, status) in
        [("kws_nobody".to_owned(), 401), (token("viewer", "pay"), 403), (token("reader", "other"), 404)]
    {
        fs::write(stage.token(), shown).unwrap();
        let refused = stage.runs(&[]);
        assert!(refused.stdout.is_empty() && refused.status.code() == Some(1), "{status}: it was started");
        assert!(!told(&refused).contains("old values"), "{status}: {}", told(&refused));
    }
    fs::write(stage.token(), admin).unwrap();

    let address = stage.server.address.clone();
    stage.goes();
    // Another one at its address, which is in trouble.
    let listener = TcpListener::bind(&address).unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            // As much as has come of the question will do.
            if socket.read(&mut [0; 4096]).is_err() {
                continue;
            }
            socket
                .write_all(
                    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                )
                .ok();
        }
    });
    stage.starts_with_old_values();
}

#[test]
fn a_program_that_started_with_old_values_starts_anew_with_those_of_the_server() {
    let mut stage = stage();
    assert!(stage.runs(&[]).status.success());
    assert!(stage.put("pay/live/url", b"fresh").status.success());
    let address = stage.server.address.clone();
    stage.goes();
    let script = r#"trap 'exit 0' TERM; echo "with $URL"; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;
    let mut run = Run::of(&stage, &["--watch", "--cache", "kept", "--cache-key-file", "cache.key"], script);
    assert_eq!(run.line(), "with postgres://hunter2");
    run.says("old values");
    stage.server = Server::start_with(stage.folder.path(), &[("KEYWARDEN_LISTEN", &address)]);
    stage.server.becomes("ready");
    assert_eq!(run.line(), "with fresh");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(0));
    stage.goes();
    let old = stage.runs(&[]);
    assert_eq!(old.stdout, b"fresh", "what is kept is what came last: {}", told(&old));
}
