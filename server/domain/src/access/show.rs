//! One request, with what was signed and what its reader may do.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{AccessRequestId, AccessState};
use keywarden_store::access::grants as grant_rows;
use keywarden_store::names;
use keywarden_store::people::passkeys;

use super::approve::able;
use super::list::named;
use super::{Grant, LifeError, Loaded, Request, Rule, RuleAt};
use crate::policy::resource;
use crate::projects::projects_in;
use crate::{Action, Domain, Fault, Op, Refused};

/// A request as a page shows it.
#[derive(Debug, Clone)]
pub struct ShownRequest {
    /// The request.
    pub request: Request,
    /// What was signed, in that order.
    pub approvals: Vec<ShownApproval>,
    /// The rule that holds, for whoever may know that there is such a project.
    pub rule: Option<(Rule, RuleAt)>,
    /// How many persons' signatures count now.
    pub have: u32,
    /// The role that came of it.
    pub grant: Option<Grant>,
    /// What its reader may do.
    pub may: MayDo,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownApproval {
    /// Whose: a person's id.
    pub approver: String,
    /// What they are called.
    pub name: String,
    /// When.
    pub signed_at: DateTime<Utc>,
    /// Of which wording.
    pub revision: i64,
    /// Whether their passkey leaves its device.
    pub synced: bool,
    /// Whether it counts now.
    pub counts: bool,
}

/// What a reader may do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayDo {
    /// Sign it; or, where they might but for this, why not.
    pub approve: Option<Result<(), LifeError>>,
    /// Say no.
    pub deny: bool,
    /// Take it back.
    pub withdraw: bool,
    /// Ask for something else.
    pub edit: bool,
    /// See who may approve.
    pub see_rule: bool,
}

impl Domain {
    /// A request, for whoever asked, whoever it is for, and those who may see requests there.
    pub async fn access_request(&self, op: &Op, id: AccessRequestId) -> Result<ShownRequest, Refused> {
        let loaded = self.request_in_sight(op, id).await?;
        let own = op.actor.id();
        let seen = projects_in(self.reach(op, Action::ViewProject).await?);
        let sees_place = !loaded.leads_nowhere()
            && loaded.project.is_none_or(|it| seen.as_ref().is_none_or(|seen| seen.contains(&it)));
        let mut conn = self.store().read().await?;
        let signed = self.signatures(&mut conn, &loaded, op.now).await?;
        let counting = loaded.life.counting(&signed, &loaded.rule_at);
        let have = u32::try_from(counting.len()).unwrap_or(u32::MAX);
        let ids: Vec<_> = loaded.signed.iter().map(|it| it.approver.to_string()).collect();
        let known = names::of(&mut conn, ids.iter().map(String::as_str)).await?;
        let approvals = loaded.signed.iter().zip(ids).map(|(row, id)| ShownApproval {
            name: known.get(&id).cloned().unwrap_or_default(),
            counts: row.revision == loaded.row.revision && counting.contains(id.as_str()),
            signed_at: from_micros(row.signed_at),
            revision: row.revision,
            synced: row.synced,
            approver: id,
        });
        let approvals = approvals.collect();
        let grant = grant_rows::of_request(&mut conn, id).await?.map(Grant::try_from).transpose()?;
        let mut rows = named(&mut conn, vec![loaded.row.clone()]).await?;
        let request = rows.pop().ok_or_else(|| Fault::Unexpected("a request without a row".into()))?;
        drop(conn);
        let open = loaded.row.state == AccessState::Pending.as_str() && op.now < loaded.life.expires_at;
        let here = resource(loaded.scope);
        let answers = open && self.would(op, Action::ApproveAccess, &here).await?;
        let approve = if answers && op.actor.person().is_some() && !loaded.leads_nowhere() {
            Some(self.could_sign(op, &loaded, &signed).await?)
        } else {
            None
        };
        let may = MayDo {
            approve,
            deny: answers,
            withdraw: open && (loaded.life.asker == own || loaded.life.holder == own),
            edit: open && loaded.life.asker == own,
            see_rule: sees_place && self.would(op, Action::ViewAccess, &here).await?,
        };
        let rule = sees_place.then(|| (loaded.rule.clone(), loaded.rule_at.clone()));
        Ok(ShownRequest { request: request.seen_by(seen.as_deref()), approvals, rule, have, grant, may })
    }

    /// Whether the caller could sign this now, with any of their passkeys.
    async fn could_sign(
        &self,
        op: &Op,
        loaded: &Loaded,
        signed: &[super::life::Signed],
    ) -> Result<Result<(), LifeError>, Refused> {
        let Some(person) = op.actor.person() else { return Ok(Err(LifeError::NotNamed)) };
        let who = person.id.to_string();
        if loaded.life.concerns(&who) {
            return Ok(Err(LifeError::OwnRequest));
        }
        if loaded.life.counting(signed, &loaded.rule_at).contains(who.as_str()) {
            return Ok(Err(LifeError::AlreadySigned));
        }
        if loaded.life.lasts > loaded.rule.longest() {
            return Ok(Err(LifeError::TooLong(loaded.rule.longest())));
        }
        let mut conn = self.store().read().await?;
        if !self.still_approves(&mut conn, loaded, &who, op.now).await? {
            return Ok(Err(LifeError::NotNamed));
        }
        let own = passkeys::of(&mut conn, person.id).await?;
        Ok(able(&own, loaded.rule.strength, op.now))
    }
}
