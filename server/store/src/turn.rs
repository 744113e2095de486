//! Processes that open one SQLite file take turns.
//!
//! SQLite makes a file a write-ahead one under a lock that it does not wait for, and migrations run without any lock at all. So
//! whoever opens a file holds its folder meanwhile: the kernel lets go of that however the process ends, and nothing lies
//! around afterwards. The file itself is not locked, for to close it would take SQLite's own locks away (POSIX, fcntl).

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use tokio::time::sleep;

use crate::folder;

/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);

/// Held while a file is opened, or while something is done that only one process may.
#[derive(Debug)]
pub(crate) struct Turn {
    _folder: Option<File>,
}

impl Turn {
    /// Waits until no other process opens a file in the same folder, for so long at most. Where folders cannot be locked, or
    /// there is none, nobody waits: opening tells what is wrong.
    pub(crate) async fn at(path: &Path, patience: Duration) -> Self {
        let Ok(folder) = folder::open(path) else {
            return Self { _folder: None };
        };
        let mut waited = Duration::ZERO;
        loop {
            match folder.try_lock() {
                Ok(()) => return Self { _folder: Some(folder) },
                Err(TryLockError::WouldBlock) if waited < patience => {
                    sleep(PAUSE).await;
                    waited = waited.saturating_add(PAUSE);
                }
                Err(cause) => {
                    tracing::debug!(%cause, path = %path.display(), "opened without a turn");
                    return Self { _folder: None };
                }
            }
        }
    }

    /// Without waiting; nothing while another has the folder.
    pub(crate) fn now(path: &Path) -> Option<Self> {
        match folder::open(path).map(|folder| (folder.try_lock(), folder)) {
            Ok((Ok(()), folder)) => Some(Self { _folder: Some(folder) }),
            Ok((Err(TryLockError::WouldBlock), _)) => None,
            Ok((Err(TryLockError::Error(_)), _)) | Err(_) => Some(Self { _folder: None }),
        }
    }
}
