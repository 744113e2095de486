//! What would change: who gains and who loses what by another version of a policy, or by what is given and taken ([`Grant`]), over
//! today's people, workloads and things; and which decisions of the last 30 days would have been others.
//!
//! # How
//! The set in force and the set with the change are asked the same questions ([`crate::authz::Gate::would_under`]), about the
//! actions that either version speaks of. One is asked for all whom, and all things which, no policy tells apart
//! ([`crate::authz`]'s `alike`), so that what is asked hangs on policies and roles, not on how many there are.
//!
//! # What is assumed
//! People ask now, from an address that is not known, and have just shown their passkey; workloads ask now with a token. Where a
//! policy looks at the moment, the same is looked at with what it asks of the moment holding, and not holding: [`When`] says what
//! came of it. What such a condition asks of the thing besides is then left open, so [`When::Otherwise`] is what cannot be ruled
//! out, not what must happen.
//!
//! # Bounds
//! It writes nothing and holds no lock. So many people and things are read, and so many questions put, and no more:
//! [`Difference::left`] says what was not looked at. Few run at once, the others wait. Revoked keys and purged secrets are no
//! things of today.

mod bits;
mod compare;
mod grants;
mod moments;
mod replay;
#[cfg(test)]
mod tests;
mod told;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{EnvironmentId, PolicyId, ProjectId};
use keywarden_store::{Conn, names, policies as rows};
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

use super::resource;
use crate::authz::{Asks, Deciding, InForce, Kind, PolicyScope, Reach, TextError};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

pub use grants::{Described, Grant};
use moments::Moments;
pub use replay::{Replay, Replayed};
use told::{Told, tell};
pub(crate) use world::{Standings, World};

/// What is to become of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyChange {
    /// No version of it decides any more.
    Disabled,
    /// This version decides.
    Version(i64),
}

/// Whether somebody may do something afterwards that they could not before, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// They may.
    Gained,
    /// They may not any longer.
    Lost,
}

/// At which moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum When {
    /// Whatever the time, the address and the passkey.
    Always,
    /// At the moment that is assumed; at others perhaps not.
    AsAssumed,
    /// Not at the moment that is assumed, but perhaps at others.
    Otherwise,
}

/// How many are concerned, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// People.
    pub people: u64,
    /// Workloads.
    pub workloads: u64,
    /// Things.
    pub things: u64,
    /// Somebody and a thing: what [`Difference::rows`] lists.
    pub pairs: u64,
}

/// Something by its id, and what it is called, if the caller may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
}

/// What changes about one action in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Gained or lost.
    pub change: Change,
    /// When.
    pub when: When,
    /// What.
    pub action: Action,
    /// The kind of things: `secret`.
    pub kind: &'static str,
    /// The project that they lie in.
    pub project: Option<Called>,
    /// Their environment.
    pub environment: Option<Called>,
    /// By and of how many.
    pub sum: Sum,
}

/// What changes for one person or workload about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Gained or lost.
    pub change: Change,
    /// When.
    pub when: When,
    /// What.
    pub action: Action,
    /// By whom.
    pub who: Called,
    /// The kind of thing: `secret`.
    pub kind: &'static str,
    /// Which.
    pub thing: Called,
}

/// A row's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKey {
    pub(super) action: Action,
    pub(super) thing: String,
    pub(super) who: String,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Default)]
pub struct RowPage {
    /// Those after this one.
    pub after: Option<RowKey>,
    /// So many.
    pub limit: u32,
}

/// What was not looked at: then the difference is a part of what changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// There are more people or workloads.
    pub people: bool,
    /// There are more things.
    pub things: bool,
    /// Things that were not asked about any more, each action of each one.
    pub questions: u64,
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The actions that were asked about.
    pub actions: Vec<Action>,
    /// When people are assumed to ask.
    pub assumed_at: DateTime<Utc>,
    /// Whether any policy that was asked looks at the moment.
    pub moody: bool,
    /// By what happens at the moment that is assumed.
    pub now: BTreeMap<Change, Sum>,
    /// By what happens and when; what is not there happens to nobody.
    pub sums: BTreeMap<(Change, When), Sum>,
    /// What weighs most first.
    pub lines: Vec<Line>,
    /// Lines that are left out.
    pub more_lines: usize,
    /// One by one.
    pub rows: Vec<Row>,
    /// The last row, where there are more.
    pub next: Option<RowKey>,
    /// People and workloads that were looked at.
    pub people: usize,
    /// Things that were looked at.
    pub things: usize,
    /// What was not.
    pub left: Left,
}

