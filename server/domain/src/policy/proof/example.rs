//! A request that tells what decides before and after apart: from what a solver found to a question that decisions can be asked,
//! and from there to what people read. What is shown was decided by both sets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cedar_policy::{Context, EntityUid, EvalResult};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use keywarden_model::{Role, TypedId};
use serde::{Deserialize, Serialize};

use super::Witness;
use crate::authz::{
    Action, Change, Circumstances, Owner, Principal, Resource, Rules, SignInMethod, Target, Who,
};

/// A request, in facts. Where an id is left out it is any that no policy names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterExample {
    /// Who asks: `person`, `workload` or `operator`.
    pub principal: String,
    /// Their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// Roles of the organization that they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Roles that they hold in the thing's project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub project_roles: Vec<String>,
    /// Teams that they are in and that a policy names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// What they do.
    pub action: String,
    /// To what kind of thing: as events call it.
    pub resource: String,
    /// The thing's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Its project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Its environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// It is theirs, or their team's, or themselves.
    pub own: bool,
    /// The thing is somebody who holds the role of owner.
    pub owner: bool,
    /// When.
    pub now: DateTime<Utc>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How they signed in: the word that policies compare.
    pub method: String,
    /// How long ago they showed their passkey, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey_age: Option<i64>,
    /// Whether it is allowed by what decides now.
    pub before: bool,
    /// Whether it would be.
    pub after: bool,
}

/// Decides by both sets about what a solver found: the request, if it is one that can be put and that they answer otherwise,
/// allowed by `after` alone or by `before` alone.
pub(super) fn confirm(
    rules: &Rules,
    change: &Change<'_>,
    action: Action,
    witness: &Witness,
    widens: bool,
) -> Option<CounterExample> {
    let found = Found { witness, names: HashMap::new() };
    let (asked, moments) = found.read(action)?;
    moments.into_iter().find_map(|moment| {
        let decide = |set| rules.decide_with(set, &asked.principal, action, &asked.target, &moment).allowed;
        let (before, after) = (decide(change.before), decide(change.after));
        (before != after && after == widens).then(|| asked.told(action, &moment, (before, after)))
    })
}

/// What a solver found, on its way to ids of ours.
struct Found<'a> {
    witness: &'a Witness,
    names: HashMap<EntityUid, u128>,
}

/// A question without its moment.
struct Asked {
    principal: Principal,
    target: Target,
    own: bool,
}

