//! Issuing a key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{
    AllowedCidrs, ApiKeyId, Description, EnvironmentId, KeyLabel, KeyValueId, KeyringKeyId, Metadata, Name,
    RateLimit, Scopes, Slug, Tags,
};
use keywarden_store::keys::{self as rows, KeyInsert, ValueInsert};
use keywarden_store::{Conn, StoreError, Tx, Written};
use keywarden_vault::token::{self, Kind};
use keywarden_vault::{Keyring, Purpose, SecretString};

use super::terms::{TermError, Terms, latest_expiry};
use crate::audit::{Draft, Fact, Record};
use crate::authz::{NOWHERE, Owner};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::standards::InForce;
use crate::{Action, Domain, Fault, Op, Refused, Resource, owner};

/// The environment that a key or secret is for.
#[derive(Debug, Clone)]
pub enum Place {
    /// By its id.
    Environment(EnvironmentId),
    /// By slugs.
    Slugs {
        /// The project's.
        project: Slug,
        /// The environment's.
        environment: Slug,
    },
}

/// What a new key is.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Where.
    pub place: Place,
    /// What people call it: unique among the environment's living keys, in any spelling.
    pub name: Name,
    /// What it is for.
    pub description: Description,
    /// Whose it is; `None`: the person who issues it, or for a machine the team `operators`.
    pub owner: Option<Owner>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Not valid before.
    pub not_before: Option<DateTime<Utc>>,
    /// Not valid from then on; `None`: as late as the environment lets it be.
    pub expires_at: Option<DateTime<Utc>>,
    /// From where it may be used.
    pub allowed_cidrs: AllowedCidrs,
    /// How often.
    pub rate_limit: Option<RateLimit>,
    /// For finding it.
    pub tags: Tags,
    /// What verifiers get back with it.
    pub metadata: Metadata,
}

impl NewKey {
    /// A key with a name and nothing else.
    pub fn named(place: Place, name: Name) -> Self {
        Self {
            place,
            name,
            description: Description::default(),
            owner: None,
            scopes: Scopes::default(),
            not_before: None,
            expires_at: None,
            allowed_cidrs: AllowedCidrs::default(),
            rate_limit: None,
            tags: Tags::default(),
            metadata: Metadata::default(),
        }
    }
}

/// A key with its value, this once.
#[derive(Debug)]
pub struct Issued {
    /// The key.
    pub id: ApiKeyId,
    /// The public part of the value.
    pub public_id: String,
    /// The value. It is not shown again.
    pub value: SecretString,
}

impl Repeatable for Issued {
    fn thing(&self) -> String {
        self.id.to_string()
    }
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.value)
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        let value = secret?;
        let public_id = token::parse(value.expose()).ok()?.id().to_string();
        Some(Self { id: thing.parse().ok()?, public_id, value })
    }
}

/// Why no key was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Nobody was named, and the team `operators` cannot be made because another one has its name.
    #[error("name an owner: a team or a person")]
    NoOwner,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its terms do not stand.
    #[error(transparent)]
    Terms(#[from] TermError),
}
carries_refused!(IssueError);

impl Domain {
    /// Issues a key with its first value.
    pub async fn issue_key(&self, op: &Op, new: NewKey) -> Result<Issued, IssueError> {
        let place = self.place(&new.place).await?;
        let owner = owner::named_or_asking(new.owner, &op.actor);
        let resource = Resource::Environment { id: place.environment_id, project: place.project_id };
        let new = Arc::new(new);
        let id: ApiKeyId = self.fresh(op);
        let value: KeyValueId = self.fresh(op);
        let (keyring, mac_key) = (Arc::clone(self.keyring()), self.shared_key(Purpose::ApiKeyMac).await?);
        let by = op.actor.id();
        self.change(op, Action::IssueKey, &resource, &[], move |tx, record| {
            let (new, keyring, by) = (Arc::clone(&new), Arc::clone(&keyring), by.clone());
            let environment = place.environment_id;
            Box::pin(async move {
                let now = record.now();
                let place = rows::place(tx, environment).await?.ok_or(Refused::NotFound)?;
                if place.archived_at.is_some() {
                    return Err(IssueError::Archived);
                }
                let (owner, made) =
                    owner::settle(tx, &record, owner, id).await?.ok_or(IssueError::NoOwner)?;
                let held = InForce::of(tx, place.project_id, &place.slug, &place.label).await?;
                let longest = held.longest(place.max_lifetime_seconds);
                let expires_at = new.expires_at.or_else(|| latest_expiry(now, longest));
                let terms = Terms::of(&new, owner, expires_at);
                terms.check_times(now, place.max_lifetime_seconds, now)?;
                held.hold_key(None, &terms.stand(now), now).map_err(TermError::Standard)?;
                terms.check_owner(tx).await??;
                insert_key(tx, id, &place, &terms, false, &record, &by).await??;
                let label: KeyLabel =
                    place.label.parse().map_err(|cause| Fault::Damaged(format!("environments: {cause}")))?;
                let fresh = Fresh { id: value, key: id, label: &label, by: &by, mac_key };
                let (public_id, secret) = fresh.insert(tx, &record, &keyring).await?;
                let event = told(&record, Action::IssueKey, id, &terms)
                    .project(place.project_id)
                    .fact("environment", place.environment_id)
                    .fact("value", value);
                Ok(Written::new(Issued { id, public_id, value: secret }, event.finish()?).and_all(made))
            })
        })
        .await
    }

