//! `POST /api/v1/keys`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, Op, SecretString,
    authz::Owner,
    keys::{IssueError, NewKey, Place, TermError},
};
use keywarden_model::{AllowedCidrs, ApiKeyId, Metadata, RateLimit, Scopes, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Rate, WholeKey};
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::{Flaw, Flaws},
    json::{self, Asked, absent},
    problem::Problem,
    standards,
};

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    /// Slug or id.
    #[schema(example = "pay")]
    pub(super) project: String,
    /// Slug or id.
    #[schema(example = "live")]
    pub(super) environment: String,
    /// 1 to 120 characters; unique among the environment's living keys.
    #[schema(example = "Checkout")]
    pub(super) name: String,
    /// Up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "charges cards at checkout")]
    pub(super) description: String,
    /// The id of a person or team. Otherwise the key belongs to the team `operators`, made when it is first needed.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    pub(super) owner: Option<String>,
    /// What it may be used for: at most 64, such as `orders:read` or `orders:*`.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["orders:read"]))]
    pub(super) scopes: Vec<String>,
    /// Not valid before: RFC 3339.
    #[schema(example = "2027-01-31T00:00:00Z")]
    pub(super) not_before: Option<String>,
    /// Not valid from then on: RFC 3339; otherwise as late as the environment allows.
    #[schema(example = "2027-12-31T00:00:00Z")]
    pub(super) expires_at: Option<String>,
    /// From where it may be used: at most 64 ranges, IPv4 and IPv6; empty: from everywhere.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["10.0.0.0/8"]))]
    pub(super) allowed_cidrs: Vec<String>,
    /// How often it may be used; absent: as often as it wants.
    pub(super) rate_limit: Option<Rate>,
    /// At most 32: `name` or `name=value`.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["team=payments"]))]
    pub(super) tags: Vec<String>,
    /// A JSON object of up to 4 KiB that verifiers get back.
    #[schema(value_type = Option<Object>, example = json!({ "plan": "gold" }))]
    pub(super) metadata: Option<serde_json::Value>,
}

/// A key with its value, this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedKey<'a> {
    #[serde(flatten)]
    pub(super) whole: WholeKey,
    /// The value. It is nowhere kept and not shown again.
    #[schema(example = "kwk_live_0A1B2C3D4E5F_…")]
    pub(super) key: &'a str,
    /// Its public part, shown everywhere.
    #[schema(example = "0A1B2C3D4E5F")]
    pub(super) public_id: &'a str,
}

/// Issue a key
///
/// The answer holds its value, this once. If the database goes away in that very moment, it holds `id`, `key` and
/// `public_id` alone.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    tag = "Keys",
    operation_id = "issueKey",
    request_body = CreateKey,
    responses((status = 201, description = "The key and its value", body = IssuedKey)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let issued = domain.issue_key(&op, body.read(&domain, &op).await?).await?;
    let location = format!("/api/v1/keys/{}", issued.id);
    let value = (issued.id, &issued.value, issued.public_id.as_str());
    Ok(shown_once(&domain, &op, value, |answer| json::created(&location, answer)).await)
}

