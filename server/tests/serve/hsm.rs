//! A real HSM, as far as a test can have one: SoftHSM2 behind a library that fails as devices do.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use keywarden_vault::seal::softhsm::find_module;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Server, keywarden, printed};

/// A token, and what the library before it does.
pub(crate) struct Hsm {
    pub(crate) folder: TempDir,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Hsm {
    /// The token is the one that a server on the defaults makes.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let maker = folder.path().join("maker");
        fs::create_dir(&maker).unwrap();
        let server = Server::start(&maker);
        server.becomes("\"ready\"");
        server.stop();
        opens_to_libraries(folder.path(), "maker");
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let at = |name: &str| text(folder.path().join(name));
        let variables = vec![
            ("KEYWARDEN_SEAL", "pkcs11".to_owned()),
            ("KEYWARDEN_PKCS11_MODULE", text(shim(folder.path()))),
            ("KEYWARDEN_PKCS11_TOKEN", "keywarden".to_owned()),
            ("KEYWARDEN_PKCS11_PIN_FILE", at("maker/data/softhsm/pin")),
            ("SOFTHSM2_CONF", at("maker/data/softhsm/softhsm2.conf")),
            ("SHIM_LIBRARY", text(find_module().unwrap())),
            ("SHIM_FAULT", at("fault")),
            ("SHIM_LOGINS", at("logins")),
            ("SHIM_ENCRYPTS", at("encrypts")),
        ];
        Self { folder, variables }
    }

    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    pub(crate) fn start(&self) -> Server {
        Server::start_with(self.folder.path(), &self.variables())
    }

    pub(crate) fn fails_by(&self, fault: &str) {
        fs::write(self.folder.path().join("fault"), fault).unwrap();
    }

    pub(crate) fn logins(&self) -> usize {
        self.lines("logins")
    }

    fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.folder.path().join(name)).unwrap().lines().count()
    }

    fn attempts(&self) -> PathBuf {
        self.folder.path().join("data/pin-attempts")
    }

    /// Lets the rest of a PIN be over that got no clear answer, as if it had been tried in 1970.
    fn has_rested(&self) {
        let text = fs::read_to_string(self.attempts()).unwrap();
        let (line, at) = text.trim_end().rsplit_once(' ').unwrap();
        assert!(text.lines().count() == 1 && at.parse::<u64>().unwrap() > 1_000_000_000, "{text}");
        let new = self.folder.path().join("rested");
        fs::write(&new, format!("{line} 0\n")).unwrap();
        fs::rename(new, self.attempts()).unwrap();
    }

    pub(crate) fn token(&self) -> String {
        let token = printed(self.folder.path(), &self.variables(), &["operator", "token", "--role", "admin"]);
        token.trim().to_owned()
    }
}

/// The library that fails, in a folder that whoever it runs as gets to. Cargo leaves it beside the binary, or among its
/// dependencies.
pub(crate) fn shim(folder: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_keywarden")).parent().unwrap();
    let places = ["", "deps"].map(|folder| target.join(folder).join("libkeywarden_shim.so"));
    let copy = folder.join("libkeywarden_shim.so");
    fs::copy(places.into_iter().find(|path| path.exists()).unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    copy
}

/// Lets libraries get to the token that a server made in a folder within this one, and to what they are told by, whoever they
/// run as.
pub(crate) fn opens_to_libraries(folder: &Path, maker: &str) {
    let may = |path: PathBuf, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let data = folder.join(maker).join("data");
    for path in [folder.to_owned(), folder.join(maker), data.clone(), data.join("softhsm")] {
        may(path, 0o711);
    }
    may(data.join("softhsm/softhsm2.conf"), 0o644);
    for name in ["fault", "logins", "encrypts"] {
        fs::write(folder.join(name), "").unwrap();
        may(folder.join(name), 0o666);
    }
}

/// The processes that a server has libraries in.
pub(crate) fn libraries(server: &Server) -> Vec<i32> {
    let of_server = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit(") ").next().unwrap_or_default().to_owned();
        after.split(' ').nth(1) == Some(&server.child.id().to_string()) && !after.starts_with('Z')
    };
    let pids = fs::read_dir("/proc").unwrap().filter_map(|it| it.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(of_server).collect()
}

#[test]
fn an_hsm_that_fails_leaves_the_server_degraded_and_one_that_is_back_makes_it_ready() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    let token = hsm.token();
    let authorization = format!("Bearer {token}");
    for fault in ["removed", "error", "crash", "hang"] {
        hsm.fails_by(fault);
        let answer = server.becomes("degraded");
        assert!(answer.starts_with("HTTP/1.1 200"), "{fault}: {answer}");
        // What needs no HSM goes on with the keys in memory: to know a token again is to compute a MAC.
        let asked = server.get_with("/api/v1/projects", &[("Authorization", &authorization)]);
        assert!(asked.starts_with("HTTP/1.1 200"), "{fault}: {asked}");
        hsm.fails_by("");
        server.becomes("\"ready\"");
    }
    assert!(hsm.logins() > 0);
    server.stop();
}

