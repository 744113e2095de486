//! The embedded token: SoftHSM2 with a folder of its own inside the data folder.
//!
//! ```text
//! <data>/softhsm/softhsm2.conf   what SOFTHSM2_CONF must point to
//!                library.conf    the same for a process that is another user's, and his: from where it stands
//!                tokens/         the token; that user's, if there is one
//!                pin, so-pin     random, mode 0600
//!                *.kept          the token's own file as it was last whole
//!                pin-attempts    the memory of refused PINs, unless nodes share another one
//! ```
//! SoftHSM2 learns its folder from the environment of the process that loads it. It syncs nothing that it writes: whatever it
//! made is synced from here, before anything is wrapped under it. Where root runs the server, that process is somebody else's:
//! the token is handed over to him, and he reaches it by his working folder alone, as the data folder is open to root only.
//! PINs stay root's, who is asked for them.

mod own_file;
mod scratch;

use std::fs::{DirBuilder, Permissions, read_dir, set_permissions, symlink_metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use rand::CryptoRng;

pub use scratch::{SCRATCH_LABEL, ScratchError, ScratchTokens};

use super::file::{create_private, read_private, replace, sync_folder};
use super::pkcs11::{Attempts, Launch, Module, Pin, Pkcs11Seal, Token, User};
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

/// What names SoftHSM2's configuration to it.
const CONF_VARIABLE: &str = "SOFTHSM2_CONF";
const CONF: &str = "softhsm2.conf";

/// What SoftHSM2 reads in a process that is another user's.
const LIBRARY_CONF: &str = "library.conf";

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
    found(&MODULES).ok_or(NotInstalled)
}

fn found(among: &[&str]) -> Option<PathBuf> {
    among.iter().map(PathBuf::from).find(|path| path.exists())
}

/// The embedded token's folder.
#[derive(Debug, Clone)]
pub struct SoftHsm {
    folder: PathBuf,
    attempts: Option<Attempts>,
}

impl SoftHsm {
    /// Inside a data folder.
    pub fn at(data: &Path) -> Self {
        Self { folder: data.join("softhsm"), attempts: None }
    }

    /// With the memory of refused PINs elsewhere than in [`SoftHsm::pin_attempts`].
    #[must_use]
    pub fn remembering(self, attempts: Attempts) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// The file in which refused PINs are remembered.
    pub fn pin_attempts(&self) -> PathBuf {
        self.folder.join("pin-attempts")
    }

    /// The library for its token. Where a token was made and the library is gone, the first place that it may come back to:
    /// that house is sealed, and says so, instead of refusing to start.
    pub fn module(&self) -> Result<PathBuf, NotInstalled> {
        self.module_among(&MODULES)
    }

    fn module_among(&self, places: &[&str]) -> Result<PathBuf, NotInstalled> {
        let awaited = || places.first().filter(|_| self.has_token()).map(PathBuf::from);
        found(places).or_else(awaited).ok_or(NotInstalled)
    }

    /// Whether a token was made here. What cannot be looked at may be one.
    fn has_token(&self) -> bool {
        match read_dir(self.tokens()) {
            Ok(mut entries) => entries.next().is_some(),
            Err(cause) => cause.kind() != io::ErrorKind::NotFound,
        }
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
        write_if_other(&folder.join(CONF), &configuration(tokens))?;
        sync_folder(&folder)
    }

    /// Whose the folder is, which is never handed over: the number of the user that runs the server.
    pub fn servers_user(&self) -> io::Result<u32> {
        Ok(symlink_metadata(&self.folder)?.uid())
    }

    /// Whose the token's folder is: a user's number.
    pub fn owner(&self) -> io::Result<u32> {
        Ok(symlink_metadata(self.tokens())?.uid())
    }