impl Found<'_> {
    fn read(mut self, action: Action) -> Option<(Asked, Vec<Circumstances>)> {
        let request = &self.witness.request;
        let (who, thing) = (request.principal()?.clone(), request.resource()?.clone());
        let moments = moments(request.context()?)?;
        let mut principal = Principal::bare(match kind(&who).as_str() {
            "Operator" => Who::Operator(format!("operator-{}", self.number(&who))),
            "Person" => Who::Person(self.id(&who)),
            "Workload" => Who::Workload(self.id(&who)),
            _ => return None,
        });
        let held: Vec<EntityUid> = self.above(&who);
        for group in &held {
            match kind(group).as_str() {
                "OrganizationRole" => principal.organization.push(group.id().unescaped().parse().ok()?),
                "Team" => principal.teams.push(self.id(group)),
                _ => {}
            }
        }
        let home = if kind(&thing) == "Project" { Some(thing.clone()) } else { self.at(&thing, "project") };
        if let Some(home) = &home {
            let project = self.id(home);
            for role in [Role::Issuer, Role::Manager, Role::Reader, Role::Verifier, Role::Viewer] {
                if self.at(home, role.as_str()).is_some_and(|it| held.contains(&it)) {
                    principal.projects.push((project, role));
                }
            }
        }
        let resource = self.thing(&thing, home.as_ref())?;
        let above = self.above(&thing);
        let is_owner =
            |it: &EntityUid| kind(it) == "OrganizationRole" && it.id().unescaped() == Role::Owner.as_str();
        let somebody =
            matches!(resource, Resource::Person(_) | Resource::Team(_) | Resource::Workload { .. });
        let target = Target {
            resource,
            // As decisions load it: for changes of somebody alone.
            owner: somebody && !action.is_read() && above.iter().any(is_owner),
            confined: !action.is_read() && self.is_true(&thing, "confined"),
        };
        let own = match &resource {
            Resource::ApiKey { owner: Owner::Person(id), .. } | Resource::Person(id) => {
                principal.who == Who::Person(*id)
            }
            Resource::ApiKey { owner: Owner::Team(id), .. } => principal.teams.contains(id),
            _ => false,
        };
        Some((Asked { principal, target, own }, moments))
    }

    fn thing(&mut self, thing: &EntityUid, home: Option<&EntityUid>) -> Option<Resource> {
        let project = home.map(|it| self.id(it));
        let environment = self.at(thing, "environment");
        Some(match kind(thing).as_str() {
            "ApiKey" => {
                let owner = match (self.at(thing, "ownerPerson"), self.at(thing, "ownerTeam")) {
                    (Some(person), _) => Owner::Person(self.id(&person)),
                    (None, Some(team)) => Owner::Team(self.id(&team)),
                    (None, None) => return None,
                };
                let environment = self.id(&environment?);
                Resource::ApiKey { id: self.id(thing), project: project?, environment, owner }
            }
            "Environment" => Resource::Environment { id: self.id(thing), project: project? },
            "Organization" => Resource::Organization,
            "Person" => Resource::Person(self.id(thing)),
            "Project" => Resource::Project(project?),
            "Secret" => {
                let environment = self.id(&environment?);
                Resource::Secret { id: self.id(thing), project: project?, environment }
            }
            "Team" => Resource::Team(self.id(thing)),
            "Workload" => Resource::Workload { id: self.id(thing), project },
            _ => return None,
        })
    }

    /// An id of ours: the solver's own where that is one, as policies name it; else one that nothing has.
    fn id<I: TypedId + std::str::FromStr>(&mut self, uid: &EntityUid) -> I {
        let named = uid.id().unescaped().parse().ok();
        named.unwrap_or_else(|| I::from_parts(DateTime::UNIX_EPOCH, self.number(uid)))
    }

    fn number(&mut self, uid: &EntityUid) -> u128 {
        // Zero is the id of nothing.
        let next = u128::try_from(self.names.len()).unwrap_or_default().saturating_add(1);
        *self.names.entry(uid.clone()).or_insert(next)
    }

    fn above(&self, uid: &EntityUid) -> Vec<EntityUid> {
        self.witness.entities.ancestors(uid).into_iter().flatten().cloned().collect()
    }

    fn attribute(&self, uid: &EntityUid, name: &str) -> Option<EvalResult> {
        self.witness.entities.get(uid)?.attr(name)?.ok()
    }

    fn at(&self, uid: &EntityUid, name: &str) -> Option<EntityUid> {
        match self.attribute(uid, name)? {
            EvalResult::EntityUid(uid) => Some(uid),
            _ => None,
        }
    }

    fn is_true(&self, uid: &EntityUid, name: &str) -> bool {
        self.attribute(uid, name) == Some(EvalResult::Bool(true))
    }
}

impl Asked {
    fn told(&self, action: Action, moment: &Circumstances, (before, after): (bool, bool)) -> CounterExample {
        let Self { principal, target, own } = self;
        let (resource, id) = target.resource.name();
        let environment = match target.resource {
            Resource::ApiKey { environment, .. } | Resource::Secret { environment, .. } => known(environment),
            _ => None,
        };
        let resource_id = match target.resource {
            Resource::ApiKey { id, .. } => known(id),
            Resource::Environment { id, .. } => known(id),
            Resource::Organization => Some(id),
            Resource::Person(id) => known(id),
            Resource::Project(id) => known(id),
            Resource::Secret { id, .. } => known(id),
            Resource::Team(id) => known(id),
            Resource::Workload { id, .. } => known(id),
        };
        let (kind, principal_id) = match &principal.who {
            Who::Nobody => ("nobody", None),
            Who::Operator(_) => ("operator", None),
            Who::Person(id) => ("person", known(*id)),
            Who::Workload(id) => ("workload", known(*id)),
        };
        let mut roles: Vec<_> = principal.organization.iter().map(|it| it.as_str().to_owned()).collect();
        roles.sort_unstable();
        let mut teams: Vec<_> = principal.teams.iter().filter_map(|it| known(*it)).collect();
        teams.sort_unstable();
        CounterExample {
            principal: kind.to_owned(),
            principal_id,
            roles,
            project_roles: principal.projects.iter().map(|(_, role)| role.as_str().to_owned()).collect(),
            teams,
            action: action.name().to_owned(),
            resource: resource.to_owned(),
            resource_id,
            project: target.resource.project().and_then(known),
            environment,
            own: *own,
            owner: target.owner,
            now: moment.now,
            address: moment.address.map(|it| it.to_string()),
            method: moment.method.as_str().to_owned(),
            passkey_age: moment.passkey_age,
            before,
            after,
        }
    }
}

