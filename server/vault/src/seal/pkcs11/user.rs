//! Whom the process of a library runs as.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{self, Gid, Uid, getegid, geteuid, initgroups, setgroups, setresgid, setresuid};
use serde::{Deserialize, Serialize};

/// What `nobody` is where the machine does not say.
const NOBODY: u32 = 65_534;

/// A user and a group of this machine, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's number.
    pub user: u32,
    /// The group's.
    pub group: u32,
}

impl User {
    /// Who may do everything.
    pub const ROOT: Self = Self { user: 0, group: 0 };

    /// Whom this process runs as.
    pub fn current() -> Self {
        Self { user: geteuid().as_raw(), group: getegid().as_raw() }
    }

    /// Who owns nothing, as this machine has it.
    pub fn nobody() -> Self {
        let known = unistd::User::from_name("nobody").ok().flatten().filter(|it| !it.uid.is_root());
        known.map_or(Self { user: NOBODY, group: NOBODY }, Self::from)
    }

    /// Whose a file or folder is, with the group that this machine has for him.
    pub fn owner_of(path: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(path)?;
        let known = unistd::User::from_uid(Uid::from_raw(file.uid())).ok().flatten();
        Ok(known.map_or(Self { user: file.uid(), group: file.gid() }, Self::from))
    }

    /// True for root, whatever its group.
    pub fn is_root(self) -> bool {
        self.user == Self::ROOT.user
    }

    /// The home folder; the root folder for a number without a name.
    pub(super) fn home(self) -> PathBuf {
        let known = unistd::User::from_uid(Uid::from_raw(self.user)).ok().flatten();
        known.map_or_else(|| PathBuf::from("/"), |it| it.dir)
    }

    /// Makes this process his for good: no other group, unless he is to be in all of his, no capability, and no program that it
    /// starts has more. Only root can; whoever is him already stays as he is.
    pub(super) fn assume(self, all_groups: bool) -> io::Result<()> {
        if self == Self::current() {
            return Ok(());
        }
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        let known = unistd::User::from_uid(user).ok().flatten().filter(|_| all_groups);
        match known.map(|it| CString::new(it.name)).transpose()? {
            Some(name) => initgroups(&name, group)?,
            None => setgroups(&[])?,
        }
        setresgid(group, group, group)?;
        setresuid(user, user, user)?;
        let root = Uid::from_raw(Self::ROOT.user);
        if !self.is_root() && setresuid(root, root, root).is_ok() {
            return Err(io::Error::other("root could be had again"));
        }
        Ok(set_no_new_privs()?)
    }
}

impl From<unistd::User> for User {
    fn from(known: unistd::User) -> Self {
        Self { user: known.uid.as_raw(), group: known.gid.as_raw() }
    }
}

impl FromStr for User {
    type Err = String;

    /// A name of this machine, or numbers: `keywarden-hsm`, `993`, `993:991`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || {
            format!("there is no user `{text}` on this machine; write its name, or `user:group` as numbers")
        };
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        if let (Ok(user), Ok(group)) = (user.parse(), group.parse()) {
            return Ok(Self { user, group });
        }
        let known = unistd::User::from_name(text).map_err(|cause| cause.to_string())?;
        known.map(Self::from).ok_or_else(unknown)
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.user, self.group)
    }
}
