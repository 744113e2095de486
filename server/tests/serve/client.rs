//! The same binary as the client of a server: values in and out byte for byte, and programs that get them.

use std::{
    fs,
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Server, printed, told};

/// A server with a project and an environment, and a token for it in a file.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// One whose server has these settings.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_with(folder.path(), variables);
        server.becomes("ready");
        let token = printed(folder.path(), &[], &["operator", "token", "--role", "admin"]);
        fs::write(folder.path().join("token"), &token).unwrap();
        let stage = Self { folder, server };
        stage.post("/api/v1/projects", &token, &json!({ "slug": "pay", "name": "Payments" }));
        let live = json!({ "slug": "live", "name": "Live", "label": "live" });
        stage.post("/api/v1/projects/pay/environments", &token, &live);
        stage
    }

    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let answer = self.server.post(path, token.trim(), &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("KEYWARDEN_SERVER", format!("http://{}", self.server.address));
        command.env("KEYWARDEN_TOKEN_FILE", self.token());
        command.env("PATH", "/usr/bin:/bin");
        command
    }

    pub(crate) fn token(&self) -> std::path::PathBuf {
        self.folder.path().join("token")
    }

    pub(crate) fn put(&self, address: &str, value: &[u8]) -> Output {
        self.put_with(address, value, &[])
    }

    pub(crate) fn put_with(&self, address: &str, value: &[u8], more: &[&str]) -> Output {
        let mut child = self
            .command(&[&["secret", "put", address], more].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        child.wait_with_output().unwrap()
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        output.stdout
    }
}

#[test]
fn values_go_in_and_come_out_byte_for_byte() {
    let stage = Stage::new();
    let text = "postgres://app:p%40ss=w0rd@db/shop?x=1#ü\n\n".as_bytes();
    let binary: Vec<u8> = (0..=255).collect();
    assert!(stage.put("pay/live/database/url", b"first").status.success());
    let second = stage.put("pay/live/database/url", text);
    assert_eq!(String::from_utf8_lossy(&second.stdout), "version 2 of database/url\n");
    assert!(stage.put("pay/live/keystore", &binary).status.success());

    assert_eq!(stage.done(&["secret", "get", "pay/live/database/url"]), text);
    assert_eq!(stage.done(&["secret", "get", "pay/live/database/url", "--version", "1"]), b"first");
    assert_eq!(stage.done(&["secret", "get", "pay/live/database/url", "--label", "previous"]), b"first");
    assert_eq!(stage.done(&["secret", "get", "pay/live/keystore"]), binary);

    let listed = String::from_utf8(stage.done(&["secret", "list", "pay/live"])).unwrap();
    let paths: Vec<_> = listed.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(paths, ["database/url", "keystore"]);
    let in_folder: Value =
        serde_json::from_slice(&stage.done(&["secret", "list", "pay/live/database", "--json"])).unwrap();
    assert_eq!(in_folder[0]["current"]["version"], 2);
    assert_eq!(in_folder.as_array().unwrap().len(), 1);
    stage.server.stop();
}

