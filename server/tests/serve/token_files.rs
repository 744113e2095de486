//! The embedded token's files, lost or changed: a key's own, and the token's. No key is made in the place of a lost one, and a
//! file that is put back is used again by itself.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    house::{Server, keywarden, printed},
    hsm::{Keys, libraries},
};

const SEALED: &str = "\"title\":\"Sealed\"";
/// What the log says of a token's own file that is put back.
const PUT_BACK: &str = "it is put back from its copy";

/// What may become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Changed,
    Cut,
    Deleted,
    Empty,
    Garbled,
    Unreadable,
    Zeros,
}

use Loss::{Changed, Cut, Deleted, Empty, Garbled, Unreadable, Zeros};

impl Loss {
    fn befalls(self, file: &Path) {
        let mut bytes = fs::read(file).unwrap();
        match self {
            Changed => {
                // A bit of the key itself (CKA_VALUE, bytes): it is another key then.
                let value = [0x11_u64, 3].map(u64::to_be_bytes).concat();
                let at = bytes.windows(value.len()).position(|it| it == value).unwrap();
                bytes[at + value.len() + 8 + 20] ^= 1;
            }
            Cut => bytes.truncate(bytes.len() / 2),
            Deleted => return fs::remove_file(file).unwrap(),
            Empty => bytes.clear(),
            Garbled => bytes.iter_mut().for_each(|byte| *byte ^= 0x55),
            Unreadable => return fs::set_permissions(file, Permissions::from_mode(0o000)).unwrap(),
            Zeros => bytes.fill(0),
        }
        fs::write(file, bytes).unwrap();
    }
}

/// A house on the embedded token that was ready once, and the file of its one key.
struct Scene {
    folder: TempDir,
    key: PathBuf,
    whole: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path());
        server.becomes("\"ready\"");
        server.stop();
        let key = key_files(&folder.path().join("data/softhsm/tokens")).pop_first().unwrap();
        let whole = fs::read(&key).unwrap();
        Self { folder, key, whole }
    }

    fn start(&self) -> Server {
        Server::start(self.folder.path())
    }

    fn admin(&self) -> String {
        printed(self.folder.path(), &[], &["operator", "token", "--role", "admin"]).trim().to_owned()
    }

    fn tokens(&self) -> PathBuf {
        self.folder.path().join("data/softhsm/tokens")
    }

    /// The token's own file.
    fn own(&self) -> PathBuf {
        self.key.with_file_name("token.object")
    }

    /// What was kept of that.
    fn copy(&self) -> PathBuf {
        let token = self.key.parent().unwrap().file_name().unwrap();
        self.folder.path().join("data/softhsm").join(token).with_added_extension("kept")
    }

    fn puts_the_key_back(&self) {
        put_back(&self.key, &self.whole);
    }

    /// What the operator is told of how the server is.
    fn status(&self) -> String {
        printed(self.folder.path(), &[], &["status", "--json"])
    }

    fn made_no_other_key(&self) {
        let keys = key_files(&self.tokens());
        assert!(keys.is_subset(&BTreeSet::from([self.key.clone()])), "{keys:?}");
    }
}

/// The files of keys that are in tokens.
fn key_files(tokens: &Path) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(tokens).unwrap().flat_map(|token| fs::read_dir(token.unwrap().path()).unwrap());
    let is_key =
        |path: &PathBuf| path.extension().is_some_and(|it| it == "object") && !path.ends_with("token.object");
    files.map(|it| it.unwrap().path()).filter(is_key).collect()
}

