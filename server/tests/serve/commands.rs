//! The operator's shell beside a running server, and after it.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::Command,
    time::Duration,
};

use nix::pty::openpty;
use serde_json::Value;

use crate::house::{Server, fresh_database, keywarden, postgres, printed, told, with_open_files};

const SOFTWARE: [(&str, &str); 1] = [("KEYWARDEN_SEAL", "software")];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_second_seal_is_added_and_unseals_a_server_alone() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| printed(folder.path(), &SOFTWARE, arguments);
    let server = Server::start_with(folder.path(), &SOFTWARE);
    server.becomes("\"ready\"");
    assert!(run(&["seal", "list"]).contains("Only one seal"));
    let recovery = folder.path().join("recovery.key");
    run(&["seal", "add", "software", recovery.to_str().unwrap()]);
    let seals = json(&run(&["seal", "list", "--json"]));
    assert_eq!(seals.as_array().unwrap().len(), 2);

    let refused = keywarden(folder.path(), &["seal", "remove", "software:seal.key"]).output().unwrap();
    assert!(told(&refused).contains("configure another one"), "{}", told(&refused));
    let rotated = run(&["keyring", "rotate", "session"]);
    assert!(rotated.contains("recovery.key"), "the recovery key lacks the new key: {rotated}");
    run(&["seal", "add", "software", recovery.to_str().unwrap()]);
    let status = json(&run(&["status", "--json"]));
    let retired =
        status["records"]["keys"].as_array().unwrap().iter().filter(|key| key["retired_at"].is_string());
    assert_eq!(retired.count(), 1, "{status}");
    server.stop();

    // The recovery key is not configured here: what lies under it is not seen.
    let partly = keywarden(folder.path(), &["fsck"]).envs(SOFTWARE).output().unwrap();
    let said = String::from_utf8_lossy(&partly.stdout);
    assert_eq!(partly.status.code(), Some(5), "{said}");
    assert!(
        said.contains("not looked at: ") && said.contains("\nclean as far as it could be seen:"),
        "{said}"
    );
    fs::remove_file(folder.path().join("data/seal.key")).unwrap();
    let with_recovery = [SOFTWARE[0], ("KEYWARDEN_SEAL_KEY_FILE", recovery.to_str().unwrap())];
    let server = Server::start_with(folder.path(), &with_recovery);
    server.becomes("\"ready\"");
    printed(folder.path(), &with_recovery, &["seal", "remove", "software:seal.key"]);
    server.stop();
    assert!(printed(folder.path(), &with_recovery, &["fsck"]).contains("clean:"));
}

#[test]
fn another_seal_of_a_name_that_is_taken_is_refused_in_words_and_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &SOFTWARE);
    server.becomes("\"ready\"");
    let stick = folder.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let twin = stick.join("seal.key");
    let arguments = ["seal", "add", "software", twin.to_str().unwrap()];
    let refused = keywarden(folder.path(), &arguments).envs(SOFTWARE).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    for words in ["another seal of this name, `software:seal.key`", "the keyring is as it was", "seal remove"]
    {
        assert!(told(&refused).contains(words), "{words}: {}", told(&refused));
    }
    server.stop();
    let server = Server::start_with(folder.path(), &SOFTWARE);
    server.becomes("\"ready\"");
    // Under a name of its own it is a seal like any other.
    let own = stick.join("stick.key");
    fs::rename(&twin, &own).unwrap();
    printed(folder.path(), &SOFTWARE, &["seal", "add", "software", own.to_str().unwrap()]);
    server.stop();
}

#[test]
fn the_operators_token_opens_the_api_and_only_for_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &SOFTWARE);
    server.becomes("\"ready\"");
    let token = printed(folder.path(), &SOFTWARE, &["operator", "token", "--role", "admin", "--ttl", "15m"]);
    assert!(token.starts_with("kws_operator_"), "{token}");
    let asked =
        server.get_with("/api/v1/projects", &[("Authorization", &format!("Bearer {}", token.trim()))]);
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
    assert!(server.get("/api/v1/projects").starts_with("HTTP/1.1 401"));
    for wrong in [&["--role", "admin", "--ttl", "61m"][..], &["--role", "viewer"]] {
        let arguments = [&["operator", "token"][..], wrong].concat();
        let refused = keywarden(folder.path(), &arguments).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    }
    server.stop();
}

