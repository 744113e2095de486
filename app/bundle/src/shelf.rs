//! The finished files: hashed names, compressed copies, the manifest and the stamp.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "manifest.json";
const STAMP: &str = ".stamp";

/// How hard to compress.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effort {
    Quickest,
    Smallest,
}

/// Files by their plain name, before they are written.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: BTreeMap<String, (String, Vec<u8>)>,
}

/// One written file and its sizes in bytes.
#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    raw: usize,
    gz: usize,
    br: usize,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, raw, gz, br } = self;
        write!(f, "{name:<40} {raw:>9} bytes, {gz:>8} gzip, {br:>8} brotli")
    }
}

impl Shelf {
    /// Puts a file on the shelf and tells its hashed name.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<String> {
        let Some((stem, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
            bail!("`{name}` has no extension: nobody could tell what it is");
        };
        let digest = hex::encode(Sha256::digest(&bytes));
        let hash = digest.get(..16).unwrap_or(&digest);
        let hashed = format!("{stem}.{hash}.{extension}");
        if self.files.insert(name.to_owned(), (hashed.clone(), bytes)).is_some() {
            bail!("two files are named `{name}`");
        }
        Ok(hashed)
    }

    /// The hashed name of a file that is on the shelf.
    pub(crate) fn hashed(&self, name: &str) -> Option<String> {
        self.files.get(name).map(|(hashed, _)| hashed.clone())
    }

    /// Replaces the folder `out` by the shelf. The folder is filled beside its place and moved, so that a
    /// reader never meets half a bundle; an unchanged manifest keeps its time, so that nothing is rebuilt.
    pub(crate) fn write(&self, out: &Path, stamp: &str, effort: Effort) -> Result<Vec<Row>> {
        let fresh = beside(out);
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(|| format!("cannot clear `{}`", fresh.display()))?;
        }
        fs::create_dir_all(&fresh).with_context(|| format!("cannot make `{}`", fresh.display()))?;

        let mut rows = Vec::new();
        let mut manifest = BTreeMap::new();
        for (name, (hashed, bytes)) in &self.files {
            let (gz, br) = (gzip(bytes, effort)?, brotli(bytes, effort)?);
            rows.push(Row { name: hashed.clone(), raw: bytes.len(), gz: gz.len(), br: br.len() });
            fs::write(fresh.join(hashed), bytes)?;
            for (suffix, copy) in [("gz", gz), ("br", br)] {
                if copy.len() < bytes.len() {
                    fs::write(fresh.join(format!("{hashed}.{suffix}")), copy)?;
                }
            }
            manifest.insert(name, hashed);
        }
        write_manifest(&fresh.join(MANIFEST), &out.join(MANIFEST), &manifest)?;
        fs::write(fresh.join(STAMP), stamp)?;

        if out.exists() {
            fs::remove_dir_all(out).with_context(|| format!("cannot replace `{}`", out.display()))?;
        }
        fs::rename(&fresh, out).with_context(|| format!("cannot fill `{}`", out.display()))?;
        Ok(rows)
    }
}

/// Whether `out` was made from inputs with this stamp.
pub(crate) fn is_current(out: &Path, stamp: &str) -> bool {
    fs::read_to_string(out.join(STAMP)).is_ok_and(|there| there == stamp)
}

fn beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    out.with_file_name(name)
}

fn write_manifest(path: &Path, old: &Path, names: &BTreeMap<&String, &String>) -> Result<()> {
    let text = serde_json::to_string_pretty(names)? + "\n";
    fs::write(path, &text)?;
    if fs::read_to_string(old).is_ok_and(|there| there == text) {
        fs::File::options().write(true).open(path)?.set_modified(fs::metadata(old)?.modified()?)?;
    }
    Ok(())
}

