//! `GET /api/v1/keys/authorize`: a reverse proxy asks about the request that it holds.
//!
//! The proxy's own configuration says what is wanted, never the request that it holds: in the query for proxies that
//! ask one address (nginx `auth_request`, Traefik `ForwardAuth`), in headers for Envoy `ext_authz`, which appends the
//! held request's path and query to the address, and uses its method.

use std::net::IpAddr;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    response::Response,
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};
use keywarden_domain::{
    Domain,
    keys::{Question, RateStatus, Route, Verdict},
};
use keywarden_model::{ClientAddress, OfSomebodyElse, RequestId, Scopes, VerifyCode};

use crate::{
    caller::{agent, authenticate_verifier, bearer},
    flaw::Flaw,
    problem::Problem,
    query::Query,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// In it a proxy shows its service token, beside what its caller shows in `Authorization`.
pub const TOKEN: HeaderName = HeaderName::from_static("x-keywarden-token");
const SCOPE: HeaderName = HeaderName::from_static("x-keywarden-scope");
const IP_FROM: HeaderName = HeaderName::from_static("x-keywarden-ip-from");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where Envoy asks: below it stands the held request's own path, of which the shortest is `/`.
pub(crate) const BELOW: [&str; 2] = ["/api/v1/keys/authorize/", "/api/v1/keys/authorize/{*held}"];

/// Let a reverse proxy ask about the request that it holds
///
/// The service token of the proxy stands in `X-Keywarden-Token`, or in `Authorization` when the key does not. The key is
/// the held request's `X-Api-Key`, or its `Authorization: Bearer`.
///
/// 200 lets the request through; 401 means that there is no key, or none that is in force; 403 that the key may not do
/// this, from there, or so often. `X-Keywarden-Code` says which; the headers of a known key can be passed on.
///
/// nginx: `auth_request` to a `location` whose `proxy_pass` asks here with `?scope=orders:read&ip=$remote_addr`, and which
/// sets `X-Keywarden-Token` and `X-Forwarded-For $remote_addr`.
///
/// Traefik: `forwardAuth` with `?scope=orders:read&ip_from=x-forwarded-for` in its address, after a `headers` middleware
/// that sets `X-Keywarden-Token` and before one that takes it away.
///
/// Envoy: `ext_authz` with `path_prefix: /api/v1/keys/authorize`; it asks with any method, below this address, and says in
/// headers what it wants: `X-Keywarden-Token`, `X-Keywarden-Scope`, `X-Keywarden-Ip-From`.
///
/// Whole configurations of the three lie in `.github/deploy`.
#[utoipa::path(
    get,
    path = "/api/v1/keys/authorize",
    tag = "Verification",
    operation_id = "authorizeRequest",
    params(
        ("scope" = Option<String>, Query, description = "What the key is wanted for; several are separated by spaces", example = "orders:read"),
        ("ip" = Option<String>, Query, description = "From where the held request came", example = "198.51.100.7"),
        ("ip_from" = Option<String>, Query, description = "Where the held request's address stands. `x-forwarded-for`: it is the last one there, if the proxy writes that header itself. `client`: it is whom this server takes for the client, if the proxy is among `KEYWARDEN_TRUSTED_PROXIES`"),
        ("X-Keywarden-Token" = Option<String>, Header, description = "The proxy's service token"),
        ("X-Api-Key" = Option<String>, Header, description = "The key that the held request shows"),
    ),
    responses(
        (status = 200, description = "Let it through", headers(
            ("X-Keywarden-Code" = String, description = "`valid`"),
            ("X-Keywarden-Key-Id" = String, description = "`key_…`"),
            ("X-Keywarden-Project" = String, description = "The project's slug"),
            ("X-Keywarden-Environment" = String, description = "The environment's slug"),
            ("X-Keywarden-Owner" = String, description = "The id of a person or team"),
            ("X-Keywarden-Scopes" = String, description = "What the key holds, separated by spaces"),
            ("X-Keywarden-Superseded" = String, description = "`true` when another value has taken its place"),
            ("RateLimit" = String, description = "Where the key stands in its window"),
            ("RateLimit-Policy" = String, description = "The key's rate limit"),
        )),
        (status = 401, description = "No key, or none that is in force: see `X-Keywarden-Code`; or the proxy's own token is not good"),
        (status = 403, description = "Not for this, not from there, or not so often: see `X-Keywarden-Code`"),
    ),
)]
pub(crate) async fn authorize(State(domain): State<Domain>, request: Request) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let (parts, _) = request.into_parts();
    answered(&domain, &parts).await.unwrap_or_else(|problem| problem.answer(id))
}

async fn answered(domain: &Domain, parts: &Parts) -> Result<Response, Problem> {
    let headers = &parts.headers;
    let own = one(headers, &TOKEN);
    let token = own.or_else(|| bearer(headers.get_all(header::AUTHORIZATION).iter()));
    let op = authenticate_verifier(domain, token, headers, &parts.extensions).await?;
    let wanted = Wanted::read(&parts.uri, headers, &parts.extensions)?;
    let Some(presented) = presented(headers, own.is_some()) else {
        return Ok(verdictless());
    };
    let caller = agent(headers.get(header::USER_AGENT));
    let question = Question {
        presented,
        scopes: &wanted.scopes,
        ip: wanted.ip,
        caller: caller.as_deref(),
        route: Route::Authorize,
    };
    let verdict = domain.verify_key(&op, &question).await;
    Ok(told(&verdict.map_err(|refused| Problem::from(refused).decided(domain, &op.refusal))?))
}

