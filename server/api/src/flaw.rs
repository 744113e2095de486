//! What is wrong with a request, all of it at once: a caller mends everything in one go.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use keywarden_model::time;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Flaw {
    /// A JSON pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// The parameter of the query, or the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'static str>,
    /// What is wrong, and what would be right.
    detail: String,
}

impl Flaw {
    /// In the body.
    pub(crate) fn at(pointer: impl Into<String>, detail: impl Display) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.to_string() }
    }

    /// In the query or a header.
    pub(crate) fn parameter(name: &'static str, detail: impl Display) -> Self {
        Self { pointer: None, parameter: Some(name), detail: detail.to_string() }
    }

    pub(crate) fn is_parameter(&self) -> bool {
        self.pointer.is_none()
    }
}

/// What is wrong with an instant.
pub(crate) const INSTANT: &str = "write an instant as in RFC 3339: `2027-01-31T00:00:00Z`";

/// Collects flaws while a body is read field by field.
#[derive(Debug, Default)]
pub(crate) struct Flaws(Vec<Flaw>);

impl Flaws {
    /// The value, or a flaw and nothing.
    pub(crate) fn keep<T, E: Display>(&mut self, pointer: &'static str, read: Result<T, E>) -> Option<T> {
        read.map_err(|why| self.0.push(Flaw::at(pointer, why))).ok()
    }

    /// Notes one.
    pub(crate) fn note(&mut self, flaw: Flaw) {
        self.0.push(flaw);
    }

    /// Reads one text.
    pub(crate) fn parse<T>(&mut self, pointer: &'static str, text: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        self.keep(pointer, text.parse())
    }

    /// Reads an instant that may be absent: `Some(None)` then, `None` if it is flawed.
    #[expect(clippy::option_option, reason = "absent and flawed are not the same")]
    pub(crate) fn instant(
        &mut self,
        pointer: &'static str,
        text: Option<&str>,
    ) -> Option<Option<DateTime<Utc>>> {
        let read = text.map(|text| time::instant(text).ok_or(INSTANT)).transpose();
        self.keep(pointer, read)
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problem that all of them make.
    pub(crate) fn problem(self) -> Problem {
        self.0.into()
    }
}
