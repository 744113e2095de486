//! Lists: one's own, and those that may be seen.

use std::collections::BTreeMap;

use keywarden_model::time::{from_micros, seconds};
use keywarden_model::{AccessGrantId, AccessRequestId, AccessState, ProjectId};
use keywarden_store::access::{ORGANIZATION, grants, requests};
use keywarden_store::{Conn, names};

use super::{Grant, Request, rule};
use crate::authz::{PolicyScope, Reach, Who};
use crate::policy::resource;
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The longest page.
const MOST: u32 = 200;
/// Requests that wait are counted up to so many.
const COUNTED: u32 = 100;

/// What requests to list.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    /// Only the caller's own: those that they made, and those that are for them. Else those of where they may see them, too.
    pub own: bool,
    /// Only in this state.
    pub state: Option<AccessState>,
    /// Older than this one.
    pub before: Option<AccessRequestId>,
    /// At most so many (1 to 200).
    pub limit: u32,
}

/// A page of requests, newest first.
#[derive(Debug)]
pub struct RequestPage {
    /// The requests.
    pub requests: Vec<Request>,
    /// Continue before this one.
    pub next: Option<AccessRequestId>,
}

/// Which grants to list.
#[derive(Debug, Clone, Default)]
pub struct GrantQuery {
    /// Only the caller's own.
    pub own: bool,
    /// Only those that are held now.
    pub active: bool,
    /// Older than this one.
    pub before: Option<AccessGrantId>,
    /// At most so many (1 to 200).
    pub limit: u32,
}

/// A page of grants, newest first.
#[derive(Debug)]
pub struct GrantPage {
    /// The grants.
    pub grants: Vec<Grant>,
    /// Continue before this one.
    pub next: Option<AccessGrantId>,
}

impl Domain {
    /// Requests for access, newest first: the caller's own, or those of where they may see them.
    pub async fn access_requests(&self, op: &Op, query: &RequestQuery) -> Result<RequestPage, Refused> {
        self.lists_access(op, query.own).await?;
        let limit = query.limit.clamp(1, MOST);
        let filter = requests::Filter {
            of: query.own.then(|| op.actor.id()),
            scopes: if query.own { None } else { self.scopes_seen(op).await? },
            state: query.state.map(AccessState::as_str),
            before: query.before,
        };
        let mut conn = self.store().read().await?;
        let mut rows = requests::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().map(|it| it.id).filter(|_| more);
        let requests = named(&mut conn, rows).await?;
        drop(conn);
        let seen = crate::projects::projects_in(self.reach(op, Action::ViewProject).await?);
        let requests = requests.into_iter().map(|it| it.seen_by(seen.as_deref())).collect();
        Ok(RequestPage { requests, next })
    }

    /// Roles that are, or were, held for a while, newest first: the caller's own, or those of where they may see them.
    pub async fn access_grants(&self, op: &Op, query: &GrantQuery) -> Result<GrantPage, Refused> {
        self.lists_access(op, query.own).await?;
        let limit = query.limit.clamp(1, MOST);
        let filter = grants::Filter {
            of: query.own.then(|| op.actor.id()),
            scopes: if query.own { None } else { self.scopes_seen(op).await? },
            active: query.active.then_some(op.now),
            before: query.before,
        };
        let mut conn = self.store().read().await?;
        let mut rows = grants::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().map(|it| it.id).filter(|_| more);
        let grants = rows.into_iter().map(Grant::try_from).collect::<Result<_, _>>()?;
        Ok(GrantPage { grants, next })
    }

    /// Roles that the caller holds for a while now: for the banner of every page. Asked for nobody but who is here.
    pub async fn own_access(&self, op: &Op) -> Result<Vec<Grant>, Refused> {
        let counter = self.counter().await?;
        if !self.gate().is_for_a_while(op, self.store(), counter).await? {
            return Ok(Vec::new());
        }
        let filter = grants::Filter { of: Some(op.actor.id()), active: Some(op.now), ..Default::default() };
        let mut conn = self.store().read().await?;
        let rows = grants::list(&mut conn, &filter, MOST).await?;
        Ok(rows.into_iter().map(Grant::try_from).collect::<Result<_, _>>()?)
    }

    /// What waits for an answer of the caller's, oldest first: where they may approve, what is not theirs, and what they have not
    /// signed yet. At most a hundred.
    pub async fn access_inbox(&self, op: &Op) -> Result<Vec<Request>, Refused> {
        let mut rows = self.waiting_rows(op).await?;
        rows.reverse();
        let mut conn = self.store().read().await?;
        Ok(named(&mut conn, rows).await?)
    }