#[test]
fn the_operators_door_stands_after_the_server_was_out_of_open_files() {
    const MOST: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let mut command = with_open_files(folder.path(), 64, MOST);
    command.envs(SOFTWARE);
    let server = Server::start_as(command);
    server.becomes("\"ready\"");
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let allowed = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let most = MOST.to_string();
    let numbers: Vec<_> = allowed.split_whitespace().filter(|word| *word == most).collect();
    assert_eq!(numbers.len(), 2, "the soft limit is not the hard one: {allowed}");

    let socket = folder.path().join("data/operator.sock");
    let held: Vec<_> = (0..=MOST).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    std::thread::sleep(Duration::from_secs(1)); // who may see another's open files is not told here
    drop(held);
    let status = json(&printed(folder.path(), &SOFTWARE, &["status", "--json"]));
    assert_eq!(status["process"], server.child.id());
    let said = server.stop();
    assert!(said.iter().any(|line| line.contains("cannot accept an operator connection")), "{said:?}");
}

#[test]
fn fsck_is_clean_beside_a_server_and_finds_what_was_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = keywarden(folder.path(), &["fsck"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1), "{}", told(&nothing));
    assert!(!folder.path().join("data").exists(), "fsck made something");
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    let beside = printed(folder.path(), &[], &["fsck", "--json"]);
    assert_eq!(json(&beside)["findings"], Value::Array(Vec::new()), "{beside}");
    server.stop();
    fs::rename(folder.path().join("data/softhsm/tokens"), folder.path().join("away")).unwrap();
    fs::create_dir(folder.path().join("data/softhsm/tokens")).unwrap();
    let found = keywarden(folder.path(), &["fsck"]).output().unwrap();
    let text = String::from_utf8_lossy(&found.stdout);
    assert_eq!(found.status.code(), Some(1), "{text}");
    assert!(text.contains("wrap-broken") && text.contains("keyring-sealed"), "{text}");
}

#[test]
fn a_pilot_moves_to_postgresql_and_back() {
    let Some(server) = postgres() else { return };
    let url = fresh_database(&server);
    let folder = tempfile::tempdir().unwrap();
    let on_postgres = [SOFTWARE[0], ("KEYWARDEN_DATABASE_URL", url.as_str())];
    let running = Server::start_with(folder.path(), &SOFTWARE);
    running.becomes("\"ready\"");
    let busy = keywarden(folder.path(), &["copy", "--to", &url]).envs(SOFTWARE).output().unwrap();
    assert_eq!(busy.status.code(), Some(3), "{}", told(&busy));
    running.stop();
    assert!(printed(folder.path(), &SOFTWARE, &["copy", "--to", &url]).contains("keyring_keys"));
    let again = keywarden(folder.path(), &["copy", "--to", &url]).envs(SOFTWARE).output().unwrap();
    assert!(told(&again).contains("not empty"), "{}", told(&again));
    let moved = Server::start_with(folder.path(), &on_postgres);
    moved.becomes("\"ready\"");
    moved.stop();
    assert!(printed(folder.path(), &on_postgres, &["fsck"]).contains("clean"));

    // A server of another folder, as of another machine, holds no lock here.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("data")).unwrap();
    fs::copy(folder.path().join("data/seal.key"), elsewhere.path().join("data/seal.key")).unwrap();
    let second = Server::start_with(elsewhere.path(), &on_postgres);
    second.becomes("\"ready\"");
    second.waits_for("a node that tells of itself", || {
        let third = format!("sqlite://{}", folder.path().join("third.db").display());
        let running = keywarden(folder.path(), &["copy", "--to", &third]).envs(on_postgres).output().unwrap();
        told(&running).contains("a server runs on the source")
    });
    second.stop();

    let back = format!("sqlite://{}", folder.path().join("back.db").display());
    printed(folder.path(), &on_postgres, &["copy", "--to", &back]);
    let home = [SOFTWARE[0], ("KEYWARDEN_DATABASE_URL", back.as_str())];
    assert!(printed(folder.path(), &home, &["fsck"]).contains("clean"));
}

#[test]
fn doctor_looks_at_database_clock_and_hsm() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str| {
        let output = keywarden(folder.path(), &["doctor", "--json"]).output().unwrap();
        let checks = json(&String::from_utf8_lossy(&output.stdout));
        checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone()
    };
    for name in ["database", "clock", "hsm"] {
        assert_eq!(check(name)["outcome"], "fine", "{name}");
    }
    assert!(!folder.path().join("data").exists(), "doctor made something");
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    assert!(check("database")["finding"].as_str().unwrap().contains("schema"));
    assert!(check("hsm")["finding"].as_str().unwrap().contains("softhsm:keywarden answers"));
    assert_eq!(check("seals")["outcome"], "warning");
    server.stop();
    fs::remove_dir_all(folder.path().join("data/softhsm/tokens")).unwrap();
    assert_eq!(check("hsm")["outcome"], "failed");
}

