//! Tests with a real SoftHSM2. It is told its folder by the environment, so each stage of such a test is a process of its
//! own: the test's binary, run again for that one test.

#![expect(clippy::disallowed_methods, reason = "a stage is told by its environment which one it is")]

use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::pkcs11::{Attempts, Launch, Module, Pin, Pkcs11Seal, Token, serve_library};
use super::softhsm::{SoftHsm, find_module};
use crate::secret::SecretString;

const FOLDER: &str = "KEYWARDEN_STAGE_FOLDER";
const STAGE: &str = "KEYWARDEN_STAGE";
const LIBRARY: &str = "KEYWARDEN_STAGE_LIBRARY";

/// Runs the stages one after the other, each in its own process, on one data folder. `name` is the test's
/// full path.
pub(super) fn run(name: &str, stages: &[fn(&Path)]) {
    if let (Some(folder), Some(stage)) = (std::env::var_os(FOLDER), std::env::var_os(STAGE)) {
        let at: usize = stage.to_str().unwrap().parse().unwrap();
        return stages[at](Path::new(&folder));
    }
    let (_, name) = name.split_once("::").unwrap();
    let data = tempfile::tempdir().unwrap();
    SoftHsm::at(data.path()).prepare().unwrap();
    for stage in 0..stages.len() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(FOLDER, data.path())
            .env(STAGE, stage.to_string())
            .env("SOFTHSM2_CONF", data.path().join("softhsm/softhsm2.conf"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "stage {stage}:\n{said}\n{errors}");
        assert!(said.contains("1 passed"), "stage {stage} ran no test:\n{said}");
    }
}

pub(super) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// A library's process is the test's binary once more, for the test below.
pub(super) fn launch() -> Launch {
    let (_, this) = module_path!().split_once("::").unwrap();
    Launch::again([&format!("{this}::the_process_of_a_library"), "--exact", "--nocapture"]).with(LIBRARY, "1")
}

#[test]
fn the_process_of_a_library() {
    if std::env::var_os(LIBRARY).is_some() {
        serve_library().unwrap();
    }
}

pub(super) fn module() -> Module {
    Module::load(find_module().unwrap(), launch()).unwrap()
}

/// The embedded token with its key.
pub(super) fn create(data: &Path) {
    SoftHsm::at(data).create(&module(), &mut rng()).unwrap();
}

/// The embedded token, asked with a PIN of the test's choice.
pub(super) fn seal_with_pin(data: &Path, module: &Module, pin: &str) -> Pkcs11Seal {
    let token = Token {
        label: "keywarden".to_owned(),
        serial: None,
        pin: Pin::Given(SecretString::new(pin.to_owned())),
        attempts: Attempts::at(data.join("softhsm/pin-attempts"), &mut rng()),
    };
    Pkcs11Seal::new(module, token)
}
