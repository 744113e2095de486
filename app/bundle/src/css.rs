//! One style sheet out of many: imports inlined, minified, references to public files hashed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use lightningcss::bundler::{Bundler, ResolveResult, SourceProvider};
use lightningcss::dependencies::{Dependency, DependencyOptions};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};

/// Bundles `main.css` and all that it imports; `style` holds the files of `style/` by path.
///
/// `hashed` tells the hashed name of a public file; sheet and files are served from one folder, so a
/// `url(../public/x.svg)` becomes `url(x.<hash>.svg)` wherever the rule stood.
pub(crate) fn bundle(
    style: &BTreeMap<String, Vec<u8>>,
    hashed: impl Fn(&str) -> Option<String>,
) -> Result<String> {
    let sheets = Sheets(style);
    let mut sheet = Bundler::new(&sheets, None, ParserOptions::default())
        .bundle(Path::new("main.css"))
        .map_err(|error| anyhow!("cannot bundle the style sheets: {error}"))?;
    sheet
        .minify(MinifyOptions::default())
        .map_err(|error| anyhow!("cannot minify the style sheet: {error}"))?;
    let printed = sheet
        .to_css(PrinterOptions {
            minify: true,
            analyze_dependencies: Some(DependencyOptions::default()),
            ..PrinterOptions::default()
        })
        .map_err(|error| anyhow!("cannot print the style sheet: {error}"))?;

    let mut css = printed.code;
    for dependency in printed.dependencies.unwrap_or_default() {
        if let Dependency::Url(url) = dependency {
            css = css.replace(&url.placeholder, &resolve(&url.url, &hashed)?);
        }
    }
    Ok(css)
}

/// The sheets that were read. Imports lead to these alone: the console loads nothing foreign.
#[derive(Debug)]
struct Sheets<'a>(&'a BTreeMap<String, Vec<u8>>);

impl SourceProvider for Sheets<'_> {
    type Error = io::Error;

    fn read<'a>(&'a self, file: &Path) -> io::Result<&'a str> {
        let bytes = file.to_str().and_then(|path| self.0.get(path)).ok_or(io::ErrorKind::NotFound)?;
        str::from_utf8(bytes).map_err(io::Error::other)
    }

    fn resolve(&self, specifier: &str, from: &Path) -> io::Result<ResolveResult> {
        let mut path = PathBuf::new();
        for step in from.with_file_name(specifier).components() {
            match step {
                Component::CurDir => {}
                Component::ParentDir if path.pop() => {}
                step => path.push(step),
            }
        }
        if path.to_str().is_some_and(|path| self.0.contains_key(path)) {
            return Ok(path.into());
        }
        Err(io::Error::other(format!("`@import {specifier}` names no file of style/")))
    }
}

/// Where `url(…)` leads in the bundle.
fn resolve(url: &str, hashed: impl Fn(&str) -> Option<String>) -> Result<String> {
    if url.starts_with("data:") || url.starts_with('#') {
        return Ok(url.to_owned());
    }
    let (path, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let name = path.rsplit('/').next().unwrap_or(path);
    let hashed = hashed(name).with_context(|| format!("`url({url})` names no file of style/public/"))?;
    Ok(format!("{hashed}{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundled(files: &[(&str, &str)]) -> Result<String> {
        let style = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        bundle(&style, |name| (name == "mark.svg").then(|| "mark.0a.svg".to_owned()))
    }

    #[test]
    fn imports_are_inlined_in_their_order_through_folders() {
        let css = bundled(&[
            ("main.css", "@import './tokens.css'; @import './ui/all.css'; main { margin: 0 }"),
            ("tokens.css", ":root { --ink: #000000 }"),
            ("ui/all.css", "@import './button.css' layer(ui); @import './field.css' print;"),
            ("ui/button.css", "button { color: red }"),
            ("ui/field.css", "input { color: blue }"),
        ]);
        assert_eq!(
            css.unwrap(),
            ":root{--ink:#000}@layer ui{button{color:red}}@media print{input{color:#00f}}main{margin:0}"
        );
    }

    #[test]
    fn an_import_that_leads_nowhere_or_outside_is_an_error_that_names_it_and_its_place() {
        for import in ["ghost.css", "https://example.org/x.css", "../../main.css", "/main.css"] {
            let sheets =
                [("main.css", "@import 'ui/all.css';"), ("ui/all.css", &format!("@import '{import}';"))];
            let error = bundled(&sheets).unwrap_err().to_string();
            assert!(error.contains(import) && error.contains("ui/all.css"), "{error}");
        }
    }

    #[test]
    fn references_to_public_files_are_hashed() {
        let css = bundled(&[
            ("main.css", "@import 'ui/logo.css';"),
            ("ui/logo.css", ".logo { background: url('../public/mark.svg#dark') }"),
        ]);
        assert_eq!(css.unwrap(), ".logo{background:url(\"mark.0a.svg#dark\")}");
    }

    #[test]
    fn inline_images_stay_as_they_are() {
        let css = bundled(&[("main.css", ".dot { background: url(data:image/gif;base64,R0lGOD) }")]).unwrap();
        assert_eq!(css, ".dot{background:url(\"data:image/gif;base64,R0lGOD\")}");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error_that_names_it() {
        let error = bundled(&[("main.css", ".a { background: url(ghost.svg) }")]).unwrap_err();
        assert!(error.to_string().contains("ghost.svg"), "{error}");
    }
}