/// Posts JSON, and gives what is answered.
pub(crate) fn post(server: &Server, path: &str, token: &str, body: &Value) -> Value {
    let answer = server.post(path, token, &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
    serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap_or_default()
}

/// Three keys of a project, each its id and its value, and a gateway that may verify them.
pub(crate) struct Keys<'a> {
    pub(crate) server: &'a Server,
    pub(crate) admin: String,
    pub(crate) gateway: String,
    pub(crate) all: [[String; 2]; 3],
}

impl<'a> Keys<'a> {
    pub(crate) fn issued(server: &'a Server, admin: String) -> Self {
        post(server, "/api/v1/projects", &admin, &json!({ "slug": "pay", "name": "Payments" }));
        let live = json!({ "slug": "live", "name": "Live", "label": "live" });
        post(server, "/api/v1/projects/pay/environments", &admin, &live);
        let all = ["First", "Second", "Third"].map(|name| {
            let asked = json!({ "project": "pay", "environment": "live", "name": name });
            let issued = post(server, "/api/v1/keys", &admin, &asked);
            ["id", "key"].map(|it| issued[it].as_str().unwrap().to_owned())
        });
        let gateway = json!({ "name": "gateway", "project": "pay", "role": "verifier" });
        let gateway = post(server, "/api/v1/workloads", &admin, &gateway);
        let tokens = format!("/api/v1/workloads/{}/tokens", gateway["id"].as_str().unwrap());
        let gateway = post(server, &tokens, &admin, &json!({}))["token"].as_str().unwrap().to_owned();
        Self { server, admin, gateway, all }
    }

    /// What the gateway is told of a value.
    pub(crate) fn code(&self, value: &str) -> String {
        let verdict = post(self.server, "/api/v1/keys/verify", &self.gateway, &json!({ "key": value }));
        verdict["code"].as_str().unwrap().to_owned()
    }

    /// What it is told of all of them.
    pub(crate) fn codes(&self) -> [String; 3] {
        self.all.each_ref().map(|[_, value]| self.code(value))
    }
}

