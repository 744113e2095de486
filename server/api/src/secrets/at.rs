//! Where a request is about: a path in an environment, or a secret and a version or label of it; and what the caller has
//! seen there.

use axum::extract::{FromRequestParts, Path};
use http::{HeaderMap, HeaderName, header, request::Parts};
use keywarden_domain::{
    Domain, Op,
    keys::Place,
    secrets::{Address, Expected, ValueTag},
};
use keywarden_model::{SecretId, SecretPath, SecretVersionId};

use crate::{etag, flaw::Flaw, keys::create::place, problem::Problem};

/// `{project}`, `{environment}` and `{path}` of an address, decoded once.
#[derive(Debug)]
pub(crate) struct Lives {
    project: String,
    environment: String,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Lives {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((project, environment, path)) =
            Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self { project, environment, path })
    }
}

impl Lives {
    /// Where a secret may be made. What is no path is said.
    pub(super) async fn place(&self, domain: &Domain, op: &Op) -> Result<(Place, SecretPath), Problem> {
        let path = self.path.parse().map_err(|why| Problem::invalid(Flaw::parameter("path", why)))?;
        Ok((place(domain, op, &self.project, &self.environment).await?, path))
    }

    /// Where a secret may be found. What is no path names nothing.
    pub(super) async fn address(&self, domain: &Domain, op: &Op) -> Result<Address, Problem> {
        let path = self.path.parse().map_err(|_| Problem::not_found())?;
        Ok(Address::Path { place: place(domain, op, &self.project, &self.environment).await?, path })
    }
}

/// `{secret}` and one more part of an address.
#[derive(Debug)]
pub(crate) struct Of<T> {
    pub(super) secret: SecretId,
    pub(super) part: T,
}

impl<S: Send + Sync, T: std::str::FromStr> FromRequestParts<S> for Of<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((secret, part)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        let secret = secret.parse().map_err(|_| Problem::not_found())?;
        Ok(Self { secret, part: part.parse().map_err(|_| Problem::not_found())? })
    }
}

/// A version's number in an address: plain digits, so that one version has one address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(super) i64);

impl std::str::FromStr for Number {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.len() <= 18;
        text.parse()
            .ok()
            .filter(|_| plain)
            .map(Self)
            .ok_or("write a version's number: 1 or more, in plain digits")
    }
}

/// What must be there for a change to be made (RFC 9110, 13.1): `If-Match` with the `ETag` of the value that was read, or
/// `If-None-Match: *` where nothing may be yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted(pub(super) Option<Expected>);

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refuse = |name, why: &str| Problem::invalid(Flaw::parameter(name, why));
        let of_match = one(&parts.headers, &header::IF_MATCH).map_err(|()| refuse("If-Match", ONE))?;
        let of_none =
            one(&parts.headers, &header::IF_NONE_MATCH).map_err(|()| refuse("If-None-Match", NOTHING))?;
        let wanted = match (of_match, of_none) {
            (None, None) => None,
            (Some(tag), None) => {
                let id = version_in(tag).ok_or_else(|| refuse("If-Match", ONE))?;
                Some(Expected::Version(id))
            }
            (None, Some("*")) => Some(Expected::Nothing),
            (None, Some(_)) => return Err(refuse("If-None-Match", NOTHING)),
            (Some(_), Some(_)) => return Err(refuse("If-None-Match", "send either this or `If-Match`")),
        };
        etag::heeded(parts);
        Ok(Self(wanted))
    }
}

const ONE: &str = "send the `ETag` of the value as you got it";
const NOTHING: &str = "send `*`: nothing may be there yet";

/// Values that the caller has, by their tags (`If-None-Match` of a GET). A tag that is none of ours is of no value.
#[derive(Debug)]
pub(crate) struct Known(Vec<String>);

/// More than any cache has of one address.
const MOST: usize = 20;

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let given = parts.headers.get_all(header::IF_NONE_MATCH).iter();
        let tags = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Ok(Self(tags.take(MOST).filter_map(|tag| opaque(tag.trim())).map(str::to_owned).collect()))
    }
}

impl Known {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, tag: &ValueTag) -> bool {
        self.0.contains(&tag.to_string())
    }
}

/// The header's one value; twice is an error.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut given = headers.get_all(name).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// The version of a value's tag. Behind the dot of a template's stand those that it refers to: nobody writes them here.
fn version_in(tag: &str) -> Option<SecretVersionId> {
    let tag = opaque(tag)?;
    tag.split_once('.').map_or(tag, |(version, _)| version).parse().ok()
}

fn opaque(tag: &str) -> Option<&str> {
    // A proxy that compresses makes a tag weak; the value is the same.
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')?.strip_suffix('"')
}