/// The value whatever happens: it is nowhere else. The rest of the key too, if it can be read now.
pub(super) async fn shown_once(
    domain: &Domain,
    op: &Op,
    (id, value, public_id): (ApiKeyId, &SecretString, &str),
    answer: impl FnOnce(&Shown<'_>) -> Response,
) -> Response {
    let key = value.expose();
    match domain.key(op, id).await {
        Ok(view) => {
            let version = view.key.row_version;
            let whole = WholeKey::of(view, op.now);
            tagged(answer(&Shown::Whole(Box::new(IssuedKey { whole, key, public_id }))), version)
        }
        Err(refused) => {
            tracing::warn!(%refused, "a key that was issued is shown without its attributes");
            answer(&Shown::Bare { id, key, public_id })
        }
    }
}

/// What a new value is answered with.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Shown<'a> {
    Whole(Box<IssuedKey<'a>>),
    Bare { id: ApiKeyId, key: &'a str, public_id: &'a str },
}

impl CreateKey {
    /// Reads everything, then looks where it is to be.
    pub(super) async fn read(self, domain: &Domain, op: &Op) -> Result<NewKey, Problem> {
        self.read_beside(&mut Flaws::default(), domain, op).await
    }

    /// As [`Self::read`]; what was wrong beside it before is told with what is wrong with it.
    pub(super) async fn read_beside(
        self,
        flaws: &mut Flaws,
        domain: &Domain,
        op: &Op,
    ) -> Result<NewKey, Problem> {
        let name = flaws.parse("/name", &self.name);
        let description = flaws.parse("/description", &self.description);
        let owner = self.owner.map(|text| Owner::parse(&text).ok_or(OWNER)).transpose();
        let owner = flaws.keep("/owner", owner);
        let scopes = flaws.keep("/scopes", Scopes::parse(&self.scopes));
        let not_before = flaws.instant("/not_before", self.not_before.as_deref());
        let expires_at = flaws.instant("/expires_at", self.expires_at.as_deref());
        let allowed_cidrs = flaws.keep("/allowed_cidrs", AllowedCidrs::parse(&self.allowed_cidrs));
        let rate_limit = flaws.keep("/rate_limit", self.rate_limit.map(Rate::read).transpose());
        let tags = flaws.keep("/tags", Tags::parse(&self.tags));
        let metadata = self.metadata.map_or(Ok(Metadata::default()), Metadata::from_value);
        let metadata = flaws.keep("/metadata", metadata);
        let flawed = |flaws: &mut Flaws| std::mem::take(flaws).problem();
        if !flaws.is_empty() {
            return Err(flawed(flaws));
        }
        let (Some(name), Some(description), Some(owner), Some(scopes), Some(tags)) =
            (name, description, owner, scopes, tags)
        else {
            return Err(flawed(flaws));
        };
        let (Some(not_before), Some(expires_at), Some(allowed_cidrs), Some(rate_limit), Some(metadata)) =
            (not_before, expires_at, allowed_cidrs, rate_limit, metadata)
        else {
            return Err(flawed(flaws));
        };
        let place = place(domain, op, &self.project, &self.environment).await?;
        Ok(NewKey {
            place,
            name,
            description,
            owner,
            scopes,
            not_before,
            expires_at,
            allowed_cidrs,
            rate_limit,
            tags,
            metadata,
        })
    }
}

/// What an owner is written as.
pub(crate) const OWNER: &str = "write the id of a person (`usr_…`) or team (`team_…`)";

/// Two slugs go as they are; ids are looked up first.
pub(crate) async fn place(
    domain: &Domain,
    op: &Op,
    project: &str,
    environment: &str,
) -> Result<Place, Problem> {
    if let (Ok(project), Ok(environment)) = (project.parse(), environment.parse()) {
        return Ok(Place::Slugs { project, environment });
    }
    let project = domain.project(op, project).await?;
    Ok(Place::Environment(domain.environment(op, project.id, environment).await?.id))
}

impl Rate {
    pub(super) fn read(self) -> Result<RateLimit, keywarden_model::rate::RateLimitError> {
        RateLimit::new(self.limit, self.window_seconds)
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Archived => Self::conflict(error),
            IssueError::NoOwner => Self::invalid(Flaw::at("/owner", error)),
            IssueError::Refused(refused) => refused.into(),
            IssueError::Terms(terms) => terms.into(),
        }
    }
}

impl From<TermError> for Problem {
    fn from(error: TermError) -> Self {
        match error {
            TermError::ExpiresBeforeItBegins
            | TermError::ExpiresInThePast
            | TermError::LivesTooLong { .. } => Self::invalid(Flaw::at("/expires_at", error)),
            TermError::HasBegun => Self::invalid(Flaw::at("/not_before", error)),
            TermError::NameTaken => Self::taken("/name", error),
            TermError::OwnerUnknown => Self::invalid(Flaw::at("/owner", error)),
            TermError::Standard(breach) => standards::broken(&breach),
        }
    }
}