    /// How many those are, for the navigation.
    pub async fn access_waiting(&self, op: &Op) -> Result<usize, Refused> {
        Ok(self.waiting_rows(op).await?.len())
    }

    async fn waiting_rows(&self, op: &Op) -> Result<Vec<requests::Row>, Refused> {
        let Some(person) = op.actor.person() else { return Ok(Vec::new()) };
        let scopes = self.scopes_seen(op).await?;
        if scopes.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let own = person.id.to_string();
        let mut conn = self.store().read().await?;
        let mut rows = requests::waiting_for(&mut conn, scopes, &own, op.now, COUNTED).await?;
        if rows.is_empty() {
            return Ok(rows);
        }
        let principal = self.gate().principal_of(&mut conn, Who::Person(person.id), &own, op.now).await?;
        let teams: Vec<_> = principal.teams.iter().map(ToString::to_string).collect();
        // Each place is asked about once.
        let mut answers = BTreeMap::new();
        for row in &rows {
            if answers.contains_key(&row.project_id) {
                continue;
            }
            let project = row.project_id.as_deref().map(str::parse).transpose();
            let project =
                project.map_err(|_| Fault::Damaged(format!("access_requests {}: project", row.id)))?;
            let scope = project.map_or(PolicyScope::Organization, PolicyScope::Project);
            // Where a rule cannot be read nobody approves, and pages go on.
            let named = match rule::in_force(&mut conn, scope).await {
                Ok((rule, _)) => rule.names(&own, &teams),
                Err(Fault::Damaged(_)) => false,
                Err(fault) => return Err(fault.into()),
            };
            let may = named && self.would(op, Action::ApproveAccess, &resource(scope)).await?;
            answers.insert(row.project_id.clone(), may);
        }
        rows.retain(|it| answers.get(&it.project_id) == Some(&true));
        Ok(rows)
    }

    /// One's own are listed for whoever may ask; where others' may be seen decides over the rest.
    async fn lists_access(&self, op: &Op, own: bool) -> Result<(), Refused> {
        if own {
            let _permit = self.authorize(op, Action::RequestAccess, &Resource::Organization).await?;
        }
        Ok(())
    }

    /// The scopes in which the caller may see requests; `None`: all of them.
    async fn scopes_seen(&self, op: &Op) -> Result<Option<Vec<String>>, Refused> {
        let organization = self.would(op, Action::ViewAccess, &Resource::Organization).await?;
        let mut scopes = match self.reach(op, Action::ViewAccess).await? {
            Reach::All if organization => return Ok(None),
            // Everywhere but there: no list says that.
            Reach::All => Vec::new(),
            Reach::Part { projects, .. } => projects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        };
        if organization {
            scopes.push(ORGANIZATION.to_owned());
        }
        Ok(Some(scopes))
    }
}

/// Rows with the names that a page shows.
pub(super) async fn named(conn: &mut Conn, rows: Vec<requests::Row>) -> Result<Vec<Request>, Fault> {
    let ids = rows.iter().flat_map(|it| [it.created_by.as_str(), it.holder_id.as_str()]);
    let known = names::of(conn, ids).await?;
    let name = |id: &str| known.get(id).cloned().unwrap_or_default();
    let read = |row: requests::Row| {
        let damaged = |what: &str| Fault::Damaged(format!("access_requests {}: {what}", row.id));
        Ok(Request {
            id: row.id,
            role: row.role.parse().map_err(|_| damaged("role"))?,
            project_id: row
                .project_id
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| damaged("project"))?,
            project: row.project.clone(),
            holder: Holder::parse(&row.holder_id).ok_or_else(|| damaged("holder"))?,
            holder_name: name(&row.holder_id),
            lasts: seconds(row.lasts_seconds),
            reason: row.reason.clone(),
            ticket: row.ticket.clone(),
            state: row.state.parse().map_err(|_| damaged("state"))?,
            revision: row.revision,
            created_at: from_micros(row.created_at),
            asker_name: name(&row.created_by),
            created_by: row.created_by.clone(),
            expires_at: from_micros(row.expires_at),
            decided: row.decided_at.map(from_micros).zip(row.decided_by.clone()),
            words: row.words.clone(),
            row_version: row.row_version,
        })
    };
    rows.into_iter().map(read).collect()
}

impl Request {
    /// Without the project's id, where the caller may not see that project: it would tell that there is one.
    pub(super) fn seen_by(mut self, seen: Option<&[ProjectId]>) -> Self {
        if let (Some(id), Some(seen)) = (self.project_id, seen)
            && !seen.contains(&id)
        {
            self.project_id = None;
        }
        self
    }
}
