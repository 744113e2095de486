//! The house's own rules, read from the workspace itself.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read the workspace has failed")]

#[path = "house/actions.rs"]
mod actions;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Who may import whom. A new arrow is a decision: it is drawn here and in `.github/ARCHITECTURE.md` together.
const ARROWS: &[(&str, &[&str])] = &[
    ("keywarden", &["api", "app", "connectors", "domain", "jobs", "model", "store", "vault"]),
    ("keywarden-api", &["domain", "model"]),
    ("keywarden-app", &["domain", "model"]),
    ("keywarden-bundle", &[]),
    ("keywarden-connectors", &["domain", "model"]),
    ("keywarden-domain", &["model", "store", "vault"]),
    ("keywarden-garble", &[]),
    ("keywarden-jobs", &["domain", "model"]),
    ("keywarden-model", &[]),
    ("keywarden-shim", &[]),
    ("keywarden-store", &["model"]),
    ("keywarden-trials", &[]),
    ("keywarden-vault", &["model"]),
];

/// Libraries that belong into few rooms: SQL is the store's, key bytes are the vault's, rules and passkeys the domain's, HTTP
/// is spoken at doors, and calls outside are made by hands. Whoever wants one elsewhere has a line in the wrong room.
const ROOMS: &[(&str, &[&str])] = &[
    ("aead-stream", &["keywarden-vault"]),
    ("aes-gcm", &["keywarden-vault"]),
    ("axum", &["keywarden", "keywarden-api", "keywarden-app"]),
    ("cedar-policy", &["keywarden-domain"]),
    ("cedar-policy-symcc", &["keywarden-connectors"]),
    ("cryptoki", &["keywarden-vault"]),
    ("hkdf", &["keywarden-vault"]),
    ("hmac", &["keywarden-vault"]),
    ("hpke", &["keywarden-vault"]),
    ("http", &["keywarden", "keywarden-api", "keywarden-app", "keywarden-trials"]),
    ("hyper", &["keywarden"]),
    ("hyper-util", &["keywarden", "keywarden-trials"]),
    ("jsonwebtoken", &["keywarden-domain"]),
    ("leptos", &["keywarden-app"]),
    ("lettre", &["keywarden-connectors"]),
    (
        "nix",
        &["keywarden", "keywarden-connectors", "keywarden-domain", "keywarden-trials", "keywarden-vault"],
    ),
    ("prometheus-client", &["keywarden"]),
    ("reqwest", &["keywarden", "keywarden-connectors"]),
    ("rustls", &["keywarden", "keywarden-connectors"]),
    ("sqlx", &["keywarden-store"]),
    ("tower", &["keywarden", "keywarden-app"]),
    ("tower-sessions", &["keywarden"]),
    ("utoipa", &["keywarden-api"]),
    ("vsss-rs", &["keywarden-vault"]),
    ("web-sys", &["keywarden-app"]),
    ("webauthn-rs", &["keywarden-domain"]),
];

/// What may lie at the top, beside hidden files and what a build or a run makes.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "app",
    "end2end",
    "migrations",
    "server",
    "style",
];
const MADE: &[&str] = &["data", "target"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The workspace's packages, as Cargo reads them.
fn packages() -> Vec<Value> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(top())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    metadata.get("packages").and_then(Value::as_array).unwrap().clone()
}

/// What a package has besides what its tests and its build have.
fn imports(package: &Value) -> BTreeSet<&str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|it| it["kind"].is_null()).map(|it| it["name"].as_str().unwrap()).collect()
}

#[test]
fn libraries_stay_in_their_rooms() {
    let packages = packages();
    for (library, rooms) in ROOMS {
        let found: BTreeSet<&str> = packages
            .iter()
            .filter(|package| imports(package).contains(library))
            .map(|package| package["name"].as_str().unwrap())
            .collect();
        let drawn: BTreeSet<&str> = rooms.iter().copied().collect();
        assert_eq!(found, drawn, "`{library}`");
    }
}

#[test]
fn no_crate_imports_what_the_house_does_not_allow() {
    let drawn: BTreeMap<&str, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(name, imports)| (*name, imports.iter().map(|import| (*import).to_owned()).collect()))
        .collect();
    for package in &packages() {
        let name = package["name"].as_str().unwrap();
        let allowed = drawn.get(name).unwrap_or_else(|| panic!("`{name}` is not drawn in ARROWS"));
        let imports: BTreeSet<String> = imports(package)
            .into_iter()
            .filter_map(|name| name.strip_prefix("keywarden-").map(Into::into))
            .collect();
        assert!(imports.is_subset(allowed), "`{name}` imports {imports:?}, but may import only {allowed:?}");
        let server_imported =
            package["dependencies"].as_array().unwrap().iter().any(|it| it["name"] == "keywarden");
        assert!(!server_imported, "`{name}` imports the server");
    }
}