fn gzip(bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let level = match effort {
        Effort::Quickest => Compression::fast(),
        Effort::Smallest => Compression::best(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(mut bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let quality = match effort {
        Effort::Quickest => 4,
        Effort::Smallest => 11,
    };
    let parameters = brotli::enc::BrotliEncoderParams { quality, lgwin: 22, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn shelf(script: &str) -> Shelf {
        let mut shelf = Shelf::default();
        shelf.add("passkey.js", script.repeat(50).into_bytes()).unwrap();
        shelf.add("dot.gif", b"R0lGOD".to_vec()).unwrap();
        shelf
    }

    #[test]
    fn names_carry_the_hash_of_their_bytes() {
        let mut shelf = Shelf::default();
        // SHA-256 of "abc" (FIPS 180-4) begins with ba7816bf 8f01cfea.
        assert_eq!(shelf.add("a.min.js", b"abc".to_vec()).unwrap(), "a.min.ba7816bf8f01cfea.js");
        assert_eq!(shelf.hashed("a.min.js").unwrap(), "a.min.ba7816bf8f01cfea.js");
        assert_eq!(shelf.hashed("b.js"), None);
    }

    #[test]
    fn names_that_tell_no_type_or_come_twice_are_refused() {
        let mut shelf = shelf("x");
        assert!(shelf.add("README", Vec::new()).is_err());
        assert!(shelf.add(".js", Vec::new()).is_err());
        assert!(shelf.add("passkey.js", Vec::new()).is_err());
    }

    #[test]
    fn the_manifest_leads_from_plain_names_to_the_written_files() {
        let house = tempfile::tempdir().unwrap();
        let out = house.path().join("site");
        let rows = shelf("sign();").write(&out, "one", Effort::Smallest).unwrap();
        assert_eq!(rows.len(), 2);

        let manifest = fs::read(out.join(MANIFEST)).unwrap();
        let manifest: BTreeMap<String, String> = serde_json::from_slice(&manifest).unwrap();
        let bytes = fs::read(out.join(&manifest["passkey.js"])).unwrap();
        assert_eq!(bytes, "sign();".repeat(50).into_bytes());
    }

    #[test]
    fn compressed_copies_open_to_the_same_bytes_and_are_left_out_when_they_gain_nothing() {
        let house = tempfile::tempdir().unwrap();
        let out = house.path().join("site");
        let shelf = shelf("sign();");
        shelf.write(&out, "one", Effort::Smallest).unwrap();
        let name = shelf.hashed("passkey.js").unwrap();
        let plain = fs::read(out.join(&name)).unwrap();

        let mut unzipped = Vec::new();
        let gz = fs::File::open(out.join(format!("{name}.gz"))).unwrap();
        flate2::read::GzDecoder::new(gz).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain);

        let mut unbrotlied = Vec::new();
        let mut br = fs::File::open(out.join(format!("{name}.br"))).unwrap();
        brotli::BrotliDecompress(&mut br, &mut unbrotlied).unwrap();
        assert_eq!(unbrotlied, plain);

        let dot = shelf.hashed("dot.gif").unwrap();
        assert!(out.join(&dot).exists());
        assert!(!out.join(format!("{dot}.gz")).exists() && !out.join(format!("{dot}.br")).exists());
    }

    #[test]
    fn a_second_bundle_leaves_nothing_of_the_first() {
        let house = tempfile::tempdir().unwrap();
        let out = house.path().join("site");
        let (first, second) = (shelf("first"), shelf("second"));
        first.write(&out, "one", Effort::Quickest).unwrap();
        assert!(is_current(&out, "one") && !is_current(&out, "two"));
        second.write(&out, "two", Effort::Quickest).unwrap();
        assert!(is_current(&out, "two"));
        assert!(!out.join(first.hashed("passkey.js").unwrap()).exists());
        assert!(out.join(second.hashed("passkey.js").unwrap()).exists());
        assert!(!house.path().join("site.new").exists());
    }

    #[test]
    fn an_unchanged_manifest_keeps_its_time_and_a_changed_one_does_not() {
        let house = tempfile::tempdir().unwrap();
        let out = house.path().join("site");
        shelf("first").write(&out, "one", Effort::Quickest).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let manifest = fs::File::options().write(true).open(out.join(MANIFEST)).unwrap();
        manifest.set_modified(long_ago).unwrap();

        shelf("first").write(&out, "two", Effort::Quickest).unwrap();
        assert_eq!(fs::metadata(out.join(MANIFEST)).unwrap().modified().unwrap(), long_ago);
        shelf("second").write(&out, "three", Effort::Quickest).unwrap();
        assert_ne!(fs::metadata(out.join(MANIFEST)).unwrap().modified().unwrap(), long_ago);
    }
}