    /// Where a key would be issued; also if there is no such place. Nothing of it is answered before the permit.
    pub(crate) async fn place(&self, place: &Place) -> Result<rows::Place, Refused> {
        let mut conn = self.store().read().await?;
        Ok(find_place(&mut conn, place).await?.unwrap_or_else(|| rows::Place {
            environment_id: EnvironmentId::NIL,
            project_id: NOWHERE,
            archived_at: None,
            slug: String::new(),
            label: String::new(),
            max_lifetime_seconds: None,
        }))
    }
}

/// An environment as it is named.
pub(crate) async fn find_place(conn: &mut Conn, place: &Place) -> Result<Option<rows::Place>, StoreError> {
    match place {
        Place::Environment(id) => rows::place(conn, *id).await,
        Place::Slugs { project, environment } => {
            rows::place_by_slugs(conn, project.as_str(), environment.as_str()).await
        }
    }
}

/// Makes the key's row; its values are made apart.
pub(super) async fn insert_key(
    tx: &mut Tx,
    id: ApiKeyId,
    place: &rows::Place,
    terms: &Terms,
    imported: bool,
    record: &Record,
    by: &str,
) -> Result<Result<(), TermError>, Refused> {
    let attributes = terms.attributes()?;
    if rows::name_is_taken(tx, place.environment_id, &attributes.folded_name, None).await? {
        return Ok(Err(TermError::NameTaken));
    }
    let row = KeyInsert {
        id,
        project: place.project_id,
        environment: place.environment_id,
        attributes: &attributes,
        imported,
        created_at: record.now(),
        created_by: by,
    };
    match rows::insert(tx, &row).await {
        Ok(()) => Ok(Ok(())),
        // Somebody was faster between the look and the row.
        Err(StoreError::Conflict(_)) => Ok(Err(TermError::NameTaken)),
        Err(other) => Err(other.into()),
    }
}

/// A value to be drawn.
pub(super) struct Fresh<'a> {
    pub(super) id: KeyValueId,
    pub(super) key: ApiKeyId,
    pub(super) label: &'a KeyLabel,
    pub(super) by: &'a str,
    /// Under which key of the keyring it is hashed.
    pub(super) mac_key: KeyringKeyId,
}

impl Fresh<'_> {
    /// Draws it, keeps its keyed hash, and gives it out.
    pub(super) async fn insert(
        self,
        tx: &mut Tx,
        record: &Record,
        keyring: &Keyring,
    ) -> Result<(String, SecretString), Refused> {
        let made = record.env().with_rng(|rng| token::generate(Kind::ApiKey, self.label, rng));
        let parsed = token::parse(made.value.expose())
            .map_err(|cause| Fault::Unexpected(format!("a fresh value does not parse: {cause}")))?;
        let mac_key = self.mac_key;
        let mac = keyring.mac_under(Purpose::ApiKeyMac, mac_key, parsed.material()).map_err(Fault::from)?;
        let mac = mac.ok_or(Fault::KeyAway(mac_key))?;
        let public_id = made.id.to_string();
        let row = ValueInsert {
            id: self.id,
            key: self.key,
            public_id: &public_id,
            label: self.label.as_str(),
            imported: false,
            mac_key,
            mac,
            created_at: record.now(),
            created_by: self.by,
            stops_at: None,
        };
        rows::insert_value(tx, &row).await?;
        Ok((public_id, made.value))
    }
}

/// The event of a key that comes to be: every attribute from nothing.
pub(super) fn told(record: &Record, action: Action, id: ApiKeyId, terms: &Terms) -> Draft {
    let event = record
        .event(action.name(), "key", id)
        .change("owner", Fact::none(), owner::fact(terms.owner))
        .change("scopes", Fact::none(), &terms.scopes)
        .change("allowed_cidrs", Fact::none(), &terms.allowed_cidrs)
        .change("rate_limit", Fact::none(), terms.rate_limit)
        .tags(None, &terms.tags)
        .change("not_before", Fact::none(), terms.not_before)
        .change("expires_at", Fact::none(), terms.expires_at)
        .text("name", &terms.name)
        .text("description", &terms.description);
    if terms.metadata.is_empty() { event } else { event.text("metadata", terms.metadata.to_text()) }
}
