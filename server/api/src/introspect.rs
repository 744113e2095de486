//! `POST /oauth2/introspect` (RFC 7662): the same question in the words of OAuth 2.0.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keywarden_domain::{
    Domain,
    keys::{Question, Route, Verdict},
};
use keywarden_model::{RequestId, Scope, Scopes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    caller::{authenticate_verifier, bearer},
    exchange::{No, TokenError, no, says_form},
    json,
    problem::{Kind, Problem},
};

/// What is asked, as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read field by field; this is its documentation")]
pub(crate) struct Introspect {
    /// What your caller showed.
    #[schema(example = "kwk_live_0A1B2C3D4E5F_…")]
    token: String,
    /// Not heeded: there is one kind of token here.
    token_type_hint: Option<String>,
    /// From where your caller came: an extension, for keys with address ranges.
    #[schema(example = "198.51.100.7")]
    ip: Option<String>,
    /// What your caller calls itself, its agent or a service's name: an extension. The first 200 bytes are kept with the
    /// key's use; without it, none are.
    #[schema(example = "checkout/2.4")]
    caller: Option<String>,
}

/// RFC 7662, 2.2. Of a key that is not good it tells `active`, no more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Introspected<'a> {
    active: bool,
    /// What the key holds, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "orders:read")]
    scope: Option<String>,
    /// The key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    client_id: Option<String>,
    /// Its owner's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    sub: Option<String>,
    /// Its project's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pay")]
    aud: Option<&'a str>,
    /// This server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://keys.example.com")]
    iss: Option<&'a str>,
    /// When it stops being good by itself, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// Is this key good, in the words of OAuth 2.0
///
/// The caller shows its service token as `Authorization: Bearer`, or as the password of `Authorization: Basic` with any
/// client id. What is wrong with the form is told in the words of RFC 6749, 5.2.
#[utoipa::path(
    post,
    path = "/oauth2/introspect",
    tag = "Verification",
    operation_id = "introspect",
    extensions(("x-reads" = json!(true))),
    request_body(content = Introspect, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Whether it is active", body = Introspected),
        (status = 400, description = "The form is not what it must be", body = TokenError),
    ),
)]
pub(crate) async fn introspect(State(domain): State<Domain>, request: Request) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let challenge = challenge(request.headers());
    match answered(&domain, request).await {
        Ok(response) => response,
        Err(No::Told(wrong)) => wrong.answer(),
        Err(No::Problem(problem)) => {
            let mut response = problem.answer(id);
            if let Some(told) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE) {
                *told = challenge;
            }
            response
        }
    }
}

/// The scheme that was tried is the one to try again (RFC 6749, 5.2).
fn challenge(headers: &HeaderMap) -> HeaderValue {
    let tried = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let basic = tried.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
    HeaderValue::from_static(if basic { r#"Basic realm="keywarden""# } else { r#"Bearer realm="keywarden""# })
}

async fn answered(domain: &Domain, request: Request) -> Result<Response, No> {
    let (parts, body) = request.into_parts();
    let password = basic(&parts.headers);
    let shown = bearer(parts.headers.get_all(header::AUTHORIZATION).iter());
    let op = authenticate_verifier(domain, shown.or(password.as_deref()), &parts.headers, &parts.extensions)
        .await?;
    if !says_form(&parts.headers) {
        let told = "send a form with `Content-Type: application/x-www-form-urlencoded`";
        return Err(Problem::new(Kind::UnsupportedType, told).into());
    }
    let form = json::form(&parts.headers, body).await?;
    let token = field(&form, "token")?.ok_or_else(|| no("invalid_request", "`token` is missing"))?;
    let ip = field(&form, "ip")?.map(|text| text.parse::<IpAddr>()).transpose();
    let ip = ip.map_err(|why| no("invalid_request", format!("`ip`: {why}")))?;
    let caller = field(&form, "caller")?;
    let question = Question {
        presented: &token,
        scopes: &Scopes::default(),
        ip,
        // Not the agent of this request: that is the service which asks.
        caller: caller.as_deref(),
        route: Route::Introspect,
    };
    let verdict = domain.verify_key(&op, &question).await;
    let verdict = verdict.map_err(|refused| Problem::from(refused).decided(domain, &op.refusal))?;
    Ok(json::answer(StatusCode::OK, &Introspected::of(&verdict, &domain.settings().origin)))
}

impl<'a> Introspected<'a> {
    fn of(verdict: &'a Verdict, origin: &'a str) -> Self {
        let key = verdict.key().filter(|_| verdict.valid());
        let scopes = key.map(|key| key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "));
        Self {
            active: key.is_some(),
            scope: scopes,
            client_id: key.map(|key| key.id.to_string()),
            sub: key.map(|key| key.owner.to_string()),
            aud: key.map(|key| &*key.project_slug),
            iss: key.map(|_| origin),
            exp: verdict.expires_at.filter(|_| key.is_some()).map(|at| at.timestamp()),
        }
    }
}

/// The password of `Authorization: Basic` (RFC 6749, 2.3.1: both parts are form-encoded; a service token is as it is).
fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, coded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(password.to_owned())
}

/// A field that may stand once (RFC 6749, 3.2). Others are not ours to judge.
fn field(form: &[u8], wanted: &'static str) -> Result<Option<String>, No> {
    let mut given = form_urlencoded::parse(form).filter(|(name, _)| name == wanted);
    let value = given.next().map(|(_, value)| value.into_owned());
    if given.next().is_some() {
        return Err(no("invalid_request", format!("`{wanted}` stands twice")));
    }
    Ok(value)
}
