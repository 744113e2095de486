//! Approving: a ceremony whose challenge is made of what is signed.
//!
//! What was shown, what is signed and what is there are compared twice: when the answer comes, and again in the transaction that
//! keeps it. The signature is kept with everything that proves it later, and nothing else is done with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{AccessGrantId, AccessRequestId, CeremonyId, PasskeyStrength};
use keywarden_store::access::{approvals, grants, requests as rows};
use keywarden_store::people::passkeys::Row as PasskeyRow;
use keywarden_store::{ChangeKind, Tx, Written, policies, projects};

use super::life::{Approved, Facts};
use super::request::fact;
use super::{AccessError, GRANT, LifeError, Loaded, REQUEST, Statement, meanwhile};
use crate::audit::{Fact, Record};
use crate::authz::Who;
use crate::passkeys::{self, ApprovalProof, PasskeyError, PasskeyRecord, RequestOptions};
use crate::people::ceremonies::{Bound, Flow};
use crate::people::known::{Known, Used};
use crate::people::{APPROVES_AFTER, CeremonyError, Started, done_by, whole};
use crate::policy::resource;
use crate::roles::can_hold;
use crate::{Action, Domain, Op, Person, Refused};

/// A signature that was checked, on its way into the records.
struct Signature {
    id: AccessRequestId,
    grant: AccessGrantId,
    person: Person,
    content: Vec<u8>,
    used: Used,
    record: PasskeyRecord,
    proof: ApprovalProof,
}

impl Domain {
    /// What the caller would sign: the bytes of the statement, from which the page is drawn as well.
    pub async fn access_statement(&self, op: &Op, id: AccessRequestId) -> Result<Statement, AccessError> {
        let person = whole(op)?;
        let mut conn = self.store().read().await?;
        let loaded = Loaded::find(&mut conn, id).await?;
        let statement = self.statement(&mut conn, &loaded, &person.id.to_string()).await?;
        drop(conn);
        self.may_approve(op, &loaded).await?;
        Ok(statement)
    }

    /// Begins: asks for any passkey of the caller's that may approve this.
    pub async fn start_access_approval(
        &self,
        op: &Op,
        id: AccessRequestId,
    ) -> Result<Started<RequestOptions>, AccessError> {
        let person = whole(op).map_err(|_| AccessError::NotAPerson)?;
        let approver = person.id.to_string();
        let mut conn = self.store().read().await?;
        let loaded = Loaded::find(&mut conn, id).await?;
        let known = Known::of(&mut conn, person.id).await?;
        let signed = self.signatures(&mut conn, &loaded, op.now).await?;
        let principal =
            self.gate().principal_of(&mut conn, Who::Person(person.id), &approver, op.now).await?;
        let content = self.statement(&mut conn, &loaded, &approver).await?.bytes()?;
        drop(conn);
        self.may_approve(op, &loaded).await?;
        let teams: Vec<_> = principal.teams.iter().map(ToString::to_string).collect();
        let judge = |row: &PasskeyRow| {
            let facts = Facts {
                approver: &approver,
                teams: &teams,
                passkey_from: may_approve_from(row),
                synced: row.synced,
                rule: &loaded.rule,
                rule_at: &loaded.rule_at,
                signed: &signed,
            };
            loaded.life.clone().approve(&facts, op.now)
        };
        let judged: Vec<_> = known.rows.iter().map(judge).collect();
        let able: Vec<PasskeyRecord> = known
            .records
            .iter()
            .zip(&judged)
            .filter(|(_, judged)| judged.is_ok())
            .map(|(record, _)| record.clone())
            .collect();
        if able.is_empty() {
            let why = judged.into_iter().find_map(Result::err);
            return Err(why.map_or(CeremonyError::Passkey(PasskeyError::NoPasskey).into(), AccessError::from));
        }
        let (options, ceremony) =
            self.ceremonies()?.start_approval(&able, &content, op.now).map_err(CeremonyError::Passkey)?;
        let ceremony = ceremony.ending_by(loaded.life.expires_at);
        let bound = Bound::Session(person.session);
        let ceremony = self.keep_ceremony(op, Flow::Approval, bound, &ceremony, &id).await?;
        Ok(Started { ceremony, options })
    }

