//! Reading the record: newest first, filtered by scope and field, personal parts opened for those who may read them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_model::{EventId, ProjectId, time::from_micros};
use keywarden_store::event::{self, Filter, Found};
use keywarden_store::names;
use serde_json::Value;

use super::record::{PERSONAL, personal_context};
use crate::authz::{Action, Reach, Resource};
use crate::{Domain, Fault, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// An action's name, or a prefix that ends in `.`: `key.`; several of them between commas.
    pub action: Option<String>,
    /// The actor's id.
    pub actor: Option<String>,
    /// The thing's id.
    pub resource: Option<String>,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// `allowed`, `refused` or `failed`.
    pub outcome: Option<String>,
    /// From this instant on.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Continue after this event (older ones).
    pub before: Option<EventId>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// An event with what the reader may see.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// The action's stable name.
    pub action: String,
    /// `allowed`, `refused` or `failed`.
    pub outcome: String,
    /// Who did it: kind and id.
    pub actor: (String, String),
    /// What it was about: kind and id.
    pub resource: (String, String),
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The canonical event.
    pub canonical: Value,
    /// Opened personal fields by subject.
    pub personal: Personal,
    /// What those of its ids are called today that have a name.
    pub names: BTreeMap<String, String>,
}

/// Subject → field → text. A subject that was erased is not in it.
pub type Personal = BTreeMap<String, BTreeMap<String, String>>;

/// A page of events, and where the next one begins.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub events: Vec<Event>,
    /// Give it as [`Query::before`] for the next page.
    pub next: Option<EventId>,
}

impl Domain {
    /// Events that the caller may read.
    pub async fn events(&self, op: &Op, query: &Query) -> Result<Page, Refused> {
        let limit = query.limit.clamp(1, 200);
        let projects = match (self.reach(op, Action::ReadAudit).await?, query.project) {
            (Reach::All, None) => None,
            (Reach::All, Some(project)) => Some(vec![project]),
            (Reach::Part { projects, .. }, None) => Some(projects),
            (reach @ Reach::Part { .. }, Some(project)) => {
                Some(reach.covers(project).then_some(project).into_iter().collect())
            }
        };
        let filter = Filter {
            action: query.action.clone(),
            actor: query.actor.clone(),
            resource: query.resource.clone(),
            projects,
            outcome: query.outcome.clone(),
            since: query.since,
            until: query.until,
            before: query.before,
        };
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut rows = event::list(&mut conn, &filter, limit.saturating_add(1)).await.map_err(Fault::from)?;
        drop(conn);
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let events = self.told(op, rows).await?;
        let next = events.last().map(|event| event.id).filter(|_| more);
        Ok(Page { events, next })
    }

    /// One event.
    pub async fn event(&self, op: &Op, id: EventId) -> Result<Event, Refused> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = event::find(&mut conn, id).await.map_err(Fault::from)?;
        drop(conn);
        let row = found.ok_or(Refused::NotFound)?;
        let resource = row.project_id.map_or(Resource::Organization, Resource::Project);
        let permit = self.authorize(op, Action::ReadAudit, &resource).await;
        // That an event is there is part of what it tells.
        let _permit = permit.map_err(|refused| match refused {
            Refused::Forbidden(_) => Refused::NotFound,
            other => other,
        })?;
        let mut event = self.opened(op, row).await?;
        self.name(std::slice::from_mut(&mut event)).await?;
        Ok(event)
    }

    /// Stored events with what the caller may see, who may read them.
    pub(crate) async fn told(&self, op: &Op, rows: Vec<Found>) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            events.push(self.opened(op, row).await?);
        }
        self.name(&mut events).await?;
        Ok(events)
    }

    /// Whoever may read an event may know what its actor and its thing are called.
    async fn name(&self, events: &mut [Event]) -> Result<(), Fault> {
        let mut conn = self.store().read().await?;
        let ids = events.iter().flat_map(|event| [event.actor.1.as_str(), event.resource.1.as_str()]);
        let names = names::of(&mut conn, ids).await?;
        for event in events {
            for id in [&event.actor.1, &event.resource.1] {
                if let Some(name) = names.get(id) {
                    event.names.insert(id.clone(), name.clone());
                }
            }
        }
        Ok(())
    }

    async fn opened(&self, op: &Op, row: Found) -> Result<Event, Fault> {
        let mut conn = self.store().read().await?;
        let sealed = event::personal(&mut conn, row.id).await?;
        drop(conn);
        let mut personal = Personal::new();
        for part in sealed {
            let Some(key) = self.subject_key(&part.subject_id, op.now).await? else { continue };
            let opened = key.open(PERSONAL, &personal_context(row.id, &part.subject_id), &part.sealed)?;
            let fields: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_slice(opened.expose())
                .map_err(|cause| Fault::Damaged(format!("event {}: {cause}", row.id)))?;
            let texts = fields.into_iter().filter_map(|(field, mut it)| Some((field, it.remove("value")?)));
            personal.insert(part.subject_id, texts.collect());
        }
        let canonical = serde_json::from_slice(&row.bytes)
            .map_err(|cause| Fault::Damaged(format!("event {}: {cause}", row.id)))?;
        Ok(Event {
            id: row.id,
            at: from_micros(row.at),
            action: row.action,
            outcome: row.outcome,
            actor: (row.actor_kind, row.actor_id),
            resource: (row.resource_kind, row.resource_id),
            project: row.project_id,
            canonical,
            personal,
            names: BTreeMap::new(),
        })
    }
}
