//! `PUT /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{extract::State, response::Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use keywarden_domain::{
    Domain, SecretBytes,
    authz::Owner,
    secrets::{self, About, Expected, NewValue, Put, PutError, Validity},
};
use keywarden_model::{SecretKind, SecretLabel, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::at::{Lives, Wanted};
use crate::{
    caller::Caller,
    etag::{self, tagged},
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    keys::create::OWNER,
    problem::Problem,
    standards,
};

/// A new value. No `Debug`: it is a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutSecret {
    /// The value as text: kept and given back byte for byte. Either this or `value_base64`; at most 64 KiB, unless the server
    /// is set otherwise.
    #[schema(example = "postgres://app:…@db/shop")]
    value: Option<String>,
    /// The value in base64 (RFC 4648, 4, padded), for bytes that are no text.
    value_base64: Option<String>,
    /// `text`, `json` or `binary`; otherwise `text`, or `binary` for `value_base64`. Of `json` it is checked that it is.
    #[schema(example = "text")]
    kind: Option<String>,
    /// A media type for other programs; otherwise the kind's own.
    #[schema(example = "text/plain")]
    content_type: Option<String>,
    /// The new version's label instead of `current`: `pending`, or one of your own. `current` then stays where it is.
    label: Option<String>,
    /// The number of the version that must be `current`; 0: none yet. The same as `If-Match`, by number.
    expected_version: Option<i64>,
    /// An instant (RFC 3339) from which on the version is read; before, a read is refused. It never changes.
    #[schema(example = "2027-01-01T00:00:00Z")]
    not_before: Option<String>,
    /// An instant (RFC 3339) from which on the version is read no more. It never changes: put a new version instead.
    #[schema(example = "2027-05-01T00:00:00Z")]
    expires_at: Option<String>,
    /// Whether the value is a template: `${project/environment/path}` in it stands for the current value of another secret,
    /// `${project/environment/path#database.user}` for a field of the JSON that it is, and `$${` for `${`. At most 50
    /// references; what they name need not be there yet. It never changes.
    #[serde(default)]
    #[schema(example = false)]
    template: bool,
    /// What a new secret is for, up to 1 000 characters. This, tags and owner are said when a secret is made; one that is
    /// there is changed with `PATCH`.
    #[schema(example = "the shop's database")]
    description: Option<String>,
    /// Of a new secret, at most 32: `name` or `name=value`.
    #[schema(example = json!(["team=payments"]))]
    tags: Option<Vec<String>>,
    /// Of a new secret: the id of a person or team, whom to ask about it. Otherwise it belongs to the team `operators`, made
    /// when it is first needed.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: Option<String>,
}

/// The version that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PutVersion {
    /// The secret.
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = 3)]
    version: i64,
    #[schema(example = "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    version_id: String,
    #[schema(example = "0192f4c1-5f2b-7000-8000-000000000000")]
    uuid: String,
    /// The newest earlier version with the same value; absent if there is none, and where the value could be guessed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    same_as: Option<i64>,
}

/// Put a value
///
/// The first value at a path makes the secret; each further one is a new version, which becomes `current`, and the one
/// before it `previous`, unless `label` says otherwise.
#[utoipa::path(
    put,
    path = "/api/v1/projects/{project}/environments/{environment}/secrets/{*path}",
    tag = "Secrets",
    operation_id = "putSecret",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("path" = String, Path, description = "Folders and name between single slashes, as in `database/password`"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the value that was read: if another one is current, nothing is put"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: nothing is put if there is a secret"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the value is put: 3 to 200 characters, kept with the version"),
    ),
    request_body = PutSecret,
    responses(
        (status = 200, description = "The new version", body = PutVersion),
        (status = 201, description = "The new secret's first version", body = PutVersion),
    ),
)]
pub(crate) async fn put(
    State(domain): State<Domain>,
    caller: Caller,
    lives: Lives,
    wanted: Wanted,
    asked: Asked<PutSecret>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let put = body.read(wanted, domain.settings().max_value)?;
    let becomes_current = put.label.as_ref().is_none_or(|label| label.as_str() == SecretLabel::CURRENT);
    let (place, path) = lives.place(&domain, &op).await?;
    let done = domain.put_secret(&op, &place, &path, put).await?;
    let answer = PutVersion::answer(&done);
    Ok(if becomes_current { tagged(answer, done.version) } else { answer })
}