#[test]
fn a_degraded_server_goes_on_verifying_suspending_and_revoking_and_says_how_it_is() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    let keys = Keys::issued(&server, hsm.token());
    let [[suspended, first], [revoked, second], [_, unseen]] = &keys.all;
    assert_eq!(keys.code(first), "valid");

    hsm.fails_by("removed");
    let answer = server.becomes("degraded");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("the HSM does not answer"), "{answer}");
    let page = server.get_as("/sign-in", "text/html");
    assert!(page.contains("The HSM cannot be reached."), "{page}");
    let status = printed(hsm.folder.path(), &hsm.variables(), &["status", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&status).unwrap()["condition"], "degraded", "{status}");
    // Also a value that was not shown before, and whoever showed no token before.
    for value in [first, second, unseen] {
        assert_eq!(keys.code(value), "valid");
    }
    post(&server, &format!("/api/v1/keys/{suspended}/suspend"), &hsm.token(), &json!({}));
    let reason = json!({ "reason": "key-compromise" });
    post(&server, &format!("/api/v1/keys/{revoked}/revoke"), &keys.admin, &reason);
    assert_eq!(keys.codes(), ["suspended", "revoked", "valid"]);
    assert!(server.get("/readyz").contains("degraded"));

    hsm.fails_by("");
    server.becomes("\"ready\"");
    assert_eq!(keys.codes(), ["suspended", "revoked", "valid"]);
    let page = server.get_as("/sign-in", "text/html");
    assert!(!page.contains("The HSM cannot be reached."), "{page}");
    server.stop();
}

#[test]
fn lost_sessions_are_opened_anew_and_a_slow_token_is_waited_for() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    let encrypts = hsm.lines("encrypts");
    for fault in ["session", "slow"] {
        hsm.fails_by(fault);
        // For as long as several looks at the token take.
        for _ in 0..25 {
            let answer = server.get("/readyz");
            if fault == "session" {
                assert!(answer.contains("\"ready\""), "{fault}: {answer}");
            }
            assert!(!answer.contains("ealed"), "{fault}: {answer}");
            sleep(Duration::from_millis(200));
        }
        hsm.fails_by("");
        server.becomes("\"ready\"");
    }
    assert_eq!(hsm.lines("encrypts"), encrypts, "a key is not worn by looking whether it is there");
    server.stop();
}

#[test]
fn a_server_that_starts_on_a_failing_hsm_is_sealed_and_unseals_by_itself() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    server.stop();
    for fault in ["crash", "removed"] {
        hsm.fails_by(fault);
        let server = hsm.start();
        let answer = server.becomes("\"title\":\"Sealed\"");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        hsm.fails_by("");
        server.becomes("\"ready\"");
        server.stop();
    }
}

#[test]
fn a_module_that_is_softhsm_is_called_software_whatever_the_settings_call_it() {
    let mut hsm = Hsm::new();
    let (softhsm, shim) = (find_module().unwrap(), shim(hsm.folder.path()));
    for (module, is_software) in [(softhsm, true), (shim, false)] {
        for (name, value) in &mut hsm.variables {
            if *name == "KEYWARDEN_PKCS11_MODULE" {
                module.to_str().unwrap().clone_into(value);
            }
        }
        let server = hsm.start();
        server.becomes("\"ready\"");
        let status = printed(hsm.folder.path(), &hsm.variables(), &["status", "--json"]);
        let status: Value = serde_json::from_str(&status).unwrap();
        assert_eq!(status["records"]["software_protected"], is_software, "{status}");
        let doctor = keywarden(hsm.folder.path(), &["doctor"]).envs(hsm.variables()).output().unwrap();
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(said.contains("protected by this machine's files only"), is_software, "{said}");
        let page = server.get_as("/sign-in", "text/html");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert_eq!(page.contains("Software-protected"), is_software, "{page}");
        server.stop();
    }
}

#[test]
fn a_wrong_pin_is_never_tried_a_third_time_whatever_is_started_again() {
    let mut hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    server.stop();
    let before = hsm.logins();
    let wrong = hsm.folder.path().join("wrong-pin");
    fs::write(&wrong, "0000").unwrap();
    for (name, value) in &mut hsm.variables {
        if *name == "KEYWARDEN_PKCS11_PIN_FILE" {
            wrong.to_str().unwrap().clone_into(value);
        }
    }
    for _ in 0..3 {
        let server = hsm.start();
        server.becomes("PIN");
        sleep(Duration::from_millis(2500));
        server.stop();
    }
    assert_eq!(hsm.logins() - before, 2);
}