#[test]
fn a_field_goes_in_and_comes_out_by_itself() {
    let stage = Stage::new();
    let config = br#"{"user":"app","port":5432,"tls":{"ca":"x"}}"#;
    assert!(stage.put_with("pay/live/db/config", config, &["--kind", "json"]).status.success());
    let get = |field: &str| stage.done(&["secret", "get", "pay/live/db/config", "--field", field]);
    assert_eq!(get("user"), b"app");
    assert_eq!(get("port"), b"5432");
    assert_eq!(get("tls"), br#"{"ca":"x"}"#);

    let put = |value: &[u8], more: &[&str]| {
        let output = stage.put_with("pay/live/db/config", value, more);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), told(&output))
    };
    let done = put("q\"w\nü".as_bytes(), &["--field", "user"]);
    assert_eq!((done.0, done.1.as_str()), (Some(0), "version 2 of db/config\n"), "{}", done.2);
    assert_eq!(get("user"), "q\"w\nü".as_bytes());
    assert_eq!(put(b"5433", &["--field", "port", "--kind", "json"]).0, Some(0));
    assert_eq!(put(b"true", &["--field", "new", "--kind", "json"]).0, Some(0));
    assert_eq!(put(b"null", &["--field", "tls", "--kind", "json"]).0, Some(0));
    let now = r#"{"user":"q\"w\nü","port":5433,"new":true}"#;
    assert_eq!(String::from_utf8_lossy(&stage.done(&["secret", "get", "pay/live/db/config"])), now);
    let pending = ["--field", "port", "--label", "pending", "--expires-at", "2100-01-01T00:00:00Z"];
    assert_eq!(put(b"text", &[&pending[..], &["--if-version", "5", "--json"]].concat()).0, Some(0));
    let old = ["secret", "get", "pay/live/db/config", "--field", "port", "--version", "1"];
    assert_eq!(stage.done(&old), b"5432");
    let newest = ["secret", "get", "pay/live/db/config", "--field", "port", "--label", "pending"];
    assert_eq!(stage.done(&newest), b"text");

    let wrong: [(&[u8], &[&str], i32, &str); 6] = [
        (b"{", &["--field", "new", "--kind", "json"], 2, "not JSON"),
        (&[0xff], &["--field", "new"], 2, "UTF-8"),
        (b"x", &["--field", "new", "--kind", "binary"], 2, "--kind json"),
        (b"x", &["--field", "new", "--template"], 2, "--template"),
        (b"x", &["--field", ""], 2, "--field"),
        (b"x", &["--field", "new", "--if-version", "4"], 1, "changed"),
    ];
    for (value, more, code, words) in wrong {
        let (status, _, said) = put(value, more);
        assert_eq!(status, Some(code), "{more:?}: {said}");
        assert!(said.contains(words), "{more:?}: {said}");
    }
    assert!(stage.put("pay/live/plain", b"x").status.success());
    for (address, field, words) in [
        ("pay/live/db/config", "tls", "no such field"),
        ("pay/live/plain", "user", "no JSON object"),
        ("pay/live/nothing", "user", "no such"),
    ] {
        let output = stage.command(&["secret", "get", address, "--field", field]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(output.stdout.is_empty() && told(&output).contains(words), "{}", told(&output));
    }
    let plain = stage.put_with("pay/live/plain", b"x", &["--field", "user"]);
    assert!(told(&plain).contains("no JSON object"), "{}", told(&plain));
    let none = stage.put_with("pay/live/nothing", b"x", &["--field", "user"]);
    assert_eq!((none.status.code(), told(&none).contains("no such")), (Some(1), true), "{}", told(&none));
    stage.server.stop();
}

#[test]
fn a_value_says_what_it_is_for_other_programs() {
    let stage = Stage::new();
    let pem = ["--content-type", "application/x-pem-file"];
    assert!(stage.put_with("pay/live/pem", b"-----BEGIN", &pem).status.success());
    assert!(stage.put("pay/live/plain", b"x").status.success());
    let token = fs::read_to_string(stage.token()).unwrap();
    for (name, wanted) in [("pem", "application/x-pem-file"), ("plain", "text/plain")] {
        let path = format!("/api/v1/projects/pay/environments/live/secrets/{name}");
        let answer = stage.server.send("GET", &path, token.trim(), "");
        assert!(answer.contains(&format!("\"content_type\":\"{wanted}\"")), "{answer}");
    }
    let wrong = stage.put_with("pay/live/pem", b"x", &["--content-type", "PEM"]);
    assert!(!wrong.status.success() && told(&wrong).contains("application/x-pem-file"), "{}", told(&wrong));
    stage.server.stop();
}

#[test]
fn a_value_that_is_longer_than_the_operator_lets_it_be_is_refused_in_a_sentence() {
    let stage = Stage::with(&[("KEYWARDEN_SECRETS_MAX_VALUE", "100")]);
    assert!(stage.put("pay/live/fits", &[b'x'; 100]).status.success());
    for long in [&[b'x'; 101][..], &[0xff; 101]] {
        let refused = stage.put("pay/live/long", long);
        assert!(
            !refused.status.success() && told(&refused).contains("at most 100 bytes"),
            "{}",
            told(&refused)
        );
    }
    fs::write(stage.folder.path().join(".env"), format!("LONG={}\n", "x".repeat(101))).unwrap();
    let import = ["secret", "import", ".env", "-p", "pay", "-e", "live", "--dry-run"];
    let refused = stage.command(&import).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(!refused.status.success() && said.contains("at most 100 bytes"), "{said} {}", told(&refused));
    stage.server.stop();
}

