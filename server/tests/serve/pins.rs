//! A PIN that a token refuses, over nodes that share one PostgreSQL and that token.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::{scope, sleep},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    house::{Server, fresh_database, keywarden, postgres, printed, told},
    hsm::{Hsm, libraries},
};

const NAMES: [&str; 2] = ["one", "other"];

/// Two nodes on a token that counts its logins. Each has a data folder of its own.
struct Nodes(Hsm);

impl Nodes {
    fn on(database: &str) -> Self {
        let mut hsm = Hsm::new();
        hsm.variables.push(("KEYWARDEN_DATABASE_URL", database.to_owned()));
        for name in NAMES {
            fs::create_dir(hsm.folder.path().join(name)).unwrap();
        }
        Self(hsm)
    }

    fn home(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.0.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn start(&self, name: &str) -> Server {
        Server::start_with(&self.home(name), &self.variables())
    }

    /// Both at the same moment.
    fn start_all(&self) -> [Server; 2] {
        scope(|all| {
            let starting = NAMES.map(|name| all.spawn(move || self.start(name)));
            starting.map(|one| one.join().unwrap())
        })
    }

    fn prints(&self, arguments: &[&str]) -> String {
        printed(&self.home("one"), &self.variables(), arguments)
    }

    /// Names the file with the PIN, and says which one it was.
    fn read_pin_from(&mut self, file: &Path) -> PathBuf {
        let setting = self.0.variables.iter_mut().find(|(name, _)| *name == "KEYWARDEN_PKCS11_PIN_FILE");
        let (_, value) = setting.unwrap();
        std::mem::replace(value, file.to_str().unwrap().to_owned()).into()
    }
}

#[test]
fn two_nodes_try_a_wrong_pin_twice_in_all_whatever_is_started_again_until_it_is_forgotten() {
    let Some(server) = postgres() else { return };
    let mut nodes = Nodes::on(&fresh_database(&server));
    let first = nodes.start("one");
    first.becomes("\"ready\"");
    first.stop();
    let wrong = nodes.0.folder.path().join("wrong-pin");
    fs::write(&wrong, "0000").unwrap();
    let right = nodes.read_pin_from(&wrong);
    let before = nodes.0.logins();
    let tries = |nodes: &Nodes| nodes.0.logins() - before;
    for _ in 0..3 {
        let all = nodes.start_all();
        for node in &all {
            node.becomes("PIN");
        }
        all[0].waits_for("the second try", || tries(&nodes) >= 2);
        sleep(Duration::from_millis(2500));
        for node in all {
            node.stop();
        }
        assert_eq!(tries(&nodes), 2);
    }
    let beside = |command: &str| {
        let output = keywarden(&nodes.home("other"), &[command]).envs(nodes.variables()).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), told(&output))
    };
    beside("fsck");
    let doctor = beside("doctor");
    assert!(doctor.contains("keywarden seal forget-pins"), "{doctor}");
    assert_eq!(tries(&nodes), 2);

    // Sealed nodes are told, and both try it again.
    let all = nodes.start_all();
    for node in &all {
        node.becomes("PIN");
    }
    let status = nodes.prints(&["status", "--json"]);
    assert!(status.contains("keywarden seal forget-pins"), "{status}");
    let said = nodes.prints(&["seal", "forget-pins"]);
    assert!(said.contains("one PIN is forgotten"), "{said}");
    all[0].waits_for("two more tries", || tries(&nodes) >= 4);
    sleep(Duration::from_millis(2500));
    for node in all {
        node.stop();
    }
    assert_eq!(tries(&nodes), 4);

    nodes.read_pin_from(&right);
    let all = nodes.start_all();
    for node in &all {
        node.becomes("\"ready\"");
    }
    let clean = nodes.prints(&["fsck"]);
    assert!(clean.contains("clean"), "{clean}");
    for (name, node) in NAMES.iter().zip(all) {
        node.stop();
        assert!(!nodes.home(name).join("data/pin-attempts").exists(), "{name} remembers by itself");
    }
}

/// Runs a statement on the server, beside the nodes' own database.
fn asked(server: &str, statement: &str) {
    let psql = ["--no-psqlrc", "--quiet", "--dbname", server, "--command", statement];
    let output = Command::new("psql").args(psql).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", told(&output));
}

#[test]
fn while_the_database_is_away_no_pin_is_tried_and_the_node_comes_back_by_itself() {
    let Some(server) = postgres() else { return };
    let url = fresh_database(&server);
    let database = url::Url::parse(&url).unwrap().path().trim_start_matches('/').to_owned();
    let nodes = Nodes::on(&url);
    let node = nodes.start("one");
    node.becomes("\"ready\"");
    let before = nodes.0.logins();
    asked(&server, &format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false"));
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    asked(&server, &end);
    // The next process of the library has to log in.
    let [library] = libraries(&node)[..] else { panic!("not one process: {:?}", libraries(&node)) };
    kill(Pid::from_raw(library), Signal::SIGKILL).unwrap();
    node.waits_for("another process", || {
        let now = libraries(&node);
        !now.is_empty() && !now.contains(&library)
    });
    node.becomes("database does not answer");
    sleep(Duration::from_millis(2500));
    assert_eq!(nodes.0.logins(), before, "nobody knows how often the PIN was tried by then");
    let doctor = keywarden(&nodes.home("other"), &["doctor"]).envs(nodes.variables()).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("so that none is tried"), "{said}");
    assert_eq!(nodes.0.logins(), before);
    asked(&server, &format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true"));
    node.becomes("\"ready\"");
    assert_eq!(nodes.0.logins() - before, 1);
    node.stop();
}
