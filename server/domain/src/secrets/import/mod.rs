//! Taking in a file of values: looked at first, then all of it or nothing.
//!
//! An import is the puts that a person would make one by one. A path where nothing is asks for `secret.create`, a secret
//! that gets a new version for `secret.put`, one of which something else is said for `secret.edit`: there is no action of
//! its own that could allow more than they do, and each secret has its own event. Where the value is the current one
//! already nothing is written, so that the same file can come again and again.
//!
//! What is current is compared by its fingerprint, and only for those who may read it: to others every value is a new one,
//! or a preview would tell them whether they guessed it.
//!
//! **Invariants:** what is written rests on the plan that was made, checked again under each secret's row; a plan that does
//! not hold any more is made anew, or refused where the caller said what they had seen. Rows are taken in the order of
//! their paths, the project's key last, so that two imports wait for each other and not in a circle.

mod perform;
mod plan;

use std::collections::BTreeMap;

use keywarden_model::name::TextError;
use keywarden_model::secret::SecretPathError;
use keywarden_model::tag::TagError;
use keywarden_model::{EnvironmentId, SecretId, SecretPath};
use keywarden_vault::{SecretBytes, SecretString};

use super::files::{FileError, FileFormat, Nested};
use super::{TemplateError, ValueError};
use crate::keys::Place;
use crate::once::{Repeatable, words};
use crate::refused::carries_refused;
use crate::standards::Breach;
use crate::{Action, Domain, Op, Refused};

/// A file, and where it goes.
#[derive(Debug)]
pub struct ImportFile {
    /// The folder that its paths lie in; `None`: the top.
    pub folder: Option<SecretPath>,
    /// How it is written.
    pub format: FileFormat,
    /// What objects in it are.
    pub nested: Nested,
    /// The file.
    pub file: SecretBytes,
}

/// What would be done with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryOutcome {
    /// The secret gets a new version, or something else is said about it, or both.
    Change {
        /// Whether it gets a new version.
        value: bool,
        /// Whether its description or tags change.
        about: bool,
    },
    /// A secret is made.
    Create,
    /// Nothing is done with it, and so with nothing.
    Refused(EntryRefusal),
    /// It is so already.
    Unchanged,
}

/// Why an entry cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefusal {
    /// A deleted secret has the path.
    #[error("a deleted secret has this path: restore it first")]
    Deleted,
    /// The description is none.
    #[error("description: {0}")]
    Description(TextError),
    /// The caller may not.
    #[error("you may not {}", .0.words())]
    Forbidden(Action),
    /// The caller may not know of what is there.
    #[error("there is no such thing here, or you may not see it")]
    NotFound,
    /// The path is none.
    #[error(transparent)]
    Path(SecretPathError),
    /// Another entry has the path.
    #[error("line {line} has this path already")]
    Repeated {
        /// Where that entry stands.
        line: u64,
    },
    /// The tags are none.
    #[error("tags: {0}")]
    Tags(TagError),
    /// A template that is none.
    #[error(transparent)]
    Template(TemplateError),
    /// Another secret has the path in another spelling.
    #[error("another secret has this path in another spelling: `{0}`")]
    Twin(String),
    /// Another entry has the path in another spelling.
    #[error("line {line} has this path in another spelling")]
    TwinEntry {
        /// Where that entry stands.
        line: u64,
    },
    /// The value is none.
    #[error(transparent)]
    Value(ValueError),
}

/// An entry, and what would be done with it.
#[derive(Debug, Clone)]
pub struct PlannedEntry {
    /// Where it stands in the file.
    pub line: u64,
    /// Where its value would live; of a path that is none, what was written.
    pub path: String,
    /// The secret that is there now.
    pub secret: Option<SecretId>,
    /// The number of its current version; 0: none.
    pub current: i64,
    /// What would be done.
    pub outcome: EntryOutcome,
}

/// What a file would do.
#[derive(Debug)]
pub struct ImportPreview {
    /// The environment.
    pub environment: EnvironmentId,
    /// Its entries, in the order of the file.
    pub entries: Vec<PlannedEntry>,
}

impl ImportPreview {
    /// How many entries would have this done with them.
    pub fn count(&self, is: impl Fn(&EntryOutcome) -> bool) -> usize {
        self.entries.iter().filter(|it| is(&it.outcome)).count()
    }

    /// Whether all of it can be imported.
    pub fn stands(&self) -> bool {
        self.count(|it| matches!(it, EntryOutcome::Refused(_))) == 0
    }
}

/// What somebody saw in a preview: the number of the version that was current at each path; 0: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// By path.
    Each(BTreeMap<String, i64>),
    /// In the order of the file.
    InOrder(Vec<i64>),
}

impl Seen {
    fn is_so(&self, at: usize, entry: &PlannedEntry) -> bool {
        let seen = match self {
            Self::Each(each) => each.get(&entry.path),
            Self::InOrder(all) => all.get(at),
        };
        seen == Some(&entry.current)
    }
}

/// What was done.
#[derive(Debug)]
pub struct Imported {
    /// Secrets that were made.
    pub created: u32,
    /// Secrets that were changed.
    pub changed: u32,
    /// Secrets that were so already.
    pub unchanged: u32,
    /// The entries as they were before, in the order of the file, with the secrets that there are now. Empty for who asks
    /// again.
    pub entries: Vec<PlannedEntry>,
}

impl Repeatable for Imported {
    fn thing(&self) -> String {
        format!("{} {} {}", self.created, self.changed, self.unchanged)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let [created, changed, unchanged] = words(thing)?.map(|word| word.parse().ok());
        Some(Self { created: created?, changed: changed?, unchanged: unchanged?, entries: Vec::new() })
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Something else is there than the caller saw: these paths.
    #[error("{} changed since the preview: look again, then decide", paths(.0))]
    Changed(Vec<String>),
    /// Some entries cannot be imported: these.
    #[error("{} of the entries cannot be imported, so none was", .0.len())]
    Entries(Vec<PlannedEntry>),
    /// The file is not what it is said to be.
    #[error(transparent)]
    File(#[from] FileError),
    /// The project's key wrapped as many data keys as it may.
    #[error("the project's key has wrapped as many data keys as it may: rotate the project's key")]
    KeyExhausted,
    /// The team `operators` cannot be made to own what is new: another team has its name.
    #[error("nobody can own what is new: another team is called operators, so import as a person")]
    NoOwner,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This secret would break a standard that is in force there.
    #[error("`{0}`: {1}")]
    Standard(String, Breach),
    /// This secret has as many labels as may be, and `current` is none of them.
    #[error("`{0}` has as many labels as may be: take one away first")]
    TooManyLabels(String),
}
carries_refused!(ImportError);

/// The first of them, and how many more.
fn paths(all: &[String]) -> String {
    match all {
        [] => "something".into(),
        [one] => format!("`{one}`"),
        [one, more @ ..] => format!("`{one}` and {} more", more.len()),
    }
}

impl Domain {
    /// What a file would do here and now. Nothing is written, and no value is told.
    pub async fn preview_import(
        &self,
        op: &Op,
        place: &Place,
        file: &ImportFile,
    ) -> Result<ImportPreview, ImportError> {
        let plan = self.plan_import(op, place, file).await?;
        Ok(ImportPreview { environment: plan.environment, entries: plan.told() })
    }
}
