//! What stands at a door, from the outside in: what an address may cost, other sites' pages, a node without its keys, and
//! what one request may take.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keywarden_domain::{Domain, Proof, Source, people::SessionKey};
use keywarden_model::{ClientAddress, KeptForStranger, OfSomebodyElse};
use tokio::sync::watch;

use super::{
    bounds::Bounds,
    csrf::OwnOrigin,
    health::{self, Condition},
    limits::{Meter, too_many},
    session,
};

/// What is asked of a request before its handler runs.
#[derive(Debug)]
pub(super) struct Door {
    bounds: Bounds,
    counting: Counting,
    own_origin: Option<OwnOrigin>,
    showing: Option<Showing>,
    condition: Option<watch::Receiver<Condition>>,
    /// Who counts what is refused here.
    domain: Option<Domain>,
}

/// Which requests count against their address.
#[derive(Debug)]
pub(super) enum Counting {
    /// None: the answer costs nothing.
    Nothing,
    /// For routes that authenticate: what was answered 401, was a wrong guess, or kept something for a stranger, so that callers who are who they say share an address freely,
    /// and one who guesses is stopped before the next guess is read. A verdict on somebody else's key is none of these.
    Refusals(Meter),
    /// For routes anybody may call.
    Requests(Meter),
}

/// By what a door's callers show who they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Showing {
    /// A session's cookie; its name hangs on whether the console is served over https.
    Cookie { https: bool },
    /// A token in `X-Keywarden-Token`, else in `Authorization`.
    Token,
}

/// What a request shows.
enum Shown {
    Session(SessionKey),
    /// With nothing around it.
    Token(HeaderValue),
    /// After its scheme.
    Bearer(HeaderValue),
}

impl Door {
    pub(super) fn new(bounds: Bounds, counting: Counting) -> Self {
        Self { bounds, counting, own_origin: None, showing: None, condition: None, domain: None }
    }

    /// Who was proven here lately passes when strangers of the same address have asked too much, and is counted apart.
    pub(super) fn knowing(self, showing: Showing) -> Self {
        Self { showing: Some(showing), ..self }
    }

    /// Shut with the reason while the node has no keys.
    pub(super) fn shut_while_sealed(self, condition: watch::Receiver<Condition>) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// What is refused here is told in the record, in summary.
    pub(super) fn telling(self, domain: Option<Domain>) -> Self {
        Self { domain, ..self }
    }

    /// What another site's page sent goes no further.
    pub(super) fn only_own_pages(self, own: OwnOrigin) -> Self {
        Self { own_origin: Some(own), ..self }
    }

    /// The answer to a request that may not pass.
    fn refuses(&self, request: &Request, shown: Option<&Shown>) -> Option<Response> {
        self.over_limit(request, shown)
            .inspect(|_| self.note(request, "too-many-requests"))
            .or_else(|| self.crosses_sites(request))
            .or_else(|| health::at_shut_door(&self.condition.as_ref()?.borrow(), request.headers()))
    }

    fn crosses_sites(&self, request: &Request) -> Option<Response> {
        let refusal = self.own_origin.as_ref()?.refuses(request)?;
        if refusal.status() == StatusCode::FORBIDDEN {
            self.note(request, "cross-site");
        }
        Some(refusal)
    }

    fn note(&self, request: &Request, verdict: &'static str) {
        if let Some(domain) = &self.domain {
            let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
            let source = Source { address: address(request).map(|it| it.0), agent: None };
            domain.note_refusal(&source, route, verdict);
        }
    }

    fn over_limit(&self, request: &Request, shown: Option<&Shown>) -> Option<Response> {
        let (address, now) = (address(request)?, Instant::now());
        let room = match &self.counting {
            Counting::Nothing => Ok(()),
            Counting::Refusals(meter) => {
                meter.check(address.0, now).or_else(|wait| match self.proof(shown) {
                    Some(proof) => meter.check(proof, now),
                    None => Err(wait),
                })
            }
            Counting::Requests(meter) => meter.take(address.0, now),
        };
        room.err().map(|wait| too_many(request.headers(), wait))
    }

    /// The answer stands; what is counted matters to the next request.
    fn count(&self, address: Option<ClientAddress>, shown: Option<&Shown>, response: &Response) {
        if let (Counting::Refusals(meter), Some(address)) = (&self.counting, address)
            && (is_refusal(response) || kept_something(response))
        {
            let now = Instant::now();
            meter.take(address.0, now).ok();
            if let Some(proof) = self.proof(shown) {
                meter.take(proof, now).ok();
            }
        }
    }

    /// What the request shows, as it stands: nothing is looked up yet.
    fn shown(&self, headers: &HeaderMap) -> Option<Shown> {
        match self.showing? {
            Showing::Cookie { https } => session::shown(headers, https).map(Shown::Session),
            Showing::Token => match headers.get(keywarden_api::TOKEN) {
                Some(token) => Some(Shown::Token(token.clone())),
                None => headers.get(header::AUTHORIZATION).cloned().map(Shown::Bearer),
            },
        }
    }

    fn proof(&self, shown: Option<&Shown>) -> Option<Proof> {
        let domain = self.domain.as_ref()?;
        match shown? {
            Shown::Session(key) => domain.proven_session(key),
            Shown::Token(value) => domain.proven_token(value.to_str().ok()?.trim()),
            Shown::Bearer(value) => domain.proven_token(keywarden_api::bearer(std::iter::once(value))?),
        }
    }
}

/// Lets a request pass, or answers it here.
pub(super) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let shown = door.shown(request.headers());
    if let Some(refusal) = door.refuses(&request, shown.as_ref()) {
        return refusal;
    }
    let address = address(&request);
    let response = door.bounds.hold(request, next).await;
    door.count(address, shown.as_ref(), &response);
    response
}

fn is_refusal(response: &Response) -> bool {
    response.status() == StatusCode::UNAUTHORIZED && response.extensions().get::<OfSomebodyElse>().is_none()
}

fn kept_something(response: &Response) -> bool {
    response.extensions().get::<KeptForStranger>().is_some()
}

/// A request without an address (only in tests) counts against nobody.
fn address(request: &Request) -> Option<ClientAddress> {
    request.extensions().get().copied()
}
