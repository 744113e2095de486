//! A token's own file, which holds its PINs and, encrypted with them, its keys' key: a copy that is kept, and put back.
//!
//! At each login SoftHSM2 empties that file and writes it again, and syncs nothing. A process that is killed between, a disk
//! that is full just then and a power cut would take everything with them. A file that is not [`is_whole`] is replaced by the
//! copy; a copy is replaced by nothing but a file that is whole and has opened.
//!
//! **Invariant:** where the token is another user's, all in its folder may be what he likes, and be something else a moment
//! later. Everything here is done in a folder that is held open, to a file that is his alone, and leaves it his.

use std::fs::{File, read_dir};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, geteuid, unlinkat};
use rand::CryptoRng;

use super::SoftHsm;
use crate::base62;
use crate::seal::file::replace_bytes;

const NAME: &str = "token.object";

/// What the name of a draft begins and ends with; between stands what nobody can know before, so that nothing lies in its way.
const DRAFT: (&str, &str) = ("token.object.", ".new");
const DRAFT_LEN: usize = 16;

/// More than such a file ever has.
const MOST: u64 = 64 * 1024;

impl SoftHsm {
    /// Keeps a copy of each token's own file. To be called once the token has opened with it.
    pub fn keep(&self) -> io::Result<()> {
        self.keep_where(|_| true)
    }

    /// Keeps a copy where none is. To be called before the token is used: the first login may be the one that is cut short.
    pub fn keep_first(&self) -> io::Result<()> {
        self.keep_where(|kept| !is_whole(kept))
    }

    fn keep_where(&self, replaces: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        for place in self.places()? {
            let kept = read_copy(&place.copy)?;
            let Some(own) = place.own()? else { continue };
            if is_whole(&own) && own != kept && replaces(&kept) {
                replace_bytes(&place.copy, &own)?;
            }
        }
        Ok(())
    }

