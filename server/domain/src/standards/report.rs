//! What breaks a standard's rules today: found before they are in force, and while they are.
//!
//! Only what the caller may see is looked at, told and counted. A page looks at so many things and says where to go on; a
//! tally looks at [`MOST_LOOKED_AT`] of each kind, and says whether that was all.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ApiKeyId, EnvironmentId, PolicyState, ProjectId, Scopes, SecretId, StandardId, Tags};
use keywarden_store::{Conn, standards as rows};
use serde::de::DeserializeOwned;

use super::rules::{Demand, KeyStand, Rules, SecretStand};
use crate::authz::{PolicyScope, Reach};
use crate::policy::{project, resource};
use crate::{Action, Domain, Fault, Op, Refused};

/// Rows that are read at once.
const CHUNK: u32 = 500;
/// Things that one page looks at.
const PAGE_LOOKS_AT: u32 = 2_000;
/// Things of each kind that a tally looks at.
pub const MOST_LOOKED_AT: u32 = 10_000;

/// Something that breaks a standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub thing: Thing,
    /// Its project's slug.
    pub project_slug: String,
    /// Its environment's slug.
    pub environment_slug: String,
    /// What is asked for and not so; at least one.
    pub demands: Vec<Demand>,
}

/// What is held against standards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// An environment that asks for less by its own settings. In force, the standard's rule holds there all the same.
    Environment(EnvironmentId),
    /// A key, by its name.
    Key(ApiKeyId, String),
    /// A secret, by its path.
    Secret(SecretId, String),
}

/// Where a page begins: after this thing. Environments come first, then keys, then secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportPlace {
    /// After an environment.
    Environment(EnvironmentId),
    /// After a key.
    Key(ApiKeyId),
    /// After a secret.
    Secret(SecretId),
}

/// A page of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What breaks the rules.
    pub found: Vec<Found>,
    /// Give it for the next page, which may be empty; `None`: everything was looked at.
    pub next: Option<ReportPlace>,
}

/// How many things break the rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Environments that ask for less by their own settings.
    pub environments: u32,
    /// Keys.
    pub keys: u32,
    /// Secrets.
    pub secrets: u32,
    /// Whether everything was looked at. If not, there may be more.
    pub complete: bool,
}

impl Tally {
    /// All of them together.
    pub fn all(self) -> u32 {
        self.environments.saturating_add(self.keys).saturating_add(self.secrets)
    }
}

/// Not the id of anything that a report tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `next_cursor` of the page before")]
pub struct ReportPlaceError;

impl FromStr for ReportPlace {
    type Err = ReportPlaceError;
    fn from_str(text: &str) -> Result<Self, ReportPlaceError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Environment(id));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Key(id));
        }
        text.parse().map(Self::Secret).map_err(|_| ReportPlaceError)
    }
}

impl fmt::Display for ReportPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(id) => id.fmt(f),
            Self::Key(id) => id.fmt(f),
            Self::Secret(id) => id.fmt(f),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Environments,
    Keys,
    Secrets,
}

const KINDS: [Kind; 3] = [Kind::Environments, Kind::Keys, Kind::Secrets];

/// Something that was looked at: where it stands, and what was found if it breaks a rule and may be seen.
struct LookedAt {
    place: ReportPlace,
    found: Option<Found>,
}

/// What is held against what, for whom.
struct Look<'a> {
    rules: &'a Rules,
    /// Whether the rules are in force, so that environments cannot ask for less.
    in_force: bool,
    project: Option<ProjectId>,
    now: DateTime<Utc>,
    reach: [Reach; 3],
}

impl Domain {
    /// What breaks a version of a standard, page by page.
    pub async fn standard_report(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        after: Option<ReportPlace>,
        limit: u32,
    ) -> Result<Report, Refused> {
        let (scope, rules, in_force) = self.rules_in_sight(op, id, number).await?;
        let look = self.look_at(op, scope, &rules, in_force).await?;
        let mut conn = self.store().read().await?;
        let (mut report, mut looked_at) = (Report::default(), 0_u32);
        let (from, mut cursor) = match after {
            None => (0, String::new()),
            Some(place) => (place.rank(), place.to_string()),
        };
        for kind in KINDS.into_iter().skip(from).filter(|kind| look.asks(*kind)) {
            loop {
                let chunk = look.chunk(&mut conn, kind, &cursor, CHUNK).await?;
                let last = chunk.len() < CHUNK as usize;
                for it in chunk {
                    looked_at = looked_at.saturating_add(1);
                    cursor = it.place.to_string();
                    report.found.extend(it.found);
                    if report.found.len() >= limit.clamp(1, 200) as usize || looked_at >= PAGE_LOOKS_AT {
                        report.next = Some(it.place);
                        return Ok(report);
                    }
                }
                if last {
                    break;
                }
            }
            cursor.clear();
        }
        Ok(report)
    }

    /// How many things break a version of a standard.
    pub async fn standard_tally(&self, op: &Op, id: StandardId, number: i64) -> Result<Tally, Refused> {
        let (scope, rules, in_force) = self.rules_in_sight(op, id, number).await?;
        self.tally(op, scope, &rules, in_force).await
    }

    /// How many things would break rules that are not written down yet. It asks what writing them asks for.
    pub async fn check_standard(&self, op: &Op, scope: PolicyScope, rules: &Rules) -> Result<Tally, Refused> {
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        self.tally(op, scope, rules, false).await
    }

