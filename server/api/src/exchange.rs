//! `POST /oauth2/token`: a token that another issuer signed for a service token (RFC 8693), or a terminal's code for the
//! token that its person approved (RFC 8628). It takes no service token, because it gives one.

use std::borrow::Cow;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keywarden_domain::{
    Actor, Domain, LastRefusal, Op, Refused, Source,
    exchange::{EXCHANGED_LASTS, Exchange, ExchangeError},
};
use keywarden_model::{ClientAddress, KeptForStranger, RequestId, WorkloadId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::agent, device, json, problem::Problem};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// What is asked, as a form (RFC 8693, 2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read field by field; this is its documentation")]
pub(crate) struct TokenExchange {
    /// This, or `urn:ietf:params:oauth:grant-type:device_code` with `device_code` alone.
    #[schema(example = "urn:ietf:params:oauth:grant-type:token-exchange")]
    grant_type: String,
    /// The code that a terminal got at `/oauth2/device_authorization`.
    #[schema(example = "8f14e45fceea167a5a36dedd4bea2543…")]
    device_code: Option<String>,
    /// The token that your platform signed, made for this server's audience.
    #[schema(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ij…")]
    subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:jwt` or `…:id_token`.
    #[schema(example = "urn:ietf:params:oauth:token-type:jwt")]
    subject_token_type: Option<String>,
    /// The workload's id; needed only where rules of several workloads admit the token.
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    client_id: Option<String>,
    /// This server's public URL, if anything.
    #[schema(example = "https://keys.example.com")]
    audience: Option<String>,
    /// As `audience`.
    resource: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token`, if anything.
    requested_token_type: Option<String>,
}

/// RFC 8693, 2.2.1.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "kws_workload_0A1B2C3D4E5F_…",
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "token_type": "Bearer",
    "expires_in": 900,
}))]
pub(crate) struct ExchangedToken<'a> {
    /// A service token. It is nowhere kept and not shown again.
    pub(crate) access_token: &'a str,
    pub(crate) issued_token_type: &'static str,
    pub(crate) token_type: &'static str,
    /// Seconds from now.
    pub(crate) expires_in: i64,
}

/// RFC 6749, 5.2.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenError {
    /// `invalid_request`, `invalid_grant`, `invalid_target`, `invalid_scope`, `unsupported_grant_type` or
    /// `unsupported_token_type`; of a terminal's code `authorization_pending`, `slow_down`, `access_denied` or
    /// `expired_token`.
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// In words, for a person.
    #[schema(example = "this token is not accepted")]
    error_description: Cow<'static, str>,
}

/// Exchange a token of your platform, or a terminal's code, for a service token
///
/// A platform's token must be signed by an issuer that a sign-in rule of a workload trusts, and claim what the rule asks for. The
/// answer is the same for every token that is not accepted; the rule's page shows its keepers why.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "Workloads",
    operation_id = "exchangeToken",
    security(()),
    request_body(content = TokenExchange, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A service token for 15 minutes; a terminal's for at most 8 hours", body = ExchangedToken),
        (status = 400, description = "It is not given", body = TokenError),
    ),
)]
pub(crate) async fn exchange(State(domain): State<Domain>, request: Request) -> Response {
    match answered(&domain, request).await {
        Ok(response) => response,
        Err(no) => no.answer(),
    }
}

/// Why nothing is given.
pub(crate) enum No {
    Problem(Problem),
    Told(TokenError),
}

impl No {
    pub(crate) fn answer(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Told(told) => {
                let waits = told.error == device::PENDING;
                let mut response = told.answer();
                // Counts against the address: whoever guesses is stopped before the next guess is read. Waiting, as
                // slowly as was said, is no guess.
                if !waits {
                    response.extensions_mut().insert(KeptForStranger);
                }
                response
            }
        }
    }
}

impl TokenError {
    /// 400, in the words of OAuth 2.0.
    pub(crate) fn answer(&self) -> Response {
        unkept(json::answer(StatusCode::BAD_REQUEST, self))
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

pub(crate) fn no(error: &'static str, why: impl Into<Cow<'static, str>>) -> No {
    No::Told(TokenError { error, error_description: why.into() })
}

async fn answered(domain: &Domain, request: Request) -> Result<Response, No> {
    let posted = Posted::of(domain, request).await?;
    if posted.form.field("grant_type")?.as_deref() == Some(device::GRANT) {
        return device::redeem(domain, &posted).await;
    }
    let (token, workload) = posted.form.asks(&domain.settings().origin)?;
    let exchanged = domain.exchange(&posted.source, posted.id, Exchange { token: &token, workload }).await?;
    let answer = ExchangedToken {
        access_token: exchanged.value.expose(),
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: EXCHANGED_LASTS.num_seconds(),
    };
    Ok(unkept(json::ok(&answer)))
}

impl From<ExchangeError> for No {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Ambiguous => no("invalid_request", error.to_string()),
            ExchangeError::Invalid => no("invalid_grant", error.to_string()),
            ExchangeError::Refused(Refused::Fault(fault)) => Self::Problem(fault.into()),
            ExchangeError::Refused(_) => no("invalid_grant", "this token is not accepted"),
        }
    }
}

