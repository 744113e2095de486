//! Asking again what was decided in the last 30 days: which answers would have been others.
//!
//! The log keeps distinct decisions: who asked what about which thing, how often, and how the latest was asked. It is asked again
//! of whoever is here today, with the roles of today, under the set in force and under the set with the change; so what comes out
//! is the change's doing and nothing else. The thing is asked about as it was then, its owner included, be it here still or not.
//! Not in the log are verifications of keys, what lists leave out, and what was asked about things that whoever asked may not know
//! of: who would come to know of them, and who may do what then, is the difference's to say.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{PolicyId, Role, ServiceTokenId};
use keywarden_store::decisions::{self as rows, Logged};
use keywarden_store::{Conn, names, tokens};
use serde_json::Value;
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

use super::world::{Standings, World};
use super::{Called, Change, DifferenceError, PolicyChange, Proposal};
use crate::authz::{Asks, Circumstances, Facts, InForce, Owner, Principal, SignInMethod, Target, Who, load};
use crate::op::SHELL;
use crate::{Action, Domain, Fault, Op, Resource, decisions};

/// How far back the log goes.
const SPAN: TimeDelta = TimeDelta::days(30);
/// Distinct decisions that are asked again of each action.
const EACH: u32 = 2_000;
/// Distinct decisions that are asked again.
const MOST: usize = 10_000;
/// Those that are listed.
const LISTED: usize = 500;

/// A decision that would have been another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What it would have been.
    pub change: Change,
    /// What was asked.
    pub action: Action,
    /// By whom.
    pub who: Called,
    /// The kind of thing: `secret`.
    pub kind: &'static str,
    /// About which.
    pub thing: Called,
    /// How often.
    pub times: i64,
    /// The last time.
    pub last_at: DateTime<Utc>,
}

/// What was asked again and what came of it. All figures count distinct decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// From when on.
    pub since: DateTime<Utc>,
    /// So many were asked again.
    pub asked: u64,
    /// How often those had been made.
    pub times: i64,
    /// What would have been allowed and is not now.
    pub newly_allowed: u64,
    /// What would have been refused and is not now.
    pub newly_denied: u64,
    /// Not asked again: who asked is not here any more, or there is no such action any more.
    pub gone: u64,
    /// Not asked again: a policy looks at the moment, and too little is known of it.
    pub moment_unknown: u64,
    /// Asked again, and answered otherwise by now without the change: roles or policies are others since.
    pub otherwise_today: u64,
    /// Older ones may be left: so many were looked at and no more.
    pub more: bool,
    /// Those that would have been others, the latest first.
    pub rows: Vec<Replayed>,
    /// How many of those are not listed.
    pub unlisted: u64,
}

/// A decision as it can be asked again.
struct Question {
    logged: Logged,
    action: Action,
    principal: Principal,
    target: Target,
    circumstances: Option<Circumstances>,
}

/// What became of a decision.
enum Again {
    Gone,
    Question(Box<Question>),
}

