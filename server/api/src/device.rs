//! Terminals (RFC 8628): `POST /oauth2/device_authorization` begins, `POST /oauth2/token` ends it; `POST /oauth2/revoke`
//! (RFC 7009) signs a terminal out. Nobody who asks here is known.

use axum::{
    extract::{Request, State},
    response::Response,
};
use keywarden_domain::{
    Actor, Domain, Op, Refused,
    people::{DEVICE_LASTS, RedeemError},
};
use keywarden_model::KeptForStranger;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    exchange::{ACCESS_TOKEN, ExchangedToken, No, Posted, TokenError, no, unkept},
    json,
};

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What is answered while nobody decided.
pub(crate) const PENDING: &str = "authorization_pending";
/// The page where a person types the code.
const PAGE: &str = "/device";

/// What a terminal asks, as a form (RFC 8628, 3.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read field by field; this is its documentation")]
pub(crate) struct DeviceAuthorization {
    /// What the client calls itself, if anything; it is not looked at.
    #[schema(example = "keywarden")]
    client_id: Option<String>,
}

/// RFC 8628, 3.2.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "device_code": "8f14e45fceea167a5a36dedd4bea2543…",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://keys.example.com/device",
    "verification_uri_complete": "https://keys.example.com/device?user_code=WDJB-MJHT",
    "expires_in": 600,
    "interval": 5,
}))]
pub(crate) struct DeviceAuthorized<'a> {
    /// What the terminal keeps for itself.
    device_code: &'a str,
    /// What its person types.
    user_code: &'a str,
    /// Where.
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds from now.
    expires_in: i64,
    /// Seconds between two questions.
    interval: i64,
}

/// A token to be given up, as a form (RFC 7009, 2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read field by field; this is its documentation")]
pub(crate) struct TokenRevocation {
    /// A terminal's token.
    #[schema(example = "kws_person_0A1B2C3D4E5F_…")]
    token: String,
    /// `access_token`, if anything; it is not looked at.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
}

/// Ask to sign a terminal in
///
/// Its person types the code that it shows into the console's page, where they are signed in, and approves with their passkey.
/// Meanwhile the terminal asks at `/oauth2/token`, with the grant type of RFC 8628.
#[utoipa::path(
    post,
    path = "/oauth2/device_authorization",
    tag = "People",
    operation_id = "authorizeDevice",
    security(()),
    request_body(content = DeviceAuthorization, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The two codes; good for ten minutes", body = DeviceAuthorized),
        (status = 400, description = "It is not given", body = TokenError),
    ),
)]
pub(crate) async fn authorize(State(domain): State<Domain>, request: Request) -> Response {
    match begun(&domain, request).await {
        Ok(response) => response,
        Err(no) => no.answer(),
    }
}

async fn begun(domain: &Domain, request: Request) -> Result<Response, No> {
    let posted = Posted::of(domain, request).await?;
    if posted.form.field("scope")?.is_some() {
        return Err(no("invalid_scope", "a terminal may do what its person may: leave `scope` out"));
    }
    let started = domain.start_device(&posted.op(domain)).await.map_err(trouble)?;
    let page = format!("{}{PAGE}", domain.settings().origin);
    let answer = DeviceAuthorized {
        device_code: started.device_code.expose(),
        user_code: started.user_code.expose(),
        verification_uri_complete: format!("{page}?user_code={}", started.user_code.expose()),
        verification_uri: page,
        expires_in: DEVICE_LASTS.num_seconds(),
        interval: started.every,
    };
    let mut response = unkept(json::ok(&answer));
    // A row is kept for somebody unknown: it costs their address.
    response.extensions_mut().insert(KeptForStranger);
    Ok(response)
}

/// A terminal asks whether it was let in.
pub(crate) async fn redeem(domain: &Domain, posted: &Posted) -> Result<Response, No> {
    let missing = || no("invalid_request", "`device_code` is missing");
    let code = posted.form.field("device_code")?.ok_or_else(missing)?;
    let op = posted.op(domain);
    let token = domain.redeem_device(&op, &code).await?;
    let answer = ExchangedToken {
        access_token: token.value.expose(),
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: (token.expires_at - op.now).num_seconds(),
    };
    Ok(unkept(json::ok(&answer)))
}

impl From<RedeemError> for No {
    fn from(error: RedeemError) -> Self {
        let word = match &error {
            RedeemError::Denied => "access_denied",
            RedeemError::Expired => "expired_token",
            RedeemError::Pending => PENDING,
            RedeemError::SlowDown => "slow_down",
            RedeemError::Refused(_) => "invalid_grant",
        };
        match error {
            RedeemError::Refused(refused) => trouble(refused),
            told => no(word, told.to_string()),
        }
    }
}

/// Sign a terminal out
///
/// A token that is unknown or was given up before is given up all the same (RFC 7009, 2.2).
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "People",
    operation_id = "revokeOwnToken",
    security(()),
    request_body(content = TokenRevocation, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It is good for nothing any more"),
        (status = 400, description = "It is not revoked", body = TokenError),
    ),
)]
pub(crate) async fn revoke(State(domain): State<Domain>, request: Request) -> Response {
    match revoked(&domain, request).await {
        Ok(response) => response,
        Err(no) => no.answer(),
    }
}

async fn revoked(domain: &Domain, request: Request) -> Result<Response, No> {
    let posted = Posted::of(domain, request).await?;
    let token = posted.form.field("token")?;
    let token = token.ok_or_else(|| no("invalid_request", "`token` is missing"))?;
    let mut response = unkept(Response::default());
    match domain.authenticate_token(&token).await {
        Ok(actor @ Actor::Person(_)) => {
            domain.sign_out(&Op { actor, ..posted.op(domain) }).await.or_else(ended).map_err(trouble)?;
        }
        Ok(_) => {
            return Err(no(
                "unsupported_token_type",
                "a workload's token is revoked by who keeps the workload",
            ));
        }
        Err(Refused::NotFound) => {
            response.extensions_mut().insert(KeptForStranger);
        }
        Err(refused) => return Err(trouble(refused)),
    }
    Ok(response)
}

/// Somebody else ended it meanwhile.
fn ended(refused: Refused) -> Result<(), Refused> {
    if matches!(refused, Refused::NotFound) { Ok(()) } else { Err(refused) }
}

fn trouble(refused: Refused) -> No {
    match refused {
        Refused::Fault(fault) => No::Problem(fault.into()),
        _ => no("invalid_grant", "this is not given"),
    }
}
