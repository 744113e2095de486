//! What an approver signs: RFC 8785 JSON from which the page that they look at is drawn, too.
//!
//! Nothing in it changes between the page and the signature but what the request itself is: there is no moment in it, and the
//! names are those of now. What was signed is kept byte for byte.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use keywarden_model::time::from_micros;
use keywarden_model::{AccessRequestId, Role};
use keywarden_store::{Conn, names, people, projects};
use serde::{Deserialize, Serialize};

use super::Loaded;
use crate::{Domain, Fault};

/// What kind of statement it is.
const KIND: &str = "keywarden/access-approval";
/// How it is written.
const VERSION: u32 = 1;

/// What somebody signs who approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always `keywarden/access-approval`.
    pub kind: String,
    /// How it is written: 1.
    pub v: u32,
    /// The organization's id: which Keywarden it is.
    pub instance: String,
    /// Where that Keywarden is.
    pub origin: String,
    /// Which request.
    pub request: AccessRequestId,
    /// In its how manieth wording.
    pub revision: i64,
    /// Always `approve`.
    pub decision: String,
    /// Who signs.
    pub approver: Named,
    /// Who asked.
    pub asker: Named,
    /// For whom.
    pub holder: Named,
    /// Which role.
    pub role: Role,
    /// In which project; the organization's roles have none.
    pub project: Option<Named>,
    /// For how long, in seconds.
    pub lasts_seconds: i64,
    /// Why.
    pub reason: String,
    /// Where else it is spoken of; empty if nowhere.
    pub ticket: String,
    /// Under which rule.
    pub rule: StatedRule,
    /// When nobody can answer it any more.
    pub expires_at: String,
}

/// Somebody or something, by id and by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The id.
    pub id: String,
    /// The name of then; empty where there is none.
    pub name: String,
}

/// The rule that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedRule {
    /// Where it was written: a project's id, `organization` or `built-in`.
    pub scope: String,
    /// The how manieth there.
    pub version: i64,
    /// How many distinct persons it takes.
    pub approvers: u32,
}

impl Statement {
    /// The bytes that are signed.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        serde_jcs::to_vec(self).map_err(|cause| Fault::Unexpected(format!("statement: {cause}")))
    }

    /// A statement that was signed: only the very bytes that [`Statement::bytes`] makes are one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        let same = read.kind == KIND && read.v == VERSION && read.decision == "approve";
        (same && read.bytes().ok()?.as_slice() == bytes).then_some(read)
    }
}

impl Domain {
    /// What `approver` would sign of this request, as it is now.
    pub(super) async fn statement(
        &self,
        conn: &mut Conn,
        loaded: &Loaded,
        approver: &str,
    ) -> Result<Statement, Fault> {
        let row = &loaded.row;
        let ids = [approver, row.created_by.as_str(), row.holder_id.as_str()];
        let known = names::of(conn, ids).await?;
        let project = match loaded.project {
            None => None,
            Some(id) => {
                let slug = projects::find(conn, id).await?.map(|it| it.slug).unwrap_or_default();
                Some(Named { id: id.to_string(), name: slug })
            }
        };
        let organization = people::setup::organization(conn).await?;
        Ok(Statement {
            kind: KIND.into(),
            v: VERSION,
            instance: organization.map(|it| it.id.to_string()).unwrap_or_default(),
            origin: self.settings().origin.clone(),
            request: row.id,
            revision: row.revision,
            decision: "approve".into(),
            approver: named(&known, approver),
            asker: named(&known, &row.created_by),
            holder: named(&known, &row.holder_id),
            role: loaded.role,
            project,
            lasts_seconds: row.lasts_seconds,
            reason: row.reason.clone(),
            ticket: row.ticket.clone(),
            rule: StatedRule {
                scope: loaded.rule_at.scope.clone(),
                version: loaded.rule_at.version,
                approvers: loaded.rule.approvers,
            },
            expires_at: from_micros(row.expires_at).to_rfc3339_opts(SecondsFormat::Micros, true),
        })
    }
}

fn named(names: &BTreeMap<String, String>, id: &str) -> Named {
    Named { id: id.to_owned(), name: names.get(id).cloned().unwrap_or_default() }
}
