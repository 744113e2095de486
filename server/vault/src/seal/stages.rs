//! Tests with a real SoftHSM2. It keeps its state in the process and reads its environment once, so each
//! stage of such a test is a process of its own: the test's binary, run again for that one test.

use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::pkcs11::{Attempts, Module, Pin, Pkcs11Seal, Token};
use super::softhsm::{SoftHsm, find_module};
use crate::secret::SecretString;

const FOLDER: &str = "KEYWARDEN_STAGE_FOLDER";
const STAGE: &str = "KEYWARDEN_STAGE";

/// Runs the stages one after the other, each in its own process, on one data folder. `name` is the test's
/// full path.
pub(super) fn run(name: &str, stages: &[fn(&Path)]) {
    if let (Some(folder), Some(stage)) = (std::env::var_os(FOLDER), std::env::var_os(STAGE)) {
        let at: usize = stage.to_str().unwrap().parse().unwrap();
        return stages[at](Path::new(&folder));
    }
    let (_, name) = name.split_once("::").unwrap();
    let data = tempfile::tempdir().unwrap();
    let variable = SoftHsm::at(data.path()).prepare().unwrap();
    for stage in 0..stages.len() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(FOLDER, data.path())
            .env(STAGE, stage.to_string())
            .env(variable.name, &variable.value)
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

pub(super) fn module() -> Module {
    Module::load(find_module().unwrap()).unwrap()
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