impl PutVersion {
    /// 201 if this made a secret.
    pub(super) fn answer(done: &Put) -> Response {
        let status = if done.number == 1 { StatusCode::CREATED } else { StatusCode::OK };
        let made = Self {
            id: done.id.to_string(),
            version: done.number,
            version_id: done.version.to_string(),
            uuid: done.version.uuid(),
            same_as: done.same_as,
        };
        json::answer(status, &made)
    }
}

impl PutSecret {
    /// `most` is how many bytes a value may have.
    fn read(self, Wanted(wanted): Wanted, most: usize) -> Result<secrets::PutSecret, Problem> {
        let mut flaws = Flaws::default();
        let label = flaws.keep("/label", self.label.map(|text| text.parse()).transpose());
        let content_type =
            flaws.keep("/content_type", self.content_type.map(|text| text.parse()).transpose());
        let kind = flaws.keep("/kind", self.kind.map(|text| text.parse::<SecretKind>()).transpose());
        let number = match self.expected_version {
            None => Ok(None),
            Some(0..) if wanted.is_some() => Err("send either this or `If-Match` or `If-None-Match`"),
            Some(number @ 0..) => Ok(Some(Expected::Number(number))),
            Some(_) => Err("use the number of a version, or 0"),
        };
        let number = flaws.keep("/expected_version", number);
        let not_before = flaws.instant("/not_before", self.not_before.as_deref());
        let expires_at = flaws.instant("/expires_at", self.expires_at.as_deref());
        let validity = not_before.zip(expires_at).map(|(from, until)| Validity::new(from, until));
        let validity = validity.and_then(|validity| flaws.keep("/expires_at", validity));
        let description = flaws.keep("/description", self.description.map(|text| text.parse()).transpose());
        let tags = flaws.keep("/tags", self.tags.map(Tags::parse).transpose());
        let owner = self.owner.map(|text| Owner::parse(&text).ok_or(OWNER)).transpose();
        let owner = flaws.keep("/owner", owner);
        let bytes = match (self.value, self.value_base64) {
            (Some(text), None) => Some(("/value", SecretKind::Text, text.into_bytes())),
            (None, Some(text)) => flaws
                .keep("/value_base64", STANDARD.decode(text).map_err(|_| "write padded base64 (RFC 4648, 4)"))
                .map(|bytes| ("/value_base64", SecretKind::Binary, bytes)),
            (Some(_), Some(_)) => {
                flaws.note(Flaw::at("/value_base64", "send either this or `value`"));
                None
            }
            (None, None) => {
                flaws.note(Flaw::at("/value", "send a value, here or in `value_base64`"));
                None
            }
        };
        let (Some((pointer, usual, bytes)), Some(label), Some(content_type), Some(kind), Some(number)) =
            (bytes, label, content_type, kind, number)
        else {
            return Err(flaws.problem());
        };
        let (Some(description), Some(tags), Some(owner)) = (description, tags, owner) else {
            return Err(flaws.problem());
        };
        let Some(validity) = validity else { return Err(flaws.problem()) };
        let about =
            About { description: description.unwrap_or_default(), tags: tags.unwrap_or_default(), owner };
        let value = NewValue::new(kind.unwrap_or(usual), content_type, SecretBytes::new(bytes));
        let value = value.and_then(|value| value.within(most));
        let Some(value) = flaws.keep(pointer, value) else { return Err(flaws.problem()) };
        let value = if self.template { flaws.keep(pointer, value.into_template()) } else { Some(value) };
        let value = value.ok_or_else(|| flaws.problem())?;
        Ok(secrets::PutSecret { value, label, expected: number.or(wanted), validity, about })
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::About
            | PutError::Archived
            | PutError::Deleted
            | PutError::KeyExhausted
            | PutError::TooManyLabels
            | PutError::Twin => Self::conflict(error),
            PutError::Lapsed => Self::invalid(Flaw::at("/expires_at", error)),
            PutError::NoOwner | PutError::OwnerUnknown => Self::invalid(Flaw::at("/owner", error)),
            PutError::Previous => Self::invalid(Flaw::at("/label", error)),
            PutError::Refused(refused) => refused.into(),
            PutError::Stale => etag::changed(),
            PutError::Standard(breach) => standards::broken(&breach),
            PutError::TooLong(_) => Self::invalid(Flaw::at("/value", error)),
        }
    }
}
