//! Secrets: put, read, found, described, labelled, promoted, deleted, restored, destroyed.
//!
//! # Addresses
//! A value is where it lives: `/api/v1/projects/{project}/environments/{environment}/secrets/{path}`, below the
//! environment's own address, with the path's slashes as they are (`%2F` is read alike: an address is decoded once). A field of
//! a value is read there (`?field=…`), and changed there by a merge patch. What
//! a secret *is*, its labels and versions, is at `/api/v1/secrets/{secret}`, by its id, as keys are. A verb cannot stand
//! behind a path of any depth, nor could a short `/secrets/{project}/{environment}/{path}` be told from
//! `/secrets/{secret}/versions/{version}` in a project whose environment is called `versions`.
//!
//! Files of values come and go at `…/environments/{environment}/imports` and `…/exports`, and a folder is shown and had back
//! as it was at `…/as-of` and `…/returns`: they are about many paths, and a path of any depth leaves no room for a verb. What
//! clients of other systems call a secret leads to it at `…/aliases/{dialect}/{name}`.
//!
//! The `ETag` of a value is its version's id, so that a value that came back under an old number is another one, with that of
//! a template the versions of all that it refers to; that of a secret is its row's version, as everywhere.

pub(crate) mod aliases;
pub(crate) mod as_of;
pub(crate) mod at;
pub(crate) mod batch;
pub(crate) mod data_key;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod import;
pub(crate) mod labels;
pub(crate) mod list;
pub(crate) mod making;
pub(crate) mod promote;
pub(crate) mod purge;
pub(crate) mod put;
pub(crate) mod read;
pub(crate) mod readers;
pub(crate) mod references;
pub(crate) mod restore;
pub(crate) mod reuse;
pub(crate) mod shares;
pub(crate) mod show;
pub(crate) mod versions;
pub(crate) mod watch;

use std::collections::BTreeMap;

use axum::response::Response;
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain, Op,
    secrets::{self, Address, SecretView},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{etag::tagged, json, problem::Problem};

/// A secret, without its values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Secret {
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The project's slug.
    #[schema(example = "pay")]
    project: String,
    /// The environment's slug.
    #[schema(example = "live")]
    environment: String,
    /// Folders and name.
    #[schema(example = "database/password")]
    path: String,
    description: String,
    #[schema(example = json!(["team=payments"]))]
    tags: Vec<String>,
    /// The id of the person or team whose it is: whom to ask about it.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: String,
    #[schema(example = "Alice")]
    owner_name: String,
    /// The number of the newest version.
    #[schema(example = 3)]
    last_version: i64,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
    /// Deleted since; until `purge_at` it can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// When its values are destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    purge_at: Option<DateTime<Utc>>,
}

/// One version of a secret, without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretVersion {
    /// 1 for the first.
    #[schema(example = 3)]
    version: i64,
    #[schema(example = "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The same id as other systems write it.
    #[schema(example = "0192f4c1-5f2b-7000-8000-000000000000")]
    uuid: String,
    /// `enabled`, `disabled`, `soft-deleted` or `destroyed`.
    #[schema(example = "enabled")]
    state: &'static str,
    /// `text`, `json` or `binary`.
    #[schema(example = "text")]
    kind: &'static str,
    #[schema(example = "text/plain")]
    content_type: String,
    /// Bytes of the value; of a template, of its text as it was put.
    #[schema(example = 24)]
    size: i64,
    /// Whether it is a template: what it refers to is resolved when it is read.
    #[schema(example = false)]
    template: bool,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
    /// When it first was `current`; absent as long as it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    promoted_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_at: Option<DateTime<Utc>>,
    /// Deleted by itself since; until `purge_at` it can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// When its value is destroyed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    purge_at: Option<DateTime<Utc>>,
    /// From when on it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<DateTime<Utc>>,
    /// From when on it is read no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// A secret with its labels and its newest versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeSecret {
    #[serde(flatten)]
    secret: Secret,
    /// Labels, each with the version that it points at.
    #[schema(example = json!({ "current": 3, "previous": 2 }))]
    labels: BTreeMap<String, i64>,
    /// What clients of other systems call it, by their dialects.
    #[schema(example = json!({ "aws": "prod/database-password" }))]
    aliases: BTreeMap<String, String>,
    /// The newest 100, newest first.
    versions: Vec<SecretVersion>,
}

/// The secret as it is after a change.
async fn after(domain: &Domain, op: &Op, address: &Address) -> Result<Response, Problem> {
    let view = domain.secret(op, address).await.map_err(Problem::after_all)?;
    Ok(whole(view))
}

fn whole(view: SecretView) -> Response {
    let version = view.secret.row_version;
    tagged(json::ok(&WholeSecret::from(view)), version)
}

impl From<secrets::Secret> for Secret {
    fn from(secret: secrets::Secret) -> Self {
        Self {
            id: secret.id.to_string(),
            project: secret.project_slug,
            environment: secret.environment_slug,
            path: secret.path.to_string(),
            description: secret.description.to_string(),
            tags: secret.tags.words(),
            owner: secret.owner.to_string(),
            owner_name: secret.owner_name,
            last_version: secret.last_version,
            created_at: secret.created_at,
            created_by: secret.created_by,
            deleted_at: secret.deletion.map(|deletion| deletion.at),
            purge_at: secret.deletion.map(|deletion| deletion.purge_at),
        }
    }
}

impl From<secrets::Version> for SecretVersion {
    fn from(version: secrets::Version) -> Self {
        Self {
            version: version.number,
            id: version.id.to_string(),
            uuid: version.id.uuid(),
            state: version.state.as_str(),
            kind: version.kind.as_str(),
            content_type: version.content_type.to_string(),
            size: version.size,
            template: version.template,
            created_at: version.created_at,
            created_by: version.created_by,
            promoted_at: version.promoted_at,
            destroyed_at: version.destroyed_at,
            deleted_at: version.deletion.map(|deletion| deletion.at),
            purge_at: version.deletion.map(|deletion| deletion.purge_at),
            not_before: version.validity.not_before(),
            expires_at: version.validity.expires_at(),
        }
    }
}

impl From<SecretView> for WholeSecret {
    fn from(view: SecretView) -> Self {
        Self {
            secret: view.secret.into(),
            labels: view.labels.into_iter().map(|(label, number)| (label.to_string(), number)).collect(),
            aliases: view.aliases.iter().map(|it| (it.dialect().to_string(), it.name().to_owned())).collect(),
            versions: view.versions.into_iter().map(SecretVersion::from).collect(),
        }
    }
}
