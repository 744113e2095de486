//! `GET /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{body::Body, extract::State, response::Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{
    Domain,
    secrets::{ReadSecretError, Revealed, Which},
};
use keywarden_model::{SecretKind, SecretLabel};
use serde::Serialize;
use utoipa::ToSchema;

use super::at::{Known, Lives, Number};
use crate::{
    caller::Caller,
    etag::tagged,
    json,
    problem::{Kind, Problem},
    query::Query,
};

/// A value with its version. No `Debug`: it is a secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretValue<'a> {
    /// The secret.
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "database/password")]
    path: String,
    #[schema(example = 3)]
    version: i64,
    #[schema(example = "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    version_id: String,
    #[schema(example = "0192f4c1-5f2b-7000-8000-000000000000")]
    uuid: String,
    /// `text`, `json` or `binary`.
    #[schema(example = "text")]
    kind: &'static str,
    #[schema(example = "text/plain")]
    content_type: String,
    /// The value of a text or JSON, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "postgres://app:…@db/shop")]
    value: Option<&'a str>,
    /// The value of a binary, in base64 (RFC 4648, 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    created_at: DateTime<Utc>,
    /// From then on a read is refused, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-05-01T00:00:00Z")]
    expires_at: Option<DateTime<Utc>>,
}

/// Read a value
///
/// Each reading is an event of the audit record. With `If-None-Match` and the `ETag` of the value that the caller has, the
/// answer is 304 as long as a read would give that one: the value is not opened, and no event is written.
///
/// A version that was put with `not_before` or `expires_at` is read within that time only. Outside of it the answer is the
/// problem `outside-validity`, also for a label: another version never stands in for it.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/environments/{environment}/secrets/{*path}",
    tag = "Secrets",
    operation_id = "readSecret",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("path" = String, Path, description = "Folders and name between single slashes, as in `database/password`"),
        ("version" = Option<u64>, Query, description = "The number of a version"),
        ("label" = Option<String>, Query, description = "A label; `current` unless this or `version` says otherwise"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the value that the caller has"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the value is read: 3 to 200 characters for the audit record. Some environments ask for it"),
    ),
    responses(
        (status = 200, description = "The value", body = SecretValue),
        (status = 304, description = "The caller has the value"),
    ),
    extensions(("x-discloses" = json!(true))),
)]
pub(crate) async fn read(
    State(domain): State<Domain>,
    caller: Caller,
    lives: Lives,
    known: Known,
    query: Query,
) -> Result<Response, Problem> {
    let which = which(query)?;
    let address = lives.address(&domain, caller.op()).await?;
    if !known.is_empty() {
        let meant = domain.secret_version_meant(caller.op(), &address, &which).await?;
        if let Some(version) = meant.filter(|version| known.has(*version)) {
            return Ok(tagged(not_modified(), version));
        }
    }
    let revealed = domain.read_secret(caller.op(), &address, &which).await?;
    let version = revealed.version.id;
    Ok(tagged(json::ok(&SecretValue::of(&revealed)), version))
}

/// Which version a query means.
fn which(query: Query) -> Result<Which, Problem> {
    let mut query = query.read();
    let version: Option<Number> = query.parse("version");
    let label: Option<SecretLabel> = query.parse("label");
    if version.is_some() && label.is_some() {
        query.refuse("label", "send either this or `version`");
    }
    query.end()?;
    Ok(match (version, label) {
        (Some(Number(number)), _) => Which::Number(number),
        (None, Some(label)) => Which::Label(label),
        (None, None) => Which::default(),
    })
}

fn not_modified() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl<'a> SecretValue<'a> {
    pub(super) fn of(revealed: &'a Revealed) -> Self {
        let bytes = revealed.value.expose();
        let text = match revealed.version.kind {
            SecretKind::Binary => None,
            SecretKind::Json | SecretKind::Text => std::str::from_utf8(bytes).ok(),
        };
        Self {
            id: revealed.id.to_string(),
            path: revealed.path.to_string(),
            version: revealed.version.number,
            version_id: revealed.version.id.to_string(),
            uuid: revealed.version.id.uuid(),
            kind: revealed.version.kind.as_str(),
            content_type: revealed.version.content_type.to_string(),
            value: text,
            value_base64: text.is_none().then(|| STANDARD.encode(bytes)),
            created_at: revealed.version.created_at,
            expires_at: revealed.version.validity.expires_at(),
        }
    }
}

impl From<ReadSecretError> for Problem {
    fn from(error: ReadSecretError) -> Self {
        match error {
            ReadSecretError::NoReason => Self::no_reason(error),
            ReadSecretError::Outside { .. } => Self::new(Kind::OutsideValidity, error.to_string()),
            ReadSecretError::Refused(refused) => refused.into(),
            ReadSecretError::Shut { .. } => Self::conflict(error),
        }
    }
}
