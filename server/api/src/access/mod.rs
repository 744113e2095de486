//! Access for a while: requests, what was signed about them, roles that are held for a while, and the rules about it.
//!
//! Nothing is approved here: an approval is a passkey's signature, and passkeys sign in browsers.

pub(crate) mod create;
pub(crate) mod decide;
pub(crate) mod evidence;
pub(crate) mod grants;
pub(crate) mod list;
pub(crate) mod rules;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use keywarden_domain::access::{self, AccessError, LifeError, RequestError, SetRuleError, ShownRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    flaw::Flaw,
    problem::{Kind, Problem},
};

/// A request for a role for a while.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessRequest {
    #[schema(example = "acr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "manager")]
    role: &'static str,
    /// The project as it was asked for; absent for a role of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pay")]
    project: Option<String>,
    /// The id of whoever is to hold the role.
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    holder: String,
    #[schema(example = 3600)]
    lasts_seconds: i64,
    #[schema(example = "INC-7: payments fail")]
    reason: String,
    /// Where else it is spoken of; empty if nowhere.
    #[schema(example = "INC-7")]
    ticket: String,
    /// `pending`, `active`, `denied`, `ended`, `expired` or `withdrawn`.
    #[schema(example = "pending")]
    state: &'static str,
    /// Grows when what is asked for changes: what was signed before counts no more.
    #[schema(example = 1)]
    revision: i64,
    created_at: DateTime<Utc>,
    /// The id of who asked.
    created_by: String,
    /// When nobody can answer it any more.
    expires_at: DateTime<Utc>,
    /// When it was answered or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<DateTime<Utc>>,
    /// The id of who answered it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// What they said.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
}

/// A signature about a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessApproval {
    /// The id of who signed.
    approver: String,
    signed_at: DateTime<Utc>,
    /// Of which wording.
    #[schema(example = 1)]
    revision: i64,
    /// Whether it counts now.
    counts: bool,
}

/// A request with what was signed and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeAccessRequest {
    #[serde(flatten)]
    request: AccessRequest,
    /// In the order of the signatures.
    approvals: Vec<AccessApproval>,
    /// How many persons' signatures count now.
    #[schema(example = 1)]
    have: u32,
    /// How many it takes; absent for whoever may not see the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    need: Option<u32>,
    /// The role that is, or was, held.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<AccessGrant>,
}

/// A role that is, or was, held for a while.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessGrant {
    #[schema(example = "grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The request that was approved.
    #[schema(example = "acr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    request: String,
    #[schema(example = "manager")]
    role: &'static str,
    /// The project's slug; absent for a role of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pay")]
    project: Option<String>,
    /// The id of whoever holds it.
    holder: String,
    starts_at: DateTime<Utc>,
    /// Until when: not in that instant any more.
    ends_at: DateTime<Utc>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// `expired`, `given-back` or `revoked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
}

impl From<access::Request> for AccessRequest {
    fn from(it: access::Request) -> Self {
        let (decided_at, decided_by) = it.decided.unzip();
        Self {
            id: it.id.to_string(),
            role: it.role.as_str(),
            project: it.project,
            holder: it.holder.to_string(),
            lasts_seconds: it.lasts.num_seconds(),
            reason: it.reason,
            ticket: it.ticket,
            state: it.state.as_str(),
            revision: it.revision,
            created_at: it.created_at,
            created_by: it.created_by,
            expires_at: it.expires_at,
            decided_at,
            decided_by,
            words: it.words,
        }
    }
}

impl From<access::Grant> for AccessGrant {
    fn from(it: access::Grant) -> Self {
        let ended = it.ended.map(|(at, how, _)| (at, how.as_str()));
        let (ended_at, how) = ended.unzip();
        Self {
            id: it.id.to_string(),
            request: it.request.to_string(),
            role: it.role.as_str(),
            project: it.project,
            holder: it.holder.to_string(),
            starts_at: it.starts_at,
            ends_at: it.ends_at,
            ended_at,
            how,
        }
    }
}

impl From<ShownRequest> for WholeAccessRequest {
    fn from(it: ShownRequest) -> Self {
        let approvals = it.approvals.into_iter().map(|it| AccessApproval {
            approver: it.approver,
            signed_at: it.signed_at,
            revision: it.revision,
            counts: it.counts,
        });
        Self {
            approvals: approvals.collect(),
            have: it.have,
            need: it.rule.map(|(rule, _)| rule.approvers),
            grant: it.grant.map(AccessGrant::from),
            request: it.request.into(),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::AlreadyHeld | RequestError::TooMany => Self::conflict(error),
            RequestError::NoSuchHolder | RequestError::OnlyAtHome => {
                Self::invalid(Flaw::at("/holder", error))
            }
            RequestError::Owner | RequestError::WrongScope(_) => Self::invalid(Flaw::at("/role", error)),
            RequestError::TooLong(_) | RequestError::TooShort => {
                Self::invalid(Flaw::at("/lasts_seconds", error))
            }
            RequestError::Refused(refused) => refused.into(),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            // No ceremony begins or ends here, and other people's requests are not for everybody to change.
            AccessError::Ceremony(_) | AccessError::Life(LifeError::NotAsker) | AccessError::NotAPerson => {
                Self::new(Kind::Forbidden, error.to_string())
            }
            AccessError::Archived
            | AccessError::ChangedMeanwhile
            | AccessError::HolderGone
            | AccessError::Life(_) => Self::conflict(error),
            AccessError::TooLong(_) | AccessError::TooShort => {
                Self::invalid(Flaw::at("/lasts_seconds", error))
            }
            AccessError::Refused(refused) => refused.into(),
        }
    }
}

impl From<SetRuleError> for Problem {
    fn from(error: SetRuleError) -> Self {
        match error {
            SetRuleError::ChangedMeanwhile => crate::etag::changed(),
            SetRuleError::NoneOfItsOwn => Self::conflict(error),
            SetRuleError::Refused(refused) => refused.into(),
            SetRuleError::Rule(why) => {
                let pointer = match why {
                    access::RuleError::Approvers => "/approvers",
                    access::RuleError::Longest => "/longest_seconds",
                    access::RuleError::Named => "/only",
                    access::RuleError::Unanswered => "/unanswered_seconds",
                };
                Self::invalid(Flaw::at(pointer, why))
            }
        }
    }
}
