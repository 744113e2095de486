//! A request that tells what decides before and after apart: from what a solver found to what people read. What is shown was decided
//! by both sets.
//!
//! Which attributes there are is not known here: what is told of a thing is what the solver's entities have and the policy looks at,
//! so that a schema that knows more is told, too. The moment alone is made true (`moments.rs`).

use std::collections::BTreeSet;

use cedar_policy::{
    Authorizer, Decision, Entities, Entity, EntityUid, EvalResult, PolicySet, Request, Schema,
};
use chrono::{DateTime, Utc};
use keywarden_model::Role;
use serde::{Deserialize, Serialize};

use super::Witness;
use super::moments::moments;
use crate::authz::{Circumstances, Comparison, Rules, Touched, shown_in};

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
    /// Whose: of the `context`, the `environment`, the `project`, the `resource`; a `tag` of the thing; or the `clock` in the zone
    /// of that name.
    pub of: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// What was compared, and what the example is told by.
pub(super) struct Confirming<'a> {
    /// What both sets were made by.
    pub(super) rules: &'a Rules,
    /// The schema: whoever looks for a request leaves out which actions are in which groups.
    pub(super) schema: &'a Schema,
    /// Both sets.
    pub(super) compared: &'a Comparison,
    /// The environment.
    pub(super) touched: &'a Touched,
    /// The attributes and tags that the policy looks at.
    pub(super) looks_at: &'a BTreeSet<String>,
    /// When: examples are of these days, if they can be.
    pub(super) today: DateTime<Utc>,
}

impl Confirming<'_> {
    /// Decides by both sets about what a solver found: the request, if they answer it otherwise, allowed by `after` alone where the
    /// change `widens`, else by `before` alone.
    pub(super) fn confirm(&self, witness: &Witness, widens: bool) -> Option<CounterExample> {
        let request = &witness.request;
        let (who, thing) = (request.principal()?, request.resource()?);
        let actions = self.schema.action_entities().ok()?;
        let entities = witness.entities.clone().upsert_entities(actions, None).ok()?;
        moments(request.context()?, &entities, self.today)?.into_iter().find_map(|moment| {
            let zones = self.compared.mentioned.zones.keys();
            let (context, clock) = self.rules.moment(&moment, zones).ok()?;
            let entities = entities.clone().upsert_entities([clock], None).ok()?;
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
    fn told(&self, moment: &Circumstances, (before, after): (bool, bool)) -> CounterExample {
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
            method: moment.method.as_str().to_owned(),
            passkey_age: moment.passkey_age,
            before,
            after,
        }
    }

    /// What the policy looks at and the rest does not tell.
    fn facts(
        &self,
        moment: &Circumstances,
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
        add("context", "reasonGiven", Some(EvalResult::Bool(moment.reason)));
        for zone in self.by.compared.mentioned.zones.keys() {
            add("clock", zone, shown_in(zone, moment.now).map(EvalResult::String));
        }
        facts.sort_by(|a, b| (&a.of, &a.name).cmp(&(&b.of, &b.name)));
        facts
    }

    /// Its id, if policies name it.
    fn known(&self, uid: &EntityUid) -> Option<String> {
        let (kind, id) = (kind(uid), uid.id().unescaped().to_owned());
        self.by.compared.mentioned.entities.contains(&(kind, id.clone())).then_some(id)
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

#[cfg(test)]
mod tests {
    use cedar_policy::Context;

    use super::*;
    use crate::authz::Mentioned;

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
        let rules = Rules::builtin().unwrap();
        let touched = Touched {
            principal: "Person".into(),
            action: crate::Action::ReadSecret,
            resource: "Secret".into(),
        };
        let compared = Comparison {
            environment: schema.request_envs().next().unwrap(),
            before: PolicySet::new(),
            after: after.parse().unwrap(),
            mentioned: Mentioned {
                entities: BTreeSet::from([("Team".into(), "t".into())]),
                ..Mentioned::default()
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
        let confirming = Confirming {
            rules: &rules,
            schema: &schema,
            compared: &compared,
            touched: &touched,
            looks_at: &looks_at,
            // A Monday.
            today: DateTime::from_timestamp(1_796_040_000, 0).unwrap(),
        };
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
