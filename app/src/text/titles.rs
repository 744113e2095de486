//! A title is no sentence: the ones of pages, panels and of what stands where a list would be end without a full stop.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::readable::texts;

const TITLED: [&str; 4] = ["<Confirm ", "<EmptyState ", "<PageHeader ", "<Panel "];

/// Every source below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<_>) = paths.partition(|path| path.is_dir());
    let rust = files.iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let here = rust.map(|path| fs::read_to_string(path).unwrap());
    here.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// Which texts a source shows as titles.
fn titles(source: &str) -> impl Iterator<Item = &str> {
    let tags = TITLED.into_iter().flat_map(|tag| source.split(tag).skip(1));
    tags.filter_map(|tag| {
        let (_, title) = tag.split('<').next()?.split_once("title=t.")?;
        title.split_once('(').map(|(name, _)| name)
    })
}

#[test]
fn no_title_ends_with_a_full_stop() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let catalogue = sources(&source.join("text"));
    let catalogue: BTreeMap<_, _> = catalogue.iter().flat_map(|source| texts(source)).collect();
    let pages = sources(&source);
    let titles: Vec<_> = pages.iter().flat_map(|source| titles(source)).collect();
    assert!(titles.len() > 200, "only {} titles: are they written otherwise now?", titles.len());
    let stopped: Vec<_> =
        titles.iter().filter(|name| catalogue.get(**name).is_some_and(|it| it.ends_with('.'))).collect();
    assert!(stopped.is_empty(), "{stopped:?}");
}

#[test]
fn a_title_is_found_where_it_is_shown() {
    let source =
        "<Panel id=\"a\" title=t.one()><Badge title=t.why()/><EmptyState heading=1 title=t.none(n) action=x>";
    assert_eq!(titles(source).collect::<Vec<_>>(), ["none", "one"]);
}
