//! Losing everything and getting it back: on a machine whose token is new and empty, and on the other engine.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use keywarden_vault::seal::{pkcs11::User, softhsm::find_module};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Server, fresh_database, keywarden, postgres, printed, told};
use crate::hsm::libraries;

const VALUE: &str = "canary-of-the-old-house-5c1d";
const SOFTWARE: (&str, &str) = ("KEYWARDEN_SEAL", "software");

/// A house with a secret, and a backup of it beside its shares.
struct Lost {
    folder: TempDir,
    made_at: String,
}

impl Lost {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let server = furnished(at, &[]);
        fs::write(at.join("recipient"), created(at, &["--threshold", "2", "--shares", "3"])).unwrap();
        let none = keywarden(at, &["backup", "--to", "a.kwbackup"]).output().unwrap();
        assert!(!none.status.success() && told(&none).contains("no recipient"), "{}", told(&none));
        printed(at, &[], &["backup", "recipient", "add", "--name", "Safe", "recipient"]);
        assert!(printed(at, &[], &["backup", "recipient", "list"]).contains("Safe"));
        let made = printed(at, &[], &["backup", "--to", "a.kwbackup"]);
        let digest = made.lines().find_map(|line| line.strip_prefix("SHA-256 ")).unwrap().to_owned();
        assert!(server.get("/readyz").contains("\"ready\""), "the server goes on");
        let again = keywarden(at, &["backup", "--to", "a.kwbackup"]).output().unwrap();
        assert!(told(&again).contains("there already"), "{}", told(&again));
        server.stop();
        let seen = printed(at, &[], &["backup", "verify", "a.kwbackup"]);
        assert!(seen.contains(&digest) && seen.contains("Nothing of this is proven"), "{seen}");
        let made_at = seen.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
        Self { folder, made_at }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).into_os_string().into_string().unwrap()
    }

    /// The arguments that bring it back.
    fn restore(&self) -> Vec<String> {
        let mut arguments = vec!["restore".to_owned(), self.path("a.kwbackup")];
        for share in ["recovery.key.3", "recovery.key.1"] {
            arguments.extend(["--recovery-key".to_owned(), self.path(share)]);
        }
        arguments
    }
}