#[test]
fn doctor_takes_no_seal_for_new_because_the_database_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let hsm = || {
        let output = keywarden(folder.path(), &["doctor", "--json"]).envs(SOFTWARE).output().unwrap();
        let checks = json(&String::from_utf8_lossy(&output.stdout));
        checks.as_array().unwrap().iter().find(|check| check["name"] == "hsm").unwrap().clone()
    };
    assert!(hsm()["finding"].as_str().unwrap().contains("will be made on first start"));
    let server = Server::start_with(folder.path(), &SOFTWARE);
    server.becomes("\"ready\"");
    server.stop();
    fs::write(folder.path().join("data/keywarden.db"), "no database any more").unwrap();
    assert!(hsm()["finding"].as_str().unwrap().contains("answers"));
    fs::remove_file(folder.path().join("data/seal.key")).unwrap();
    assert_eq!(hsm()["outcome"], "failed");
}

#[test]
fn the_setup_link_is_in_a_private_file_in_no_log_and_a_fresh_one_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &SOFTWARE);
    let path = folder.path().join("data/setup-link");
    server.waits_for("the setup link", || path.exists());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let link = fs::read_to_string(&path).unwrap();
    assert!(link.starts_with("http://localhost") && link.contains("/setup/kwt_setup_"), "{link}");
    let fresh = printed(folder.path(), &SOFTWARE, &["operator", "setup"]);
    assert!(fresh.contains("/setup/kwt_setup_") && fresh.trim() != link.trim(), "{fresh}");
    let nobody = keywarden(folder.path(), &["operator", "recover", "Alice"]).output().unwrap();
    assert!(told(&nobody).contains("nobody here") && told(&nobody).contains("`Alice`"), "{}", told(&nobody));
    let said = server.stop();
    for link in [&link, &fresh] {
        let secret = link.trim().rsplit('_').next().unwrap();
        assert!(!said.iter().any(|line| line.contains(secret)), "the link is in the log");
    }
    assert!(printed(folder.path(), &SOFTWARE, &["fsck"]).contains("clean"));
}

#[test]
fn the_setup_link_is_told_at_the_terminal_of_whoever_started_the_server_and_at_no_other() {
    let starts = |folder: &Path, owned: bool| {
        let pair = openpty(None, None).unwrap();
        let plain = keywarden(folder, &["serve"]);
        let mut command = Command::new(if owned { "setsid" } else { "env" });
        command.args(owned.then_some("--ctty")).arg(plain.get_program()).arg("serve").current_dir(folder);
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(SOFTWARE).stdin(pair.slave.try_clone().unwrap());
        let server = Server::start_printing(command, pair.slave.into());
        server.becomes("\"ready\"");
        (server, fs::File::from(pair.master))
    };
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, terminal) = starts(own.path(), true);
    assert!(!own.path().join("data/setup-link").exists(), "whoever waits there needs no file");
    let mut lines = BufReader::new(terminal).lines().map(Result::unwrap);
    let link = lines.find(|line| line.contains("/setup/kwt_setup_")).unwrap();
    let secret = link.trim().rsplit('_').next().unwrap();
    assert!(!server.stop().iter().any(|line| line.contains(secret)), "the link is in the log");

    // As in a container: a terminal it is, but nobody's who started this.
    let (server, _terminal) = starts(other.path(), false);
    assert!(other.path().join("data/setup-link").exists());
    server.stop();
}

#[test]
fn completions_are_printed_for_each_shell_and_need_no_configuration() {
    let (plain, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(broken.path().join("keywarden.toml"), "this is [no TOML").unwrap();
    let refused = keywarden(broken.path(), &["config"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    for shell in ["bash", "zsh", "fish"] {
        let completes = printed(plain.path(), &[], &["completions", shell]);
        let words: Vec<_> = completes.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        for command in ["secret", "run"] {
            assert!(words.contains(&command), "{shell} does not complete `{command}`");
        }
        assert_eq!(printed(broken.path(), &[], &["completions", shell]), completes, "{shell}");
    }
}
