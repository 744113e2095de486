//! A request that tells what decides before and after apart: from what a solver found to what people read. What is shown was decided
//! by both sets.
//!
//! Which attributes there are is not known here: what is told of a thing is what the solver's entities have and the policy looks at,
//! so that a schema that knows more is told, too. The moment alone is made true: a solver's addresses may be whole networks, and its
//! days of the week others than its dates have. What is known of the moment besides (but what is yes or no) is left out: a
//! policy that asks for it fails, and shows nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, EvalResult, PolicySet, Request,
    RestrictedExpression, Schema,
};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use keywarden_model::Role;
use serde::{Deserialize, Serialize};

use super::Witness;
use crate::authz::{Comparison, Touched};

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
    /// What else the policy looks at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<ExampleFact>,
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

/// Something that a policy looks at, as it is in an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleFact {
    /// Whose: of the `context`, the `environment`, the `project`, the `resource`; or a `tag` of the thing.
    pub of: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// What was compared, and what the example is told by.
pub(super) struct Confirming<'a> {
    /// The schema: whoever looks for a request leaves out which actions are in which groups.
    pub(super) schema: &'a Schema,
    /// Both sets.
    pub(super) compared: &'a Comparison,
    /// The environment.
    pub(super) touched: &'a Touched,
    /// The attributes and tags that the policy looks at.
    pub(super) looks_at: &'a BTreeSet<String>,
}

impl Confirming<'_> {
    /// Decides by both sets about what a solver found: the request, if they answer it otherwise, allowed by `after` alone where the
    /// change `widens`, else by `before` alone.
    pub(super) fn confirm(&self, witness: &Witness, widens: bool) -> Option<CounterExample> {
        let request = &witness.request;
        let (who, thing) = (request.principal()?, request.resource()?);
        let actions = self.schema.action_entities().ok()?;
        let entities = witness.entities.clone().upsert_entities(actions, None).ok()?;
        moments(request.context()?)?.into_iter().find_map(|moment| {
            let context = moment.context.clone();
            let request =
                Request::new(who.clone(), request.action()?.clone(), thing.clone(), context, None).ok()?;
            let decide = |set| decide(set, &request, &entities);
            let (before, after) = (decide(&self.compared.before)?, decide(&self.compared.after)?);
            let found = Found { by: self, who, thing, entities: &entities };
            (before != after && after == widens).then(|| found.told(&moment, (before, after)))
        })
    }
}

/// What a set says; a policy that fails says nothing for all of it.
fn decide(set: &PolicySet, request: &Request, entities: &Entities) -> Option<bool> {
    let answer = Authorizer::new().is_authorized(request, set, entities);
    answer.diagnostics().errors().next().is_none().then(|| answer.decision() == Decision::Allow)
}

/// A request that a solver found, without its moment.
struct Found<'a> {
    by: &'a Confirming<'a>,
    who: &'a EntityUid,
    thing: &'a EntityUid,
    entities: &'a Entities,
}

