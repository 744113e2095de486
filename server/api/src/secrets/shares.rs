//! `POST` and `GET /api/v1/secrets/{secret}/shares`, `DELETE …/shares/{share}`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use keywarden_domain::{
    Domain,
    secrets::{self, MadeShare, NewShare, ShareError},
};
use keywarden_model::{SecretId, ShareId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::at::Of;
use crate::{
    at::At,
    caller::Caller,
    etag::Unheeded,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// A link to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateShare {
    /// The version's number.
    #[schema(example = 1)]
    version: i64,
    /// The id of the person who may open it, signed in. Otherwise whoever has the passphrase that the answer holds.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    recipient: Option<String>,
    /// How long it serves: `1h`, `24h` or `7d`.
    #[schema(example = "24h")]
    expires_in: String,
}

/// A link, this once. No `Debug`: whoever has it has the value.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedShare<'a> {
    #[schema(example = "shr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The link. It is nowhere kept and not shown again.
    #[schema(example = "https://keys.example.com/shared/kwt_share_0A1B2C3D4E5F_…")]
    url: &'a str,
    /// What opens it; tell it otherwise than the link. Absent where a person signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7K2Q-9XM4-TB01-C0DE")]
    passphrase: Option<&'a str>,
    expires_at: DateTime<Utc>,
}

/// A link that is open, without what opens it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Share {
    #[schema(example = "shr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = 1)]
    version: i64,
    /// The id of the person whom it is for; absent where a passphrase opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    recipient: Option<String>,
    /// The id of who made it.
    made_by: String,
    /// Wrong passphrases so far: the fifth ends it.
    #[schema(example = 0)]
    wrong_passphrases: i64,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Links to a secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shares {
    /// Those that are open, newest first: there are at most 50.
    items: Vec<Share>,
}

/// Share a value by a one-time link
///
/// Asked for like the value itself. The link shows a page with one button; whoever presses it reads the value, once. It
/// gives nothing any more once its maker may not read the value, the version is not read, or five wrong passphrases were
/// tried. No link is made to a template: share the secrets that it refers to.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/shares",
    tag = "Secrets",
    operation_id = "shareSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the value is shared"),
    ),
    request_body = CreateShare,
    responses((status = 201, description = "The link", body = CreatedShare)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    asked: Asked<CreateShare>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let made = domain.share_secret(&op, secret, body.read()?).await?;
    Ok(json::answer(StatusCode::CREATED, &CreatedShare::of(&made)))
}

/// List the open links to a secret
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/shares",
    tag = "Secrets",
    operation_id = "listShares",
    params(("secret" = String, Path, description = "`sec_…`")),
    responses((status = 200, description = "The links", body = Shares)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
) -> Result<Response, Problem> {
    let found = domain.shares(caller.op(), secret).await?;
    Ok(json::ok(&Shares { items: found.into_iter().map(Share::from).collect() }))
}

/// Withdraw a link
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{secret}/shares/{share}",
    tag = "Secrets",
    operation_id = "withdrawShare",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("share" = String, Path, description = "`shr_…`"),
    ),
    responses((status = 204, description = "It opens nothing any more")),
)]
pub(crate) async fn withdraw(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<ShareId>,
    _: Unheeded,
) -> Result<Response, Problem> {
    domain.withdraw_share(caller.op(), of.secret, of.part).await?;
    Ok(json::nothing())
}

impl CreateShare {
    fn read(self) -> Result<NewShare, Problem> {
        let mut flaws = Flaws::default();
        if !(1..=i64::from(u32::MAX)).contains(&self.version) {
            flaws.note(Flaw::at("/version", "write the number of a version"));
        }
        let recipient = self.recipient.map(|id| id.parse::<UserId>()).transpose();
        let recipient = flaws.keep("/recipient", recipient);
        let life = flaws.parse("/expires_in", &self.expires_in);
        let (Some(recipient), Some(life), true) = (recipient, life, flaws.is_empty()) else {
            return Err(flaws.problem());
        };
        Ok(NewShare { version: self.version, recipient, life })
    }
}

impl<'a> CreatedShare<'a> {
    fn of(made: &'a MadeShare) -> Self {
        let (url, passphrase) = (made.url(), made.passphrase());
        Self { id: made.id.to_string(), url, passphrase, expires_at: made.expires_at }
    }
}

impl From<secrets::Share> for Share {
    fn from(share: secrets::Share) -> Self {
        Self {
            id: share.id.to_string(),
            version: share.version,
            recipient: share.recipient.map(|(id, _)| id.to_string()),
            made_by: share.made_by,
            wrong_passphrases: share.tries,
            created_at: share.created_at,
            expires_at: share.expires_at,
        }
    }
}

impl From<ShareError> for Problem {
    fn from(error: ShareError) -> Self {
        match error {
            ShareError::Archived | ShareError::NoMaker | ShareError::Template(_) | ShareError::TooMany => {
                Self::conflict(error)
            }
            ShareError::RecipientUnknown => Self::invalid(Flaw::at("/recipient", error)),
            ShareError::Refused(refused) => refused.into(),
            ShareError::Unread(error) => error.into(),
        }
    }
}
