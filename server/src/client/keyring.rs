//! The kernel's keyring of a user (keyrings(7)): what lies there is on no disk and never swapped out, is read by processes of this
//! user alone, and goes when its time is over, when the machine restarts, or with the user's last process.

use std::{io, time::Duration};

use linux_keyutils::{Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
use zeroize::Zeroizing;

/// More than is ever kept there.
const MAX: usize = 4_096;
/// What a kernel says that was built without keyrings.
const NO_SUCH_CALL: i32 = 38;

/// Whether there is one: a container often has none.
pub(super) fn is_there() -> io::Result<()> {
    ring().map(drop).map_err(why)
}

/// Keeps a text under a name for so long, in place of the one that was there.
pub(super) fn put(name: &str, text: &str, lasts: Duration) -> io::Result<()> {
    let ring = ring().map_err(why)?;
    let key = ring.add_key(name, text).map_err(why)?;
    // By itself a key is read only from where it is linked into the session, as cron and systemd do not do.
    let ours = KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build();
    let seconds = usize::try_from(lasts.as_secs()).unwrap_or(usize::MAX);
    key.set_perms(ours).and_then(|()| key.set_timeout(seconds)).map_err(|cause| {
        ring.unlink_key(key).ok();
        why(cause)
    })
}

/// The text under a name; `None` where there is no keyring either.
pub(super) fn get(name: &str) -> io::Result<Option<Zeroizing<String>>> {
    let Some((_, key)) = find(name)? else { return Ok(None) };
    let mut bytes = Zeroizing::new(vec![0; MAX]);
    let length = key.read(&mut *bytes).map_err(why)?;
    let text = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| io::Error::other("in the kernel's keyring is something else"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// Forgets what is under a name, if anything is.
pub(super) fn remove(name: &str) -> io::Result<()> {
    match find(name)? {
        Some((ring, key)) => ring.unlink_key(key).map_err(why),
        None => Ok(()),
    }
}

fn ring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, true)
}

fn find(name: &str) -> io::Result<Option<(KeyRing, Key)>> {
    let found = ring().and_then(|ring| Ok((ring, ring.search(name)?)));
    match found {
        Ok(found) => Ok(Some(found)),
        Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => Ok(None),
        Err(cause) if is_none(cause) => Ok(None),
        Err(cause) => Err(why(cause)),
    }
}

fn is_none(cause: KeyError) -> bool {
    matches!(
        cause,
        KeyError::AccessDenied
            | KeyError::OperationNotSupported
            | KeyError::PermissionDenied
            | KeyError::Unknown(NO_SUCH_CALL)
    )
}

fn why(cause: KeyError) -> io::Error {
    io::Error::other(if is_none(cause) {
        "the kernel gives this user no keyring, as in most containers: sign in without --keyring".to_owned()
    } else if cause == KeyError::QuotaExceeded {
        "the kernel's keyring of this user is full: see /proc/key-users".to_owned()
    } else {
        format!("the kernel's keyring of this user: {cause:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the kernel lets this test have a keyring; many a container does not.
    fn can() -> bool {
        is_there().inspect_err(|why| println!("SKIPPED: {why}")).is_ok()
    }

    /// What the kernel shows of a key: rights, and how long it lasts.
    fn shown(name: &str) -> Option<(String, String)> {
        let keys = std::fs::read_to_string("/proc/keys").unwrap();
        let line = keys.lines().find(|line| line.contains(&format!(" {name}: ")))?.to_owned();
        let words: Vec<_> = line.split_whitespace().collect();
        Some((words[4].to_owned(), words[3].to_owned()))
    }

    #[test]
    fn what_is_put_is_read_replaced_and_forgotten() {
        if !can() {
            return;
        }
        let name = format!("keywarden-test-{}", std::process::id());
        assert_eq!(get(&name).unwrap(), None);
        remove(&name).unwrap();
        for text in ["one", "another, longer one"] {
            put(&name, text, Duration::from_hours(2)).unwrap();
            assert_eq!(get(&name).unwrap().unwrap().as_str(), text);
        }
        let (rights, lasts) = shown(&name).unwrap();
        assert_eq!(rights, "3f3f0000", "its user's, and nobody else's");
        assert_ne!(lasts, "perm", "it goes by itself");
        put(&name, &"x".repeat(MAX + 1), Duration::from_hours(2)).unwrap();
        assert!(get(&name).is_err(), "what we did not put there is not taken for ours");
        remove(&name).unwrap();
        assert_eq!(get(&name).unwrap(), None);
    }

    #[test]
    fn where_there_is_no_keyring_that_is_said_and_nothing_is_found() {
        for cause in [KeyError::AccessDenied, KeyError::PermissionDenied, KeyError::Unknown(NO_SUCH_CALL)] {
            assert!(is_none(cause));
            assert!(why(cause).to_string().contains("without --keyring"), "{cause:?}");
        }
        assert!(why(KeyError::QuotaExceeded).to_string().contains("full"));
        assert!(!is_none(KeyError::KeyRejected));
    }
}
