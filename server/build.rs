//! Puts the console's browser files into the binary, so that nothing is needed beside it.
//!
//! `app/bundle` leaves them in a folder (`KEYWARDEN_BUNDLE_DIR`, by default `site` in the target folder); this
//! writes a table of them with `include_bytes!` for `src/http/assets.rs`. Without a bundle the table is empty
//! and everything still compiles.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script by variables")]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=KEYWARDEN_BUNDLE_DIR");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");

    let folder = bundle_folder();
    let manifest = folder.join("manifest.json");
    if !manifest.exists() {
        lay_empty_manifest(&manifest);
    }
    // Names carry hashes: whatever changes in the bundle changes its manifest.
    println!("cargo::rerun-if-changed={}", manifest.display());

    let names: BTreeMap<String, String> = match fs::read(&manifest) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => BTreeMap::new(),
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("bundle.rs"), table(&folder, &names)?)?;
    Ok(())
}

fn bundle_folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Some(folder) = env::var_os("KEYWARDEN_BUNDLE_DIR") {
        return workspace.join(folder);
    }
    workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("site")
}

/// Cargo takes a watched file that is missing for a changed one and would rebuild the server every time. An
/// old, empty manifest says the same and stays. Where it cannot be written, rebuilding is all that is lost.
fn lay_empty_manifest(manifest: &Path) {
    let Some(folder) = manifest.parent() else { return };
    if fs::create_dir_all(folder).and_then(|()| fs::write(manifest, "{}\n")).is_ok()
        && let Ok(file) = fs::File::options().write(true).open(manifest)
    {
        let _ = file.set_modified(SystemTime::UNIX_EPOCH);
    }
}

fn table(folder: &Path, names: &BTreeMap<String, String>) -> Result<String, Box<dyn Error>> {
    let mut table = String::from("&[\n");
    for (name, hashed) in names {
        let kind = content_type(name).ok_or_else(|| format!("no content type is known for `{name}`"))?;
        writeln!(table, "    Asset {{")?;
        writeln!(table, "        name: {name:?},")?;
        writeln!(table, "        path: {:?},", format!("/assets/{hashed}"))?;
        writeln!(table, "        content_type: {kind:?},")?;
        writeln!(table, "        identity: {},", include(&folder.join(hashed))?)?;
        for (field, suffix) in [("brotli", "br"), ("gzip", "gz")] {
            let copy = folder.join(format!("{hashed}.{suffix}"));
            let bytes = if copy.exists() { format!("Some({})", include(&copy)?) } else { "None".to_owned() };
            writeln!(table, "        {field}: {bytes},")?;
        }
        writeln!(table, "    }},")?;
    }
    table.push_str("]\n");
    Ok(table)
}

fn include(path: &Path) -> Result<String, Box<dyn Error>> {
    let path = path.canonicalize().map_err(|error| format!("cannot find `{}`: {error}", path.display()))?;
    let path = path.to_str().ok_or("the bundle's path is not UTF-8")?;
    Ok(format!("include_bytes!({path:?})"))
}

/// What `style/public/` may hold; a browser is told not to guess.
fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
