//! `PATCH /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{
    extract::{FromRequest, Request, State},
    response::Response,
};
use keywarden_domain::{
    Domain, SecretBytes,
    secrets::{EditFieldsError, Expected, MergePatch, PatchFields, PutError, Validity},
};
use keywarden_model::SecretLabel;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    as_of::Instant,
    at::{Lives, Number, Wanted},
    put::PutVersion,
};
use crate::{
    caller::Caller,
    etag::{self, tagged},
    flaw::Flaw,
    json::{self, Asked, bytes, says_json},
    once,
    problem::Problem,
    query::Query,
};

/// A merge patch (RFC 7396) of a value that is a JSON object: fields by their names, `null` for one that goes.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(dead_code, reason = "it is kept as it is written; this is its documentation")]
pub(crate) struct SecretFields(Value);

/// A patch as it was sent, and the promise to make it once.
#[derive(Debug)]
pub(crate) struct AskedPatch(Asked<MergePatch>);

impl<S: Send + Sync> FromRequest<S> for AskedPatch {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        etag::unheeded(&parts.headers)?;
        let bytes = bytes(&parts.headers, body).await?;
        if !bytes.is_empty() {
            says_json(&parts.headers)?;
        }
        let once = once::asked(&parts, &bytes)?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // What is wrong with it, in the words that other bodies get.
        json::read_with(text, |_| Ok(()))?;
        let patch = MergePatch::new(SecretBytes::copy_of(text)).ok_or_else(json::no_object)?;
        Ok(Self(Asked { body: patch, once }))
    }
}

/// Change fields of a value
///
/// Puts a new version of a value that is a JSON object: a merge patch (RFC 7396) is made to the one that is `current`. A field
/// that is `null` in the patch is taken away, an object goes into the object that is there, anything else takes its place; what
/// is not named stays as it is written, and nobody is shown it. The caller must be one who may read the value. Of a template
/// the text is changed, not what it refers to. A value of another kind has no fields: 409. The body is `application/json` or
/// `application/merge-patch+json`.
///
/// Without `If-Match` or `expected_version` the patch is made to whatever is there.
#[utoipa::path(
    patch,
    path = "/api/v1/projects/{project}/environments/{environment}/secrets/{*path}",
    tag = "Secrets",
    operation_id = "editSecretFields",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("path" = String, Path, description = "Folders and name between single slashes, as in `database/config`"),
        ("expected_version" = Option<u64>, Query, description = "The number of the version that must be `current`: the same as `If-Match`, by number"),
        ("label" = Option<String>, Query, description = "The new version's label instead of `current`, which then stays where it is"),
        ("not_before" = Option<DateTime<Utc>>, Query, description = "An instant from which on the new version is read", example = "2027-01-01T00:00:00Z"),
        ("expires_at" = Option<DateTime<Utc>>, Query, description = "An instant from which on the new version is read no more", example = "2027-05-01T00:00:00Z"),
        ("Idempotency-Key" = Option<String>, Header, description = "As of a POST: sent again with the same request, the first answer comes again, and no second version is made"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the fields are changed: 3 to 200 characters, kept with the version"),
    ),
    request_body(content = SecretFields, example = json!({ "password": "hunter2…", "old_password": null })),
    responses((status = 200, description = "The new version", body = PutVersion)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    lives: Lives,
    wanted: Wanted,
    query: Query,
    AskedPatch(asked): AskedPatch,
) -> Result<Response, Problem> {
    let (op, patch) = caller.asks(asked);
    let patch = read(patch, wanted, query)?;
    let becomes_current = patch.label.as_ref().is_none_or(|label| label.as_str() == SecretLabel::CURRENT);
    let address = lives.address(&domain, &op).await?;
    let done = domain.patch_secret_fields(&op, &address, patch).await?;
    let answer = PutVersion::answer(&done);
    Ok(if becomes_current { tagged(answer, done.version) } else { answer })
}

/// The patch, and what its query says of the version that it makes.
fn read(patch: MergePatch, Wanted(wanted): Wanted, query: Query) -> Result<PatchFields, Problem> {
    let mut query = query.read();
    let number: Option<Number> = query.parse("expected_version");
    let label: Option<SecretLabel> = query.parse("label");
    let not_before: Option<Instant> = query.parse("not_before");
    let expires_at: Option<Instant> = query.parse("expires_at");
    if number.is_some() && wanted.is_some() {
        query.refuse("expected_version", "send either this or `If-Match` or `If-None-Match`");
    }
    let validity = Validity::new(not_before.map(|it| it.0), expires_at.map(|it| it.0));
    let validity = validity.map_err(|why| query.refuse("expires_at", why)).unwrap_or_default();
    query.end()?;
    let expected = number.map(|Number(number)| Expected::Number(number)).or(wanted);
    Ok(PatchFields { patch, expected, label, validity })
}

impl From<EditFieldsError> for Problem {
    fn from(error: EditFieldsError) -> Self {
        match error {
            EditFieldsError::NoObject => Self::conflict(error),
            EditFieldsError::Field { .. }
            | EditFieldsError::Nothing
            | EditFieldsError::Put(PutError::TooLong(_))
            | EditFieldsError::Template(_)
            | EditFieldsError::Value(_) => Self::invalid(Flaw::at("", error)),
            EditFieldsError::Put(PutError::Lapsed) => Self::invalid(Flaw::parameter("expires_at", error)),
            EditFieldsError::Put(PutError::Previous) => Self::invalid(Flaw::parameter("label", error)),
            EditFieldsError::Put(error) => error.into(),
            EditFieldsError::Refused(refused) => refused.into(),
            EditFieldsError::Unread(error) => error.into(),
        }
    }
}
