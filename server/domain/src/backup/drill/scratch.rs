//! Where a backup is restored for a look: a folder of its own, and a token of its own, gone when it is dropped.

use std::fs::{DirBuilder, File};
use std::io::{self, BufReader, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keywarden_store::{Location, Store};
use keywarden_vault::seal::memory::MemorySeal;
use keywarden_vault::seal::softhsm::ScratchTokens;
use keywarden_vault::{Keyring, Seal};
use nix::sys::statvfs::statvfs;
use tokio::task::spawn_blocking;

use super::run::Broken;
use super::{DrillSeal, Drills};
use crate::{Domain, Env, Fault, Settings};

/// Room that a restore needs for each byte of the backup: the rows, their indexes, and both once more in the journal.
const ROOM: u64 = 4;
const MIB: u64 = 1 << 20;

/// An empty house on a database of its own, under a seal that nothing on a disk opens.
pub(super) struct Scratch {
    pub(super) house: Domain,
    pub(super) seals: [Arc<dyn Seal>; 1],
    /// What that seal is.
    pub(super) under: DrillSeal,
    // The last: a token's process has ended when its files go.
    _folder: Folder,
}

impl Scratch {
    /// Makes it; what an earlier one left is removed.
    pub(super) async fn make(of: &Domain, drills: &Drills, backup: u64) -> Result<Self, Broken> {
        let folder = Folder::make(&drills.folder)?;
        let room = folder.room()?;
        if room / ROOM < backup {
            let (needs, has) = (backup.saturating_mul(ROOM).div_ceil(MIB), room / MIB);
            let why = format!("the data folder's disk has {has} MiB free, and this takes {needs} MiB");
            return Err(Broken::Scratch(why));
        }
        let location = Location::Sqlite(folder.0.join("drill.db"));
        let store = Store::open(&location).await.map_err(|cause| Broken::Scratch(cause.to_string()))?;
        let (tokens, path, forked) = (drills.tokens.clone(), folder.0.clone(), of.env().clone());
        let made = spawn_blocking(move || fresh_seal(tokens, &path, &forked)).await;
        let (seal, under) = made.map_err(|error| Fault::Unexpected(error.to_string()))?;
        let (env, ticks) = (of.env().clone(), of.env().clone());
        let keyring = Arc::new(Keyring::new(Duration::ZERO, move || ticks.monotonic()));
        let settings =
            Settings { backups: None, drills: None, seals: vec![Arc::clone(&seal)], ..of.settings().clone() };
        let house = Domain::new(store, keyring, env, settings)?;
        Ok(Self { house, seals: [seal], under, _folder: folder })
    }

    /// Takes it away. A token's process is waited for, and nobody need wait with it.
    pub(super) async fn remove(self) {
        drop(spawn_blocking(move || drop(self)).await); // it holds nothing that could fail
    }
}

/// An empty token's, where one can be made; else one in memory. Blocks.
fn fresh_seal(tokens: Result<ScratchTokens, String>, folder: &Path, env: &Env) -> (Arc<dyn Seal>, DrillSeal) {
    let mut rng = env.fork();
    let made = tokens.and_then(|it| it.make(folder, &mut rng).map_err(|cause| cause.to_string()));
    match made {
        Ok(seal) => (Arc::new(seal), DrillSeal::Token),
        Err(why) => (Arc::new(MemorySeal::generate("drill", &mut rng)), DrillSeal::Software { why }),
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.house.keyring().zeroize();
    }
}

/// Opens the backup from its beginning.
pub(super) fn opener(file: PathBuf) -> impl Fn() -> io::Result<BufReader<File>> + Clone + Send + Sync {
    move || File::open(&file).map(BufReader::new)
}

struct Folder(PathBuf);

impl Folder {
    fn make(path: &Path) -> Result<Self, Broken> {
        let failed = |cause: io::Error| Broken::Scratch(format!("cannot make `{}`: {cause}", path.display()));
        match std::fs::remove_dir_all(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(failed(cause)),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(path).map_err(failed)?;
        Ok(Self(path.to_owned()))
    }

    fn room(&self) -> Result<u64, Broken> {
        let failed = |cause: nix::Error| Broken::Scratch(format!("cannot ask for the disk's room: {cause}"));
        let disk = statvfs(&self.0).map_err(failed)?;
        #[allow(clippy::useless_conversion, reason = "the width of these fields differs between platforms")]
        let free = u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size()));
        Ok(free)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0)); // what stays is removed by the next one, and opens nowhere
    }
}