/// As from a backup: whole, and whose the folder is.
fn put_back(file: &Path, whole: &[u8]) {
    let (new, owner) = (file.with_extension("back"), fs::metadata(file.parent().unwrap()).unwrap());
    fs::write(&new, whole).unwrap();
    fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
    chown(&new, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::rename(new, file).unwrap();
}

/// The next call finds the library begun anew.
fn starts_its_library_again(server: &Server) {
    let [library] = libraries(server)[..] else { panic!("not one process: {:?}", libraries(server)) };
    kill(Pid::from_raw(library), Signal::SIGKILL).unwrap();
}

#[test]
fn a_key_that_is_lost_while_its_server_runs_leaves_it_degraded_until_the_file_is_back() {
    let scene = Scene::new();
    let server = scene.start();
    server.becomes("\"ready\"");
    let keys = Keys::issued(&server, scene.admin());
    for loss in [Deleted, Empty, Zeros, Garbled, Unreadable, Cut, Changed] {
        loss.befalls(&scene.key);
        if [Cut, Changed].contains(&loss) {
            // What it has read, it keeps.
            starts_its_library_again(&server);
        }
        let answer = server.becomes("degraded");
        assert!(answer.starts_with("HTTP/1.1 200"), "{loss:?}: {answer}");
        assert_eq!(keys.codes(), ["valid"; 3], "{loss:?}");
        let rotated = keywarden(scene.folder.path(), &["keyring", "rotate", "session"]).output().unwrap();
        assert!(!rotated.status.success(), "{loss:?}: a key was wrapped all the same");
        scene.made_no_other_key();
        scene.puts_the_key_back();
        server.becomes("\"ready\"");
        assert_eq!(keys.codes(), ["valid"; 3], "{loss:?}");
    }
    fs::rename(scene.tokens(), scene.folder.path().join("away")).unwrap();
    server.becomes("degraded");
    fs::rename(scene.folder.path().join("away"), scene.tokens()).unwrap();
    server.becomes("\"ready\"");
    let said = server.stop().join("\n");
    for cause in ["bring it back from a backup", "it has another key under the same name"] {
        assert!(said.contains(cause), "never told: {cause}: {said}");
    }
    // A library that is begun anew meanwhile finds no folder, and does not even load.
    assert!(said.contains("is not present") || said.contains("does not load"), "never told: {said}");
    let server = scene.start();
    server.becomes("\"ready\"");
    server.stop();
    assert!(printed(scene.folder.path(), &[], &["fsck"]).contains("clean"));
}

#[test]
fn a_key_that_is_lost_before_its_server_starts_leaves_it_sealed_until_the_file_is_back() {
    let scene = Scene::new();
    let server = scene.start();
    server.becomes("\"ready\"");
    let admin = scene.admin();
    let issued = Keys::issued(&server, admin.clone());
    let (all, gateway) = (issued.all.clone(), issued.gateway.clone());
    server.stop();
    for loss in [Deleted, Empty, Zeros, Garbled, Unreadable, Cut, Changed] {
        loss.befalls(&scene.key);
        let server = scene.start();
        let answer = server.becomes(SEALED);
        assert!(answer.starts_with("HTTP/1.1 503"), "{loss:?}: {answer}");
        let (status, wanted) = (scene.status(), if loss == Changed { "bring back" } else { "bring it back" });
        assert!(status.contains(wanted), "{loss:?}: {status}");
        scene.made_no_other_key();
        scene.puts_the_key_back();
        server.becomes("\"ready\"");
        let keys = Keys { server: &server, admin: admin.clone(), gateway: gateway.clone(), all: all.clone() };
        assert_eq!(keys.codes(), ["valid"; 3], "{loss:?}");
        server.stop();
        scene.made_no_other_key();
    }
    // The whole token.
    let (token, away) = (scene.key.parent().unwrap().to_owned(), scene.folder.path().join("away"));
    fs::rename(&token, &away).unwrap();
    let server = scene.start();
    server.becomes(SEALED);
    assert!(scene.status().contains("is not present"), "{}", scene.status());
    assert_eq!(fs::read_dir(scene.tokens()).unwrap().count(), 0, "another token was made");
    fs::rename(&away, &token).unwrap();
    server.becomes("\"ready\"");
    server.stop();
    assert!(printed(scene.folder.path(), &[], &["fsck"]).contains("clean"));
}

#[test]
fn a_tokens_own_file_that_is_lost_is_put_back_by_a_start_and_by_a_server_that_runs() {
    let scene = Scene::new();
    let (own, copy) = (scene.own(), scene.copy());
    let whole = fs::read(&own).unwrap();
    for loss in [Deleted, Empty, Zeros, Garbled, Cut] {
        loss.befalls(&own);
        let server = scene.start();
        server.becomes("\"ready\"");
        loss.befalls(&own);
        starts_its_library_again(&server);
        // A login writes it again, with another number at its beginning than the copy has.
        server.waits_for("a login by the copy", || {
            fs::read(&own).is_ok_and(|it| it.get(8..) == whole.get(8..) && it != fs::read(&copy).unwrap())
        });
        server.becomes("\"ready\"");
        let said = server.stop();
        let times = said.iter().filter(|line| line.contains(PUT_BACK)).count();
        assert_eq!(times, 2, "{loss:?}: {said:#?}");
        let owner = fs::metadata(scene.tokens()).unwrap().uid();
        assert_eq!(fs::metadata(&own).unwrap().uid(), owner, "{loss:?}");
        scene.made_no_other_key();
    }
    let server = scene.start();
    server.becomes("\"ready\"");
    let said = server.stop();
    assert!(!said.iter().any(|line| line.contains(PUT_BACK)), "what is whole was put back: {said:?}");
    assert!(printed(scene.folder.path(), &[], &["fsck"]).contains("clean"));
}

#[test]
fn a_pin_that_was_changed_in_the_tokens_own_file_is_not_kept_and_seals_until_the_file_is_back() {
    let scene = Scene::new();
    let (own, copy) = (scene.own(), scene.copy());
    let (whole, kept) = (fs::read(&own).unwrap(), fs::read(&copy).unwrap());
    // Its user's PIN, at the end: a salt, a vector, and what only that PIN opens.
    let mut changed = whole.clone();
    changed[whole.len() - 64] ^= 1;
    fs::write(&own, changed).unwrap();
    let server = scene.start();
    server.becomes("refused the PIN");
    server.waits_for("the last try", || scene.status().contains("is not tried again"));
    assert!(scene.status().contains("pin-attempts"), "{}", scene.status());
    assert_eq!(fs::read(&copy).unwrap(), kept, "what did not open was kept");
    put_back(&own, &whole);
    // What it says to do.
    fs::remove_file(scene.folder.path().join("data/softhsm/pin-attempts")).unwrap();
    server.becomes("\"ready\"");
    server.stop();
}