/// What the proxy's configuration asks for.
#[derive(Debug, Default)]
struct Wanted {
    scopes: Scopes,
    ip: Option<IpAddr>,
}

impl Wanted {
    fn read(uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Result<Self, Problem> {
        let below = extensions.get::<MatchedPath>().is_some_and(|path| BELOW.contains(&path.as_str()));
        let (scope, ip, ip_from) = if below {
            // The query is the held request's own: whoever sent that must not say what is asked of it.
            let text = |name| one(headers, name).map(ToOwned::to_owned);
            (text(&SCOPE), None, text(&IP_FROM))
        } else {
            let mut query = Query::of(uri)?.read();
            let read = (query.text("scope"), query.parse("ip"), query.text("ip_from"));
            query.end()?;
            read
        };
        let wrong = |name, why: &dyn std::fmt::Display| Problem::invalid(Flaw::parameter(name, why));
        let words = scope.as_deref().unwrap_or_default().split_ascii_whitespace();
        let scopes = Scopes::parse(words).map_err(|why| wrong("scope", &why))?;
        let ip = match ip_from.as_deref() {
            None => ip,
            Some(name) if name.eq_ignore_ascii_case(FORWARDED_FOR.as_str()) => last_forwarded(headers),
            Some("client") => extensions.get().map(|ClientAddress(address)| *address),
            Some(_) => return Err(wrong("ip_from", &"write `x-forwarded-for` or `client`")),
        };
        Ok(Self { scopes, ip })
    }
}

/// The address that the proxy itself wrote.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next()?.trim().parse().ok()
}

/// The key that the held request shows.
fn presented(headers: &HeaderMap, own_token: bool) -> Option<&str> {
    if headers.contains_key(API_KEY) {
        return one(headers, &API_KEY).map(|value| match value.split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
            _ => value,
        });
    }
    bearer(headers.get_all(header::AUTHORIZATION).iter()).filter(|_| own_token)
}

/// The value of a header that stands once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut given = headers.get_all(name).iter();
    let value = given.next()?.to_str().ok()?.trim();
    (given.next().is_none() && !value.is_empty()).then_some(value)
}

fn verdictless() -> Response {
    empty(StatusCode::UNAUTHORIZED, VerifyCode::NotFound)
}

fn told(verdict: &Verdict) -> Response {
    let status = match verdict.code {
        VerifyCode::Valid => StatusCode::OK,
        // nginx takes anything but 401 and 403 for a failure of ours, so 429 is not among them.
        VerifyCode::InsufficientScope | VerifyCode::IpNotAllowed | VerifyCode::RateLimited => {
            StatusCode::FORBIDDEN
        }
        VerifyCode::Expired
        | VerifyCode::NotFound
        | VerifyCode::NotYetValid
        | VerifyCode::Revoked
        | VerifyCode::Suspended => StatusCode::UNAUTHORIZED,
    };
    let mut response = empty(status, verdict.code);
    let headers = response.headers_mut();
    if let Some(key) = verdict.key() {
        let scopes: Vec<_> = key.scopes.iter().map(keywarden_model::Scope::as_str).collect();
        put(headers, "x-keywarden-key-id", &key.id.to_string());
        put(headers, "x-keywarden-project", &key.project_slug);
        put(headers, "x-keywarden-environment", &key.environment_slug);
        put(headers, "x-keywarden-owner", &key.owner.to_string());
        put(headers, "x-keywarden-scopes", &scopes.join(" "));
        if verdict.superseded {
            put(headers, "x-keywarden-superseded", "true");
        }
    }
    if let Some(status) = verdict.rate_limit {
        rate(headers, status, verdict.code == VerifyCode::RateLimited);
    }
    response
}

/// draft-ietf-httpapi-ratelimit-headers.
fn rate(headers: &mut HeaderMap, status: RateStatus, over: bool) {
    put(headers, "ratelimit-policy", &format!("\"key\";q={}", status.limit));
    put(headers, "ratelimit", &format!("\"key\";r={};t={}", status.remaining, status.reset_seconds));
    if over {
        put(headers, "retry-after", &status.reset_seconds.max(1).to_string());
    }
}

fn empty(status: StatusCode, code: VerifyCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    put(headers, "x-keywarden-code", code.as_str());
    if status == StatusCode::UNAUTHORIZED {
        put(headers, "www-authenticate", r#"Bearer realm="keywarden", error="invalid_token""#);
    }
    if code == VerifyCode::InsufficientScope {
        put(headers, "www-authenticate", r#"Bearer realm="keywarden", error="insufficient_scope""#);
    }
    response.extensions_mut().insert(OfSomebodyElse);
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