    /// Puts what was kept of a token in the place of its own file, where that is missing or not whole; whether any was. Whoever
    /// logs in to the token at this moment writes to a file that is gone by then, which changes nothing of it.
    pub fn put_back(&self, rng: &mut dyn CryptoRng) -> io::Result<bool> {
        let mut any = false;
        for place in self.places()? {
            let kept = read_copy(&place.copy)?;
            let is_lost = is_whole(&kept) && place.own()?.is_some_and(|own| !is_whole(&own));
            if is_lost {
                place.put(&kept, rng)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Of each token that is there.
    fn places(&self) -> io::Result<Vec<Place>> {
        let tokens = File::open(self.tokens())?;
        let owner = tokens.metadata()?;
        let mut places = Vec::new();
        for token in read_dir(self.tokens())? {
            let name = token?.file_name();
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let Ok(folder) = openat(&tokens, name.as_os_str(), flags, Mode::empty()) else { continue };
            let folder = File::from(folder);
            if folder.metadata()?.uid() == owner.uid() {
                let copy = self.folder.join(name).with_added_extension("kept");
                let (user, group) = (owner.uid(), owner.gid());
                places.push(Place { folder, copy, user, group });
            }
        }
        Ok(places)
    }
}

/// Where a token's own file is, and its copy; whose it is.
struct Place {
    folder: File,
    copy: PathBuf,
    user: u32,
    group: u32,
}

impl Place {
    /// What the file holds, nothing where there is none; `None` for what is not its user's alone, or cannot be read.
    fn own(&self) -> io::Result<Option<Vec<u8>>> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&self.folder, NAME, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::ENOENT) => return Ok(Some(Vec::new())),
            Err(_) => return Ok(None),
        };
        let there = file.metadata()?;
        if !there.is_file() || there.uid() != self.user || there.nlink() != 1 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Whole or not at all, and on the disk on return.
    fn put(&self, bytes: &[u8], rng: &mut dyn CryptoRng) -> io::Result<()> {
        self.forget_drafts()?;
        let drawn = base62::random::<DRAFT_LEN>(rng).map(char::from).iter().collect::<String>();
        let name = [DRAFT.0, &drawn, DRAFT.1].concat();
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut draft =
            File::from(openat(&self.folder, name.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
        self.write(&mut draft, &name, bytes).inspect_err(|_| {
            unlinkat(&self.folder, name.as_str(), UnlinkatFlags::NoRemoveDir).ok();
        })?;
        self.folder.sync_all()
    }

    fn write(&self, draft: &mut File, name: &str, bytes: &[u8]) -> io::Result<()> {
        draft.write_all(bytes)?;
        if geteuid().is_root() {
            fchown(&*draft, Some(Uid::from_raw(self.user)), Some(Gid::from_raw(self.group)))?;
        }
        draft.sync_all()?;
        Ok(renameat(&self.folder, name, &self.folder, NAME)?)
    }

    /// Of whoever died over one. What cannot be taken away is in nobody's way.
    fn forget_drafts(&self) -> io::Result<()> {
        let (begin, end) = DRAFT;
        for entry in read_dir(format!("/proc/self/fd/{}", self.folder.as_raw_fd()))? {
            let name = entry?.file_name();
            let is_draft = |name: &[u8]| name.starts_with(begin.as_bytes()) && name.ends_with(end.as_bytes());
            if is_draft(name.as_encoded_bytes()) {
                unlinkat(&self.folder, name.as_os_str(), UnlinkatFlags::NoRemoveDir).ok();
            }
        }
        Ok(())
    }
}

/// Nothing where nothing was kept.
fn read_copy(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(error),
    })
}

/// What SoftHSM2 writes of a token: numbers of eight bytes, the highest first.
///
/// ```text
/// how often it was written | { attribute | kind | value }
/// kinds: 1 a byte · 2 a number · 3 a length and so many bytes
/// ```
const A_BYTE: u64 = 1;
const A_NUMBER: u64 = 2;
const BYTES: u64 = 3;

/// The token's attributes, which are SoftHSM2's own.
const LABEL: u64 = 0x8000_5349;
const SERIAL: u64 = 0x8000_534a;
const FLAGS: u64 = 0x8000_534b;
const SO_PIN: u64 = 0x8000_534c;
const USER_PIN: u64 = 0x8000_534d;

/// The flag of a token that has a PIN of its user (`CKF_USER_PIN_INITIALIZED`).
const HAS_USER_PIN: u64 = 0x8;

/// Whether this is all of a token's own file: it ends where its last attribute does, and has what its flags say. Of the PINs in it
/// only that they are there can be known.
fn is_whole(file: &[u8]) -> bool {
    attributes(file).is_some_and(|found| {
        let pins = if found.flags & HAS_USER_PIN == 0 { 1 } else { 2 };
        found.label && found.serial && found.flags != 0 && found.pins >= pins
    })
}

/// What is there of a token's attributes.
#[derive(Default)]
struct Found {
    label: bool,
    serial: bool,
    flags: u64,
    pins: u8,
}

/// `None` for what is cut short, or nothing that SoftHSM2 writes.
fn attributes(file: &[u8]) -> Option<Found> {
    let mut rest = file;
    let _written = number(&mut rest)?;
    let mut found = Found::default();
    while !rest.is_empty() {
        let attribute = number(&mut rest)?;
        match (number(&mut rest)?, attribute) {
            (A_BYTE, _) => rest = rest.get(1..)?,
            (A_NUMBER, FLAGS) => found.flags = number(&mut rest)?,
            (A_NUMBER, _) => _ = number(&mut rest)?,
            (BYTES, _) => {
                let length = usize::try_from(number(&mut rest)?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                let is_there = !value.is_empty();
                match attribute {
                    LABEL => found.label = is_there,
                    SERIAL => found.serial = is_there,
                    SO_PIN | USER_PIN => found.pins = found.pins.saturating_add(u8::from(is_there)),
                    _ => {}
                }
            }
            _ => return None,
        }
    }
    Some(found)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests;
