//! Queries: a few known parameters, each once.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use form_urlencoded::parse;
use http::{Uri, request::Parts};

use crate::{flaw::Flaw, problem::Problem};

/// The parameters as given, in order, decoded once.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// More than any address of ours has.
const MOST: usize = 20;

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

impl Query {
    /// The parameters of an address.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let given: Vec<_> = parse(uri.query().unwrap_or_default().as_bytes())
            .take(MOST + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if given.len() > MOST {
            return Err(Problem::invalid(Flaw::parameter("query", "too many parameters")));
        }
        Ok(Self(given))
    }

    /// Begins to take parameters out.
    pub(crate) fn read(self) -> Reading {
        Reading { left: self.0, flaws: Vec::new() }
    }
}

/// A query from which parameters are taken; what is left over in the end is a mistake of the caller's.
#[derive(Debug)]
pub(crate) struct Reading {
    left: Vec<(String, String)>,
    flaws: Vec<Flaw>,
}

impl Reading {
    /// The parameter's text. An empty one is as good as none.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The parameter's text, be it empty.
    pub(crate) fn given(&mut self, name: &'static str) -> Option<String> {
        let at = self.left.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.left.swap_remove(at);
        if self.left.iter().any(|(given, _)| given == name) {
            self.left.retain(|(given, _)| given != name);
            self.flaws.push(Flaw::parameter(name, "stands twice in the query"));
        }
        Some(value)
    }

    /// The parameter, read.
    pub(crate) fn parse<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = self.text(name)?;
        text.parse().map_err(|why| self.flaws.push(Flaw::parameter(name, why))).ok()
    }

    /// Notes a flaw.
    pub(crate) fn refuse(&mut self, name: &'static str, why: impl std::fmt::Display) {
        self.flaws.push(Flaw::parameter(name, why));
    }

    /// Fails if anything was wrong or is left over.
    pub(crate) fn end(mut self) -> Result<(), Problem> {
        if let Some((name, _)) = self.left.first() {
            let shown: String = name.chars().take(64).collect();
            self.flaws.push(Flaw::parameter("query", format_args!("`{shown}` is not a parameter here")));
        }
        if self.flaws.is_empty() { Ok(()) } else { Err(self.flaws.into()) }
    }
}
