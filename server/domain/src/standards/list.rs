//! The standards that the caller may see.

use keywarden_model::{PolicyState, StandardId};
use keywarden_store::standards as rows;

use super::{Standard, word};
use crate::authz::{PolicyScope, Reach};
use crate::projects::folded;
use crate::{Action, Domain, Fault, Op, Refused};

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct StandardQuery {
    /// Those that hold there; the organization's alone where that is named.
    pub scope: Option<PolicyScope>,
    /// Those with a version that is there in its life.
    pub state: Option<PolicyState>,
    /// A part of the name, in any spelling.
    pub search: Option<String>,
    /// Continue after this one.
    pub after: Option<StandardId>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A standard with what stands beside it in a list.
#[derive(Debug, Clone)]
pub struct ListedStandard {
    /// The standard.
    pub standard: Standard,
    /// The number of the version that is in force.
    pub active: Option<i64>,
    /// Where its newest version is in its life.
    pub newest: PolicyState,
}

/// A page of standards, oldest first, and where the next one begins.
#[derive(Debug)]
pub struct StandardPage {
    /// The standards.
    pub standards: Vec<ListedStandard>,
    /// Give it as [`StandardQuery::after`] for the next page.
    pub next: Option<StandardId>,
}

impl Domain {
    /// Standards that the caller may see.
    pub async fn standards(&self, op: &Op, query: &StandardQuery) -> Result<StandardPage, Refused> {
        let limit = query.limit.clamp(1, 200);
        let within = match (self.reach(op, Action::ViewPolicy).await?, query.scope) {
            (Reach::All, None) => None,
            (Reach::All, Some(scope)) => Some(vec![word(scope)]),
            (Reach::Part { projects, .. }, None) => Some(projects.iter().map(ToString::to_string).collect()),
            (Reach::Part { .. }, Some(PolicyScope::Organization)) => Some(Vec::new()),
            (reach @ Reach::Part { .. }, Some(PolicyScope::Project(project))) => {
                Some(reach.covers(project).then(|| project.to_string()).into_iter().collect())
            }
        };
        let filter = rows::Filter {
            within,
            state: query.state,
            containing: query.search.as_deref().and_then(folded),
            after: query.after,
        };
        let mut conn = self.store().read().await?;
        let mut found = rows::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let heads = rows::heads(&mut conn, &ids).await?;
        drop(conn);
        let standards = found.into_iter().map(|row| listed(row, &heads)).collect::<Result<Vec<_>, _>>()?;
        let next = standards.last().map(|it| it.standard.id).filter(|_| more);
        Ok(StandardPage { standards, next })
    }
}

fn listed(row: rows::Standard, heads: &[rows::Head]) -> Result<ListedStandard, Fault> {
    let damaged = |what: &str| Fault::Damaged(format!("standard_versions of {}: {what}", row.id));
    let (mut active, mut newest) = (None, None);
    for head in heads.iter().filter(|head| head.standard_id == row.id) {
        let state: PolicyState = head.state.parse().map_err(|_| damaged("state"))?;
        if state == PolicyState::Active {
            active = Some(head.number);
        }
        if head.number == row.numbered {
            newest = Some(state);
        }
    }
    let newest = newest.ok_or_else(|| damaged("the newest is gone"))?;
    Ok(ListedStandard { standard: row.try_into()?, active, newest })
}
