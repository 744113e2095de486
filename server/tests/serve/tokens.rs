//! An HSM that is not the one it was: another token that bears its name, a module that is gone. Nothing is lost by it.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use keywarden_vault::seal::softhsm::find_module;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    house::{Server, printed},
    hsm::{Hsm, libraries, post, shim},
};

const SECRET: &str = "/api/v1/projects/pay/environments/live/secrets/held";

/// Puts a value, and gives the token that reads it.
fn puts(hsm: &Hsm, server: &Server) -> String {
    let admin = hsm.token();
    post(server, "/api/v1/projects", &admin, &json!({ "slug": "pay", "name": "Payments" }));
    let live = json!({ "slug": "live", "name": "Live", "label": "live" });
    post(server, "/api/v1/projects/pay/environments", &admin, &live);
    let put = server.send("PUT", SECRET, &admin, &json!({ "value": "nothing is lost" }).to_string());
    assert!(put.starts_with("HTTP/1.1 201"), "{put}");
    admin
}

fn is_there(server: &Server, admin: &str) {
    let read = server.get_with(SECRET, &[("Authorization", &format!("Bearer {admin}"))]);
    assert!(read.starts_with("HTTP/1.1 200") && read.contains("nothing is lost"), "{read}");
}

/// A library looks for tokens when it is started.
fn starts_its_library_again(server: &Server) {
    let [library] = libraries(server)[..] else { panic!("not one process: {:?}", libraries(server)) };
    kill(Pid::from_raw(library), Signal::SIGKILL).unwrap();
}

/// The folder of the only token that an HSM has, and the file with its PIN.
fn of(hsm: &Hsm) -> (PathBuf, PathBuf) {
    let softhsm = hsm.folder.path().join("maker/data/softhsm");
    let mut tokens = fs::read_dir(softhsm.join("tokens")).unwrap().map(|it| it.unwrap().path());
    let token = tokens.next().unwrap();
    assert_eq!(tokens.next(), None);
    (token, softhsm.join("pin"))
}

/// Copies a token, which stays its owner's: a library opens none that is somebody else's.
fn copy(from: &Path, to: &Path) {
    let owner = fs::metadata(from).unwrap();
    let give = |path: &Path| chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::create_dir(to).unwrap();
    give(to);
    for file in fs::read_dir(from).unwrap().map(|it| it.unwrap()) {
        let copy = to.join(file.file_name());
        fs::copy(file.path(), &copy).unwrap();
        give(&copy);
    }
}

/// The serial number of its one token, as SoftHSM2 tells it.
fn serial_of(hsm: &Hsm) -> String {
    let library = find_module().unwrap();
    let mut asks = Command::new("softhsm2-util");
    asks.args(["--show-slots", "--module"]).arg(library).envs(hsm.variables());
    let answer = String::from_utf8(asks.output().unwrap().stdout).unwrap();
    let mut serials = answer.lines().filter_map(|line| line.trim().strip_prefix("Serial number:"));
    let serial = serials.find(|serial| !serial.trim().is_empty()).unwrap_or_else(|| panic!("{answer}"));
    serial.trim().to_owned()
}

#[test]
fn another_token_of_the_same_name_is_told_from_ours() {
    let (hsm, other) = (Hsm::new(), Hsm::new());
    let server = hsm.start();
    server.becomes("\"ready\"");
    let admin = puts(&hsm, &server);
    let ((ours, pin), (theirs, their_pin)) = (of(&hsm), of(&other));
    let serial = serial_of(&hsm);
    let beside = ours.with_file_name(theirs.file_name().unwrap());
    copy(&theirs, &beside);
    starts_its_library_again(&server);
    server.becomes("degraded");
    is_there(&server, &admin);
    server.stop();
    let server = hsm.start();
    server.becomes("more than one token");
    let advice = printed(hsm.folder.path(), &hsm.variables(), &["status", "--json"]);
    assert!(advice.contains("KEYWARDEN_PKCS11_SERIAL"), "{advice}");
    server.stop();
    let named = [&hsm.variables()[..], &[("KEYWARDEN_PKCS11_SERIAL", serial.as_str())]].concat();
    let server = Server::start_with(hsm.folder.path(), &named);
    server.becomes("\"ready\"");
    is_there(&server, &admin);
    server.stop();

    // Only the other one: it takes its own PIN, and its key is not ours.
    let (away, our_pin) = (hsm.folder.path().join("away"), fs::read(&pin).unwrap());
    fs::rename(&ours, &away).unwrap();
    fs::copy(their_pin, &pin).unwrap();
    let server = hsm.start();
    let answer = server.becomes("wrapped by another key");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    server.stop();

    fs::remove_dir_all(beside).unwrap();
    fs::rename(away, ours).unwrap();
    fs::write(&pin, our_pin).unwrap();
    let server = hsm.start();
    server.becomes("\"ready\"");
    is_there(&server, &admin);
    server.stop();
}

#[test]
fn a_module_that_is_gone_leaves_the_keys_in_memory_and_one_that_is_back_unseals() {
    let mut hsm = Hsm::new();
    let [module, away] = ["module.so", "away.so"].map(|name| hsm.folder.path().join(name));
    fs::copy(shim(hsm.folder.path()), &module).unwrap();
    for (name, value) in &mut hsm.variables {
        if *name == "KEYWARDEN_PKCS11_MODULE" {
            module.to_str().unwrap().clone_into(value);
        }
    }
    let server = hsm.start();
    server.becomes("\"ready\"");
    let admin = puts(&hsm, &server);
    fs::rename(&module, &away).unwrap();
    starts_its_library_again(&server);
    server.becomes("degraded");
    is_there(&server, &admin);
    server.stop();

    let server = hsm.start();
    let answer = server.becomes("does not load");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    fs::rename(&away, &module).unwrap();
    server.becomes("\"ready\"");
    is_there(&server, &admin);
    server.stop();
}
