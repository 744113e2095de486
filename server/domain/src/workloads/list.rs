//! The workloads that the caller may see.

use chrono::TimeDelta;
use keywarden_model::{ProjectId, WorkloadId, time::later};
use keywarden_store::workloads as rows;

use super::Workload;
use crate::projects::{folded, projects_in};
use crate::{Action, Domain, Fault, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct WorkloadQuery {
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Deactivated ones too.
    pub deactivated: bool,
    /// A part of the name, in any spelling.
    pub search: Option<String>,
    /// Only those with a token that ends within so many days (1 to 365).
    pub token_ends_within_days: Option<u32>,
    /// Continue after this one.
    pub after: Option<WorkloadId>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A page of workloads, oldest first, and where the next one begins.
#[derive(Debug)]
pub struct WorkloadPage {
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// Give it as [`WorkloadQuery::after`] for the next page.
    pub next: Option<WorkloadId>,
}

impl Domain {
    /// Workloads that the caller may see.
    pub async fn workloads(&self, op: &Op, query: &WorkloadQuery) -> Result<WorkloadPage, Refused> {
        let limit = query.limit.clamp(1, 200);
        let within = projects_in(self.reach(op, Action::ViewWorkload).await?);
        let projects = match (within, query.project) {
            (within, None) => within,
            (None, Some(project)) => Some(vec![project]),
            (Some(within), Some(project)) => Some(within.into_iter().filter(|it| *it == project).collect()),
        };
        let days = query.token_ends_within_days.map(|days| TimeDelta::days(days.clamp(1, 365).into()));
        let filter = rows::Filter {
            projects,
            deactivated: query.deactivated,
            containing: query.search.as_deref().and_then(folded),
            token_ends_within: days.map(|days| (op.now, later(op.now, days))),
            after: query.after,
        };
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut found = rows::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let workloads = found.into_iter().map(Workload::try_from).collect::<Result<Vec<_>, _>>()?;
        let next = workloads.last().map(|it| it.id).filter(|_| more);
        Ok(WorkloadPage { workloads, next })
    }
}
