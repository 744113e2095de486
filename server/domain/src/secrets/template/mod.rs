//! Templates: values whose text refers to other secrets.
//!
//! `${project/environment/path}` stands for the current value of another secret, `${…/path#database.user}` for a field of the
//! JSON that it is; `$${` is the two characters `${`. Only in a version that was put as a template: every other value comes
//! back byte for byte. In a template of kind JSON what comes in is written as within a string, so that the whole stays JSON.
//!
//! Resolving is a reading of each secret on the way, by whoever reads the template: asked for and told like any other. What
//! may not be known of is answered as what is not there. Where a reference leads is looked up at that moment.

mod field;
mod follow;
mod resolve;
#[cfg(test)]
mod tests;

use keywarden_model::VersionState;
use keywarden_model::secret::{Reference, ReferenceError};
use keywarden_store::secrets::references::ReferenceRow;

use super::secret::{Address, damaged};
use super::validity::Outside;
use crate::Fault;
use crate::keys::Place;

pub(super) use follow::{Guide, Halt, Lead, Walk, resources, sources};
pub(super) use resolve::resolve;

/// The most references of a template, and of all that one reading resolves.
pub const MOST_REFERENCES: usize = 50;
/// How many references may lead from one to the next.
pub const DEEPEST: usize = 5;

/// Why a text is no template. Says nothing of what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Its bytes are no text.
    #[error("a template is text or JSON: binary values have no references")]
    Binary,
    /// A reference that is none.
    #[error("line {line}, character {character}: {why}")]
    Malformed {
        /// From 1.
        line: usize,
        /// Of the `$` in its line, from 1.
        character: usize,
        /// What is wrong with it.
        why: ReferenceError,
    },
    /// More references than may be.
    #[error("use at most {MOST_REFERENCES} references")]
    TooMany,
    /// A reference without an end.
    #[error(
        "line {line}, character {character}: close the reference with `}}`; for the two characters themselves, write `$${{`"
    )]
    Unclosed {
        /// From 1.
        line: usize,
        /// Of the `$` in its line, from 1.
        character: usize,
    },
}

/// Why a reference is not resolved. That it is missing is told to everybody, that it is forbidden to who may see what it leads
/// to, and all else to who may read that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// There is no such secret, or the reader may not know of it.
    #[error("there is no such secret, or you may not see it")]
    Missing,
    /// The reader may see it, and not read it.
    #[error("you may not read this secret's value")]
    Forbidden,
    /// What it leads to is no text.
    #[error("its value is binary: a template takes text or JSON")]
    Binary,
    /// It leads back to where it began: these, one after the other.
    #[error("it leads back to itself: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// Too many references lead from one to the next.
    #[error("it is more than {DEEPEST} references away from what was asked for")]
    Deep,
    /// It is deleted.
    #[error("this secret is deleted: restore it, or refer to another one")]
    Deleted,
    /// The value is JSON, and has no such field; or it has one that is neither a text, a whole number nor a truth value.
    #[error("its value has no such field that is a text, a whole number, true or false")]
    NoField,
    /// Nothing is read where no version is named.
    #[error("no version of it is current")]
    NoCurrent,
    /// A field of a value that is not JSON.
    #[error("its value is not JSON: it has no fields")]
    NotJson,
    /// Its current version is read within its time only.
    #[error("its version {number} {outside}")]
    Outside {
        /// The version.
        number: i64,
        /// Which side of its time this is.
        outside: Outside,
    },
    /// Its current version is not read.
    #[error("its version {number} is {state}: it cannot be read")]
    Shut {
        /// The version.
        number: i64,
        /// Its state.
        state: VersionState,
    },
    /// With it the whole is longer than a value may be.
    #[error("with it the value is too long: at most {0} bytes")]
    TooLong(usize),
    /// More references than one reading resolves.
    #[error("it is one too many: at most {MOST_REFERENCES} references are resolved at once")]
    TooMany,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// To be resolved.
    Reference(Reference),
    /// To be taken as it is.
    Text(&'a str),
}

/// A text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template<'a>(Vec<Piece<'a>>);

impl<'a> Template<'a> {
    /// Takes a text apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let (mut rest, mut references) = (text, 0_usize);
        while let Some((before, behind)) = rest.split_once("${") {
            let begins = text.len().saturating_sub(behind.len()).saturating_sub("${".len());
            if let Some(before) = before.strip_suffix('$') {
                pieces.push(Piece::Text(before));
                pieces.push(Piece::Text("${"));
                rest = behind;
                continue;
            }
            let (line, character) = place(text, begins);
            let (written, after) =
                behind.split_once('}').ok_or(TemplateError::Unclosed { line, character })?;
            let read = written.parse().map_err(|why| TemplateError::Malformed { line, character, why });
            pieces.push(Piece::Text(before));
            pieces.push(Piece::Reference(read?));
            references = references.saturating_add(1);
            if references > MOST_REFERENCES {
                return Err(TemplateError::TooMany);
            }
            rest = after;
        }
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| !matches!(piece, Piece::Text("")));
        Ok(Self(pieces))
    }

    pub(super) fn pieces(&self) -> &[Piece<'a>] {
        &self.0
    }

    pub(super) fn into_references(self) -> Vec<Reference> {
        let of = |piece| match piece {
            Piece::Reference(reference) => Some(reference),
            Piece::Text(_) => None,
        };
        self.0.into_iter().filter_map(of).collect()
    }
}

/// Line and character of a byte, both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    (line, in_line.chars().count().saturating_add(1))
}

/// The address that a reference names.
pub(super) fn address_of(it: &Reference) -> Address {
    let place = Place::Slugs { project: it.project.clone(), environment: it.environment.clone() };
    Address::Path { place, path: it.path.clone() }
}

/// A reference as its row holds it.
pub(super) fn reference_row(it: &Reference) -> ReferenceRow {
    ReferenceRow {
        project: it.project.to_string(),
        environment: it.environment.to_string(),
        path: it.path.to_string(),
        field: it.field.as_ref().map(ToString::to_string),
    }
}

/// A reference out of its row.
pub(super) fn reference_of(row: &ReferenceRow) -> Result<Reference, Fault> {
    Ok(Reference {
        project: row.project.parse().map_err(damaged)?,
        environment: row.environment.parse().map_err(damaged)?,
        path: row.path.parse().map_err(damaged)?,
        field: row.field.as_deref().map(str::parse).transpose().map_err(damaged)?,
    })
}

/// The references of a stored value, as rows hold them; `None` if it is no template. For whoever looks whether the two agree.
pub(crate) fn rows_of(text: &[u8]) -> Option<Vec<ReferenceRow>> {
    let template = Template::parse(std::str::from_utf8(text).ok()?).ok()?;
    Some(template.into_references().iter().map(reference_row).collect())
}
