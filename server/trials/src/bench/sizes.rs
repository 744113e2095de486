//! What a browser loads, in bytes as they travel.

use std::{fs, path::Path};

use crate::Result;

/// A file's bytes as it is and with brotli.
#[derive(Debug)]
pub struct Size {
    pub name: String,
    pub plain: u64,
    pub brotli: u64,
}

/// Every file that the bundle made, with the brotli one beside it.
pub fn measure(site: &Path) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    let mut folders = vec![site.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let beside = path.with_file_name(format!("{name}.br"));
            if beside.exists() {
                let size = |path: &Path| fs::metadata(path).map(|it| it.len());
                sizes.push(Size { plain: size(&path)?, brotli: size(&beside)?, name });
            }
        }
    }
    sizes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sizes)
}
