//! What was signed, to take away, and its verifier: no store, no ceremony, no Keywarden.
//!
//! What it proves: a passkey with this public key signed this statement, its person present and verified, at this origin. Whose
//! passkey it is, the file only says: that is proven by whoever has the public key from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{AccessRequestId, GrantEnd, Role};
use keywarden_store::access::{approvals, grants as grant_rows};
use serde::{Deserialize, Serialize};

use super::{Grant, StatedRule, Statement};
use crate::passkeys::{ApprovalProof, ProofError};
use crate::{Domain, Fault, Op, Refused};

const KIND: &str = "keywarden/access-evidence";
const VERSION: u32 = 1;

/// All that was signed about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Always `keywarden/access-evidence`.
    pub kind: String,
    /// How it is written: 1.
    pub v: u32,
    /// Where the Keywarden is that made it.
    pub origin: String,
    /// The relying party that its passkeys are bound to.
    pub rp_id: String,
    /// About which request.
    pub request: AccessRequestId,
    /// What was signed, in that order.
    pub approvals: Vec<SignedApproval>,
    /// The role that came of it, if one did.
    pub grant: Option<HeldRole>,
}

/// What somebody signed, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedApproval {
    /// The [`Statement`], in the very bytes that were signed.
    pub statement: String,
    /// The signature, what it was made over, and the public key.
    pub proof: ApprovalProof,
    /// The credential, as its authenticator names it, in base64url.
    pub credential_id: String,
    /// The passkey's id.
    pub passkey: String,
    /// Whether the passkey leaves its device.
    pub synced: bool,
    /// The id of the event that enrolled the passkey.
    pub enrolment: Option<String>,
    /// The revision of the policies that were in force.
    pub policies: i64,
    /// When the server kept it.
    pub signed_at: DateTime<Utc>,
}

/// A role that was held for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRole {
    /// The grant's id.
    pub id: String,
    /// Since when.
    pub starts_at: DateTime<Utc>,
    /// Until when, at the latest.
    pub ends_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// How.
    pub how: Option<GrantEnd>,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It is no such file.
    #[error("this is no evidence of an approval: {0}")]
    Malformed(String),
    /// Nobody signed.
    #[error("nobody has signed this request")]
    Nothing,
    /// A statement is about something else than the file says.
    #[error("signature {0}: the statement is about another request or another Keywarden than the file says")]
    OtherStatement(usize),
    /// A signature does not prove its statement.
    #[error("signature {0}: {1}")]
    Proof(usize, ProofError),
    /// Bytes that are no statement.
    #[error("signature {0}: what was signed is no statement in its canonical form")]
    Unreadable(usize),
}

/// A signature that proves its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub statement: Statement,
    /// Whether the reader has its public key from elsewhere, as a key of the very person that the statement names.
    pub signer_proven: bool,
}

/// Checks a file, with nothing but itself and the public keys (`COSE_Key`) that its reader has from elsewhere: whose each is, by
/// the person's id. A key is one person's, so that no two persons are proven by the same one.
pub fn verify(
    file: &[u8],
    keys: &BTreeMap<Vec<u8>, String>,
) -> Result<(Evidence, Vec<Verified>), EvidenceError> {
    let malformed = |why: &dyn std::fmt::Display| EvidenceError::Malformed(why.to_string());
    let evidence: Evidence = serde_json::from_slice(file).map_err(|cause| malformed(&cause))?;
    if evidence.kind != KIND || evidence.v != VERSION {
        return Err(malformed(&"another kind of file, or of a newer version"));
    }
    if evidence.approvals.is_empty() {
        return Err(EvidenceError::Nothing);
    }
    let mut verified = Vec::with_capacity(evidence.approvals.len());
    for (number, approval) in (1_usize..).zip(&evidence.approvals) {
        let content = approval.statement.as_bytes();
        let statement = Statement::read(content).ok_or(EvidenceError::Unreadable(number))?;
        if statement.request != evidence.request || statement.origin != evidence.origin {
            return Err(EvidenceError::OtherStatement(number));
        }
        approval
            .proof
            .verify(content, &evidence.rp_id, &evidence.origin)
            .map_err(|cause| EvidenceError::Proof(number, cause))?;
        let signer_proven = keys.get(&approval.proof.public_key) == Some(&statement.approver.id);
        verified.push(Verified { statement, signer_proven });
    }
    Ok((evidence, verified))
}