impl Found<'_> {
    fn told(&self, moment: &Moment, (before, after): (bool, bool)) -> CounterExample {
        let held = self.above(self.who);
        let thing = self.entities.get(self.thing);
        let is_project = kind(self.thing) == "Project";
        let project = if is_project { Some(self.thing.clone()) } else { at(thing, "project") };
        let environment = at(thing, "environment").filter(|it| it != self.thing);
        let of_kind = |name: &'static str| held.iter().filter(move |it| kind(it) == name);
        let is_theirs = |it: &EntityUid| it == self.who || (kind(it) == "Team" && held.contains(it));
        CounterExample {
            principal: kind(self.who).to_lowercase(),
            principal_id: self.known(self.who),
            roles: sorted(of_kind("OrganizationRole").map(|it| it.id().unescaped().to_owned())),
            project_roles: sorted(
                uids(project.as_ref().and_then(|it| self.entities.get(it)))
                    .filter(|(_, uid)| kind(uid) == "ProjectRole" && held.contains(uid))
                    .map(|(name, _)| name),
            ),
            teams: sorted(of_kind("Team").filter_map(|it| self.known(it))),
            action: self.by.touched.action.name().to_owned(),
            resource: match self.by.touched.resource.as_str() {
                "ApiKey" => "key".to_owned(),
                "Person" => "user".to_owned(),
                other => other.to_lowercase(),
            },
            resource_id: self.known(self.thing),
            project: project.as_ref().and_then(|it| self.known(it)),
            environment: environment.as_ref().and_then(|it| self.known(it)),
            own: self.who == self.thing || uids(thing).any(|(_, uid)| is_theirs(&uid)),
            owner: self
                .above(self.thing)
                .iter()
                .any(|it| kind(it) == "OrganizationRole" && it.id().unescaped() == Role::Owner.as_str()),
            facts: self.facts(moment, project.as_ref(), environment.as_ref()),
            now: moment.now,
            address: moment.address.map(|it| it.to_string()),
            method: moment.method.clone(),
            passkey_age: moment.passkey_age,
            before,
            after,
        }
    }

    /// What the policy looks at and the rest does not tell.
    fn facts(
        &self,
        moment: &Moment,
        project: Option<&EntityUid>,
        environment: Option<&EntityUid>,
    ) -> Vec<ExampleFact> {
        let mut facts = Vec::new();
        let mut add = |of: &str, name: &str, value: Option<EvalResult>| {
            if let Some(value) = value.and_then(written).filter(|_| self.by.looks_at.contains(name)) {
                facts.push(ExampleFact { of: of.to_owned(), name: name.to_owned(), value });
            }
        };
        let entity = |uid: Option<&EntityUid>| uid.and_then(|it| self.entities.get(it));
        let thing = self.entities.get(self.thing);
        for (name, value) in thing.into_iter().flat_map(Entity::tags) {
            add("tag", name, value.ok());
        }
        let around = [
            ("resource", thing),
            ("environment", entity(environment)),
            ("project", entity(project.filter(|it| *it != self.thing))),
        ];
        for (of, one) in around {
            for (name, value) in one.into_iter().flat_map(Entity::attrs) {
                add(of, name, value.ok());
            }
        }
        for (name, is) in &moment.besides {
            add("context", name, Some(EvalResult::Bool(*is)));
        }
        facts.sort_by(|a, b| (&a.of, &a.name).cmp(&(&b.of, &b.name)));
        facts
    }

    /// Its id, if policies name it.
    fn known(&self, uid: &EntityUid) -> Option<String> {
        let (kind, id) = (kind(uid), uid.id().unescaped().to_owned());
        self.by.compared.literals.entities.contains(&(kind, id.clone())).then_some(id)
    }

    fn above(&self, uid: &EntityUid) -> Vec<EntityUid> {
        self.entities.ancestors(uid).into_iter().flatten().cloned().collect()
    }
}

fn kind(uid: &EntityUid) -> String {
    uid.type_name().to_string()
}

fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all
}

/// The attributes that are entities.
fn uids(entity: Option<&Entity>) -> impl Iterator<Item = (String, EntityUid)> {
    entity.into_iter().flat_map(Entity::attrs).filter_map(|(name, value)| match value {
        Ok(EvalResult::EntityUid(uid)) => Some((name.to_owned(), uid)),
        _ => None,
    })
}

fn at(entity: Option<&Entity>, name: &str) -> Option<EntityUid> {
    uids(entity).find(|(it, _)| it == name).map(|(_, uid)| uid)
}

/// A value that says something by itself.
fn written(value: EvalResult) -> Option<String> {
    match value {
        EvalResult::Bool(it) => Some(it.to_string()),
        EvalResult::Long(it) => Some(it.to_string()),
        EvalResult::ExtensionValue(it) | EvalResult::String(it) => Some(it),
        EvalResult::EntityUid(_) | EvalResult::Record(_) | EvalResult::Set(_) => None,
    }
}