#[test]
fn what_cannot_be_had_is_said_in_a_sentence_and_prints_nothing() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"x").status.success());
    let empty = stage.folder.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    let forged = stage.folder.path().join("forged");
    fs::write(&forged, "kws_nobody").unwrap();
    let table: [(&[&str], &Path, i32, &str); 8] = [
        (&["secret", "get", "pay/live/nothing"], &stage.token(), 1, "no such"),
        (&["secret", "get", "pay/live/url", "--version", "9"], &stage.token(), 1, "no such"),
        (&["secret", "get", "pay/live"], &stage.token(), 2, "name a secret"),
        (&["secret", "get", "pay"], &stage.token(), 2, "project/environment/path"),
        (&["secret", "get", "pay/live/url"], &empty, 2, "no token"),
        (&["secret", "get", "pay/live/url"], &forged, 1, "token"),
        (
            &["secret", "get", "pay/live/url", "--server", "http://keys.example.com"],
            &stage.token(),
            2,
            "https://",
        ),
        (
            &["secret", "get", "pay/live/url", "--server", "http://127.0.0.1:1"],
            &stage.token(),
            1,
            "cannot reach",
        ),
    ];
    for (arguments, token, code, words) in table {
        let output = stage.command(arguments).env("KEYWARDEN_TOKEN_FILE", token).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {}", told(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(told(&output).contains(words), "{arguments:?}: {}", told(&output));
    }
    let mut stale = stage.command(&["secret", "put", "pay/live/url", "--if-version", "7"]);
    let stale = stale.stdin(Stdio::null()).output().unwrap();
    assert_eq!(stale.status.code(), Some(1), "{}", told(&stale));
    assert_eq!(stage.done(&["secret", "get", "pay/live/url"]), b"x");
    stage.server.stop();
}

#[test]
fn a_value_is_put_for_some_time_and_not_read_outside_of_it() {
    let stage = Stage::new();
    let put = |more: &[&str]| {
        let output = stage.put_with("pay/live/url", b"x", more);
        (output.status.code(), told(&output))
    };
    for (more, code, words) in [
        (["--expires-at", "tomorrow"], 2, "RFC 3339"),
        (["--not-before", ""], 2, "RFC 3339"),
        (["--expires-at", "2020-01-01T00:00:00Z"], 1, "expired"),
    ] {
        let (status, said) = put(&more);
        assert_eq!(status, Some(code), "{more:?}: {said}");
        assert!(said.contains(words), "{more:?}: {said}");
    }
    let both = ["--not-before", "2100-01-01T00:00:00Z", "--expires-at", "2100-01-01T00:00:00+00:00"];
    assert_eq!(put(&both).0, Some(1), "it would be good at no time");
    assert_eq!(put(&["--expires-at", "2100-01-01T00:00:00Z"]).0, Some(0));
    assert_eq!(stage.done(&["secret", "get", "pay/live/url"]), b"x");
    let listed: Value =
        serde_json::from_slice(&stage.done(&["secret", "list", "pay/live", "--json"])).unwrap();
    assert_eq!(listed[0]["current"]["expires_at"], "2100-01-01T00:00:00Z");
    assert_eq!(put(&["--not-before", "2100-01-01T00:00:00Z"]).0, Some(0));
    let early = stage.command(&["secret", "get", "pay/live/url"]).output().unwrap();
    assert_eq!(early.status.code(), Some(1), "{}", told(&early));
    assert!(
        early.stdout.is_empty() && told(&early).contains("not read before 2100-01-01"),
        "{}",
        told(&early)
    );
    assert_eq!(stage.done(&["secret", "get", "pay/live/url", "--version", "1"]), b"x");
    stage.server.stop();
}