/// An id, unless it is one that was made up here: nothing of ours is that old.
fn known<I: TypedId>(id: I) -> Option<String> {
    (id.made_at() != DateTime::UNIX_EPOCH).then(|| id.to_string())
}

fn kind(uid: &EntityUid) -> String {
    uid.type_name().to_string()
}

/// The moments that a context may stand for: a solver's addresses may be whole networks, and its days of the week others than
/// its dates have.
fn moments(context: &Context) -> Option<Vec<Circumstances>> {
    let Some(EvalResult::Long(weekday)) = context.get("weekday") else { return None };
    let Some(EvalResult::String(method)) = context.get("signInMethod") else { return None };
    let Some(EvalResult::ExtensionValue(now)) = context.get("now") else { return None };
    let ways = [SignInMethod::Passkey, SignInMethod::Recovery, SignInMethod::Shell, SignInMethod::Token];
    let method = ways.into_iter().find(|it| it.as_str() == method)?;
    let now = instant(&now)?;
    let passkey_age = match context.get("passkeyAge") {
        Some(EvalResult::Long(age)) => Some(age),
        _ => None,
    };
    let addresses = match context.get("address") {
        Some(EvalResult::ExtensionValue(text)) => addresses(&text)?.into_iter().map(Some).collect(),
        _ => vec![None],
    };
    let days = weekday.checked_sub(now.weekday().number_from_monday().into())?.rem_euclid(7);
    let moved = now.checked_add_signed(TimeDelta::days(days))?;
    let recovering = context.get("recovering") == Some(EvalResult::Bool(true));
    let at = |now, address| Circumstances { recovering, now, address, passkey_age, method };
    let mut moments: Vec<_> = addresses.iter().map(|address| at(moved, *address)).collect();
    if days != 0 {
        moments.extend(addresses.iter().map(|address| at(now, *address)));
    }
    Some(moments)
}

/// What stands in quotation marks: the arguments of the calls that make a value.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// From `datetime("1970-01-01").offset(duration("12ms"))`.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let millis = quoted(text).last()?.strip_suffix("ms")?.parse().ok()?;
    DateTime::from_timestamp_millis(millis)
}

/// From `ip("10.0.0.0/8")`: the first address of it, the last and the one that is written.
fn addresses(text: &str) -> Option<Vec<IpAddr>> {
    let text = *quoted(text).first()?;
    let (address, prefix) = text.split_once('/').map_or((text, None), |(it, prefix)| (it, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let Some(prefix) = prefix else { return Some(vec![address]) };
    let prefix: u32 = prefix.parse().ok()?;
    let (first, last) = match address {
        IpAddr::V4(it) => {
            let hosts = u32::MAX.checked_shr(prefix).unwrap_or_default();
            let bits = u32::from(it);
            (Ipv4Addr::from(bits & !hosts).into(), Ipv4Addr::from(bits | hosts).into())
        }
        IpAddr::V6(it) => {
            let hosts = u128::MAX.checked_shr(prefix).unwrap_or_default();
            let bits = u128::from(it);
            (Ipv6Addr::from(bits & !hosts).into(), Ipv6Addr::from(bits | hosts).into())
        }
    };
    let mut all: Vec<IpAddr> = vec![last, first, address];
    all.dedup();
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solvers_values_are_read() {
        let at = instant(r#"(datetime("1970-01-01")).offset(duration("1600000000000ms"))"#).unwrap();
        assert_eq!(at.to_rfc3339(), "2020-09-13T12:26:40+00:00");
        assert_eq!(instant(r#"datetime("1970-01-01")"#), None);
        let all = |text: &str| addresses(text).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(all(r#"ip("10.1.2.3/8")"#), ["10.255.255.255", "10.0.0.0", "10.1.2.3"]);
        assert_eq!(all(r#"ip("10.1.2.3/32")"#), ["10.1.2.3"]);
        assert_eq!(all(r#"ip("0.0.0.0/0")"#), ["255.255.255.255", "0.0.0.0"]);
        assert_eq!(all(r#"ip("2001:db8::/32")"#), ["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::"]);
    }
}
