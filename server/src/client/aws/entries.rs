//! From secrets of AWS to the lines of a file, with what cannot come along.

use std::collections::HashMap;

use keywarden_domain::secrets::files::{
    self, FileFormat, Line, MAX_FILE, MOST_ENTRIES, Nested, text_of, write,
};
use keywarden_model::{Description, SecretKind, SecretPath, Tag};
use keywarden_vault::SecretBytes;
use serde::de::IgnoredAny;

use super::api::{Answer, Listed};
use super::{Aside, Taken};

/// Tags that a secret can have here.
const MOST_TAGS: usize = 32;
/// Tags that AWS makes by itself, and keeps for itself.
const OF_AWS: &str = "aws:";

/// What has come so far.
pub(super) struct Entries {
    nested: Nested,
    lines: Vec<Entry>,
    asides: Vec<Aside>,
    /// By what a path folds to, the name there.
    known: HashMap<String, String>,
}

struct Entry {
    path: String,
    name: String,
    value: SecretBytes,
    kind: SecretKind,
    description: String,
    tags: Vec<String>,
}

impl Entries {
    pub(super) fn new(nested: Nested) -> Self {
        Self { nested, lines: Vec::new(), asides: Vec::new(), known: HashMap::new() }
    }

    pub(super) fn aside(&mut self, aside: Aside) {
        self.asides.push(aside);
    }

    /// Takes a secret with its value, for this path.
    pub(super) fn take(&mut self, path: &str, secret: &Listed, answer: Answer) {
        let name = secret.name.as_str();
        let values = match answer {
            Answer::None => return self.aside(Aside::left_out(name, "it has no current value there")),
            Answer::Refused(why) => return self.aside(Aside::refused(name, why)),
            Answer::Binary(bytes) => Ok(vec![(path.to_owned(), SecretKind::Binary, bytes)]),
            Answer::Text(text) => self.values(path, text.expose()),
        };
        let values = match values {
            Ok(values) => values,
            Err(why) => return self.aside(Aside::refused(name, why)),
        };
        for (path, _, value) in &values {
            let settled = if value.expose().is_empty() {
                Err(format!("the value of `{path}` is empty"))
            } else {
                self.settle(path, name)
            };
            if let Err(why) = settled {
                return self.aside(Aside::refused(name, why));
            }
        }
        let (description, tags) = (self.description(secret), self.tags(secret));
        for (path, kind, value) in values {
            let (name, description, tags) = (name.to_owned(), description.clone(), tags.clone());
            self.lines.push(Entry { path, name, value, kind, description, tags });
        }
    }

    /// One value, or those of its members, as is wanted of an object.
    fn values(&self, path: &str, text: &str) -> Result<Vec<(String, SecretKind, SecretBytes)>, String> {
        let bytes = SecretBytes::copy_of(text.as_bytes());
        if text_of(text.as_bytes()).is_none() {
            return Err("its value holds a NUL, which no file can hold as text: put it by itself".into());
        }
        let first = text.trim_start().chars().next();
        let is_json = matches!(first, Some('{' | '[')) && serde_json::from_str::<IgnoredAny>(text).is_ok();
        let kind = if is_json { SecretKind::Json } else { SecretKind::Text };
        let is_empty =
            text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('}'));
        if !is_json || first == Some('[') || is_empty || self.nested == Nested::Json {
            return Ok(vec![(path.to_owned(), kind, bytes)]);
        }
        let members = files::read(FileFormat::Json, Nested::Folders, &bytes).map_err(|flaws| {
            format!("its object does not come apart: {flaws}; `--nested json` takes it as one secret")
        })?;
        Ok(members
            .into_iter()
            .map(|it| (format!("{path}/{}", it.name), it.kind.unwrap_or(SecretKind::Text), it.value))
            .collect())
    }

    /// Whether a path is one, and none of those before.
    fn settle(&mut self, path: &str, name: &str) -> Result<(), String> {
        let path: SecretPath =
            path.parse().map_err(|wrong| format!("no path here can be `{path}`: {wrong}"))?;
        match self.known.insert(path.folded(), name.to_owned()) {
            None => Ok(()),
            Some(other) => Err(format!("it would be `{path}` here, and so would `{other}`")),
        }
    }

    fn description(&mut self, secret: &Listed) -> String {
        match secret.description.as_deref().unwrap_or_default().parse::<Description>() {
            Ok(description) => description.as_str().to_owned(),
            Err(wrong) => {
                self.aside(Aside::note(&secret.name, format!("its description stays there: {wrong}")));
                String::new()
            }
        }
    }

    /// Its tags, with lower-case names as they are here.
    fn tags(&mut self, secret: &Listed) -> Vec<String> {
        let mut tags: Vec<(String, String)> = Vec::new();
        let mut stay = Vec::new();
        for tag in secret.tags.iter().filter(|tag| !tag.key.starts_with(OF_AWS)) {
            let name = tag.key.to_ascii_lowercase();
            let word = if tag.value.is_empty() { name.clone() } else { format!("{name}={}", tag.value) };
            // A comma stands between tags in a file.
            let fits = !word.contains(',') && word.parse::<Tag>().is_ok_and(|read| read.to_string() == word);
            if fits && tags.len() < MOST_TAGS && tags.iter().all(|(other, _)| *other != name) {
                tags.push((name, word));
            } else {
                stay.push(format!("`{}`", tag.key));
            }
        }
        if !stay.is_empty() {
            let why = format!(
                "its tags {} stay there: here names are of a-z, 0-9, `.`, `_` and `-`, each once, and values have no comma",
                stay.join(", ")
            );
            self.aside(Aside::note(&secret.name, why));
        }
        tags.into_iter().map(|(_, word)| word).collect()
    }

    /// All of it as one file, or why it is too much for one.
    pub(super) fn end(self) -> Result<Taken, String> {
        let Self { lines, asides, .. } = self;
        if lines.len() > MOST_ENTRIES {
            return Err(format!("more than {MOST_ENTRIES} values: choose some by --below or --prefix"));
        }
        let names = lines.iter().map(|it| (it.path.clone(), it.name.clone())).collect();
        let written: Vec<_> = lines
            .iter()
            .map(|it| Line {
                name: &it.path,
                value: it.value.expose(),
                kind: it.kind,
                description: &it.description,
                tags: &it.tags,
                template: false,
            })
            .collect();
        let file = write(FileFormat::Csv, &written).map_err(|cause| cause.to_string())?;
        if file.expose().len() > MAX_FILE {
            let most = MAX_FILE / 1024;
            return Err(format!("more than {most} KiB of values: choose some by --below or --prefix"));
        }
        let content = (!lines.is_empty()).then_some(file);
        Ok(Taken { format: FileFormat::Csv, content, asides, names })
    }
}