/// A form that somebody unknown posted.
pub(crate) struct Posted {
    pub(crate) form: Form,
    pub(crate) source: Source,
    pub(crate) id: RequestId,
}

impl Posted {
    pub(crate) async fn of(domain: &Domain, request: Request) -> Result<Self, No> {
        let (parts, body) = request.into_parts();
        if !says_form(&parts.headers) {
            return Err(no(
                "invalid_request",
                "send a form with `Content-Type: application/x-www-form-urlencoded`",
            ));
        }
        let form = Form(json::form(&parts.headers, body).await?);
        let source = Source {
            address: parts.extensions.get().map(|ClientAddress(address)| *address),
            agent: agent(parts.headers.get(header::USER_AGENT)),
        };
        let now = domain.env().now();
        let id = parts.extensions.get::<RequestId>().copied().unwrap_or_else(|| domain.env().id(now));
        Ok(Self { form, source, id })
    }

    /// Nobody's operation.
    pub(crate) fn op(&self, domain: &Domain) -> Op {
        let (source, request, now) = (self.source.clone(), self.id, domain.env().now());
        Op {
            actor: Actor::Nobody,
            source,
            request,
            now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        }
    }
}

/// The posted form.
pub(crate) struct Form(axum::body::Bytes);

impl Form {
    fn asks(&self, origin: &str) -> Result<(String, Option<WorkloadId>), No> {
        let missing = |name: &str| no("invalid_request", format!("`{name}` is missing"));
        match self.field("grant_type")?.as_deref() {
            Some(GRANT) => {}
            Some(_) => {
                return Err(no("unsupported_grant_type", format!("use `{GRANT}` or `{}`", device::GRANT)));
            }
            None => return Err(missing("grant_type")),
        }
        let kind = self.field("subject_token_type")?.ok_or_else(|| missing("subject_token_type"))?;
        if !SUBJECT_TYPES.contains(&kind.as_str()) {
            return Err(no(
                "invalid_request",
                format!("`subject_token_type` is `{}`", SUBJECT_TYPES.join("` or `")),
            ));
        }
        if self.field("requested_token_type")?.is_some_and(|kind| kind != ACCESS_TOKEN) {
            return Err(no(
                "invalid_request",
                format!("`requested_token_type` is `{ACCESS_TOKEN}`, if anything"),
            ));
        }
        if self.field("actor_token")?.is_some() {
            return Err(no("invalid_request", "nobody acts for another here: leave `actor_token` out"));
        }
        for name in ["audience", "resource"] {
            let wanted = self.field(name)?;
            if wanted.is_some_and(|wanted| wanted.strip_suffix('/').unwrap_or(&wanted) != origin) {
                return Err(no("invalid_target", format!("`{name}` is this server, if anything")));
            }
        }
        if self.field("scope")?.is_some() {
            return Err(no(
                "invalid_scope",
                "what a workload may do comes from its roles: leave `scope` out",
            ));
        }
        let workload = self.field("client_id")?.map(|id| id.parse()).transpose();
        let workload =
            workload.map_err(|_| no("invalid_request", "`client_id` is a workload's id, `wkl_…`"))?;
        Ok((self.field("subject_token")?.ok_or_else(|| missing("subject_token"))?, workload))
    }

    /// A field, which may stand once (RFC 6749, 3.2); without a value it counts as absent.
    pub(crate) fn field(&self, wanted: &'static str) -> Result<Option<String>, No> {
        let mut given = form_urlencoded::parse(&self.0).filter(|(name, _)| name == wanted);
        let value = given.next().map(|(_, value)| value.into_owned());
        if given.next().is_some() {
            return Err(no("invalid_request", format!("`{wanted}` stands twice")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }
}

pub(crate) fn says_form(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Kept by no cache, not by an old one either (RFC 6749, 5.1).
pub(crate) fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
