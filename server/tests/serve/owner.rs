//! A house with an owner, whose passkey an authenticator made of software holds: what needs one at the operator's shell.

use std::{fs, path::Path};

use keywarden_domain::passkeys::soft::SoftAuthenticator;
use serde_json::json;

use crate::canary::{
    door::Door,
    marks::{Marks, Whose},
};
use crate::house::{Server, keywarden, printed, told};

/// How a session's cookie begins.
const SESSION: &str = "__Host-keywarden=";
pub(crate) const ORIGIN: &str = "https://keys.example.com";
const SETTINGS: [(&str, &str); 2] = [("KEYWARDEN_SEAL", "software"), ("KEYWARDEN_PUBLIC_URL", ORIGIN)];
/// The same address, and passkeys that are good for the whole domain.
const WIDER: [(&str, &str); 3] = [SETTINGS[0], SETTINGS[1], ("KEYWARDEN_RP_ID", "example.com")];

/// What a link leads to on this machine.
fn path_of(link: &str) -> String {
    link.trim().strip_prefix(ORIGIN).unwrap_or_else(|| panic!("a link to elsewhere: {link}")).to_owned()
}

/// A server that Ada has set up with a passkey called Key.
fn set_up(folder: &Path) -> Server {
    let server = Server::start_with(folder, &SETTINGS);
    server.becomes("\"ready\"");
    becomes_adas(&server, folder);
    server
}

/// Ada sets up a server that is ready; what holds her passkey.
pub(crate) fn becomes_adas(server: &Server, folder: &Path) -> SoftAuthenticator {
    let path = path_of(&fs::read_to_string(folder.join("data/setup-link")).unwrap());
    let mut typed = json!({ "organization": "Engines", "name": "Ada", "passkey": "Key" });
    let started = server.post_as_page(&format!("{path}/start"), ORIGIN, &typed);
    let mut soft = SoftAuthenticator::new(1);
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = soft.create(ORIGIN, &started["publicKey"]).unwrap();
    let done = server.post_as_page(&format!("{path}/finish"), ORIGIN, &typed);
    assert_eq!(done["location"], "/welcome", "{done}");
    soft
}

/// Sets up a server whose doors are `door`, under these names; the cookie of the session that it begins.
pub(crate) fn signs_up(folder: &Path, door: &Door, marks: &Marks, names: [&str; 3]) -> String {
    let link = fs::read_to_string(folder.join("data/setup-link")).unwrap();
    let path = path_of(&link);
    marks.note_token("the set-up link", &link);
    let [organization, name, passkey] = names;
    let mut typed = json!({ "organization": organization, "name": name, "passkey": passkey });
    let post = |verb: &str, typed: &serde_json::Value| {
        let headers = [("Content-Type", "application/json"), ("Origin", ORIGIN)];
        door.ask("set up", "post", &format!("{path}/{verb}"), &headers, typed.to_string().as_bytes()).unwrap()
    };
    let started = post("start", &typed).json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = SoftAuthenticator::new(1).create(ORIGIN, &started["publicKey"]).unwrap();
    let done = post("finish", &typed);
    // The browser is known by a cookie of its own.
    let set = done
        .whole
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: ").filter(|it| it.starts_with(SESSION)));
    let cookie = set.unwrap_or_else(|| panic!("{done:?}")).split(';').next().unwrap();
    marks.note(Whose::Secret, "a session's cookie", cookie.split_once('=').unwrap().1);
    cookie.to_owned()
}

#[test]
fn the_operator_lets_a_person_in_again_by_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let server = set_up(folder.path());
    let link = printed(folder.path(), &SETTINGS, &["operator", "recover", "Ada"]);
    assert!(link.contains("/recover/kwt_recover_"), "{link}");
    let page = server.get_as(&path_of(&link), "text/html");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let forged = server.get_as("/recover/kwt_recover_forged", "text/html");
    assert!(forged.starts_with("HTTP/1.1 4"), "{forged}");
    let said = server.stop();
    let secret = link.trim().rsplit('_').next().unwrap();
    assert!(!said.iter().any(|line| line.contains(secret)), "the link is in the log");
    assert!(printed(folder.path(), &SETTINGS, &["fsck"]).contains("clean"));
}

#[test]
fn a_domain_that_would_orphan_passkeys_is_taken_only_when_told_so() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path()).stop();
    let refused = keywarden(folder.path(), &["serve"]).envs(WIDER).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    for named in ["`keys.example.com`", "`example.com`", "Key of Ada", "--change-rp-id"] {
        assert!(told(&refused).contains(named), "{named}: {}", told(&refused));
    }
    let doctor = keywarden(folder.path(), &["doctor", "--json"]).envs(WIDER).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    let checks: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let failed = |check: &serde_json::Value| check["name"] == "passkeys" && check["outcome"] == "failed";
    let check =
        checks.as_array().unwrap().iter().find(|check| failed(check)).unwrap_or_else(|| panic!("{said}"));
    assert!(!doctor.status.success() && check["finding"].as_str().unwrap().contains("Key of Ada"), "{said}");
    assert!(check["advice"].as_str().unwrap().contains("--change-rp-id"), "{said}");
    let right = keywarden(folder.path(), &["doctor", "--json"]).envs(SETTINGS).output().unwrap();
    let checks: serde_json::Value = serde_json::from_slice(&right.stdout).unwrap();
    assert!(!checks.as_array().unwrap().iter().any(failed), "{checks}");
    let before = Server::start_with(folder.path(), &SETTINGS);
    before.becomes("\"ready\"");
    before.stop();

    let mut changing = keywarden(folder.path(), &["serve", "--change-rp-id"]);
    changing.envs(WIDER);
    let changed = Server::start_as(changing);
    changed.becomes("\"ready\"");
    changed.stop();
    let after = Server::start_with(folder.path(), &WIDER);
    after.becomes("\"ready\"");
    after.stop();
    // Nothing was made for that domain: whoever took it by mistake goes back, and Ada's passkey works again.
    let back = Server::start_with(folder.path(), &SETTINGS);
    back.becomes("\"ready\"");
    back.stop();
}
