//! A token for one use: empty, new, and gone with its folder.
//!
//! **Invariant:** its PINs are in memory only. SoftHSM2 encrypts what a token holds under its PINs: files that a killed
//! process leaves behind open for nobody.

use std::io;
use std::path::{Path, PathBuf};

use rand::CryptoRng;

use super::{SoftHsm, fresh_pin};
use crate::seal::pkcs11::{Attempts, Launch, Module, Pin, Pkcs11Seal, Token};
use crate::seal::{Protection, SealError, SealKind};

/// The label of such a token: another one than the embedded token's.
pub const SCRATCH_LABEL: &str = "keywarden-scratch";

/// How such tokens are made on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchTokens {
    library: PathBuf,
    launch: Launch,
}

/// Why one was not made.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// Its folder cannot be made, or be given to whom the library runs as.
    #[error("the folder of its token cannot be used: {0}")]
    Folder(#[from] io::Error),
    /// The library refused.
    #[error(transparent)]
    Refused(#[from] SealError),
}

impl ScratchTokens {
    /// By the library that [`super::find_module`] found, in processes that are started so.
    pub fn of(library: PathBuf, launch: Launch) -> Self {
        Self { library, launch }
    }

    /// Makes a token with its key below this folder, which is the caller's to remove after the seal is dropped. Its library has
    /// a process of its own, which that drop ends. Blocks.
    pub fn make(&self, folder: &Path, rng: &mut dyn CryptoRng) -> Result<Pkcs11Seal, ScratchError> {
        let softhsm = SoftHsm::at(folder);
        softhsm.prepare()?;
        if let Some(user) = self.launch.user() {
            softhsm.hand_over(user)?;
        }
        let module = Module::load(&self.library, softhsm.launch(self.launch.clone())?)?;
        let so_pin = fresh_pin(rng);
        let token = Token {
            label: SCRATCH_LABEL.to_owned(),
            serial: None,
            pin: Pin::Given(fresh_pin(rng)),
            attempts: Attempts::at(softhsm.folder.join("pin-attempts"), rng),
        };
        let seal = Pkcs11Seal::of_kind(SealKind::SoftHsm, Protection::Software, &module, token);
        seal.create_token(&so_pin)?;
        seal.create_key()?;
        Ok(seal)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::read_dir;

    use super::*;
    use crate::seal::Seal;
    use crate::seal::pkcs11::User;
    use crate::seal::softhsm::find_module;
    use crate::seal::stages::{launch, rng};
    use crate::secret::SecretBytes;

    #[test]
    fn each_is_empty_has_a_key_of_its_own_and_leaves_no_pin_on_the_disk() {
        let mut launches = vec![launch()];
        if User::current().is_root() {
            launches.push(launch().as_user(User::nobody()));
        }
        for launch in launches {
            let folder = tempfile::tempdir().unwrap();
            let tokens = ScratchTokens::of(find_module().unwrap(), launch);
            let mut rng = rng();
            let [one, two] = ["one", "two"].map(|it| tokens.make(&folder.path().join(it), &mut rng).unwrap());
            assert_eq!(one.describe().id.as_str(), "softhsm:keywarden-scratch");
            assert_eq!((one.keys().unwrap(), two.keys().unwrap()), (vec![1], vec![1]));
            let wrapped = one.wrap(b"row", &SecretBytes::new(vec![7; 32]), &mut rng).unwrap();
            assert_eq!(one.unwrap(b"row", &wrapped).unwrap().expose(), [7; 32]);
            assert_eq!(two.unwrap(b"row", &wrapped).unwrap_err(), SealError::AuthenticationFailed);
            let names = read_dir(folder.path().join("one/softhsm")).unwrap();
            for name in names.map(|it| it.unwrap().file_name().into_string().unwrap()) {
                let known = ["library.conf", "pin-attempts", "pin-attempts.lock", "softhsm2.conf", "tokens"];
                assert!(known.contains(&name.as_str()), "{name}");
            }
            let attempts = std::fs::read_to_string(folder.path().join("one/softhsm/pin-attempts")).unwrap();
            assert_eq!(attempts, "", "an accepted PIN leaves no mark");
            drop(one);
            two.probe().unwrap();
        }
    }
}