/// A server on `at` with the secret `pay/live/database/password`.
fn furnished(at: &Path, variables: &[(&str, &str)]) -> Server {
    let server = Server::start_with(at, variables);
    server.becomes("\"ready\"");
    let token = token(at, variables);
    for (path, body) in [
        ("/api/v1/projects", json!({ "slug": "pay", "name": "Payments" })),
        ("/api/v1/projects/pay/environments", json!({ "slug": "live", "name": "Live", "label": "live" })),
    ] {
        let answer = server.post(path, token.trim(), &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    let mut put = client(at, &server, &["secret", "put", "pay/live/database/password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    put.stdin.take().unwrap().write_all(VALUE.as_bytes()).unwrap();
    assert!(put.wait().unwrap().success());
    server
}

fn token(at: &Path, variables: &[(&str, &str)]) -> String {
    let token = printed(at, variables, &["operator", "token", "--role", "admin"]);
    fs::write(at.join("token"), &token).unwrap();
    token
}

fn client(at: &Path, server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
    command.args(arguments).current_dir(at).env_clear();
    command.env("KEYWARDEN_SERVER", format!("http://{}", server.address));
    command.env("KEYWARDEN_TOKEN_FILE", at.join("token"));
    command
}

/// What `recovery-key create` printed.
fn created(at: &Path, more: &[&str]) -> String {
    let arguments = [&["recovery-key", "create", "--to", "recovery.key"], more].concat();
    let recipient = printed(at, &[], &arguments);
    assert!(recipient.starts_with("kwr1_") && recipient.lines().count() == 1, "{recipient}");
    recipient
}

fn as_texts(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// A restored server stays shut until the gap is named; then what was lost is there.
fn opens_when_the_gap_is_named(at: &Path, variables: &[(&str, &str)], made_at: &str) {
    let server = Server::start_with(at, variables);
    let ready = server.becomes("Closed after a restore");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains(made_at), "{ready}");
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    let page = server.get_as("/", "text/html");
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("keywarden restore accept"), "{page}");
    let token = token(at, variables);
    let bearer = format!("Bearer {}", token.trim());
    let refused = server.get_with("/api/v1/projects", &[("Authorization", &bearer)]);
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("application/problem+json"), "{refused}");
    assert!(printed(at, variables, &["status"]).contains("closed"));
    assert!(printed(at, variables, &["fsck"]).contains("clean"));

    let wrong = keywarden(at, &["restore", "accept", "2020-01-01T00:00:00Z"]).output().unwrap();
    assert!(told(&wrong).contains(made_at), "{}", told(&wrong));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 503"));
    printed(at, variables, &["restore", "accept", made_at]);
    server.becomes("\"ready\"");
    let read = client(at, &server, &["secret", "get", "pay/live/database/password"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout), VALUE, "{}", told(&read));
    server.stop();
    assert!(printed(at, variables, &["fsck"]).contains("clean"));
}

#[test]
fn everything_comes_back_on_a_machine_whose_token_is_new_and_on_the_other_engine() {
    let lost = Lost::new();
    let restore = lost.restore();
    let empty = tempfile::tempdir().unwrap();
    let told_so = printed(empty.path(), &[], &as_texts(&restore));
    assert!(told_so.contains(&lost.made_at), "{told_so}");
    opens_when_the_gap_is_named(empty.path(), &[], &lost.made_at);
    let twice = keywarden(empty.path(), &as_texts(&restore)).output().unwrap();
    assert!(told(&twice).contains("not empty"), "{}", told(&twice));

    let Some(server) = postgres() else { return };
    let url = fresh_database(&server);
    let other = tempfile::tempdir().unwrap();
    let variables = [SOFTWARE, ("KEYWARDEN_DATABASE_URL", url.as_str())];
    printed(other.path(), &variables, &as_texts(&restore));
    opens_when_the_gap_is_named(other.path(), &variables, &lost.made_at);
}

#[test]
fn everything_comes_back_on_a_machine_whose_only_hsm_is_new_and_has_no_key() {
    let lost = Lost::new();
    let empty = tempfile::tempdir().unwrap();
    let at = |name: &str| empty.path().join(name).into_os_string().into_string().unwrap();
    let library = find_module().unwrap().into_os_string().into_string().unwrap();
    fs::create_dir(empty.path().join("tokens")).unwrap();
    fs::write(at("softhsm2.conf"), format!("directories.tokendir = {}\n", at("tokens"))).unwrap();
    fs::write(at("pin"), "a-new-pin").unwrap();
    let mut makes = Command::new("softhsm2-util");
    makes
        .args(["--init-token", "--free", "--label", "fresh", "--so-pin", "so-pin", "--pin", "a-new-pin"])
        .args(["--module", &library])
        .env("SOFTHSM2_CONF", at("softhsm2.conf"));
    if User::current().is_root() {
        // Its library is not root's either.
        let User { user, group } = User::nobody();
        for (name, mode) in [("", 0o711), ("softhsm2.conf", 0o644)] {
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        chown(at("tokens"), Some(user), Some(group)).unwrap();
        makes.uid(user).gid(group);
    }
    let made = makes.output().unwrap();
    assert!(made.status.success(), "{}", told(&made));
    let (configuration, pin) = (at("softhsm2.conf"), at("pin"));
    let variables = [
        ("KEYWARDEN_SEAL", "pkcs11"),
        ("KEYWARDEN_PKCS11_MODULE", library.as_str()),
        ("KEYWARDEN_PKCS11_TOKEN", "fresh"),
        ("KEYWARDEN_PKCS11_PIN_FILE", pin.as_str()),
        ("SOFTHSM2_CONF", configuration.as_str()),
    ];
    printed(empty.path(), &variables, &as_texts(&lost.restore()));
    opens_when_the_gap_is_named(empty.path(), &variables, &lost.made_at);
}

fn exports(at: &Path, server: &Server, more: &[&str]) -> Command {
    let mut command = client(at, server, &["audit", "export", "--to", "events.jsonl"]);
    command.args(more);
    command
}

/// What an answer says.
fn json_of(answer: &str) -> Value {
    serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap()
}

/// The house goes on after its backup, its record is followed from elsewhere, and it is killed.
#[test]
fn what_was_revoked_after_the_backup_is_revoked_again_by_events_that_were_kept_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut server = furnished(at, &[SOFTWARE]);
    fs::write(at.join("recipient"), created(at, &[])).unwrap();
    printed(at, &[SOFTWARE], &["backup", "recipient", "add", "--name", "Safe", "recipient"]);
    let token = fs::read_to_string(at.join("token")).unwrap();
    let body = json!({ "name": "robot", "project": "pay", "role": "viewer" }).to_string();
    let made = server.post("/api/v1/workloads", token.trim(), &body);
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let workload = json_of(&made)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/workloads/{workload}/tokens");
    let issued = server.post(&path, token.trim(), &json!({ "expires_in_seconds": 3600 }).to_string());
    assert!(issued.starts_with("HTTP/1.1 201"), "{issued}");
    let robot = json_of(&issued);
    printed(at, &[SOFTWARE], &["backup", "--to", "a.kwbackup"]);

    let first = exports(at, &server, &[]).output().unwrap();
    assert!(first.status.success(), "{}", told(&first));
    let mut follower = exports(at, &server, &["--follow"]).stderr(Stdio::piped()).spawn().unwrap();
    let revoke = format!("/api/v1/tokens/{}/revoke", robot["id"].as_str().unwrap());
    let revoked = server.post(&revoke, token.trim(), "");
    assert!(revoked.starts_with("HTTP/1.1 20"), "{revoked}");
    let kept = || fs::read_to_string(at.join("events.jsonl")).unwrap();
    while !kept().contains("\"service-token.revoke\"") {
        assert!(follower.try_wait().unwrap().is_none(), "it goes on");
        sleep(Duration::from_millis(50));
    }
    let twin = exports(at, &server, &[]).output().unwrap();
    assert!(told(&twin).contains("another program writes this file"), "{}", told(&twin));
    server.signal(Signal::SIGKILL);
    server.child.wait().unwrap();
    follower.kill().unwrap();
    follower.wait().unwrap();
    let lines: Vec<_> = kept().lines().map(str::to_owned).collect();
    let unique: std::collections::BTreeSet<_> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "each event is there once");

    let (backup, key) = (at.join("a.kwbackup"), at.join("recovery.key"));
    let arguments = ["restore", backup.to_str().unwrap(), "--recovery-key", key.to_str().unwrap()];
    let events = at.join("events.jsonl");
    let events = ["--events", events.to_str().unwrap()];
    let mut targets = vec![None];
    targets.extend(postgres().map(|server| Some(fresh_database(&server))));
    for url in targets {
        let empty = tempfile::tempdir().unwrap();
        let at = empty.path();
        let url = url.unwrap_or_default();
        let mut variables = vec![SOFTWARE];
        if !url.is_empty() {
            variables.push(("KEYWARDEN_DATABASE_URL", url.as_str()));
        }
        printed(at, &variables, &arguments);
        let server = Server::start_with(at, &variables);
        server.becomes("Closed after a restore");
        let page = server.get_as("/", "text/html");
        assert!(page.contains("keywarden restore apply --events"), "{page}");
        let applied = printed(at, &variables, &[&["restore", "apply"], &events[..]].concat());
        assert!(applied.contains("1 service-token.revoke") && !applied.contains("missing"), "{applied}");
        assert!(printed(at, &variables, &["fsck"]).contains("clean"));
        assert!(server.get("/readyz").starts_with("HTTP/1.1 503"));
        let opened = [&["restore", "apply", "--accept-gap"], &events[..]].concat();
        assert!(printed(at, &variables, &opened).contains("the doors open"));
        server.becomes("\"ready\"");
        let bearer = format!("Bearer {}", robot["token"].as_str().unwrap());
        let read = server.get_with(
            "/api/v1/projects/pay/environments/live/secrets/database/password",
            &[("Authorization", &bearer)],
        );
        assert!(read.starts_with("HTTP/1.1 401"), "{read}");
        server.stop();
        assert!(printed(at, &variables, &["fsck"]).contains("clean"));
    }

    // All of it in one command; a file of somebody else opens nothing.
    let empty = tempfile::tempdir().unwrap();
    let whole = [&arguments[..], &events[..], &["--accept-gap"]].concat();
    assert!(printed(empty.path(), &[SOFTWARE], &whole).contains("the doors open"));
    let server = Server::start_with(empty.path(), &[SOFTWARE]);
    server.becomes("\"ready\"");
    let open = [&["restore", "apply"], &events[..]].concat();
    let refused = keywarden(empty.path(), &open).output().unwrap();
    assert!(told(&refused).contains("while the doors are shut"), "{}", told(&refused));
    server.stop();
}

#[test]
fn a_restore_with_a_changed_file_or_too_few_shares_makes_nothing() {
    let lost = Lost::new();
    let empty = tempfile::tempdir().unwrap();
    let run = |file: &str, keys: &[&str]| {
        let mut arguments = vec!["restore".to_owned(), lost.path(file)];
        for key in keys {
            arguments.extend(["--recovery-key".to_owned(), lost.path(key)]);
        }
        keywarden(empty.path(), &as_texts(&arguments)).envs([SOFTWARE]).output().unwrap()
    };
    let one = run("a.kwbackup", &["recovery.key.2"]);
    assert!(told(&one).contains("2 shares are needed"), "{}", told(&one));
    let mut bytes = fs::read(lost.path("a.kwbackup")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(lost.path("changed"), bytes).unwrap();
    let changed = run("changed", &["recovery.key.2", "recovery.key.1"]);
    assert!(told(&changed).contains("authentication failed"), "{}", told(&changed));
    for refused in [&one, &changed] {
        assert_eq!(refused.status.code(), Some(1));
    }
    for made in ["keywarden.db", "seal.key"] {
        assert!(!empty.path().join("data").join(made).exists(), "{made}");
    }
    let proven = [
        "backup",
        "verify",
        "a.kwbackup",
        "--recovery-key",
        "recovery.key.1",
        "--recovery-key",
        "recovery.key.2",
    ];
    let seen = printed(lost.folder.path(), &[], &proven);
    assert!(seen.contains("whole and authentic"), "{seen}");
}

#[test]
fn the_shell_drills_the_newest_backup_and_says_when_it_would_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // A server that was killed in the midst of a drill left this.
    fs::create_dir_all(at.join("data/drill/softhsm/tokens")).unwrap();
    let server = furnished(at, &[SOFTWARE]);
    assert!(!at.join("data/drill").exists(), "what was cut off stays");
    let none = keywarden(at, &["backup", "drill"]).output().unwrap();
    assert!(!none.status.success() && told(&none).contains("make one first"), "{}", told(&none));
    fs::write(at.join("recipient"), created(at, &[])).unwrap();
    printed(at, &[SOFTWARE], &["backup", "recipient", "add", "--name", "Safe", "recipient"]);
    let made = printed(at, &[SOFTWARE], &["backup", "--to", "a.kwbackup"]);
    assert_eq!(made.matches("opens with the recovery key of").count(), 1, "{made}");
    let done: Value = serde_json::from_str(&printed(at, &[], &["backup", "drill", "--json"])).unwrap();
    assert_eq!((&done["report"]["failures"], &done["report"]["compared"]), (&json!([]), &json!(1)), "{done}");
    assert_eq!(done["report"]["seal"], json!({ "kind": "token" }), "{done}");
    assert!(!at.join("data/drill").exists() && libraries(&server).is_empty(), "the token stays");
    let done = printed(at, &[], &["backup", "drill"]);
    assert!(done.contains("restored under an empty SoftHSM2 token"), "{done}");
    fs::write(at.join("a.kwbackup"), b"something else").unwrap();
    let failed = keywarden(at, &["backup", "drill"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(told(&failed).contains("did not come back whole"), "{}", told(&failed));
    server.stop();
    let findings: Value = serde_json::from_str(&printed(at, &[SOFTWARE], &["fsck", "--json"])).unwrap();
    assert_eq!(findings["findings"], json!([]));
}

#[test]
fn a_server_killed_while_it_writes_leaves_a_whole_backup_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut server = furnished(at, &[SOFTWARE]);
    fs::write(at.join("recipient"), created(at, &[])).unwrap();
    printed(at, &[SOFTWARE], &["backup", "recipient", "add", "--name", "Safe", "recipient"]);
    let mut whole = 0;
    for round in 0..8_u64 {
        let name = format!("{round}.kwbackup");
        let mut asked = keywarden(at, &["backup", "--to", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(round * 12));
        server.signal(Signal::SIGKILL);
        server.child.wait().unwrap();
        let answered = asked.wait().unwrap().success();
        let file: PathBuf = at.join(&name);
        assert!(!answered || file.exists(), "round {round}: an answer without a file");
        if file.exists() {
            let arguments = ["backup", "verify", &name, "--recovery-key", "recovery.key"];
            assert!(printed(at, &[], &arguments).contains("whole and authentic"), "round {round}");
            whole += 1;
        }
        server = Server::start_with(at, &[SOFTWARE]);
        server.becomes("\"ready\"");
    }
    printed(at, &[SOFTWARE], &["backup", "--to", "last.kwbackup"]);
    server.stop();
    println!("{whole} of 8 were whole");
    let findings: Value = serde_json::from_str(&printed(at, &[SOFTWARE], &["fsck", "--json"])).unwrap();
    assert_eq!(findings["findings"], json!([]));
}
