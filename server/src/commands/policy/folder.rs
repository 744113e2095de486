//! A folder of policies: `<name>.cedar`. What a file's name cannot hold on every system stands as `%2F` does.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::Failure;

const ENDING: &str = "cedar";
/// Longer files are none that a server would take.
const LONGEST: u64 = 64 * 1024;

/// Where a policy of this name lies.
pub(super) fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.{ENDING}", written(name)))
}

/// Writes a policy down; the folder is made where there is none.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder).map_err(Failure::io("make the folder"))?;
    let file = path(folder, name);
    fs::write(&file, text).map_err(Failure::io("write a policy's file"))?;
    Ok(file)
}

/// The text of every policy there, by name.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut policies = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(Failure::io("read the folder"))? {
        let file = entry.map_err(Failure::io("read the folder"))?.path();
        if file.extension().is_none_or(|it| it != ENDING) {
            continue;
        }
        let name = file.file_stem().and_then(|stem| stem.to_str()).and_then(named);
        let name = name.ok_or(Failure::Usage(
            "a file's name stands for no policy: `keywarden policy pull` writes them",
        ))?;
        let length = fs::metadata(&file).map_err(Failure::io("read a policy's file"))?.len();
        if length > LONGEST {
            return Err(Failure::Usage("a policy has at most 16 KiB: one of the files is longer"));
        }
        let text = fs::read_to_string(&file).map_err(Failure::io("read a policy's file"))?;
        policies.insert(name, text);
    }
    Ok(policies)
}

/// A name as a file's.
fn written(name: &str) -> String {
    let mut file = String::new();
    for (at, letter) in name.char_indices() {
        let plain = letter.is_alphanumeric() || "-_ ()+,".contains(letter) || (letter == '.' && at > 0);
        if plain {
            file.push(letter);
        } else {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                write!(file, "%{byte:02X}").ok();
            }
        }
    }
    file
}

/// The other way round.
fn named(file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = file;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = after.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_file_of_its_own_in_the_folder() {
        for name in ["Nobody purges", "a/b", "../x", ".", "..", "50% off: \"now\"", "ü ß", "a.b", "%41", "A"]
        {
            let file = written(name);
            assert!(!file.contains('/') && !file.starts_with('.'), "{file}");
            assert_eq!(named(&file).as_deref(), Some(name), "{file}");
        }
        assert_eq!(named("%4"), None);
        assert_eq!(named("%zz"), None);
        assert_eq!(named("%FF"), None);
    }

    #[test]
    fn what_was_written_is_read_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a/b", "permit(principal, action, resource);").unwrap();
        fs::write(folder.path().join("README.md"), "no policy").unwrap();
        let read = read(folder.path()).unwrap();
        assert_eq!(
            read.into_iter().collect::<Vec<_>>(),
            [("a/b".to_owned(), "permit(principal, action, resource);".to_owned())]
        );
    }
}
