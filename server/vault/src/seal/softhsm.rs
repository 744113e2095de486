//! The embedded token: SoftHSM2 with a folder of its own inside the data folder.
//!
//! ```text
//! <data>/softhsm/softhsm2.conf   what SOFTHSM2_CONF must point to
//!                tokens/         the token
//!                pin, so-pin     random, mode 0600
//!                pin-attempts    the memory of refused PINs
//! ```
//! SoftHSM2 learns its folder from the environment of the process that loads it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rand::CryptoRng;

use super::file::{create_private, read_private, replace};
use super::pkcs11::{Attempts, Launch, Module, Pin, Pkcs11Seal, Token};
use super::{Protection, SealError, SealKind};
use crate::base62;
use crate::secret::SecretString;

/// The embedded token's label.
pub const TOKEN_LABEL: &str = "keywarden";

/// Where distributions put the library.
const MODULES: [&str; 8] = [
    "/usr/lib/softhsm/libsofthsm2.so", // Debian, Ubuntu, Arch, Alpine
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", // Debian, multi-arch
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", // Debian, multi-arch
    "/usr/lib64/pkcs11/libsofthsm2.so", // Fedora, RHEL
    "/usr/lib64/softhsm/libsofthsm2.so", // older Fedora, openSUSE
    "/usr/lib64/libsofthsm2.so",       // Fedora
    "/usr/lib/pkcs11/libsofthsm2.so",  // openSUSE
    "/usr/local/lib/softhsm/libsofthsm2.so", // built from source
];

/// Characters of a PIN: 142 random bits.
const PIN_LEN: usize = 24;

/// The library is not on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SoftHSM2 is not installed: install the package `softhsm2` (Debian) or `softhsm` (Fedora), or choose another seal"
)]
pub struct NotInstalled;

/// The library's file, where distributions put it.
pub fn find_module() -> Result<PathBuf, NotInstalled> {
    MODULES.iter().map(PathBuf::from).find(|path| path.exists()).ok_or(NotInstalled)
}

/// The embedded token's folder.
#[derive(Debug, Clone)]
pub struct SoftHsm {
    folder: PathBuf,
}

impl SoftHsm {
    /// Inside a data folder.
    pub fn at(data: &Path) -> Self {
        Self { folder: data.join("softhsm") }
    }

    /// Makes the folder (mode 0700) and its configuration.
    pub fn prepare(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.tokens())?;
        let folder = self.folder.canonicalize()?;
        let tokens = folder.join("tokens");
        let tokens = tokens.to_str().filter(|path| !path.contains(['\n', '\r', '#', '=']));
        let tokens = tokens.ok_or_else(|| {
            io::Error::other(
                "SoftHSM2 cannot use a data folder whose path is not UTF-8 or contains `#` or `=`",
            )
        })?;
        let text = format!(
            "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n\
             slots.removable = false\n"
        );
        let value = folder.join("softhsm2.conf");
        if std::fs::read_to_string(&value).ok().as_deref() != Some(&text) {
            replace(&value, &text)?;
        }
        Ok(())
    }

    /// How the process of its library is started, so that it finds the token.
    pub fn launch(&self, launch: Launch) -> io::Result<Launch> {
        let folder = std::path::absolute(&self.folder)?;
        Ok(launch.with("SOFTHSM2_CONF", folder.join("softhsm2.conf")))
    }

    /// The seal, whether the token is there or not. `module` is the one that [`find_module`] found, with a process that is
    /// started by [`SoftHsm::launch`].
    pub fn seal(&self, module: &Module, rng: &mut dyn CryptoRng) -> Pkcs11Seal {
        Pkcs11Seal::of_kind(SealKind::SoftHsm, Protection::Software, module, self.token(rng))
    }

    /// Makes the token, its PINs and its key, unless they are there. To be called on the first start only: a
    /// token that got lost must be noticed, not replaced.
    pub fn create(&self, module: &Module, rng: &mut dyn CryptoRng) -> Result<(), SealError> {
        let pins = [self.folder.join("so-pin"), self.folder.join("pin")];
        // PINs are written before the token is made, so that no token is ever without them.
        let first = std::fs::read_dir(self.tokens()).is_ok_and(|mut tokens| tokens.next().is_none());
        for path in pins.iter().filter(|_| first) {
            let pin = SecretString::new(base62::random::<PIN_LEN>(rng).map(char::from).iter().collect());
            create_private(path, pin.expose()).map_err(|error| missing(path, &error))?;
        }
        for path in &pins {
            read_private(path, 256).map_err(|error| missing(path, &error))?;
        }
        let [so_pin, _] = &pins;
        let so_pin = read_private(so_pin, 256).map_err(|error| missing(so_pin, &error))?;
        let seal = self.seal(module, rng);
        seal.create_token(&so_pin)?;
        seal.create_key()
    }

    fn token(&self, rng: &mut dyn CryptoRng) -> Token {
        Token {
            label: TOKEN_LABEL.to_owned(),
            serial: None,
            pin: Pin::File(self.folder.join("pin")),
            attempts: Attempts::at(self.folder.join("pin-attempts"), rng),
        }
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }
}

fn missing(path: &Path, error: &io::Error) -> SealError {
    SealError::PinMissing { path: path.to_owned(), cause: error.to_string() }
}

#[cfg(test)]
mod tests;
