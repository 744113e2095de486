//! Who calls: the holder of a service token, and nobody else. No cookie is ever read here, so that no browser can be
//! made to call the API in somebody's name.

use axum::extract::{FromRef, FromRequestParts, MatchedPath};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use keywarden_domain::{Actor, Domain, LastRefusal, Op, Refused, Source};
use keywarden_model::{ClientAddress, Reason, RequestId, name::TextError};

use crate::{
    flaw::Flaw,
    json::Asked,
    problem::{Kind, Problem},
};

/// Characters kept of what a client calls itself.
const AGENT: usize = 200;

/// A caller who proved who it is, as the operation it asks for. Stands first among a handler's arguments.
#[derive(Debug)]
pub(crate) struct Caller(Op);

impl Caller {
    /// The operation, for handlers that only read.
    pub(crate) fn op(&self) -> &Op {
        &self.0
    }

    /// The operation, of a change that has no body.
    pub(crate) fn into_op(self) -> Op {
        self.0
    }

    /// The operation and the body, joined with the promise to do it once.
    pub(crate) fn asks<T>(self, asked: Asked<T>) -> (Op, T) {
        (Op { once: asked.once, ..self.0 }, asked.body)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Domain: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let domain = Domain::from_ref(state);
        let token = bearer(parts.headers.get_all(header::AUTHORIZATION).iter());
        let shown = match token {
            Some(token) => domain.authenticate_token(token).await,
            None => Err(Refused::NotFound),
        };
        let op = proven(&domain, shown, token.is_some(), &parts.headers, &parts.extensions)?;
        let reason = reason(&parts.headers)?;
        Ok(Self(Op { reason, ..op }))
    }
}

const REASON: HeaderName = HeaderName::from_static("keywarden-reason");

/// Why values are read, in UTF-8; of every request that says so, for its answer may hold one.
fn reason(headers: &HeaderMap) -> Result<Option<Reason>, Problem> {
    let mut given = headers.get_all(REASON).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let refuse = |why: &dyn std::fmt::Display| Problem::invalid(Flaw::parameter("Keywarden-Reason", why));
    if given.next().is_some() {
        return Err(refuse(&"send one reason"));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| refuse(&"write it in UTF-8"))?;
    text.parse().map(Some).map_err(|why: TextError| refuse(&why))
}

/// The operation of whoever shows `token` to verify keys.
pub(crate) async fn authenticate_verifier(
    domain: &Domain,
    token: Option<&str>,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Op, Problem> {
    let shown = match token {
        Some(token) => domain.authenticate_verifier(token).await,
        None => Err(Refused::NotFound),
    };
    proven(domain, shown, token.is_some(), headers, extensions)
}

/// The operation of whoever was recognized. Every way of being nobody gets the same answer.
fn proven(
    domain: &Domain,
    shown: Result<Actor, Refused>,
    with_token: bool,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Op, Problem> {
    let now = domain.env().now();
    let source = Source {
        address: extensions.get().map(|ClientAddress(address)| *address),
        agent: agent(headers.get(header::USER_AGENT)),
    };
    let request = extensions.get::<RequestId>().copied().unwrap_or_else(|| domain.env().id(now));
    match shown {
        Ok(actor) => {
            let refusal = extensions.get::<LastRefusal>().cloned().unwrap_or_default();
            refusal.by(&actor, now);
            Ok(Op { actor, source, request, now, once: None, reason: None, seen: None, refusal })
        }
        Err(Refused::NotFound) => {
            let route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
            let verdict = if with_token { "bad-token" } else { "no-token" };
            domain.note_refusal(&source, route, verdict);
            Err(unauthenticated())
        }
        Err(refused) => Err(refused.into()),
    }
}

/// The token in the one `Authorization: Bearer …`; two of them are none.
pub fn bearer<'a>(mut given: impl Iterator<Item = &'a HeaderValue>) -> Option<&'a str> {
    let value = given.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && given.next().is_none()).then(|| token.trim())
}

/// What a client calls itself, cut.
pub(crate) fn agent(given: Option<&HeaderValue>) -> Option<String> {
    let said = String::from_utf8_lossy(given?.as_bytes());
    Some(said.chars().filter(|c| !c.is_control()).take(AGENT).collect()).filter(|it: &String| !it.is_empty())
}

fn unauthenticated() -> Problem {
    Problem::new(
        Kind::Unauthenticated,
        "show a service token that is in force: `Authorization: Bearer kws_…`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> Option<String> {
        let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_str(line).unwrap()).collect();
        bearer(lines.iter()).map(ToOwned::to_owned)
    }

    #[test]
    fn only_one_bearer_header_is_a_token() {
        assert_eq!(shown(&["Bearer kws_x"]).as_deref(), Some("kws_x"));
        assert_eq!(shown(&["bearer  kws_x "]).as_deref(), Some("kws_x"));
        for none in [&["Basic a3dz"][..], &["kws_x"], &[], &["Bearer a", "Bearer a"], &["Bearer"]] {
            assert_eq!(shown(none), None, "{none:?}");
        }
    }

    #[test]
    fn an_agent_is_cut_and_has_no_control_characters() {
        let long = HeaderValue::from_bytes(format!("{}\té", "x".repeat(300)).as_bytes()).unwrap();
        assert_eq!(agent(Some(&long)).unwrap(), "x".repeat(200));
        assert_eq!(agent(Some(&HeaderValue::from_static(""))), None);
    }
}
