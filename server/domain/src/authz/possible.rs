//! What holds of every question that is really put, written as a policy that forbids all others.
//!
//! The schema leaves room for things that never are: a key in an environment of another project than its own, a person whose
//! passkey was shown in the future, two roles of a project that are one. A solver that looks for a request would find those first.
//! The same guard goes into both sets that are compared, so that it takes nothing from what is shown about what can be.
//!
//! Nothing is taken for granted here that another fact of the records could break: which environment lies in which project, and
//! who holds what, is open.
//!
//! **Invariant:** no question that [`Rules::decide_with`](super::Rules::decide_with) is asked about is forbidden by it
//! (`tests/comparison.rs`).

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Policy, PolicyId};
use keywarden_model::ProjectId;
use serde_json::Value;

use super::shape::Shape;
use super::{Deciding, PolicyScope};

/// What Cedar takes for addresses of one's own machine, and of many at once.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];
const MULTICAST: [&str; 2] = ["224.0.0.0/4", "ff00::/8"];
/// Decisions see these as what they are in IPv4.
const MAPPED: &str = "::ffff:0:0/96";
/// The id of the guard.
pub(super) const GUARD: &str = "cannot-be";

/// What policies write out.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    /// Entities, by type and id.
    pub(crate) entities: BTreeSet<(String, String)>,
    /// Addresses and networks.
    pub(crate) networks: BTreeSet<String>,
    /// Time zones, and whether clocks show them wherever the question is put. Those that only another project's policies ask for
    /// are shown there alone.
    pub(crate) zones: BTreeMap<String, bool>,
}