/// Why there is no difference to be told.
#[derive(Debug, thiserror::Error)]
pub enum DifferenceError {
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version's text cannot decide any more.
    #[error("this text cannot decide: {}", super::told(.0))]
    Text(Vec<TextError>),
}
carries_refused!(DifferenceError);

impl Change {
    /// From one answer to another.
    pub(crate) fn of(before: bool, after: bool) -> Option<Self> {
        match (before, after) {
            (false, true) => Some(Self::Gained),
            (true, false) => Some(Self::Lost),
            (false, false) | (true, true) => None,
        }
    }

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::Lost => "lost",
        }
    }
}

impl When {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::AsAssumed => "as-assumed",
            Self::Otherwise => "otherwise",
        }
    }
}

impl Left {
    /// Whether everything was looked at.
    pub fn nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Difference {
    /// What happens at the moment that is assumed. Who is counted under both [`When::Always`] and [`When::AsAssumed`], for
    /// different things, is counted once.
    pub fn at_the_moment(&self, change: Change) -> Sum {
        self.now.get(&change).copied().unwrap_or_default()
    }

    /// Whether nothing changes for anybody who was looked at.
    pub fn is_none(&self) -> bool {
        self.sums.is_empty()
    }
}

impl RowKey {
    /// As [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        let (action, thing, who) = (Action::named(parts.next()?)?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && !thing.is_empty() && !who.is_empty();
        whole.then(|| Self { action, thing: thing.to_owned(), who: who.to_owned() })
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}", self.action.name(), self.thing, self.who)
    }
}

/// A set in force, and what is to become of it.
pub(super) struct Proposal {
    pub(super) in_force: Arc<InForce>,
    pub(super) policy: PolicyId,
    pub(super) next: Option<Deciding>,
    /// What either version speaks of, in the table's order.
    pub(super) actions: Vec<Action>,
}

impl Proposal {
    /// What is asked of things, before or after.
    pub(super) fn asks(&self) -> Asks {
        let mut asks = self.in_force.asks();
        self.next.iter().for_each(|it| asks.add(&it.checked.asks));
        asks
    }
}

impl Domain {
    /// Who would gain and who would lose what. Whoever asks must be able to see the policy, who may do what there, the people, and
    /// all things that are told of.
    pub async fn policy_difference(
        &self,
        op: &Op,
        id: PolicyId,
        change: PolicyChange,
        page: &RowPage,
    ) -> Result<Difference, DifferenceError> {
        let scope = self.policy_in_sight(op, id).await?;
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let proposal = self.proposed(&mut conn, scope, id, change).await?;
        drop(conn);
        self.may_be_told(op, scope, &proposal.actions).await?;
        let turn = self.turn_to_compare().await?;
        let mut conn = self.store().read().await?;
        let world =
            World::read(&mut conn, &proposal.actions, &proposal.asks(), super::project(scope)).await?;
        drop(conn);
        let Proposal { in_force, policy, next, actions } = proposal;
        let moments = Moments::of(&in_force, policy, next.as_ref(), &actions, op.now)?;
        Ok(self.difference(op, turn, (moments, world), actions, page).await?)
    }

    /// What is to become of the set in force.
    pub(super) async fn proposed(
        &self,
        conn: &mut Conn,
        scope: PolicyScope,
        policy: PolicyId,
        change: PolicyChange,
    ) -> Result<Proposal, DifferenceError> {
        let in_force = self.gate().in_force_now(conn).await?;
        let next = match change {
            PolicyChange::Disabled => None,
            PolicyChange::Version(number) => {
                let row = rows::version(conn, policy, number).await?.ok_or(Refused::NotFound)?;
                let checked = self.gate().check(scope, &row.text).map_err(DifferenceError::Text)?;
                Some(Deciding { policy, number, scope, checked: Arc::new(checked) })
            }
        };
        let speaks = |it: &Deciding, action: &Action| it.checked.actions.contains(action);
        let either = |action: &Action| {
            let before = in_force.version_of(policy);
            before.into_iter().chain(next.as_ref()).any(|it| speaks(it, action))
        };
        let actions = Action::ALL.iter().copied().filter(either).collect();
        Ok(Proposal { in_force, policy, next, actions })
    }

