//! `GET /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{body::Body, extract::State, response::Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{
    Domain, Op,
    secrets::{
        Address, As, FieldSort, ReadFieldError, ReadSecretError, Revealed, RevealedField, ValueTag, Which,
    },
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
    /// The field that was asked for: `value` is what stands there, and `kind` and `content_type` are of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// `text`, `json` or `binary`. Of a field, `text` where it is a string, and `json` otherwise.
    #[schema(example = "text")]
    kind: &'static str,
    #[schema(example = "text/plain")]
    content_type: String,
    /// Whether the version is a template: what it refers to stands in the value, unless `raw` was asked for.
    #[schema(example = false)]
    template: bool,
    /// The value of a text or JSON, byte for byte; a template's is resolved. Of a field, a string's text, and anything else as
    /// it is written in the JSON.
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
///
/// With `field` only that field of a value that is a JSON object comes back, one at its top, by its name as it is; the event says
/// which. A value that has no such field, or is no object, was read all the same; the answer is 404 and says so.
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
        ("field" = Option<String>, Query, description = "The name of a field: only what stands there"),
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
    let Asked { which, wanted, field } = asked(query)?;
    let address = lives.address(&domain, caller.op()).await?;
    if !known.is_empty() {
        let meant = domain.secret_tag_meant(caller.op(), &address, &which, wanted).await?;
        if let Some(tag) = meant.filter(|tag| known.has(tag)) {
            return Ok(tagged(not_modified(), tag));
        }
    }
    let got = Got::read(&domain, caller.op(), &address, (&which, wanted), field).await?;
    Ok(tagged(json::ok(&SecretValue::of(&got)), got.tag()))
}

/// Which version a query means, and what of it.
struct Asked {
    which: Which,
    wanted: As,
    field: Option<String>,
}

fn asked(query: Query) -> Result<Asked, Problem> {
    let mut query = query.read();
    let field = query.given("field");
    // Not all of the value, because a variable was not set.
    if field.as_deref() == Some("") {
        query.refuse("field", NO_NAME);
    }
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
    Ok(Asked { which, wanted: As::of(raw.unwrap_or_default()), field })
}

pub(super) const NO_NAME: &str = "write the name of a field, or leave it out";

/// What was read: a value, or a field of it.
pub(super) struct Got {
    revealed: Revealed,
    field: Option<(String, FieldSort)>,
}

impl Got {
    pub(super) async fn read(
        domain: &Domain,
        op: &Op,
        address: &Address,
        (which, wanted): (&Which, As),
        field: Option<String>,
    ) -> Result<Self, Problem> {
        let Some(name) = field else {
            let revealed = domain.read_secret_as(op, address, which, wanted).await?;
            return Ok(Self { revealed, field: None });
        };
        let RevealedField { revealed, sort } =
            domain.read_secret_field(op, address, which, wanted, &name).await?;
        Ok(Self { revealed, field: Some((name, sort)) })
    }

    fn tag(&self) -> ValueTag {
        self.revealed.tag()
    }
}

fn not_modified() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl<'a> SecretValue<'a> {
    pub(super) fn of(got: &'a Got) -> Self {
        let revealed = &got.revealed;
        let bytes = revealed.value.expose();
        let (kind, content_type) = match &got.field {
            None => (revealed.version.kind, revealed.version.content_type.clone()),
            Some((_, FieldSort::Text)) => (SecretKind::Text, SecretKind::Text.content_type()),
            Some(_) => (SecretKind::Json, SecretKind::Json.content_type()),
        };
        let text = match kind {
            SecretKind::Binary => None,
            SecretKind::Json | SecretKind::Text => std::str::from_utf8(bytes).ok(),
        };
        Self {
            id: revealed.id.to_string(),
            path: revealed.path.to_string(),
            version: revealed.version.number,
            version_id: revealed.version.id.to_string(),
            uuid: revealed.version.id.uuid(),
            field: got.field.as_ref().map(|(name, _)| name.as_str()),
            kind: kind.as_str(),
            content_type: content_type.to_string(),
            template: revealed.version.template,
            value: text,
            value_base64: text.is_none().then(|| STANDARD.encode(bytes)),
            created_at: revealed.version.created_at,
            expires_at: revealed.version.validity.expires_at(),
        }
    }
}

impl From<ReadFieldError> for Problem {
    fn from(error: ReadFieldError) -> Self {
        match error {
            // Whoever hears it has read the value.
            ReadFieldError::NoField | ReadFieldError::NoObject => {
                Self::new(Kind::NotFound, error.to_string())
            }
            ReadFieldError::Refused(refused) => refused.into(),
            ReadFieldError::Unread(error) => error.into(),
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