    /// Lets a user have the token, and nothing else here. Only root can, and only of what is root's, or for root: what is
    /// somebody else's may not be what it seems. To be called before anybody uses the token.
    pub fn hand_over(&self, to: User) -> io::Result<()> {
        if to.is_root() && self.servers_user()? != to.user {
            return Ok(()); // root looks after somebody's server
        }
        let owner = self.owner()?;
        if owner != to.user {
            if owner != User::ROOT.user && !to.is_root() {
                let tokens = self.tokens();
                return Err(io::Error::other(format!(
                    "{} belongs to user {owner}: give it and all in it to user {to} first",
                    tokens.display()
                )));
            }
            give(&self.tokens(), to)?;
            if self.owner()? != to.user {
                return Err(io::Error::other("this file system keeps no owners"));
            }
        }
        if to.is_root() {
            return set_permissions(&self.folder, Permissions::from_mode(0o700));
        }
        let value = self.folder.join(LIBRARY_CONF);
        write_if_other(&value, &configuration("tokens"))?;
        lchown(&value, Some(to.user), Some(to.group))?;
        // To pass through: who stands in it reaches the token, and nobody gets here through the data folder.
        set_permissions(&self.folder, Permissions::from_mode(0o711))
    }

    /// How the process of its library is started, so that it finds the token, which must be its user's.
    pub fn launch(&self, launch: Launch) -> io::Result<Launch> {
        let folder = std::path::absolute(&self.folder)?;
        Ok(if launch.user().is_some() {
            launch.with(CONF_VARIABLE, LIBRARY_CONF).in_folder(folder)
        } else {
            launch.with(CONF_VARIABLE, folder.join(CONF))
        })
    }

    /// The seal, whether the token is there or not. `module` is the one that [`find_module`] found, with a process that is
    /// started by [`SoftHsm::launch`].
    pub fn seal(&self, module: &Module, rng: &mut dyn CryptoRng) -> Pkcs11Seal {
        let seal = Pkcs11Seal::of_kind(SealKind::SoftHsm, Protection::Software, module, self.token(rng));
        seal.with_files(self.tokens())
    }

    /// Makes the token, its PINs and its key, unless they are there. To be called on the first start only: a
    /// token that got lost must be noticed, not replaced.
    pub fn create(&self, module: &Module, rng: &mut dyn CryptoRng) -> Result<(), SealError> {
        let pins = [self.folder.join("so-pin"), self.folder.join("pin")];
        // PINs are written before the token is made, so that no token is ever without them.
        let first = read_dir(self.tokens()).is_ok_and(|mut tokens| tokens.next().is_none());
        for path in pins.iter().filter(|_| first) {
            create_private(path, fresh_pin(rng).expose()).map_err(|error| missing(path, &error))?;
        }
        for path in &pins {
            read_private(path, 256).map_err(|error| missing(path, &error))?;
        }
        let [so_pin, _] = &pins;
        let so_pin = read_private(so_pin, 256).map_err(|error| missing(so_pin, &error))?;
        let seal = self.seal(module, rng);
        seal.create_token(&so_pin)?;
        seal.create_key()?;
        let failed =
            |cause: io::Error| SealError::TokenFiles { path: self.tokens(), cause: cause.to_string() };
        self.keep().map_err(failed)
    }

    fn token(&self, rng: &mut dyn CryptoRng) -> Token {
        Token {
            label: TOKEN_LABEL.to_owned(),
            serial: None,
            pin: Pin::File(self.folder.join("pin")),
            attempts: self.attempts.clone().unwrap_or_else(|| Attempts::at(self.pin_attempts(), rng)),
        }
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }
}

fn fresh_pin(rng: &mut dyn CryptoRng) -> SecretString {
    SecretString::new(base62::random::<PIN_LEN>(rng).map(char::from).iter().collect())
}

fn configuration(tokens: &str) -> String {
    format!(
        "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n\
         slots.removable = false\n"
    )
}

fn write_if_other(path: &Path, text: &str) -> io::Result<()> {
    let same = std::fs::read_to_string(path).ok().as_deref() == Some(text);
    if same { Ok(()) } else { replace(path, text) }
}

/// Makes a file, or a folder with all in it, somebody's. The folder last: as long as it is not his, nothing in it moves.
fn give(path: &Path, to: User) -> io::Result<()> {
    if symlink_metadata(path)?.is_dir() {
        for entry in read_dir(path)? {
            give(&entry?.path(), to)?;
        }
    }
    lchown(path, Some(to.user), Some(to.group))
}

fn missing(path: &Path, error: &io::Error) -> SealError {
    SealError::PinMissing { path: path.to_owned(), cause: error.to_string() }
}

#[cfg(test)]
mod tests;
