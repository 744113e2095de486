//! What a bundle is made from, and the stamp that tells whether any of it changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// Everything that is read: two bundles from equal inputs are equal.
#[derive(Debug)]
pub(crate) struct Inputs {
    wasm: Vec<u8>,
    /// Every file below `style/` by its path relative to it.
    pub(crate) style: BTreeMap<String, Vec<u8>>,
    /// The files of `style/public/` by name.
    pub(crate) public: BTreeMap<String, Vec<u8>>,
}

impl Inputs {
    pub(crate) fn read(wasm: &Path, style: &Path) -> Result<Self> {
        let wasm = fs::read(wasm).with_context(|| format!("cannot read `{}`", wasm.display()))?;
        let mut files = BTreeMap::new();
        collect(style, "", &mut files)?;
        if !files.contains_key("main.css") {
            bail!("`{}` has no main.css", style.display());
        }
        let mut public = BTreeMap::new();
        for (path, bytes) in &files {
            let Some(name) = path.strip_prefix("public/") else { continue };
            if name.contains('/') {
                bail!("`{path}` lies in a folder: style/public/ is flat");
            }
            public.insert(name.to_owned(), bytes.clone());
        }
        Ok(Self { wasm, style: files, public })
    }

    /// A digest over the inputs, the way of bundling and this very program, in hexadecimal.
    pub(crate) fn stamp(&self, release: bool) -> Result<String> {
        let program = std::env::current_exe().and_then(fs::read).context("cannot read this program")?;
        Ok(self.stamp_with(release, &program))
    }

    fn stamp_with(&self, release: bool, program: &[u8]) -> String {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        part(&[u8::from(release)]);
        part(program);
        part(&self.wasm);
        for (path, bytes) in &self.style {
            part(path.as_bytes());
            part(bytes);
        }
        hex::encode(digest.finalize())
    }
}

/// Reads a folder's files, hidden ones excepted, into `files`.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            bail!("`{}` is not named in UTF-8", path.display());
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{relative}/"), files)?;
        } else {
            let bytes = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            files.insert(relative, bytes);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> tempfile::TempDir {
        let house = tempfile::tempdir().unwrap();
        fs::create_dir_all(house.path().join("style/public")).unwrap();
        fs::create_dir_all(house.path().join("style/ui")).unwrap();
        fs::write(house.path().join("app.wasm"), b"wasm").unwrap();
        fs::write(house.path().join("style/main.css"), b"@import 'ui/button.css';").unwrap();
        fs::write(house.path().join("style/ui/button.css"), b"button{}").unwrap();
        fs::write(house.path().join("style/public/passkey.js"), b"sign()").unwrap();
        fs::write(house.path().join("style/public/.keep"), b"").unwrap();
        house
    }

    fn read(house: &tempfile::TempDir) -> Result<Inputs> {
        Inputs::read(&house.path().join("app.wasm"), &house.path().join("style"))
    }

    #[test]
    fn public_files_are_those_that_are_not_hidden() {
        let inputs = read(&house()).unwrap();
        assert_eq!(inputs.public.keys().collect::<Vec<_>>(), ["passkey.js"]);
    }

    #[test]
    fn the_stamp_moves_with_each_input_and_with_nothing_else() {
        let house = house();
        let before = read(&house).unwrap().stamp_with(true, b"program");
        assert_eq!(before, read(&house).unwrap().stamp_with(true, b"program"));
        assert_ne!(before, read(&house).unwrap().stamp_with(false, b"program"));
        assert_ne!(before, read(&house).unwrap().stamp_with(true, b"another program"));

        let mut seen = vec![before];
        for path in
            ["app.wasm", "style/main.css", "style/ui/button.css", "style/public/passkey.js", "style/new.css"]
        {
            fs::write(house.path().join(path), b"changed").unwrap();
            let stamp = read(&house).unwrap().stamp_with(true, b"program");
            assert!(!seen.contains(&stamp), "{path} does not move the stamp");
            seen.push(stamp);
        }
    }

    #[test]
    fn a_folder_below_public_is_refused_by_name() {
        let house = house();
        fs::create_dir(house.path().join("style/public/fonts")).unwrap();
        fs::write(house.path().join("style/public/fonts/a.woff2"), b"").unwrap();
        assert!(read(&house).unwrap_err().to_string().contains("public/fonts/a.woff2"));
    }

    #[test]
    fn a_style_folder_without_a_main_sheet_is_refused() {
        let house = house();
        fs::remove_file(house.path().join("style/main.css")).unwrap();
        assert!(read(&house).unwrap_err().to_string().contains("no main.css"));
    }
}
