//! Lost updates: an `ETag` is the row's version, and `If-Match` on a change says which one the caller has seen
//! (RFC 9110, 13.1.1). A change without it is made to whatever is there. Where it is not heeded it is refused, so that
//! nobody takes an answer for one that heeded it.

use axum::{extract::FromRequestParts, response::Response};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use keywarden_domain::Op;

use crate::{
    flaw::Flaw,
    problem::{Kind, Problem},
};

/// The version that the caller has seen, if it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(pub(crate) Option<i64>);

impl Seen {
    /// The version to change: the one that is there, unless the caller has seen another.
    pub(crate) fn version(self, there: i64) -> Result<i64, Problem> {
        if self.0.is_some_and(|seen| seen != there) { Err(changed()) } else { Ok(there) }
    }
}

impl<S: Sync> FromRequestParts<S> for Seen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let seen = Self::read(&parts.headers)?;
        heeded(parts);
        Ok(seen)
    }
}

impl Seen {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut given = headers.get_all(header::IF_MATCH).iter();
        let Some(tag) = given.next() else { return Ok(Self(None)) };
        let tag = tag.to_str().unwrap_or_default();
        if tag == "*" && given.next().is_none() {
            return Ok(Self(None));
        }
        let strong = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        match (strong.and_then(version), given.next()) {
            (Some(version), None) => Ok(Self(Some(version))),
            // A tag that we never gave out matches nothing; a list of them is not of use to anybody.
            (None, None) if well_formed(tag) => Err(changed()),
            _ => Err(refuse("send one ETag as you got it, or `*`")),
        }
    }

    /// The operation on that version alone.
    pub(crate) fn of(self, op: Op) -> Op {
        Op { seen: self.0, ..op }
    }

    /// How many tries are left after each: whoever has seen no version in particular has their change made to what is
    /// there now when somebody else was faster.
    pub(crate) fn tries(self) -> impl Iterator<Item = usize> {
        (0..if self.0.is_none() { TRIES } else { 1 }).rev()
    }
}

/// How often somebody else may be faster.
const TRIES: usize = 16;

/// Stands among a handler's arguments where no version is heeded and no body is read.
#[derive(Debug)]
pub(crate) struct Unheeded;

impl<S: Sync> FromRequestParts<S> for Unheeded {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        unheeded(&parts.headers).map(|()| Self)
    }
}

/// What the header asks is looked after.
pub(crate) fn heeded(parts: &mut Parts) {
    parts.headers.remove(header::IF_MATCH);
}

/// Refuses a header that nothing has heeded. `*` asks for what is so anyway: the thing is there.
pub(crate) fn unheeded(headers: &HeaderMap) -> Result<(), Problem> {
    let asks = headers.get_all(header::IF_MATCH).iter().any(|tag| tag != "*");
    if asks { Err(refuse("it is not heeded here: leave it out")) } else { Ok(()) }
}

fn refuse(why: &str) -> Problem {
    Problem::invalid(Flaw::parameter("If-Match", why))
}

fn version(tag: &str) -> Option<i64> {
    let digits = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| tag.parse().ok()).flatten()
}

fn well_formed(tag: &str) -> bool {
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"') && !opaque.contains(',')
}

/// 412.
pub(crate) fn changed() -> Problem {
    Problem::new(Kind::Precondition, "somebody changed it since you read it: read it again, then decide")
}

/// Names the version that an answer shows.
pub(crate) fn tagged(mut response: Response, version: impl std::fmt::Display) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
