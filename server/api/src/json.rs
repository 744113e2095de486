//! Bodies: read once, bounded, strict; and answers.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keywarden_domain::Once;
use keywarden_model::Strict;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use crate::{
    body::{self, Unfit},
    etag,
    flaw::Flaw,
    once,
    problem::{Kind, Problem},
};

/// The longest body of any request; an import of the largest batch fits.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// The longest form: another issuer's longest token fits, and each field that is asked for is a walk through all of it.
const MAX_FORM: usize = 64 * 1024;

/// A body and, if the request brought a key for it, the promise to do it once. Stands last among a handler's
/// arguments, after [`crate::caller::Caller`]: nobody unknown makes us read a body.
#[derive(Debug)]
pub(crate) struct Asked<T> {
    pub(crate) body: T,
    pub(crate) once: Option<Once>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        etag::unheeded(&parts.headers)?;
        let bytes = bytes(&parts.headers, body).await?;
        if !bytes.is_empty() {
            says_json(&parts.headers)?;
        }
        let once = once::from_parts(&parts, &bytes)?;
        Ok(Self { body: read(&bytes)?, once })
    }
}

/// Room for the headers of an answer, those of the server's own layers included.
const USUAL_HEADERS: usize = 12;

/// A body that says nothing: none, or `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A field of a merge patch (RFC 7396): absent, `null`, or a value.
pub(crate) type Patched<T> = Option<Option<T>>;

/// Tells `null` from absent; stands beside `#[serde(default)]`.
pub(crate) fn patched<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Patched<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A field of a merge patch that `null` empties; stands beside `#[serde(default)]`.
pub(crate) fn emptied<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer).map(|value| Some(value.unwrap_or_default()))
}

/// A field that may be absent, for which `null` is as good as that; stands beside `#[serde(default)]`.
pub(crate) fn absent<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A field of a merge patch that the thing cannot be without; stands beside `#[serde(default)]`.
pub(crate) fn kept<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::deserialize(deserializer)?;
    value
        .map(Some)
        .ok_or_else(|| D::Error::custom("cannot be taken away: send a value, or leave the field out"))
}

/// The whole body, unless it is too long.
pub(crate) async fn bytes(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    within(MAX_BODY, headers, body).await
}

/// The whole form, unless it is too long.
pub(crate) async fn form(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    within(MAX_FORM, headers, body).await
}

async fn within(most: usize, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, format!("send at most {most} bytes"));
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > most as u64) {
        return Err(too_large());
    }
    to_bytes(body, most).await.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        if cause.contains("length limit") {
            return too_large();
        }
        Problem::new(Kind::Malformed, "the body broke off")
    })
}

/// `application/json` in UTF-8 and not compressed; anything else is refused before it is read.
pub(crate) fn says_json(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(Problem::new(
            Kind::UnsupportedType,
            "send the body as it is, without `Content-Encoding`",
        ));
    }
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = said.split_once(';').unwrap_or((said, ""));
    // A parameter means the same with and without quotes (RFC 9110, 5.6.6).
    let charset = parameters.trim();
    let is_utf8 = ["charset=utf-8", "charset=\"utf-8\""].iter().any(|it| charset.eq_ignore_ascii_case(it));
    let essence = essence.trim();
    let fits = ["application/json", "application/merge-patch+json"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
        && (charset.is_empty() || is_utf8);
    if fits {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedType, "send JSON with `Content-Type: application/json`"))
}

/// Reads a body; no body is an empty object.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    read_with(bytes, |value| body::read::<T>(value))
}

/// Reads a body strictly, then what it is by `as_what`.
pub(crate) fn read_with<T>(
    bytes: &[u8],
    as_what: impl FnOnce(&Value) -> Result<T, Unfit>,
) -> Result<T, Problem> {
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    as_what(&value).map_err(|unfit| Problem::invalid(Flaw::at(unfit.pointer, unfit.said)))
}

/// Serde would take an array for a struct, field by field.
pub(crate) fn no_object() -> Problem {
    Problem::invalid(Flaw::at("", "send a JSON object"))
}

/// A text that is not JSON, or says a thing twice.
fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Kind::Malformed, format!("the body is not JSON as we read it: {error}"))
}

/// An answer in JSON that nobody keeps.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => written(status, bytes),
        Err(cause) => unwritten(&cause).into_response(),
    }
}

/// An answer that is no JSON: ours.
pub(crate) fn unwritten(cause: &serde_json::Error) -> Problem {
    tracing::error!(%cause, "an answer could not be written");
    Problem::new(Kind::Internal, "something went wrong on our side; `instance` finds it in the log")
}

/// Writes what has a text as that text, without a copy of it; for `serialize_with`.
pub(crate) fn shown<T: std::fmt::Display, S: serde::Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// An answer that is JSON already.
pub(crate) fn written(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    *headers = HeaderMap::with_capacity(USUAL_HEADERS);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 200.
pub(crate) fn ok(body: &impl Serialize) -> Response {
    answer(StatusCode::OK, body)
}

/// 204: there is nothing left to show.
pub(crate) fn nothing() -> Response {
    written(StatusCode::NO_CONTENT, "")
}

/// 201, and where the new thing is.
pub(crate) fn created(location: &str, body: &impl Serialize) -> Response {
    let mut response = answer(StatusCode::CREATED, body);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