#[test]
fn a_program_gets_the_values_nothing_of_ours_and_hands_its_code_back() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/database/url", b"postgres://x").status.success());
    assert!(stage.put("pay/live/database/pass-word", b"two\nlines").status.success());
    assert!(stage.put("pay/live/keystore", &[0, 1, 2, 255]).status.success());
    let run = ["run", "-p", "pay", "-e", "live"];
    let script = r#"printf '%s|' "$DATABASE_URL" "$DATABASE_PASS_WORD"; od -An -tx1 "$KEYSTORE"; printf '%s' "$KEYSTORE" >kept
                    env | grep -c ^KEYWARDEN_; exit 7"#;
    let output = stage.command(&[&run[..], &["--", "sh", "-c", script]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "postgres://x|two\nlines| 00 01 02 ff\n0\n");
    let file = fs::read_to_string(stage.folder.path().join("kept")).unwrap();
    assert!(file.ends_with("/KEYSTORE") && !Path::new(&file).exists(), "{file} is gone with the program");

    let below =
        ["--folder", "database", "--only", "URL", "--", "sh", "-c", "env | grep -v ^PWD | grep =.*x$"];
    assert_eq!(stage.done(&[&run[..], &below].concat()), b"URL=postgres://x\n");
    let none = stage
        .command(&[&run[..], &["--only", "NOTHING", "--", "touch", "started"]].concat())
        .output()
        .unwrap();
    assert_eq!(none.status.code(), Some(1), "{}", told(&none));
    assert!(told(&none).contains("NOTHING") && !stage.folder.path().join("started").exists());
    assert!(stage.put("pay/live/database-url", b"y").status.success());
    let twice = stage.command(&[&run[..], &["--", "touch", "started"]].concat()).output().unwrap();
    assert!(told(&twice).contains("DATABASE_URL") && !stage.folder.path().join("started").exists());
    stage.server.stop();
}

#[test]
fn an_environment_is_exported_as_shells_json_and_kubernetes_read_it() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/database/url", b"it's $HOME \"x\"\n").status.success());
    let export = |format: &str| stage.done(&["export", "-p", "pay", "-e", "live", "--format", format]);
    fs::write(stage.folder.path().join("env"), export("dotenv")).unwrap();
    let script = "set -a; . ./env; printf %s \"$DATABASE_URL\"";
    let read = Command::new("sh").args(["-c", script]).current_dir(stage.folder.path()).output().unwrap();
    assert_eq!(read.stdout, b"it's $HOME \"x\"\n");
    let object: Value = serde_json::from_slice(&export("json")).unwrap();
    assert_eq!(object, json!({ "DATABASE_URL": "it's $HOME \"x\"\n" }));
    assert_eq!(
        export("yaml"),
        br#"DATABASE_URL: "it's $HOME \"x\"\n"
"#
    );

    assert!(stage.put("pay/live/keystore", &[0, 255]).status.success());
    let manifest = String::from_utf8(export("k8s")).unwrap();
    assert!(
        manifest.contains("  name: \"pay-live\"\n") && manifest.contains("  KEYSTORE: AP8=\n"),
        "{manifest}"
    );
    let refused = stage.command(&["export", "-p", "pay", "-e", "live"]).output().unwrap();
    assert!(
        refused.stdout.is_empty() && told(&refused).contains("`keystore` is binary"),
        "{}",
        told(&refused)
    );
    stage.server.stop();
}

#[test]
fn a_program_gets_the_signals_and_a_killed_one_is_told_as_shells_do() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"x").status.success());
    let script = "trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = stage
        .command(&["run", "-p", "pay", "-e", "live", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(3), None));
    let killed =
        stage.command(&["run", "-p", "pay", "-e", "live", "--", "sh", "-c", "kill -9 $$"]).output().unwrap();
    assert_eq!(killed.status.code(), Some(137));
    stage.server.stop();
}