/// What keys of others begin with, and how many letters and digits follow at least.
const KEYS: &[(&str, usize)] = &[
    ("AIza", 35),
    ("AKIA", 16),
    ("ghp_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("sk_live_", 24),
    ("xoxb-", 10),
    ("xoxp-", 10),
];
const PEM_BEGINS: &str = "-----BEGIN ";
const PEM_ENDS: &str = "PRIVATE KEY-----";
/// Made here, or somebody else's.
const NOT_OURS: &[&str] = &[".git", "data", "node_modules", "report", "target", "test-results"];

/// Whether a line holds a key that opens something: one of the providers', or a private one in PEM (RFC 7468).
fn holds_a_key(line: &str) -> bool {
    let follows = |rest: &str| rest.chars().take_while(char::is_ascii_alphanumeric).count();
    let given = KEYS.iter().any(|(begin, least)| {
        line.match_indices(begin).any(|(at, _)| follows(&line[at + begin.len()..]) >= *least)
    });
    given || (line.contains(PEM_BEGINS) && line.contains(PEM_ENDS))
}

#[test]
fn a_key_in_a_file_is_seen() {
    assert!(holds_a_key(&format!("id = \"AKIA{}\"", "Q".repeat(16))));
    assert!(holds_a_key(&format!("{PEM_BEGINS}EC {PEM_ENDS}")));
    assert!(!holds_a_key("AKIA and its like are what keys of others begin with"));
}

#[test]
fn no_key_of_anybody_lies_in_the_house() {
    let mut found = Vec::new();
    let (mut folders, mut texts) = (vec![top()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() && !NOT_OURS.contains(&entry.file_name().to_str().unwrap_or_default()) {
                folders.push(path);
            } else if let Some(text) = kind.is_file().then(|| fs::read_to_string(&path).ok()).flatten() {
                texts += 1;
                let lines = text.lines().enumerate().filter(|(_, line)| holds_a_key(line));
                found.extend(lines.map(|(at, _)| format!("{}:{}", path.display(), at + 1)));
            }
        }
    }
    assert!(texts > 500, "only {texts} files were read");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn both_engines_have_the_same_migrations() {
    let migrations = top().join("migrations");
    assert_eq!(names(&migrations.join("sqlite")), names(&migrations.join("postgres")));
    let numbered = names(&migrations.join("sqlite"));
    let numbers: BTreeSet<&str> = numbered.iter().map(|name| name.split('_').next().unwrap()).collect();
    assert_eq!(numbers.len(), numbered.len(), "two migrations share a number: {numbered:?}");
}

/// The settings of a systemd unit's section, in their order.
fn unit<'a>(text: &'a str, section: &str) -> Vec<(&'a str, &'a str)> {
    let lines = text.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
    let own = lines.take_while(|line| !line.starts_with('['));
    own.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

/// The service's user has no name, no home and no folder but the one that systemd makes for it: systemd.exec(5).
#[test]
fn the_service_starts_as_a_user_who_owns_nothing_but_its_state() {
    let deploy = top().join(".github/deploy");
    let units: Vec<_> = names(&deploy).into_iter().filter(|name| name.ends_with(".service")).collect();
    assert_eq!(units, ["keywarden.service"]);
    let text = fs::read_to_string(deploy.join("keywarden.service")).unwrap();
    let service = unit(&text, "Service");
    let last = |name: &str| service.iter().rev().find(|(it, _)| *it == name).map(|(_, value)| *value);
    assert_eq!(last("DynamicUser"), Some("yes"));
    // A folder for settings is root's; whoever cannot enter the folder to start in does not start.
    let mode = last("ConfigurationDirectoryMode").unwrap_or("0755");
    assert_eq!(u32::from_str_radix(mode, 8).unwrap() & 0o5, 0o5, "{mode}");
    let state = format!("%S/{}", last("StateDirectory").unwrap());
    let start = last("WorkingDirectory").unwrap();
    assert!(Path::new(start).starts_with(&state), "{start}");
    assert_eq!(last("StateDirectoryMode"), Some("0700"));
    // What is named must be there: a start whose settings' file is missing is refused.
    let given = service.iter().filter(|(name, _)| *name == "Environment").map(|(_, value)| *value);
    assert_eq!(given.collect::<Vec<_>>(), [format!("KEYWARDEN_DATA_DIR={state}")]);
    let files = service.iter().filter(|(name, _)| *name == "EnvironmentFile");
    assert!(files.clone().count() == 1 && files.clone().all(|(_, value)| value.starts_with('-')));
}

#[test]
fn the_service_does_not_start_beside_settings_that_nothing_names() {
    let text = fs::read_to_string(top().join(".github/deploy/keywarden.service")).unwrap();
    let service = unit(&text, "Service");
    let (_, before) = service.iter().find(|(name, _)| *name == "ExecStartPre").unwrap();
    let script = before.strip_prefix("+/bin/sh -c '").and_then(|it| it.strip_suffix('\'')).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script = script.replace("$$", "$").replace("/etc/keywarden", folder.path().to_str().unwrap());
    let starts = |named: Option<&str>| {
        let named = named.map(|it| ("KEYWARDEN_CONFIG", it));
        Command::new("/bin/sh").args(["-c", &script]).env_clear().envs(named).output().unwrap()
    };
    assert!(starts(None).status.success());
    fs::write(folder.path().join("keywarden.toml"), "").unwrap();
    let refused = starts(None);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("say KEYWARDEN_CONFIG="), "{told}");
    assert!(starts(Some("there")).status.success());
}

#[test]
fn nothing_new_lies_at_the_top() {
    let allowed: BTreeSet<&str> = TOP.iter().chain(MADE).copied().collect();
    for name in names(&top()) {
        assert!(
            name.starts_with('.') || allowed.contains(name.as_str()),
            "`{name}` does not belong at the top"
        );
    }
}

/// The sources of all crates without their tests: path from the top, and text.
fn sources() -> Vec<(String, String)> {
    let (mut folders, mut all) = (vec![top().join("server"), top().join("app")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !["tests", "trials", "shim", "garble"].contains(&name) {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && !["tests.rs", "parsers.rs"].contains(&name)
            {
                let text = fs::read_to_string(&path).unwrap();
                let end = text.find("\n#[cfg(test)]\nmod ").filter(|at| !text[at + 18..].contains("\nmod "));
                let own = text[..end.unwrap_or(text.len())].to_owned();
                all.push((path.strip_prefix(top()).unwrap().display().to_string(), own));
            }
        }
    }
    all
}

#[test]
fn a_lock_opens_to_the_next_after_somebody_panicked_with_it() {
    let mut locks = 0;
    for (path, text) in sources() {
        let flat: String = text.split_whitespace().collect();
        for (at, _) in flat.match_indices(".lock()") {
            let (before, after) = (&flat[..at], &flat[at + ".lock()".len()..]);
            // Files and streams know no panics, and locks that are waited for are not poisoned.
            let none = ["stdout()", "stdin()", "stderr()", "file"].iter().any(|it| before.ends_with(it));
            if !none && !after.starts_with(".await") {
                locks += 1;
                let tolerant = after.starts_with(".unwrap_or_else(PoisonError::into_inner)");
                assert!(
                    tolerant,
                    "{path}: a panic would shut this lock for ever: {}",
                    &after[..after.len().min(60)]
                );
            }
        }
    }
    assert!(locks > 40, "{locks}");
}

/// Read by nobody but handlers, and tried through the door (`server/api/src/tests/parsers.rs`).
const THROUGH_THE_DOOR: &[&str] = &["Instant", "Number"];

#[test]
fn whatever_is_read_from_text_is_read_from_garbled_text_too() {
    let (mut folders, mut tests) = (vec![top().join("server"), top().join("app/src")], String::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains("keywarden_garble") || text.contains("mod parsers") {
                    tests.push_str(&text);
                }
            }
        }
    }
    let mut missing = Vec::new();
    for (path, text) in sources() {
        for after in text.split("FromStr for ").skip(1) {
            let name: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
            let tried = ["<", "::<", " ", "(", "{"].iter().any(|before| {
                tests.match_indices(&format!("{before}{name}")).any(|(at, it)| {
                    !tests[at + it.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                })
            });
            if !tried && !name.is_empty() && !THROUGH_THE_DOOR.contains(&name.as_str()) {
                missing.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "no test called `parsers…` reads these: {missing:#?}");
}