    /// Ends: the signature is kept, and if it was the last one needed, the role is held from now on.
    pub async fn finish_access_approval(
        &self,
        op: &Op,
        id: AccessRequestId,
        ceremony: CeremonyId,
        response: &[u8],
    ) -> Result<Approved, AccessError> {
        let person = whole(op).map_err(|_| AccessError::NotAPerson)?;
        let bound = Bound::Session(person.session);
        // Whatever comes of it, this question is spent.
        let taken = self.take_ceremony::<AccessRequestId>(op, Flow::Approval, bound, ceremony).await?;
        let (ceremony, asked) = taken.ok_or(CeremonyError::Gone)?;
        if asked != id {
            return Err(CeremonyError::Gone.into());
        }
        let signed = self.check_signature(op, id, ceremony, response).await;
        let refused = match &signed {
            Err(AccessError::Ceremony(CeremonyError::Passkey(why))) => Some(why.code()),
            _ => None,
        };
        if let Some(why) = refused {
            let about = (REQUEST, id.to_string());
            self.record_refusal(&done_by(op, person), Action::ApproveAccess.name(), about, why).await?;
        }
        let signature = Arc::new(signed?);
        self.keep_signature(op, signature).await
    }

    /// Whether the caller may approve this, aside from what its life says; nobody learns more than that it is there.
    async fn may_approve(&self, op: &Op, loaded: &Loaded) -> Result<(), AccessError> {
        if !self.sees_request(op, loaded).await? {
            return Err(Refused::NotFound.into());
        }
        let may = self.would(op, Action::ApproveAccess, &resource(loaded.scope)).await?;
        if !may || loaded.leads_nowhere() {
            return Err(Refused::Forbidden(Action::ApproveAccess).into());
        }
        Ok(())
    }

    async fn check_signature(
        &self,
        op: &Op,
        id: AccessRequestId,
        ceremony: passkeys::Ceremony,
        response: &[u8],
    ) -> Result<Signature, AccessError> {
        let person = whole(op)?;
        let mut conn = self.store().read().await?;
        let loaded = Loaded::find(&mut conn, id).await?;
        let known = Known::of(&mut conn, person.id).await?;
        let content = self.statement(&mut conn, &loaded, &person.id.to_string()).await?.bytes()?;
        drop(conn);
        self.may_approve(op, &loaded).await?;
        let approved = self
            .ceremonies()?
            .finish_approval(ceremony, response, &content, &known.records, op.now)
            .map_err(CeremonyError::Passkey)?;
        let used = known.used(&approved.asserted).map_err(CeremonyError::Passkey)?;
        let record = known.record_of(used.id).cloned();
        let record = record.ok_or(CeremonyError::Passkey(PasskeyError::UnknownCredential))?;
        // The same person has just proven to be there: that is what a step-up is.
        let person = Person {
            passkey: Some(used.id),
            asserted_at: Some(op.now),
            synced: used.synced,
            ..person.clone()
        };
        let grant = self.fresh(op);
        Ok(Signature { id, grant, person, content, used, record, proof: approved.proof })
    }

    async fn keep_signature(&self, op: &Op, signature: Arc<Signature>) -> Result<Approved, AccessError> {
        let mut conn = self.store().read().await?;
        let loaded = Loaded::find(&mut conn, signature.id).await?;
        drop(conn);
        let here = resource(loaded.scope);
        let acting = done_by(op, &signature.person);
        let domain = self.clone();
        let kept = self.change(&acting, Action::ApproveAccess, &here, &[], move |tx, record| {
            let (domain, signature) = (domain.clone(), Arc::clone(&signature));
            Box::pin(async move { domain.sign(tx, &record, &signature).await })
        });
        Ok(kept.await?.0)
    }

