//! The projects that the caller may see.

use std::collections::HashSet;

use keywarden_model::ProjectId;
use keywarden_store::projects as rows;

use super::{Count, Project};
use crate::authz::Reach;
use crate::{Action, Domain, Fault, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct ProjectQuery {
    /// Archived ones too.
    pub archived: bool,
    /// A part of the name or slug, in any spelling.
    pub search: Option<String>,
    /// Continue after this slug.
    pub after: Option<String>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A project with what stands beside it in a list.
#[derive(Debug, Clone)]
pub struct ListedProject {
    /// The project.
    pub project: Project,
    /// Keys that may be valid now or later; `None` where the caller does not see them all.
    pub keys: Option<Count>,
}

/// A page of projects, by slug, and where the next one begins.
#[derive(Debug)]
pub struct ProjectPage {
    /// The projects.
    pub projects: Vec<ListedProject>,
    /// Give it as [`ProjectQuery::after`] for the next page.
    pub next: Option<String>,
}

impl Domain {
    /// Projects that the caller may see.
    pub async fn projects(&self, op: &Op, query: &ProjectQuery) -> Result<ProjectPage, Refused> {
        let limit = query.limit.clamp(1, 200);
        let filter = rows::Filter {
            within: projects_in(self.reach(op, Action::ViewProject).await?),
            archived: query.archived,
            containing: query.search.as_deref().and_then(folded),
            after: query.after.clone(),
        };
        let keys_in = projects_in(self.reach(op, Action::ViewKey).await?);
        let keys_in = keys_in.map(HashSet::<ProjectId>::from_iter);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut found = rows::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let mut projects = Vec::with_capacity(found.len());
        for row in found {
            let counts = keys_in.as_ref().is_none_or(|within| within.contains(&row.id));
            let keys = if counts {
                Some(Count::of(rows::live_keys(&mut conn, row.id, op.now).await?))
            } else {
                None
            };
            projects.push(ListedProject { project: row.into(), keys });
        }
        let next = projects.last().map(|it| it.project.slug.clone()).filter(|_| more);
        Ok(ProjectPage { projects, next })
    }
}

impl Domain {
    /// The first few projects that the caller may see, by slug, without what is counted for a list: for switchers.
    pub async fn projects_in_sight(&self, op: &Op, limit: u32) -> Result<Vec<Project>, Refused> {
        let within = projects_in(self.reach(op, Action::ViewProject).await?);
        let filter = rows::Filter { within, ..rows::Filter::default() };
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::list(&mut conn, &filter, limit.clamp(1, 200)).await?;
        Ok(found.into_iter().map(Project::from).collect())
    }
}

/// The projects that a list is confined to; `None` is no limit.
pub(crate) fn projects_in(reach: Reach) -> Option<Vec<ProjectId>> {
    match reach {
        Reach::All => None,
        Reach::Part { projects, .. } => Some(projects),
    }
}

/// What to look for in folded names. A text that cannot be part of a name finds what it would: nothing.
pub(crate) fn folded(search: &str) -> Option<String> {
    let search = search.trim();
    if search.is_empty() {
        return None;
    }
    let name = search.parse::<keywarden_model::Name>().map(|name| name.folded());
    Some(name.unwrap_or_else(|_| search.chars().take(keywarden_model::Name::MAX).collect()))
}