/// How many distinct persons are proven to have signed the last wording under its rule, none of them with a part in it; and how
/// many that rule asks for, as the statements say.
pub fn proven(verified: &[Verified]) -> (u32, u32) {
    let Some(last) = verified.last().map(|it| &it.statement) else { return (0, 1) };
    let counts = |it: &&Verified| {
        let (said, who) = (&it.statement, &it.statement.approver.id);
        it.signer_proven && *who != said.asker.id && *who != said.holder.id && wording(said) == wording(last)
    };
    let persons: BTreeSet<_> = verified.iter().filter(counts).map(|it| &it.statement.approver.id).collect();
    (u32::try_from(persons.len()).unwrap_or(u32::MAX), last.rule.approvers.max(1))
}

/// What is signed, aside from who signs and what everybody is called.
#[derive(PartialEq, Eq)]
struct Wording<'a> {
    place: (&'a str, Option<&'a str>),
    people: (&'a str, &'a str),
    role: Role,
    terms: (i64, &'a str, &'a str, &'a str),
    rule: &'a StatedRule,
    revision: i64,
}

fn wording(it: &Statement) -> Wording<'_> {
    Wording {
        place: (&it.instance, it.project.as_ref().map(|it| it.id.as_str())),
        people: (&it.asker.id, &it.holder.id),
        role: it.role,
        terms: (it.lasts_seconds, &it.reason, &it.ticket, &it.expires_at),
        rule: &it.rule,
        revision: it.revision,
    }
}

impl Domain {
    /// All that was signed about a request, for whoever may know of it.
    pub async fn access_evidence(&self, op: &Op, id: AccessRequestId) -> Result<Evidence, Refused> {
        let loaded = self.request_in_sight(op, id).await?;
        let mut conn = self.store().read().await?;
        let grant = grant_rows::of_request(&mut conn, id).await?.map(Grant::try_from).transpose()?;
        let approvals = loaded.signed.into_iter().map(signed).collect::<Result<_, _>>()?;
        Ok(Evidence {
            kind: KIND.into(),
            v: VERSION,
            origin: self.settings().origin.clone(),
            rp_id: self.settings().rp_id.clone(),
            request: id,
            approvals,
            grant: grant.map(|it| HeldRole {
                id: it.id.to_string(),
                starts_at: it.starts_at,
                ends_at: it.ends_at,
                ended_at: it.ended.as_ref().map(|(at, ..)| *at),
                how: it.ended.as_ref().map(|(_, how, _)| *how),
            }),
        })
    }
}

fn signed(row: approvals::Row) -> Result<SignedApproval, Fault> {
    use base64::Engine as _;
    let damaged = || Fault::Damaged(format!("access_approvals {}@{}", row.request_id, row.revision));
    Ok(SignedApproval {
        statement: String::from_utf8(row.content.clone()).map_err(|_| damaged())?,
        proof: ApprovalProof {
            nonce: row.nonce.as_slice().try_into().map_err(|_| damaged())?,
            client_data_json: row.client_data_json.clone(),
            authenticator_data: row.authenticator_data.clone(),
            signature: row.signature.clone(),
            public_key: row.public_key.clone(),
        },
        credential_id: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&row.credential_id),
        passkey: row.passkey_id.to_string(),
        synced: row.synced,
        enrolment: row.enrolment.clone(),
        policies: row.policies,
        signed_at: from_micros(row.signed_at),
    })
}
