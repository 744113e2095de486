//! Where a secret lives within its environment: `database/primary/password`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::name::{folded, is_invisible};

/// Folders and a name between single slashes. There is one spelling of it: what another program might take for the same
/// path (other case, other forms of letters, `.` and `..`, spaces at the ends) is refused or folds to the same text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SecretPath(String);

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretPathError {
    /// `.` or `..`, in any form of letters.
    #[error("`.` and `..` are no names here: write the path as it is")]
    Dots,
    /// Nothing between two slashes, before the first or after the last.
    #[error("write names between single slashes, as in `database/password`")]
    Empty,
    /// Control, zero-width or direction characters.
    #[error("remove invisible or control characters")]
    Invisible,
    /// A character that other programs take for a slash.
    #[error("`{0}` looks like a slash: use `/` between names, and none within")]
    LooksLikeASlash(char),
    /// The whole is too long.
    #[error("use at most {} bytes", SecretPath::MAX)]
    TooLong,
    /// A name is too long.
    #[error("use at most {} bytes for a name", SecretPath::MAX_NAME)]
    TooLongName,
    /// Too many folders.
    #[error("use at most {} folders", SecretPath::MAX_FOLDERS)]
    TooManyFolders,
    /// Spaces at the ends or several of them, or letters that are not in their composed form.
    #[error(
        "write single spaces within names and none around them, and letters in their composed form (NFC)"
    )]
    Untidy,
}

impl SecretPath {
    /// The longest path, in bytes.
    pub const MAX: usize = 512;
    /// The longest folder or name, in bytes.
    pub const MAX_NAME: usize = 128;
    /// The deepest path.
    pub const MAX_FOLDERS: usize = 10;
    /// The longest that a path may become when it is folded: some letters are eighteen once taken apart, and an index
    /// has no room for that.
    const MAX_FOLDED: usize = 1_024;

    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// What is before the name, without the slash; empty at the top.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// What uniqueness compares: two paths that fold to the same text are taken for one (S-01).
    pub fn folded(&self) -> String {
        self.0.split('/').map(folded).collect::<Vec<_>>().join("/")
    }
}

impl FromStr for SecretPath {
    type Err = SecretPathError;
    fn from_str(text: &str) -> Result<Self, SecretPathError> {
        if text.len() > Self::MAX {
            return Err(SecretPathError::TooLong);
        }
        if text.split('/').count() > Self::MAX_FOLDERS + 1 {
            return Err(SecretPathError::TooManyFolders);
        }
        text.split('/').try_for_each(check)?;
        let path = Self(text.to_owned());
        if path.folded().len() > Self::MAX_FOLDED { Err(SecretPathError::TooLong) } else { Ok(path) }
    }
}

/// Slashes that are none, as they are written: those that only fold to one are found by folding.
const SLASHES: [char; 6] = ['\\', '\u{2044}', '\u{2215}', '\u{2216}', '\u{29f8}', '\u{29f5}'];

fn check(name: &str) -> Result<(), SecretPathError> {
    if name.is_empty() {
        return Err(SecretPathError::Empty);
    }
    if name.len() > SecretPath::MAX_NAME {
        return Err(SecretPathError::TooLongName);
    }
    if name.chars().any(is_invisible) {
        return Err(SecretPathError::Invisible);
    }
    let like_a_slash = |c: &char| SLASHES.contains(c) || folded(&c.to_string()).contains(['/', '\\']);
    if let Some(slash) = name.chars().find(like_a_slash) {
        return Err(SecretPathError::LooksLikeASlash(slash));
    }
    let folded = folded(name);
    if folded.is_empty() {
        return Err(SecretPathError::Empty);
    }
    if folded == "." || folded == ".." {
        return Err(SecretPathError::Dots);
    }
    let tidy = name.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>();
    if tidy == name { Ok(()) } else { Err(SecretPathError::Untidy) }
}

impl fmt::Display for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretPath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<SecretPath, SecretPathError> {
        text.parse()
    }

    #[test]
    fn a_path_has_folders_and_a_name() {
        let path = read("database/primary/Password 1").unwrap();
        assert_eq!((path.folder(), path.name()), ("database/primary", "Password 1"));
        let top = read(".env").unwrap();
        assert_eq!((top.folder(), top.name()), ("", ".env"));
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_reason() {
        use SecretPathError::{
            Dots, Empty, Invisible, LooksLikeASlash, TooLong, TooLongName, TooManyFolders, Untidy,
        };
        for (text, why) in [
            ("", Empty),
            ("/a", Empty),
            ("a/", Empty),
            ("a//b", Empty),
            (".", Dots),
            ("a/../b", Dots),
            ("a/\u{ff0e}\u{ff0e}", Dots),
            ("a/\u{2025}/b", Dots),
            ("a\0b", Invisible),
            ("a\nb", Invisible),
            ("a\u{200d}b", Invisible),
            ("a\u{202e}b", Invisible),
            ("a\\b", LooksLikeASlash('\\')),
            ("a\u{ff0f}b", LooksLikeASlash('\u{ff0f}')),
            ("a\u{2215}b", LooksLikeASlash('\u{2215}')),
            ("a\u{ff3c}b", LooksLikeASlash('\u{ff3c}')),
            (" a", Untidy),
            ("a /b", Untidy),
            ("a  b", Untidy),
            ("a\u{a0}b", Untidy),
            ("cafe\u{301}", Untidy),
        ] {
            assert_eq!(read(text), Err(why), "{text:?}");
        }
        assert_eq!(read(&"x".repeat(129)), Err(TooLongName));
        assert!(read(&"x".repeat(128)).is_ok());
        assert_eq!(read(&["a"; 12].join("/")), Err(TooManyFolders));
        assert!(read(&["a"; 11].join("/")).is_ok());
        assert_eq!(
            read(&["x".repeat(128), "x".repeat(128), "x".repeat(128), "x".repeat(128)].join("/")),
            Err(TooLong)
        );
        // Each of these letters is eighteen once folded.
        assert_eq!(read(&"\u{fdfa}".repeat(40)), Err(TooLong));
    }

    #[test]
    fn twins_fold_together() {
        for twin in ["DB/Password", "\u{ff44}b/password", "db/\u{24df}assword"] {
            assert_eq!(read(twin).unwrap().folded(), "db/password", "{twin}");
        }
    }

    proptest! {
        #[test]
        fn folding_keeps_the_number_of_names(text in r"[a-zA-Z./ _é\u{0}\u{1F100}ﬀ．／½…\\-]{1,40}") {
            if let Ok(path) = read(&text) {
                let folded = path.folded();
                prop_assert_eq!(folded.split('/').count(), text.split('/').count());
                prop_assert!(folded.split('/').all(|name| !matches!(name, "" | "." | "..")));
                prop_assert_eq!(path.as_str(), text);
            }
        }
    }
}