    async fn sign(
        &self,
        tx: &mut Tx,
        record: &Record,
        signature: &Signature,
    ) -> Result<Written<Done>, AccessError> {
        let (id, now) = (signature.id, record.now());
        let approver = signature.person.id.to_string();
        let loaded = Loaded::find(tx, id).await?;
        if self.statement(tx, &loaded, &approver).await?.bytes()? != signature.content {
            return Err(CeremonyError::Passkey(PasskeyError::ContentChanged).into());
        }
        let signed = self.signatures(tx, &loaded, now).await?;
        let known = Known::of(tx, signature.person.id).await?;
        let row = known.rows.iter().find(|it| it.id == signature.used.id);
        let row = row.ok_or(CeremonyError::Passkey(PasskeyError::UnknownCredential))?;
        let principal =
            self.gate().principal_of(tx, Who::Person(signature.person.id), &approver, now).await?;
        let teams: Vec<_> = principal.teams.iter().map(ToString::to_string).collect();
        let facts = Facts {
            approver: &approver,
            teams: &teams,
            passkey_from: may_approve_from(row),
            synced: row.synced,
            rule: &loaded.rule,
            rule_at: &loaded.rule_at,
            signed: &signed,
        };
        let (life, approved) = loaded.life.clone().approve(&facts, now)?;
        if !signature.used.note(tx, now).await? {
            return Err(CeremonyError::Passkey(PasskeyError::UnknownCredential).into());
        }
        rows::touch(tx, id, loaded.row.row_version).await.map_err(meanwhile)?;
        let kept = self.signed_row(tx, &loaded, signature).await?;
        approvals::insert(tx, &kept, now).await.map_err(meanwhile)?;
        let mut event = record
            .event(Action::ApproveAccess.name(), REQUEST, id)
            .project(loaded.project)
            .fact("revision", loaded.row.revision)
            .fact("content", Fact::digest(&digest(&signature.content)))
            .fact("passkey", signature.used.id)
            .fact("rule_version", loaded.rule_at.version)
            .fact("need", loaded.rule.approvers);
        let have = match approved {
            Approved::Granted { .. } => loaded.rule.approvers,
            Approved::Waits { have, .. } => have,
        };
        event = event.fact("have", have);
        let written = Written::new(Done(approved), event.finish()?);
        let Approved::Granted { starts_at, ends_at } = approved else { return Ok(written) };
        may_be_held(tx, &loaded).await?;
        rows::decide(tx, id, life.state.as_str(), (&approver, ""), now).await?;
        let grant = grants::Insert {
            id: signature.grant,
            request: id,
            project: loaded.project,
            role: loaded.role.as_str(),
            holder_kind: loaded.holder.kind(),
            holder_id: &loaded.row.holder_id,
            starts_at,
            ends_at,
        };
        grants::insert(tx, grant).await.map_err(meanwhile)?;
        // Not for a no: so that every node learns of the new yes at once.
        tx.restrict(ChangeKind::Authority, loaded.holder, now).await?;
        let began = record
            .event("access.grant", GRANT, signature.grant)
            .project(loaded.project)
            .fact("request", id)
            .fact("role", loaded.role)
            .fact("holder", fact(loaded.holder))
            .fact("ends_at", ends_at);
        Ok(written.and(began.finish()?))
    }

    async fn signed_row(
        &self,
        tx: &mut Tx,
        loaded: &Loaded,
        signature: &Signature,
    ) -> Result<approvals::Row, AccessError> {
        let enrolment = approvals::enrolment(tx, signature.used.id, signature.person.id).await?;
        let proof = signature.proof.clone();
        Ok(approvals::Row {
            request_id: signature.id,
            revision: loaded.row.revision,
            approver: signature.person.id,
            rule_scope: loaded.rule_at.scope.clone(),
            rule_version: loaded.rule_at.version,
            content: signature.content.clone(),
            nonce: proof.nonce.to_vec(),
            client_data_json: proof.client_data_json,
            authenticator_data: proof.authenticator_data,
            signature: proof.signature,
            public_key: proof.public_key,
            credential_id: signature.record.credential_id().as_bytes().to_vec(),
            passkey_id: signature.used.id,
            synced: signature.used.synced,
            enrolment,
            policies: policies::set(tx).await?.revision,
            signed_at: 0,
        })
    }
}

/// Whether the role can still be held there.
async fn may_be_held(tx: &mut Tx, loaded: &Loaded) -> Result<(), AccessError> {
    if let Some(project) = loaded.project {
        let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
        if home.archived_at.is_some() {
            return Err(AccessError::Archived);
        }
    }
    if can_hold(tx, loaded.holder, loaded.project).await? { Ok(()) } else { Err(AccessError::HolderGone) }
}

/// No passkey approves in its first day, however it came into the account.
pub(super) fn may_approve_from(row: &PasskeyRow) -> DateTime<Utc> {
    from_micros(row.may_approve_after).max(later(from_micros(row.created_at), APPROVES_AFTER))
}

fn digest(content: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(content).into()
}

/// A signature is made under no idempotency key: its ceremony serves once.
#[derive(Debug, Clone, Copy)]
struct Done(Approved);

impl crate::Repeatable for Done {
    fn thing(&self) -> String {
        String::new()
    }
    fn again(_: &str, _: Option<keywarden_vault::SecretString>) -> Option<Self> {
        None
    }
}

/// Whether any passkey of this person's could sign under this rule, and if not, why.
pub(super) fn able(
    rows: &[PasskeyRow],
    strength: PasskeyStrength,
    now: DateTime<Utc>,
) -> Result<(), LifeError> {
    let strong = |row: &&PasskeyRow| !(row.synced && strength == PasskeyStrength::DeviceBound);
    let first = rows.iter().filter(strong).map(may_approve_from).min();
    match first {
        None => Err(LifeError::PasskeySynced),
        Some(from) if now < from => Err(LifeError::PasskeyTooNew(from)),
        Some(_) => Ok(()),
    }
}