impl Mentioned {
    /// Those of one more policy, from Cedar's JSON.
    pub(super) fn add(&mut self, policy: &Value) {
        match policy {
            Value::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                if let (Some(kind), Some(id)) = (text("type"), text("id")) {
                    self.entities.insert((kind.to_owned(), id.to_owned()));
                }
                if let (Some("ip"), Some(network)) = (text("fn"), text("arg")) {
                    self.networks.insert(network.to_owned());
                }
                for (operator, inner) in fields {
                    match operator.as_str() {
                        "ip" => self
                            .networks
                            .extend(inner.pointer("/0/Value").and_then(Value::as_str).map(ToOwned::to_owned)),
                        "isLoopback" => self.networks.extend(LOOPBACK.map(ToOwned::to_owned)),
                        "isMulticast" => self.networks.extend(MULTICAST.map(ToOwned::to_owned)),
                        _ => {}
                    }
                    self.add(inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|it| self.add(it)),
            _ => {}
        }
    }

    /// The zones of a version that is asked; `home` is the project that the questions are confined to.
    pub(super) fn add_zones(&mut self, one: &Deciding, home: Option<ProjectId>) {
        let always = match one.scope {
            PolicyScope::Organization => true,
            PolicyScope::Project(project) => Some(project) == home,
        };
        for zone in &one.checked.asks.zones {
            *self.zones.entry(zone.clone()).or_default() |= always;
        }
    }
}

/// The guard for one kind of principal and of thing. What lies in an environment or project that policies name says so. `home`
/// confines it to the things of one project.
pub(super) fn guard(
    shape: &Shape,
    principal: &str,
    resource: &str,
    mentioned: &Mentioned,
    home: Option<ProjectId>,
) -> Result<Policy, String> {
    let mut holds = moment(principal);
    holds.extend(address(&mentioned.networks));
    holds.extend(mentioned.zones.iter().map(|(zone, always)| clock(zone, *always)));
    holds.extend(thing(shape, resource, &mentioned.entities));
    if let Some(home) = home {
        holds.push(format!(r#"(resource has project && resource.project == Project::"{home}")"#));
    }
    let holds = holds.join(" && ");
    let text = format!("forbid (principal, action, resource) unless {{ {holds} }};");
    Policy::parse(Some(PolicyId::new(GUARD)), text).map_err(|it| it.to_string())
}

fn moment(principal: &str) -> Vec<String> {
    let mut holds = vec![
        r#"context.now >= datetime("2020-01-01")"#.to_owned(),
        r#"context.now < datetime("2200-01-01")"#.to_owned(),
        "context.weekday >= 1".to_owned(),
        "context.weekday <= 7".to_owned(),
    ];
    if principal == "Person" {
        holds.push(r#"["passkey", "recovery"].contains(context.signInMethod)"#.to_owned());
        holds.push(r#"context.recovering == (context.signInMethod == "recovery")"#.to_owned());
        // Shown at some time since 1970, in seconds.
        let age = "context.passkeyAge >= 0 && context.passkeyAge < 10000000000";
        holds.push(format!("(if context has passkeyAge then ({age}) else true)"));
    } else {
        let ways = if principal == "Operator" { r#"["shell", "token"]"# } else { r#"["token"]"# };
        holds.push(format!("{ways}.contains(context.signInMethod)"));
        holds.push("!context.recovering".to_owned());
        holds.push("!(context has passkeyAge)".to_owned());
    }
    holds
}

/// What a clock shows in a zone is a day of the week and a time of day.
fn clock(zone: &str, always: bool) -> String {
    let there = format!(r#"context.clock.getTag("{zone}")"#);
    let weekday = format!("{there}.weekday >= 1 && {there}.weekday <= 7");
    let time = format!(r#"{there}.time >= duration("0ms") && {there}.time < duration("1d")"#);
    let otherwise = !always;
    format!(r#"(if context.clock.hasTag("{zone}") then ({weekday} && {time}) else {otherwise})"#)
}

/// An address is one. In the schema it may be a network, too: one that reaches beyond what policies write out is in none of that, and
/// would stand for addresses that are.
fn address(networks: &BTreeSet<String>) -> Option<String> {
    if networks.is_empty() {
        return None;
    }
    let mut holds = vec![
        format!(r#"!context.address.isInRange(ip("{MAPPED}"))"#),
        format!(r#"!ip("{MAPPED}").isInRange(context.address)"#),
    ];
    for network in networks {
        let around = format!(r#"ip("{network}").isInRange(context.address)"#);
        let (host, prefix) = network.split_once('/').unwrap_or((network, ""));
        let is_one = prefix.is_empty() || prefix == if host.contains(':') { "128" } else { "32" };
        holds.push(if is_one {
            format!(r#"(if {around} then context.address == ip("{network}") else true)"#)
        } else {
            format!("!{around}")
        });
    }
    Some(format!("(if context has address then ({}) else true)", holds.join(" && ")))
}

fn thing(shape: &Shape, resource: &str, named: &BTreeSet<(String, String)>) -> Vec<String> {
    let mut holds = Vec::new();
    let has = |name: &str| shape.attribute(resource, name).is_some();
    if resource == "Organization" {
        holds.push(r#"resource == Organization::"organization""#.to_owned());
    }
    // What is called as its own type is the thing itself: a project's project.
    let itself = resource.to_lowercase();
    if shape.attribute(resource, &itself) == Some(resource) {
        holds.push(format!("resource.{itself} == resource"));
    }
    if has("ownerPerson") && has("ownerTeam") {
        let (person, team) = ("(resource has ownerPerson)", "(resource has ownerTeam)");
        // A key always has one.
        let one = if resource == "ApiKey" {
            format!("({person} != {team})")
        } else {
            format!("!({person} && {team})")
        };
        holds.push(one);
    }
    // One that may do everything holds a role outside its project.
    if has("confined") {
        holds.push(
            r#"(if resource.confined then (resource has project && !(resource in OrganizationRole::"owner")) else true)"#
                .to_owned(),
        );
    }
    if has("project") {
        let roles: Vec<_> = shape.attributes_of("Project", "ProjectRole").collect();
        for (n, one) in roles.iter().enumerate() {
            for other in roles.iter().skip(n.saturating_add(1)) {
                let differ = format!("resource.project.{one} != resource.project.{other}");
                holds.push(format!("(if resource has project then {differ} else true)"));
            }
        }
        for (kind, id) in named {
            let lies = format!(r#"resource in {kind}::"{id}""#);
            match kind.as_str() {
                "Project" => holds.push(format!(
                    r#"(({lies}) == (resource has project && resource.project == Project::"{id}"))"#
                )),
                "Environment" if has("environment") => {
                    holds.push(format!(r#"(({lies}) == (resource.environment == Environment::"{id}"))"#));
                }
                _ => {}
            }
        }
    }
    holds
}
