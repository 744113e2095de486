//! `GET /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{body::Body, extract::State, response::Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{
    Domain,
    secrets::{As, ReadSecretError, Revealed, Which},
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
    /// Whether the version is a template: what it refers to stands in the value, unless `raw` was asked for.
    #[schema(example = false)]
    template: bool,
    /// The value of a text or JSON, byte for byte; a template's is resolved.
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
///
/// In a version that was put as a `template` each `${project/environment/path}` stands for the current value of that secret,
/// which is a reading too: it asks for the same permit, and has its own event. If one of them cannot be read, the answer is the
/// problem `unresolved-reference`; what the caller may not know of is answered like what is not there. References lead from one
/// to the next five times at most, and fifty are resolved at once. The `ETag` changes with each of them. With `raw=true` the text
/// comes back as it was put.
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
        ("raw" = Option<bool>, Query, description = "`true`: a template's text as it was put"),
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
    let (which, wanted) = which(query)?;
    let address = lives.address(&domain, caller.op()).await?;
    if !known.is_empty() {
        let meant = domain.secret_tag_meant(caller.op(), &address, &which, wanted).await?;
        if let Some(tag) = meant.filter(|tag| known.has(tag)) {
            return Ok(tagged(not_modified(), tag));
        }
    }
    let revealed = domain.read_secret_as(caller.op(), &address, &which, wanted).await?;
    Ok(tagged(json::ok(&SecretValue::of(&revealed)), revealed.tag()))
}

/// Which version a query means, and what of it.
fn which(query: Query) -> Result<(Which, As), Problem> {
    let mut query = query.read();
    let version: Option<Number> = query.parse("version");
    let label: Option<SecretLabel> = query.parse("label");
    let raw: Option<bool> = query.parse("raw");
    if version.is_some() && label.is_some() {
        query.refuse("label", "send either this or `version`");
    }
    query.end()?;
    let which = match (version, label) {
        (Some(Number(number)), _) => Which::Number(number),
        (None, Some(label)) => Which::Label(label),
        (None, None) => Which::default(),
    };
    Ok((which, As::of(raw.unwrap_or_default())))
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
            template: revealed.version.template,
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
            ReadSecretError::Unresolved { .. } => Self::new(Kind::Unresolved, error.to_string()),
        }
    }
}
