//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST, or a PUT with a body, that is sent twice
//! is done once. A PUT that makes a version of a secret would make two, and so would a PATCH of its fields.
//!
//! | Sent again with | Answer |
//! | --- | --- |
//! | the same method, path and body, within an hour | the first answer, secret included |
//! | the same, later | 409 with the `id` of what was made, however late; without a secret in it, the first answer for seven days |
//! | anything else | 422 |

use http::{HeaderName, Method, request::Parts, uri::PathAndQuery};
use keywarden_domain::Once;

use crate::{flaw::Flaw, problem::Problem};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The promise that a POST or PUT asks for.
pub(crate) fn from_parts(parts: &Parts, body: &[u8]) -> Result<Option<Once>, Problem> {
    if matches!(parts.method, Method::POST | Method::PUT) { asked(parts, body) } else { Ok(None) }
}

/// The promise that a request asks for, whatever its method: it makes something each time.
pub(crate) fn asked(parts: &Parts, body: &[u8]) -> Result<Option<Once>, Problem> {
    let mut given = parts.headers.get_all(HEADER).iter();
    let Some(key) = given.next() else { return Ok(None) };
    let refuse = |why: &str| Problem::invalid(Flaw::parameter("Idempotency-Key", why));
    if given.next().is_some() {
        return Err(refuse("send one idempotency key"));
    }
    let key = key.to_str().unwrap_or_default();
    // The draft writes the key as a quoted string; most callers send it bare. Both mean the same key.
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let address = parts.uri.path_and_query().map_or(parts.uri.path(), PathAndQuery::as_str);
    let request = [parts.method.as_str().as_bytes(), address.as_bytes(), body];
    Once::new(key, &request).map(Some).map_err(|error| refuse(&error.to_string()))
}
