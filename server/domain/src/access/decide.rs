//! What is done to a request without a signature: no, taken back, asked for otherwise.

use std::sync::Arc;

use keywarden_model::{AccessRequestId, Reason};
use keywarden_store::Written;
use keywarden_store::access::requests as rows;

use super::request::{Terms, scope};
use super::rule::{self, SHORTEST};
use super::{AccessError, Loaded, REQUEST, meanwhile};
use crate::policy::resource;
use crate::{Action, Domain, Op, Refused, Resource};

impl Domain {
    /// Says no, in words that whoever asked will read.
    pub async fn deny_access(
        &self,
        op: &Op,
        id: AccessRequestId,
        words: Reason,
    ) -> Result<AccessRequestId, AccessError> {
        let loaded = self.request_in_sight(op, id).await?;
        let by = op.actor.id();
        let words = Arc::new(words);
        self.change(op, Action::ApproveAccess, &resource(loaded.scope), &[], move |tx, record| {
            let (by, words) = (by.clone(), Arc::clone(&words));
            Box::pin(async move {
                let loaded = Loaded::find(tx, id).await?;
                let now = record.now();
                let life = loaded.life.clone().deny(now)?;
                rows::touch(tx, id, loaded.row.row_version).await.map_err(meanwhile)?;
                rows::decide(tx, id, life.state.as_str(), (&by, words.as_str()), now).await?;
                let event = record
                    .event("access.deny", REQUEST, id)
                    .project(loaded.project)
                    .fact("revision", loaded.row.revision)
                    .text("words", &words);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// Takes it back: whoever asked, or whoever it is for.
    pub async fn withdraw_access_request(
        &self,
        op: &Op,
        id: AccessRequestId,
    ) -> Result<AccessRequestId, AccessError> {
        self.request_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::RequestAccess, &Resource::Organization, &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let loaded = Loaded::find(tx, id).await?;
                let now = record.now();
                let life = loaded.life.clone().withdraw(&by, now)?;
                rows::touch(tx, id, loaded.row.row_version).await.map_err(meanwhile)?;
                rows::decide(tx, id, life.state.as_str(), (&by, ""), now).await?;
                let event = record.event("access.withdraw", REQUEST, id).project(loaded.project);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// Asks for it otherwise: for another time, or for another reason. What was signed of it counts no more.
    pub async fn edit_access_request(
        &self,
        op: &Op,
        id: AccessRequestId,
        terms: Terms,
    ) -> Result<AccessRequestId, AccessError> {
        let seen = self.request_in_sight(op, id).await?;
        if terms.lasts < SHORTEST {
            return Err(AccessError::TooShort);
        }
        // As when it was asked for: whoever may not see the project is held to the organization's limits, as if there were none.
        let known = match seen.project {
            Some(project) => self.would(op, Action::ViewProject, &Resource::Project(project)).await?,
            None => false,
        };
        let limits = scope(seen.project.filter(|_| known));
        let (by, terms) = (op.actor.id(), Arc::new(terms));
        self.change(op, Action::RequestAccess, &Resource::Organization, &[], move |tx, record| {
            let (by, terms) = (by.clone(), Arc::clone(&terms));
            Box::pin(async move {
                let loaded = Loaded::find(tx, id).await?;
                let life = loaded.life.clone().edit(&by, terms.lasts, record.now())?;
                let (rule, _) = rule::in_force(tx, limits).await?;
                if terms.lasts > rule.longest() {
                    return Err(AccessError::TooLong(rule.longest()));
                }
                rows::touch(tx, id, loaded.row.row_version).await.map_err(meanwhile)?;
                let words = (terms.reason.as_str(), terms.ticket.as_str());
                rows::revise(tx, id, life.revision, terms.lasts.num_seconds(), words).await?;
                let event = record
                    .event("access.edit", REQUEST, id)
                    .project(loaded.project)
                    .fact("revision", life.revision)
                    .change("lasts_seconds", loaded.row.lasts_seconds, terms.lasts.num_seconds())
                    .text("reason", &terms.reason)
                    .text("ticket", &terms.ticket);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// A request, for whoever may know of it.
    pub(super) async fn request_in_sight(&self, op: &Op, id: AccessRequestId) -> Result<Loaded, Refused> {
        let mut conn = self.store().read().await?;
        let loaded = Loaded::find(&mut conn, id).await?;
        drop(conn);
        if self.sees_request(op, &loaded).await? { Ok(loaded) } else { Err(Refused::NotFound) }
    }
}