    /// Refuses whoever may not see who may do what there, or not all people, or not all things that these actions are done to.
    pub(super) async fn may_be_told(
        &self,
        op: &Op,
        scope: PolicyScope,
        actions: &[Action],
    ) -> Result<(), Refused> {
        // That there is such a place they know: they see its policy, or may give something there.
        match self.authorize(op, Action::ExplainPermissions, &resource(scope)).await {
            Err(Refused::NotFound) => return Err(Refused::Forbidden(Action::ExplainPermissions)),
            asked => drop(asked?),
        }
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        // Of what lies in no project nothing is told there.
        let told = |kind: Kind| kind != Kind::Team || scope == PolicyScope::Organization;
        let kinds = actions.iter().map(|it| it.kind()).filter(|it| told(*it));
        let mut sights: Vec<Action> = kinds.filter_map(sight).collect();
        sights.sort_unstable_by_key(|it| it.name());
        sights.dedup();
        for sight in sights {
            let sees = match (self.reach(op, sight).await?, scope) {
                (Reach::All, _) => true,
                (reach, PolicyScope::Project(project)) => reach.covers(project),
                (Reach::Part { .. }, PolicyScope::Organization) => false,
            };
            if !sees {
                return Err(Refused::Forbidden(sight));
            }
        }
        Ok(())
    }

    /// Compares, away from what answers other requests meanwhile, and finds out what things are called.
    async fn difference(
        &self,
        op: &Op,
        turn: OwnedSemaphorePermit,
        (moments, world): (Moments, World),
        actions: Vec<Action>,
        page: &RowPage,
    ) -> Result<Difference, Refused> {
        let (domain, after, limit) = (self.clone(), page.after.clone(), page.limit as usize);
        let asked = actions.clone();
        let moody = moments.are_many();
        let (people, things) = (world.people.len(), world.things.len());
        let mut left = Left { people: world.more_people, things: world.more_things, questions: 0 };
        let compared = spawn_blocking(move || {
            let found = compare::compare(domain.gate(), &moments, &world, &asked)?;
            let told = tell(&found, &world, after.as_ref(), limit);
            drop(turn);
            Ok::<_, Fault>((told, found.left))
        });
        let broken = |cause: tokio::task::JoinError| Fault::Unexpected(format!("a comparison: {cause}"));
        let (told, questions) = compared.await.map_err(broken)??;
        left.questions = questions;
        let all_workloads = matches!(self.reach(op, Action::ViewWorkload).await?, Reach::All);
        let called = called(&mut self.store().read().await?, &told, all_workloads).await?;
        let next = told.rows.last().filter(|_| told.more_rows).map(told::Row::key);
        let (lines, rows) = (told.lines.into_iter(), told.rows.into_iter());
        Ok(Difference {
            actions,
            assumed_at: op.now,
            moody,
            now: told.now,
            sums: told.sums,
            lines: lines.map(|it| line(it, &called)).collect(),
            more_lines: told.more_lines,
            rows: rows.map(|it| row(it, &called)).collect(),
            next,
            people,
            things,
            left,
        })
    }
}

/// What one must be able to do to know of things of a kind; `None` where everybody may who may see people.
fn sight(kind: Kind) -> Option<Action> {
    match kind {
        Kind::ApiKey => Some(Action::ViewKey),
        Kind::Environment | Kind::Project | Kind::Scope => Some(Action::ViewProject),
        Kind::Organization | Kind::Person => None,
        Kind::Secret => Some(Action::ViewSecret),
        Kind::Team => Some(Action::ViewTeams),
        Kind::Workload => Some(Action::ViewWorkload),
    }
}

type Names = BTreeMap<String, String>;

/// What all of it is called. Workloads are by their ids alone to whoever may not see them all.
async fn called(conn: &mut Conn, told: &Told, workloads: bool) -> Result<Names, Fault> {
    let lines = told.lines.iter().flat_map(|it| {
        let (project, environment) = it.place;
        project.map(|it| it.to_string()).into_iter().chain(environment.map(|it| it.to_string()))
    });
    let rows = told.rows.iter().flat_map(|it| {
        let who = Some(it.who.clone()).filter(|id| workloads || !id.starts_with("wkl_"));
        who.into_iter().chain([it.thing.name().1])
    });
    let ids: Vec<String> = lines.chain(rows).collect();
    Ok(names::of(conn, ids.iter().map(String::as_str)).await?)
}

fn name(id: impl fmt::Display, names: &Names) -> Called {
    let id = id.to_string();
    Called { name: names.get(&id).cloned(), id }
}

fn line(line: told::Line, names: &Names) -> Line {
    let (project, environment): (Option<ProjectId>, Option<EnvironmentId>) = line.place;
    Line {
        change: line.verdict.0,
        when: line.verdict.1,
        action: line.action,
        kind: line.kind,
        project: project.map(|it| name(it, names)),
        environment: environment.map(|it| name(it, names)),
        sum: line.sum,
    }
}

fn row(row: told::Row, names: &Names) -> Row {
    let (kind, thing) = row.thing.name();
    Row {
        change: row.verdict.0,
        when: row.verdict.1,
        action: row.action,
        who: name(row.who, names),
        kind,
        thing: name(thing, names),
    }
}