#[test]
fn a_file_is_imported_after_a_look_and_not_twice() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/shop/PASSWORD", b"old").status.success());
    fs::write(stage.folder.path().join(".env"), "URL='postgres://x'\nPASSWORD=new\n").unwrap();
    let import = ["secret", "import", ".env", "-p", "pay", "-e", "live", "--folder", "shop"];
    let table = "shop/URL       new\nshop/PASSWORD  new version, after 1\n";
    let looked = String::from_utf8(stage.done(&[&import[..], &["--dry-run"]].concat())).unwrap();
    assert_eq!(looked, format!("{table}1 new, 1 changed, 0 unchanged; nothing was done\n"));
    assert_eq!(stage.done(&["secret", "get", "pay/live/shop/PASSWORD"]), b"old");
    let done = String::from_utf8(stage.done(&import)).unwrap();
    assert_eq!(done, format!("{table}1 new, 1 changed, 0 unchanged\n"));
    assert_eq!(stage.done(&["secret", "get", "pay/live/shop/PASSWORD"]), b"new");
    assert_eq!(stage.done(&["secret", "get", "pay/live/shop/URL"]), b"postgres://x");
    let again: Value = serde_json::from_slice(&stage.done(&[&import[..], &["--json"]].concat())).unwrap();
    assert_eq!((again["unchanged"].clone(), again["changed"].clone()), (json!(2), json!(0)));

    fs::write(stage.folder.path().join("bad.json"), r#"{ "fine": "1", "a//b": "hunter2" }"#).unwrap();
    let bad = ["secret", "import", "bad.json", "-p", "pay", "-e", "live"];
    let refused = stage.command(&bad).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stdout).into_owned() + &told(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("a//b  refused, line 1:") && said.contains("1 of the entries"), "{said}");
    assert!(!said.contains("hunter2"));
    let none = stage.command(&["secret", "get", "pay/live/fine"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1), "nothing of it is there");
    fs::write(stage.folder.path().join("notes.txt"), "A=1").unwrap();
    let unnamed = ["secret", "import", "notes.txt", "-p", "pay", "-e", "live"];
    let unnamed = stage.command(&unnamed).output().unwrap();
    assert_eq!((unnamed.status.code(), told(&unnamed).contains("--format")), (Some(2), true));
    stage.server.stop();
}

/// A Vault that gives what is asked for, as one line of a table each.
fn vault(answers: &'static [(&'static str, &'static str)]) -> (String, std::thread::JoinHandle<()>) {
    use std::io::{BufRead as _, BufReader};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let asked = lines.next().unwrap().unwrap();
            let headers: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let path = asked.split(' ').nth(1).unwrap();
            if path == "/end" {
                return;
            }
            let known = headers.iter().any(|it| it.eq_ignore_ascii_case("x-vault-token: s.token"));
            let found = answers.iter().find(|(at, _)| *at == path).map(|(_, body)| *body);
            let (status, body) = match found {
                _ if !known => ("403 Forbidden", r#"{"errors":["permission denied"]}"#),
                Some(body) => ("200 OK", body),
                None => ("404 Not Found", r#"{"errors":[]}"#),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (address, serving)
}

#[test]
fn a_vault_is_imported_as_folders_or_as_json() {
    let stage = Stage::new();
    let (address, serving) = vault(&[
        ("/v1/kv/metadata?list=true", r#"{"data":{"keys":["app","db/","gone"]}}"#),
        ("/v1/kv/metadata/db?list=true", r#"{"data":{"keys":["main"]}}"#),
        ("/v1/kv/data/app", r#"{"data":{"data":{"token":"hunter2","port":5432},"metadata":{}}}"#),
        ("/v1/kv/data/db/main", r#"{"data":{"data":{"url":"postgres://x"},"metadata":{}}}"#),
    ]);
    let import = ["secret", "import", "--from-vault", &address, "--mount", "kv", "-p", "pay", "-e", "live"];
    let none = stage.command(&import).output().unwrap();
    assert_eq!((none.status.code(), told(&none).contains("VAULT_TOKEN")), (Some(2), true), "{}", told(&none));
    let wrong = stage.command(&import).env("BAO_TOKEN", "s.other").output().unwrap();
    assert!(told(&wrong).contains("permission denied"), "{}", told(&wrong));
    let command = |more: &[&str]| {
        let output =
            stage.command(&[&import[..], more].concat()).env("VAULT_TOKEN", "s.token").output().unwrap();
        assert!(output.status.success(), "{more:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = command(&["--folder", "kv"]);
    assert!(said.ends_with("3 new, 0 changed, 0 unchanged\n") && !said.contains("hunter2"), "{said}");
    assert_eq!(stage.done(&["secret", "get", "pay/live/kv/app/port"]), b"5432");
    assert_eq!(stage.done(&["secret", "get", "pay/live/kv/db/main/url"]), b"postgres://x");
    command(&["--folder", "whole", "--nested", "json"]);
    assert_eq!(stage.done(&["secret", "get", "pay/live/whole/db/main"]), br#"{"url":"postgres://x"}"#);
    let below = command(&["--folder", "only", "--below", "db"]);
    assert!(below.ends_with("1 new, 0 changed, 0 unchanged\n"), "{below}");
    std::net::TcpStream::connect(address.strip_prefix("http://").unwrap())
        .unwrap()
        .write_all(b"GET /end X\r\n\r\n")
        .unwrap();
    serving.join().unwrap();
    stage.server.stop();
}