impl Domain {
    /// Which decisions of the last 30 days would have been others. Whoever asks must be able to read the record there, besides all
    /// that [`Domain::policy_difference`] asks for.
    pub async fn policy_replay(
        &self,
        op: &Op,
        id: PolicyId,
        change: PolicyChange,
    ) -> Result<Replay, DifferenceError> {
        let scope = self.policy_in_sight(op, id).await?;
        let _permit = self.authorize(op, Action::ViewPolicy, &crate::policy::resource(scope)).await?;
        let _permit = self.authorize(op, Action::ReadAudit, &crate::policy::resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let proposal = self.proposed(&mut conn, scope, id, change).await?;
        drop(conn);
        self.may_be_told(op, scope, &proposal.actions).await?;
        let turn = self.turn_to_compare().await?;
        let project = crate::policy::project(scope);
        let since = op.now.checked_sub_signed(SPAN).unwrap_or(DateTime::UNIX_EPOCH);
        let mut conn = self.store().read().await?;
        let (mut logged, mut more) = (Vec::new(), false);
        for action in &proposal.actions {
            // A project's policy decides about what lies there, and its managers learn of nothing else.
            let latest =
                rows::latest(&mut conn, action.name(), project, since, EACH.saturating_add(1)).await?;
            more |= latest.len() > EACH as usize;
            logged.extend(latest.into_iter().take(EACH as usize));
            if logged.len() > MOST {
                more = true;
                logged.sort_by(|one, other| (other.last_at, &one.digest).cmp(&(one.last_at, &other.digest)));
                logged.truncate(MOST);
            }
        }
        logged.sort_by(|one, other| (other.last_at, &one.digest).cmp(&(one.last_at, &other.digest)));
        let mut again = Vec::with_capacity(logged.len());
        let mut asking = Asking::new(&mut conn, proposal.asks()).await?;
        for row in logged {
            again.push(asking.again(&mut conn, row).await?);
        }
        drop(conn);
        if project.is_some() {
            again.retain(|it| match it {
                Again::Gone => true,
                Again::Question(it) => it.target.resource.project() == project,
            });
        }
        self.open_addresses(&mut again).await?;
        let mut replay = self.replay(turn, proposal, again, since).await?;
        replay.more = more;
        self.call(&mut replay).await?;
        Ok(replay)
    }

    /// From where each was asked, as far as policies could look at it.
    async fn open_addresses(&self, again: &mut [Again]) -> Result<(), Fault> {
        let mut keys = HashMap::new();
        for it in again {
            let Again::Question(it) = it else { continue };
            if it.logged.sealed_address.is_none() {
                continue;
            }
            let who = it.logged.principal.clone();
            if !keys.contains_key(&who) {
                keys.insert(who.clone(), self.subject_key_if_there(&who).await?);
            }
            let key = keys.get(&who).and_then(Option::as_ref);
            let address: Option<IpAddr> = key.and_then(|key| decisions::opened(key, &it.logged));
            it.circumstances = match (address, it.circumstances.take()) {
                (Some(address), Some(then)) => Some(Circumstances { address: Some(address), ..then }),
                _ => None,
            };
        }
        Ok(())
    }

    async fn replay(
        &self,
        turn: OwnedSemaphorePermit,
        proposal: Proposal,
        again: Vec<Again>,
        since: DateTime<Utc>,
    ) -> Result<Replay, Fault> {
        let domain = self.clone();
        let Proposal { in_force, policy, next, .. } = proposal;
        let changed = Arc::new(in_force.with(policy, next)?);
        let asked = spawn_blocking(move || {
            let mut replay = Replay {
                since,
                asked: 0,
                times: 0,
                newly_allowed: 0,
                newly_denied: 0,
                gone: 0,
                moment_unknown: 0,
                otherwise_today: 0,
                more: false,
                rows: Vec::new(),
                unlisted: 0,
            };
            for it in again {
                let Again::Question(it) = it else {
                    add(&mut replay.gone);
                    continue;
                };
                let moody = in_force.is_moody(it.action) || changed.is_moody(it.action);
                // The log does not say whether somebody said why.
                let why = in_force.asks_why(it.action) || changed.asks_why(it.action);
                let circumstances = match (&it.circumstances, moody) {
                    (Some(_), true) if why => {
                        add(&mut replay.moment_unknown);
                        continue;
                    }
                    (Some(then), _) => then.clone(),
                    (None, false) => it.unknown(),
                    (None, true) => {
                        add(&mut replay.moment_unknown);
                        continue;
                    }
                };
                let ask = |set: &InForce| {
                    let question = (it.action, &it.target);
                    domain.gate().would_under(set, &it.principal, question, &circumstances)
                };
                let (before, after) = (ask(&in_force), ask(&changed));
                add(&mut replay.asked);
                replay.times = replay.times.saturating_add(it.logged.times);
                if before != it.logged.allowed {
                    add(&mut replay.otherwise_today);
                }
                match Change::of(before, after) {
                    None => continue,
                    Some(Change::Gained) => add(&mut replay.newly_allowed),
                    Some(Change::Lost) => add(&mut replay.newly_denied),
                }
                if replay.rows.len() < LISTED {
                    replay.rows.extend(it.row(before, after));
                } else {
                    add(&mut replay.unlisted);
                }
            }
            drop(turn);
            replay
        });
        asked.await.map_err(|cause| Fault::Unexpected(format!("a replay: {cause}")))
    }

    /// Finds out what those who are listed, and their things, are called.
    async fn call(&self, replay: &mut Replay) -> Result<(), Fault> {
        let ids: Vec<String> =
            replay.rows.iter().flat_map(|it| [it.who.id.clone(), it.thing.id.clone()]).collect();
        let mut conn = self.store().read().await?;
        let called: BTreeMap<_, _> = names::of(&mut conn, ids.iter().map(String::as_str)).await?;
        for row in &mut replay.rows {
            row.who.name = called.get(&row.who.id).cloned();
            row.thing.name = called.get(&row.thing.id).cloned();
        }
        Ok(())
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}

impl Question {
    /// A moment of which nothing is known, for policies that do not look at it.
    fn unknown(&self) -> Circumstances {
        Circumstances {
            recovering: recovering(&self.logged.context),
            ..Circumstances::absent(from_micros(self.logged.last_at), SignInMethod::Passkey)
        }
    }

    fn row(&self, before: bool, after: bool) -> Option<Replayed> {
        let (kind, thing) = self.target.resource.name();
        Some(Replayed {
            change: Change::of(before, after)?,
            action: self.action,
            who: Called { id: self.logged.principal.clone(), name: None },
            kind,
            thing: Called { id: thing, name: None },
            times: self.logged.times,
            last_at: from_micros(self.logged.last_at),
        })
    }
}

/// Who is here today, with what they hold.
struct Asking {
    standings: Standings,
    here: HashMap<String, Option<Principal>>,
    /// There are more people than these.
    more: bool,
    /// What is asked of things, and was read of them as they are today.
    asks: Asks,
    known: HashMap<String, Facts>,
}

impl Asking {
    async fn new(conn: &mut Conn, asks: Asks) -> Result<Self, Fault> {
        let standings = Standings::read(conn).await?;
        let mut world = World::default();
        world.read_people(conn, &standings).await?;
        let here = std::mem::take(&mut world.people).into_iter().filter_map(|it| match &it.before.who {
            Who::Person(id) => Some((id.to_string(), Some(it.before))),
            Who::Workload(id) => Some((id.to_string(), Some(it.before))),
            Who::Nobody | Who::Operator(_) => None,
        });
        let (here, more) = (here.collect(), world.more_people);
        Ok(Self { standings, here, more, asks, known: HashMap::new() })
    }

    async fn again(&mut self, conn: &mut Conn, logged: Logged) -> Result<Again, Fault> {
        let action = Action::named(&logged.action);
        let resource = resource(&logged.resource, &logged.context);
        let principal = self.principal(conn, &logged.principal).await?;
        let (Some(action), Some(resource), Some(principal)) = (action, resource, principal) else {
            return Ok(Again::Gone);
        };
        let target = if action.is_read() { Target::thing(resource) } else { self.standings.target(resource) };
        let target = Target { facts: self.facts(conn, &resource).await?, ..target };
        let circumstances = logged.method.as_deref().and_then(method).map(|method| Circumstances {
            recovering: recovering(&logged.context),
            passkey_age: logged.passkey_age,
            ..Circumstances::absent(from_micros(logged.last_at), method)
        });
        if !action.applies_to(&resource) {
            return Ok(Again::Gone);
        }
        Ok(Again::Question(Box::new(Question { logged, action, principal, target, circumstances })))
    }

    /// What policies ask of the thing, read once.
    async fn facts(&mut self, conn: &mut Conn, resource: &Resource) -> Result<Option<Facts>, Fault> {
        if !self.asks.needs(resource) {
            return Ok(None);
        }
        let (_, id) = resource.name();
        if let Some(known) = self.known.get(&id) {
            return Ok(Some(known.clone()));
        }
        let facts = Facts::load(conn, resource).await?;
        self.known.insert(id, facts.clone());
        Ok(Some(facts))
    }

    /// The one who asked, if they are here and may do anything; a token made on the shell for as long as its row is there.
    async fn principal(&mut self, conn: &mut Conn, id: &str) -> Result<Option<Principal>, Fault> {
        if let Some(known) = self.here.get(id) {
            return Ok(known.clone());
        }
        let who = id.parse().map(Who::Person).or_else(|_| id.parse().map(Who::Workload));
        if let Ok(who) = who {
            let found = if self.more { Some(load(who, id, None, conn).await?) } else { None };
            let found = found.filter(|it| it.who != Who::Nobody);
            self.here.insert(id.to_owned(), found.clone());
            return Ok(found);
        }
        let role = if id == SHELL {
            Some(Role::Owner)
        } else if let Ok(token) = id.parse::<ServiceTokenId>() {
            let row = tokens::find(conn, token).await?;
            row.and_then(|row| row.role).and_then(|role| role.parse().ok())
        } else {
            None
        };
        let found = role.map(|role| {
            let mut principal = Principal::bare(Who::Operator(id.to_owned()));
            principal.organization.push(role);
            principal
        });
        self.here.insert(id.to_owned(), found.clone());
        Ok(found)
    }
}

fn method(word: &str) -> Option<SignInMethod> {
    [SignInMethod::Passkey, SignInMethod::Recovery, SignInMethod::Shell, SignInMethod::Token]
        .into_iter()
        .find(|it| it.as_str() == word)
}

fn recovering(context: &str) -> bool {
    let context: Value = serde_json::from_str(context).unwrap_or_default();
    context.get("recovering").and_then(Value::as_bool).unwrap_or_default()
}

/// The thing as it was asked about then: in its project, its environment, and its owner's.
fn resource(named: &str, context: &str) -> Option<Resource> {
    let context: Value = serde_json::from_str(context).ok()?;
    let (kind, id) = named.split_once(' ')?;
    let text = |field: &str| context.get(field).and_then(Value::as_str);
    Some(match kind {
        "environment" => {
            Resource::Environment { id: id.parse().ok()?, project: text("project")?.parse().ok()? }
        }
        "key" => Resource::ApiKey {
            id: id.parse().ok()?,
            project: text("project")?.parse().ok()?,
            environment: text("environment")?.parse().ok()?,
            owner: Owner::parse(text("owner")?)?,
        },
        "organization" => Resource::Organization,
        "project" => Resource::Project(id.parse().ok()?),
        "secret" => Resource::Secret {
            id: id.parse().ok()?,
            project: text("project")?.parse().ok()?,
            environment: text("environment")?.parse().ok()?,
        },
        "team" => Resource::Team(id.parse().ok()?),
        "user" => Resource::Person(id.parse().ok()?),
        "workload" => {
            let project = text("project").map(str::parse).transpose().ok()?;
            Resource::Workload { id: id.parse().ok()?, project }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use keywarden_model::{EnvironmentId, ProjectId, SecretId};

    use super::*;

    #[test]
    fn a_thing_is_read_as_it_was_written() {
        let secret =
            Resource::Secret { id: SecretId::NIL, project: ProjectId::NIL, environment: EnvironmentId::NIL };
        let context = format!(
            r#"{{"environment":"{}","project":"{}","recovering":true}}"#,
            EnvironmentId::NIL,
            ProjectId::NIL
        );
        let (kind, id) = secret.name();
        assert_eq!(resource(&format!("{kind} {id}"), &context), Some(secret));
        assert!(recovering(&context));
        assert_eq!(resource("secret sec_1", &context), None);
        assert_eq!(resource("organization organization", "{}"), Some(Resource::Organization));
        assert_eq!(resource("else 1", "{}"), None);
    }
}
