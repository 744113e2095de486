//! `GET /api/v1/access-requests/{request}/evidence`

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    access::{Evidence, HeldRole, SignedApproval},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::Caller, json, problem::Problem};

/// All that was signed about a request. `keywarden approval verify` checks it without a server, and proves by public keys known from
/// elsewhere whose signatures they are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessEvidence {
    /// Always `keywarden/access-evidence`.
    #[schema(example = "keywarden/access-evidence")]
    kind: String,
    /// How it is written.
    #[schema(example = 1)]
    v: u32,
    /// Where the Keywarden is that made it.
    #[schema(example = "https://keys.example.com")]
    origin: String,
    /// The relying party that its passkeys are bound to.
    #[schema(example = "keys.example.com")]
    rp_id: String,
    #[schema(example = "acr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    request: String,
    /// In the order of the signatures.
    approvals: Vec<AccessSignature>,
    /// The role that came of it; `null` if none did.
    grant: Option<AccessHeld>,
}

/// What somebody signed, and what proves it. Bytes are base64url.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessSignature {
    /// The very bytes that were signed: JSON as RFC 8785 writes it.
    statement: String,
    proof: AccessProof,
    credential_id: String,
    #[schema(example = "psk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    passkey: String,
    /// Whether the passkey leaves its device.
    synced: bool,
    /// The event that enrolled the passkey.
    #[schema(example = "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    enrolment: Option<String>,
    /// The revision of the policies that were in force.
    #[schema(example = 4)]
    policies: i64,
    signed_at: DateTime<Utc>,
}

/// A WebAuthn assertion whose challenge is made of the statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessProof {
    /// The challenge is SHA-256 of `keywarden/approval/v1`, a zero byte, this, and the SHA-256 of the statement.
    nonce: String,
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    /// A `COSE_Key`.
    public_key: String,
}

/// A role that was held for a while.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessHeld {
    #[schema(example = "grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// `expired`, `given-back` or `revoked`.
    how: Option<&'static str>,
}

impl From<Evidence> for AccessEvidence {
    fn from(it: Evidence) -> Self {
        Self {
            kind: it.kind,
            v: it.v,
            origin: it.origin,
            rp_id: it.rp_id,
            request: it.request.to_string(),
            approvals: it.approvals.into_iter().map(AccessSignature::from).collect(),
            grant: it.grant.map(AccessHeld::from),
        }
    }
}

impl From<SignedApproval> for AccessSignature {
    fn from(it: SignedApproval) -> Self {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Self {
            statement: it.statement,
            proof: AccessProof {
                nonce: text(&it.proof.nonce),
                client_data_json: text(&it.proof.client_data_json),
                authenticator_data: text(&it.proof.authenticator_data),
                signature: text(&it.proof.signature),
                public_key: text(&it.proof.public_key),
            },
            credential_id: it.credential_id,
            passkey: it.passkey,
            synced: it.synced,
            enrolment: it.enrolment,
            policies: it.policies,
            signed_at: it.signed_at,
        }
    }
}

impl From<HeldRole> for AccessHeld {
    fn from(it: HeldRole) -> Self {
        let how = it.how.map(keywarden_model::GrantEnd::as_str);
        Self { id: it.id, starts_at: it.starts_at, ends_at: it.ends_at, ended_at: it.ended_at, how }
    }
}

/// Export what was signed
///
/// Whoever may see the request may have it.
#[utoipa::path(
    get,
    path = "/api/v1/access-requests/{request}/evidence",
    tag = "Access",
    operation_id = "getAccessEvidence",
    params(("request" = String, Path, description = "`acr_…`")),
    responses((status = 200, description = "What was signed, and what proves it", body = AccessEvidence)),
)]
pub(crate) async fn evidence(
    State(domain): State<Domain>,
    caller: Caller,
    Path(request): Path<String>,
) -> Result<Response, Problem> {
    let id = request.parse().map_err(|_| Problem::not_found())?;
    let evidence = domain.access_evidence(caller.op(), id).await?;
    Ok(json::ok(&AccessEvidence::from(evidence)))
}
