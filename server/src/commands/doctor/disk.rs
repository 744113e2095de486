use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::{
    sys::statvfs::statvfs,
    unistd::{AccessFlags, access},
};

use super::Check;
use crate::config::{Config, Database};

const MIB: u64 = 1 << 20;

/// Of the data folder, and of where records and backups are if that is elsewhere.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![folder(&config.data_dir), space(&config.data_dir)];
    let elsewhere = |path: &Path| !is_same(path, &config.data_dir);
    if let Database::Sqlite(file) = &config.database
        && let Some(parent) = file.parent().filter(|parent| elsewhere(parent))
    {
        checks.extend([records(file, parent), space_in(parent)]);
    }
    if let Some(backups) = config.backup.as_ref().map(|it| it.folder.as_path()).filter(|it| elsewhere(it)) {
        checks.push(space_in(backups));
    }
    checks
}

/// A database file outside the data folder is as private as what is inside.
fn records(file: &Path, parent: &Path) -> Check {
    const NAME: &str = "folder";
    let shown = file.display();
    let open = |path: &Path, bits| fs::metadata(path).map(|it| it.permissions().mode() & bits != 0);
    match open(parent, 0o011).and_then(|reached| Ok(reached && open(file, 0o066)?)) {
        Ok(false) => Check::fine(NAME, format!("{shown} is private")),
        Ok(true) => Check::failed(
            NAME,
            format!("other users may reach {shown}"),
            format!("run `chmod go-rwx {shown}*`"),
        ),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Check::fine(NAME, format!("{shown} will be made on first start"))
        }
        Err(cause) => Check::failed(NAME, format!("{shown}: {cause}"), "run this as the server's user"),
    }
}

fn space_in(path: &Path) -> Check {
    let check = space(path);
    Check { finding: format!("{} in {}", check.finding, path.display()), ..check }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || fs::canonicalize(one).ok().is_some_and(|it| fs::canonicalize(other).ok() == Some(it))
}

/// The data folder is there, ours, and nobody else's.
pub(super) fn folder(path: &Path) -> Check {
    const NAME: &str = "folder";
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Check::fine(NAME, format!("{shown} will be made on first start"));
        }
        Err(cause) => {
            return Check::failed(NAME, format!("{shown}: {cause}"), "give the server's user this folder");
        }
    };
    if !metadata.is_dir() {
        return Check::failed(
            NAME,
            format!("{shown} is not a folder"),
            "choose another with KEYWARDEN_DATA_DIR",
        );
    }
    if access(path, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
        let advice = format!("run this as the server's user, or give it the folder: `chown -R USER {shown}`");
        return Check::failed(NAME, format!("{shown} cannot be written"), advice);
    }
    match others_may_read(path) {
        Ok(None) => Check::fine(NAME, format!("{shown} is private")),
        Ok(Some(open)) => {
            let advice = format!("run `chmod -R go-rwx {shown}`");
            Check::failed(NAME, format!("other users may reach {open}"), advice)
        }
        Err(cause) => Check::failed(NAME, format!("{shown}: {cause}"), "run this as the server's user"),
    }
}

/// How much more the disk takes.
pub(super) fn space(path: &Path) -> Check {
    const NAME: &str = "disk";
    let Some(existing) = path.ancestors().find(|path| path.exists() || path.as_os_str().is_empty()) else {
        return Check::warning(
            NAME,
            "no folder to ask about",
            "choose a data folder with KEYWARDEN_DATA_DIR",
        );
    };
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    match statvfs(existing) {
        #[allow(clippy::useless_conversion, reason = "the width of these fields differs between platforms")]
        Ok(disk) => {
            judge_space(u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size())))
        }
        Err(cause) => Check::warning(NAME, format!("cannot ask: {cause}"), "look with `df`"),
    }
}

fn judge_space(free: u64) -> Check {
    const NAME: &str = "disk";
    let finding = format!("{} MiB free", free / MIB);
    let advice = "make room: without it nothing can be written, and no value read, because no event can be";
    match free {
        0..104_857_600 => Check::failed(NAME, finding, advice),
        104_857_600..1_073_741_824 => Check::warning(NAME, finding, advice),
        _ => Check::fine(NAME, finding),
    }
}

/// The first thing in the folder that another user could read or write. A folder in it that others may only pass through (the
/// library of the embedded token does, as another user) shows nothing.
fn others_may_read(path: &Path) -> io::Result<Option<String>> {
    let folder = fs::metadata(path)?;
    let open = |metadata: &fs::Metadata, bits: u32| {
        metadata.permissions().mode() & bits != 0 || ![folder.uid(), 0].contains(&metadata.uid())
    };
    if open(&folder, 0o077) {
        return Ok(Some(path.display().to_string()));
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if open(&metadata, if metadata.is_dir() { 0o066 } else { 0o077 }) {
            return Ok(Some(entry.path().display().to_string()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;
    use crate::config::{Given, Values};

    #[test]
    fn little_space_is_a_warning_and_none_a_failure() {
        assert_eq!(judge_space(99 * MIB).outcome, Outcome::Failed);
        assert_eq!(judge_space(500 * MIB).outcome, Outcome::Warning);
        assert_eq!(judge_space(5000 * MIB).outcome, Outcome::Fine);
    }

    fn with(variables: &[(&str, &str)]) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let given = Given { file: Some(file.path().into()), environment, flags: Vec::new() };
        Config::read(&Values::gather(&given).unwrap()).unwrap()
    }

    #[test]
    fn records_that_are_elsewhere_are_looked_at_there() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let file = other.path().join("records.db");
        let (url, data) = (format!("sqlite://{}", file.display()), data.path().to_str().unwrap());
        let config = with(&[("KEYWARDEN_DATABASE_URL", &url), ("KEYWARDEN_DATA_DIR", data)]);
        let found = || checks(&config).split_off(2);
        assert!(found()[0].finding.ends_with("will be made on first start"), "{:?}", found());
        fs::write(&file, "").unwrap();
        for (folder, records, outcome) in
            [(0o755, 0o600, Outcome::Fine), (0o755, 0o644, Outcome::Failed), (0o700, 0o644, Outcome::Fine)]
        {
            mode(other.path(), folder);
            mode(&file, records);
            assert_eq!(found()[0].outcome, outcome, "{folder:o} {records:o}");
        }
        assert!(found()[1].finding.ends_with(&format!("in {}", other.path().display())), "{:?}", found());
        assert_eq!(checks(&with(&[("KEYWARDEN_DATA_DIR", data)])).len(), 2);
    }

    #[test]
    fn a_file_that_others_may_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(super::folder(folder.path()).outcome, Outcome::Failed);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let passed = folder.path().join("softhsm");
        fs::create_dir(&passed).unwrap();
        for (mode, outcome) in [(0o711, Outcome::Fine), (0o755, Outcome::Failed), (0o700, Outcome::Fine)] {
            fs::set_permissions(&passed, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(super::folder(folder.path()).outcome, outcome, "{mode:o}");
        }
        let file = folder.path().join("keywarden.db");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let check = super::folder(folder.path());
        assert_eq!(check.outcome, Outcome::Failed);
        assert!(check.finding.contains("keywarden.db"), "{check}");
        assert_eq!(super::folder(&folder.path().join("later")).outcome, Outcome::Fine);
        assert_eq!(super::folder(&file).outcome, Outcome::Failed);
    }
}