    async fn tally(
        &self,
        op: &Op,
        scope: PolicyScope,
        rules: &Rules,
        in_force: bool,
    ) -> Result<Tally, Refused> {
        let look = self.look_at(op, scope, rules, in_force).await?;
        let mut conn = self.store().read().await?;
        let mut tally = Tally { complete: true, ..Tally::default() };
        for kind in KINDS.into_iter().filter(|kind| look.asks(*kind)) {
            let (mut cursor, mut looked_at, mut found) = (String::new(), 0_u32, 0_u32);
            loop {
                let chunk = look.chunk(&mut conn, kind, &cursor, CHUNK).await?;
                let last = chunk.len() < CHUNK as usize;
                for it in chunk {
                    looked_at = looked_at.saturating_add(1);
                    found = found.saturating_add(u32::from(it.found.is_some()));
                    cursor = it.place.to_string();
                }
                if last {
                    break;
                }
                if looked_at >= MOST_LOOKED_AT {
                    tally.complete = false;
                    break;
                }
            }
            *tally.of(kind) = found;
        }
        Ok(tally)
    }

    async fn rules_in_sight(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
    ) -> Result<(PolicyScope, Rules, bool), Refused> {
        let scope = self.standard_in_sight(op, id).await?;
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let version = rows::version(&mut conn, id, number).await?.ok_or(Refused::NotFound)?;
        let in_force = super::state(&version)? == PolicyState::Active;
        let rules = super::read_rules(&version).ok_or_else(|| super::damaged(&version, "rules"))?;
        Ok((scope, rules, in_force))
    }

    async fn look_at<'a>(
        &self,
        op: &Op,
        scope: PolicyScope,
        rules: &'a Rules,
        in_force: bool,
    ) -> Result<Look<'a>, Refused> {
        let reach = [
            self.reach(op, Action::ViewProject).await?,
            self.reach(op, Action::ViewKey).await?,
            self.reach(op, Action::ViewSecret).await?,
        ];
        Ok(Look { rules, in_force, project: project(scope), now: op.now, reach })
    }
}

impl ReportPlace {
    fn rank(self) -> usize {
        match self {
            Self::Environment(_) => 0,
            Self::Key(_) => 1,
            Self::Secret(_) => 2,
        }
    }
}

impl Tally {
    fn of(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Environments => &mut self.environments,
            Kind::Keys => &mut self.keys,
            Kind::Secrets => &mut self.secrets,
        }
    }
}

impl Look<'_> {
    fn asks(&self, kind: Kind) -> bool {
        match kind {
            Kind::Environments => self.rules.reads_need_reason && !self.in_force,
            Kind::Keys => self.rules.ask_of_keys(),
            Kind::Secrets => self.rules.ask_of_secrets(),
        }
    }

    /// Whether the caller may see things of a kind there, and the rules are about the place.
    fn is_about(&self, kind: usize, project: ProjectId, slug: &str, label: &str) -> bool {
        self.reach.get(kind).is_some_and(|reach| reach.covers(project)) && self.rules.are_about(slug, label)
    }

    async fn chunk(
        &self,
        conn: &mut Conn,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<LookedAt>, Fault> {
        let slice = rows::Slice { project: self.project, after, now: self.now, limit };
        match kind {
            Kind::Environments => Ok(rows::environments(conn, &slice)
                .await?
                .into_iter()
                .map(|it| self.environment(it))
                .collect()),
            Kind::Keys => rows::keys(conn, &slice).await?.into_iter().map(|it| self.key(it)).collect(),
            Kind::Secrets => {
                rows::secrets(conn, &slice).await?.into_iter().map(|it| self.secret(it)).collect()
            }
        }
    }

    fn environment(&self, row: rows::EnvironmentRow) -> LookedAt {
        let breaks = self.is_about(0, row.project_id, &row.slug, &row.label) && !row.reads_need_reason;
        let found = breaks.then(|| Found {
            thing: Thing::Environment(row.id),
            project_slug: row.project_slug,
            environment_slug: row.slug,
            demands: vec![Demand::Reason],
        });
        LookedAt { place: ReportPlace::Environment(row.id), found }
    }

    fn key(&self, row: rows::KeyRow) -> Result<LookedAt, Fault> {
        let mut found = None;
        if self.is_about(1, row.project_id, &row.environment_slug, &row.label) {
            let tags: Tags = json("api_keys", &row.tags)?;
            let scopes: Scopes = json("api_keys", &row.scopes)?;
            let stand = KeyStand {
                name: &row.name,
                of_team: row.owner_kind == "team",
                tags: &tags,
                scopes: &scopes,
                expires_at: row.expires_at.map(from_micros),
                since: from_micros(row.renewed_at),
            };
            let demands = self.rules.of_key(&stand, self.now);
            found = (!demands.is_empty()).then_some(Found {
                thing: Thing::Key(row.id, row.name),
                project_slug: row.project_slug,
                environment_slug: row.environment_slug,
                demands,
            });
        }
        Ok(LookedAt { place: ReportPlace::Key(row.id), found })
    }

    fn secret(&self, row: rows::SecretRow) -> Result<LookedAt, Fault> {
        let mut found = None;
        if self.is_about(2, row.project_id, &row.environment_slug, &row.label) {
            let tags: Tags = json("secrets", &row.tags)?;
            let stand = SecretStand {
                path: &row.path,
                of_team: row.owner_kind == "team",
                tags: &tags,
                since: row.renewed_at.map(from_micros),
            };
            let demands = self.rules.of_secret(&stand, self.now);
            found = (!demands.is_empty()).then_some(Found {
                thing: Thing::Secret(row.id, row.path),
                project_slug: row.project_slug,
                environment_slug: row.environment_slug,
                demands,
            });
        }
        Ok(LookedAt { place: ReportPlace::Secret(row.id), found })
    }
}

fn json<T: DeserializeOwned>(table: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|cause| Fault::Damaged(format!("{table}: {cause}")))
}