/// A moment that can be.
struct Moment {
    context: Context,
    now: DateTime<Utc>,
    address: Option<IpAddr>,
    method: String,
    passkey_age: Option<i64>,
    /// What else is known of it, and is yes or no.
    besides: Vec<(String, bool)>,
}

/// The moments that a context may stand for.
fn moments(context: &Context) -> Option<Vec<Moment>> {
    let Some(EvalResult::Long(weekday)) = context.get("weekday") else { return None };
    let Some(EvalResult::String(method)) = context.get("signInMethod") else { return None };
    let Some(EvalResult::ExtensionValue(now)) = context.get("now") else { return None };
    let now = instant(&now)?;
    let passkey_age = match context.get("passkeyAge") {
        Some(EvalResult::Long(age)) => Some(age),
        _ => None,
    };
    let addresses = match context.get("address") {
        Some(EvalResult::ExtensionValue(text)) => {
            // One address has one spelling, as decisions see it.
            addresses(&text)?.into_iter().map(|it| Some(it.to_canonical())).collect()
        }
        _ => vec![None],
    };
    let days = weekday.checked_sub(now.weekday().number_from_monday().into())?.rem_euclid(7);
    let moved = now.checked_add_signed(TimeDelta::days(days))?;
    let mut known = Vec::new();
    for (name, _) in context.clone() {
        if let Some(EvalResult::Bool(is)) = context.get(&name) {
            known.push((name, is));
        }
    }
    let mut moments = Vec::new();
    for now in if days == 0 { vec![now] } else { vec![moved, now] } {
        for address in &addresses {
            let mut moment = Moment {
                context: Context::empty(),
                now,
                address: *address,
                method: method.clone(),
                passkey_age,
                besides: known.clone(),
            };
            moment.context = moment.seen()?;
            moment.besides.retain(|(name, _)| name != "recovering");
            moments.push(moment);
        }
    }
    Some(moments)
}

impl Moment {
    /// As policies see it.
    fn seen(&self) -> Option<Context> {
        let text = self.now.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let weekday = self.now.weekday().number_from_monday().into();
        let mut pairs = vec![
            ("now".to_owned(), RestrictedExpression::new_datetime(text)),
            ("weekday".to_owned(), RestrictedExpression::new_long(weekday)),
            ("signInMethod".to_owned(), RestrictedExpression::new_string(self.method.clone())),
        ];
        if let Some(age) = self.passkey_age {
            pairs.push(("passkeyAge".to_owned(), RestrictedExpression::new_long(age)));
        }
        if let Some(address) = self.address {
            pairs.push(("address".to_owned(), RestrictedExpression::new_ip(address.to_string())));
        }
        let besides = self.besides.iter();
        pairs.extend(besides.map(|(name, is)| (name.clone(), RestrictedExpression::new_bool(*is))));
        Context::from_pairs(pairs).ok()
    }
}

/// What stands in quotation marks: the arguments of the calls that make a value.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// From `datetime("1970-01-01").offset(duration("12ms"))`, as solvers have it, or `datetime("2026-11-30T08:00:00Z")`.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let last = *quoted(text).last()?;
    match last.strip_suffix("ms") {
        Some(millis) => DateTime::from_timestamp_millis(millis.parse().ok()?),
        None => DateTime::parse_from_rfc3339(last).ok().map(|it| it.to_utc()),
    }
}