#[test]
fn a_login_that_fails_in_general_is_tried_again_slowly_and_the_server_comes_back_by_itself() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    let before = hsm.logins();
    // Degraded: the library's process is gone, and the next one cannot log in.
    hsm.fails_by("login-error");
    let [library] = libraries(&server)[..] else { panic!("not one process: {:?}", libraries(&server)) };
    kill(Pid::from_raw(library), Signal::SIGKILL).unwrap();
    server.waits_for("a try", || hsm.logins() > before);
    server.becomes("degraded");
    sleep(Duration::from_millis(1500));
    assert_eq!(hsm.logins() - before, 1, "tried again at once");
    server.waits_for("another try", || hsm.logins() - before == 2);
    server.becomes("degraded");
    server.stop();
    // Sealed, and no more tries by starting again.
    for _ in 0..2 {
        let server = hsm.start();
        server.becomes("no clear answer");
        server.stop();
    }
    assert_eq!(hsm.logins() - before, 2, "tried again by starting again");
    let server = hsm.start();
    for tries in 3..5 {
        hsm.has_rested();
        server.waits_for("another try", || hsm.logins() - before == tries);
        server.becomes("no clear answer");
    }
    hsm.fails_by("");
    sleep(Duration::from_millis(1500));
    assert_eq!(hsm.logins() - before, 4, "tried before its rest was over");
    hsm.has_rested();
    server.becomes("\"ready\"");
    assert_eq!(fs::read_to_string(hsm.attempts()).unwrap(), "", "the PIN is as good as any");
    server.stop();
}

#[test]
fn a_device_that_breaks_at_the_login_is_not_tried_again_at_once() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    server.stop();
    let before = hsm.logins();
    hsm.fails_by("login-broken");
    // It may have counted the PIN before it broke.
    let server = hsm.start();
    server.becomes("no clear answer");
    assert_eq!(hsm.logins() - before, 1);
    hsm.fails_by("");
    hsm.has_rested();
    server.becomes("\"ready\"");
    server.stop();
}

#[test]
fn a_locked_pin_is_left_alone_and_unseals_the_server_once_it_is_unlocked() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    server.stop();
    let before = hsm.logins();
    hsm.fails_by("locked");
    let server = hsm.start();
    server.becomes("locked");
    sleep(Duration::from_millis(1500));
    assert_eq!(hsm.logins() - before, 1);
    hsm.fails_by("");
    server.becomes("\"ready\"");
    server.stop();
}

#[test]
fn the_library_lives_in_a_process_that_knows_nothing_and_is_replaced_when_it_dies() {
    let hsm = Hsm::new();
    let server = hsm.start();
    server.becomes("\"ready\"");
    let [library] = libraries(&server)[..] else { panic!("not one process: {:?}", libraries(&server)) };
    let environment = fs::read(format!("/proc/{library}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("SHIM_LIBRARY") && !environment.contains("KEYWARDEN_"), "{environment}");
    let files: Vec<_> = fs::read_dir(format!("/proc/{library}/fd"))
        .unwrap()
        .filter_map(|it| fs::read_link(it.unwrap().path()).ok())
        .map(|it| it.to_string_lossy().into_owned())
        .filter(|it| it.starts_with(hsm.folder.path().to_str().unwrap()))
        .collect();
    assert!(files.is_empty(), "{files:?}");
    kill(Pid::from_raw(library), Signal::SIGKILL).unwrap();
    server.waits_for("another process", || {
        let now = libraries(&server);
        !now.is_empty() && !now.contains(&library)
    });
    server.becomes("\"ready\"");
    let [library] = libraries(&server)[..] else { panic!("not one process: {:?}", libraries(&server)) };
    server.signal(Signal::SIGKILL);
    let gone = || !Path::new(&format!("/proc/{library}")).exists();
    server.waits_for("the end of the process", || {
        gone() || fs::read_to_string(format!("/proc/{library}/stat")).is_ok_and(|it| it.contains(") Z "))
    });
}