/// From `ip("10.0.0.0/8")`: the last address of it, the first and the one that is written.
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
    use crate::authz::Literals;

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

    /// A request in a vocabulary that knows more than ours.
    fn witness(now: &str, weekday: i64, entities: Entities) -> Witness {
        let text = format!(
            r#"{{ "now": {{ "__extn": {{ "fn": "datetime", "arg": "{now}" }} }}, "weekday": {weekday},
                 "address": {{ "__extn": {{ "fn": "ip", "arg": "192.0.2.0/24" }} }},
                 "signInMethod": "passkey", "recovering": false, "reasonGiven": true, "shift": "night" }}"#
        );
        let context = Context::from_json_str(&text, None).unwrap();
        let [who, what, thing] = ["Person::\"a\"", "Action::\"secret.read\"", "Secret::\"b\""];
        let request =
            Request::new(who.parse().unwrap(), what.parse().unwrap(), thing.parse().unwrap(), context, None);
        Witness { request: request.unwrap(), entities }
    }

    fn confirmed(after: &str, looks_at: &[&str]) -> Option<CounterExample> {
        let schema = r#"entity Team; entity Person in [Team]; entity Secret { owner: Team, slug: String } tags String;
            action "secret.read" appliesTo { principal: Person, resource: Secret };"#;
        let (schema, _) = Schema::from_cedarschema_str(schema).unwrap();
        let touched = Touched {
            principal: "Person".into(),
            action: crate::Action::ReadSecret,
            resource: "Secret".into(),
        };
        let compared = Comparison {
            environment: schema.request_envs().next().unwrap(),
            before: PolicySet::new(),
            after: after.parse().unwrap(),
            literals: Literals {
                entities: BTreeSet::from([("Team".into(), "t".into())]),
                ..Literals::default()
            },
            fallible: Vec::new(),
        };
        let entities = r#"[
            { "uid": { "type": "Person", "id": "a" }, "attrs": {}, "parents": [{ "type": "Team", "id": "t" }] },
            { "uid": { "type": "Secret", "id": "b" }, "parents": [], "tags": { "team": "payments", "tier": "1" },
              "attrs": { "slug": "prod", "owner": { "__entity": { "type": "Team", "id": "t" } } } }
        ]"#;
        let witness = witness("2026-11-30T08:00:00Z", 3, Entities::from_json_str(entities, None).unwrap());
        let looks_at = looks_at.iter().map(|it| (*it).to_owned()).collect();
        let confirming =
            Confirming { schema: &schema, compared: &compared, touched: &touched, looks_at: &looks_at };
        confirming.confirm(&witness, true)
    }

    #[test]
    fn what_a_policy_looks_at_is_told_whatever_it_is() {
        let text = r#"permit (principal, action, resource) when {
            resource.hasTag("team") && resource.getTag("team") == "payments" && resource.slug == "prod" &&
            context.reasonGiven && context.address.isInRange(ip("192.0.2.0/24")) };"#;
        let told = confirmed(text, &["team", "slug", "reasonGiven", "address"]).unwrap();
        let facts: Vec<_> =
            told.facts.iter().map(|it| (it.of.as_str(), it.name.as_str(), it.value.as_str())).collect();
        let known =
            [("context", "reasonGiven", "true"), ("resource", "slug", "prod"), ("tag", "team", "payments")];
        assert_eq!(facts, known);
        assert_eq!((told.principal.as_str(), told.resource.as_str(), told.own), ("person", "secret", true));
        assert_eq!((told.teams, told.principal_id), (vec!["t".to_owned()], None));
        // A Wednesday, as the request's weekday has it, and one address of the network.
        assert_eq!(told.now.to_rfc3339(), "2026-12-02T08:00:00+00:00");
        assert_eq!(told.address.as_deref(), Some("192.0.2.255"));
    }

    #[test]
    fn what_cannot_be_made_true_shows_nothing() {
        // Nobody here knows what a shift is.
        let text = r#"permit (principal, action, resource) when { context.shift == "night" };"#;
        assert_eq!(confirmed(text, &["shift"]), None);
        let text = "permit (principal, action, resource) when { context.weekday == 9 };";
        assert_eq!(confirmed(text, &["weekday"]), None);
    }
}
