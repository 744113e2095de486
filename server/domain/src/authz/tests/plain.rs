//! Plain Cedar: all policies in one set, all entities in one store, each question put to all of it. Nothing of how the house
//! gathers, slices or remembers is used: entities and circumstances are written down as Cedar's JSON.
//!
//! What a text is asked about by where it stands is written into it: a project's policy holds for what lies in the project,
//! and no permit that people write holds over changes of owners.

use std::fmt::Write as _;

use cedar_policy::{
    Authorizer, Context, Decision as Cedar, Effect, Entities, Entity, EntityId, EntityUid, Policy, PolicyId,
    PolicySet, Request, Schema,
};
use chrono::{Datelike as _, Timelike as _};
use keywarden_model::{EnvironmentId, ServiceTokenId, Tags, TeamId};
use serde_json::{Value, json};

use super::world::{Somebody, World, all, key_of, names_of, project_of, secret_of, slug_of, team_id};
use super::*;

/// The tokens that were made on the shell, by what they may do.
pub(super) const TOKENS: [Role; 3] = [Role::Admin, Role::Auditor, Role::Owner];

/// The token of the shell that may do this.
pub(super) fn token(place: usize) -> ServiceTokenId {
    id(u128::try_from(place).unwrap() + 1)
}

/// What Cedar says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) allowed: bool,
    /// A policy failed, which is a no.
    pub(super) failed: bool,
    /// Which policies made it so, sorted.
    pub(super) policies: Vec<String>,
}

/// The built-in policies, by their ids.
pub(super) fn builtin() -> PolicySet {
    let parsed: PolicySet = include_str!("../builtin.cedar").parse().unwrap();
    let named = parsed.policies().map(|it| it.new_id(PolicyId::new(it.annotation("id").unwrap())));
    PolicySet::from_policies(named).unwrap()
}

/// A policy that somebody wrote, with what it is asked about.
pub(super) fn written(scope: PolicyScope, name: &str, text: &str) -> Policy {
    let set: PolicySet = text.parse().unwrap();
    let policy = set.policies().next().unwrap();
    let mut guards = String::from("permit (principal, action, resource)");
    if let PolicyScope::Project(project) = scope {
        let _ = write!(guards, r#" when {{ resource in Project::"{project}" }}"#);
    }
    if policy.effect() == Effect::Permit {
        guards.push_str(
            r#" unless { resource in OrganizationRole::"owner" && !(action in Action::"reading") }"#,
        );
    }
    let guards = Policy::parse(None, guards + ";").unwrap().to_json().unwrap();
    let mut json = policy.to_json().unwrap();
    let mut conditions = guards["conditions"].as_array().cloned().unwrap_or_default();
    conditions.extend(json["conditions"].as_array().cloned().unwrap_or_default());
    json["conditions"] = Value::Array(conditions);
    Policy::from_json(Some(PolicyId::new(name)), json).unwrap()
}

pub(super) struct Plain<'a> {
    schema: &'a Schema,
    entities: Entities,
    policies: PolicySet,
    /// Whom deactivation makes nobody.
    away: Vec<String>,
}

impl<'a> Plain<'a> {
    pub(super) fn of(world: &World, schema: &'a Schema) -> Self {
        let mut policies = builtin();
        for it in &world.policies {
            policies.add(written(it.scope, &it.name(), &it.text)).unwrap();
        }
        let entities = Entities::from_json_value(Value::Array(entities(world)), Some(schema)).unwrap();
        let everybody = world.people.iter().chain(&world.workloads);
        let away = everybody.filter(|it| !it.active).map(|it| it.id.clone()).collect();
        Self { schema, entities, policies, away }
    }

    /// Whether whoever asks was deactivated.
    pub(super) fn is_nobody(&self, op: &Op) -> bool {
        self.away.contains(&op.actor.id())
    }

    /// Puts a question to all of it; whoever is nobody is told no.
    pub(super) fn ask(&self, op: &Op, action: Action, resource: &Resource) -> Said {
        let who = match &op.actor {
            Actor::Operator { .. } => entity("Operator", &op.actor.id()),
            Actor::Person(_) => entity("Person", &op.actor.id()),
            Actor::Workload { .. } => entity("Workload", &op.actor.id()),
            other => panic!("{other} asks"),
        };
        if self.is_nobody(op) {
            return Said { allowed: false, failed: false, policies: Vec::new() };
        }
        let action = entity("Action", action.name());
        let context = Context::from_json_value(context(op), Some((self.schema, &action))).unwrap();
        let thing = match resource {
            Resource::ApiKey { id, .. } => entity("ApiKey", &id.to_string()),
            Resource::Environment { id, .. } => entity("Environment", &id.to_string()),
            Resource::Organization => entity("Organization", "organization"),
            Resource::Person(id) => entity("Person", &id.to_string()),
            Resource::Project(id) => entity("Project", &id.to_string()),
            Resource::Secret { id, .. } => entity("Secret", &id.to_string()),
            Resource::Team(id) => entity("Team", &id.to_string()),
            Resource::Workload { id, .. } => entity("Workload", &id.to_string()),
        };
        let request = Request::new(who, action, thing, context, Some(self.schema)).unwrap();
        let entities = self.entities.clone().add_entities([clock(op.now)], Some(self.schema)).unwrap();
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let failed = response.diagnostics().errors().next().is_some();
        let mut policies: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort_unstable();
        Said { allowed: !failed && response.decision() == Cedar::Allow, failed, policies }
    }
}

fn entity(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new(id))
}

fn uid(kind: &str, id: impl ToString) -> Value {
    json!({ "type": kind, "id": id.to_string() })
}

fn attribute(kind: &str, id: impl ToString) -> Value {
    json!({ "__entity": uid(kind, id) })
}

fn project_role(project: ProjectId, role: Role) -> Value {
    uid("ProjectRole", format_args!("{project}/{role}"))
}

fn organization_roles(held: &super::world::Held) -> impl Iterator<Item = Value> {
    held.iter().filter(|(project, _)| project.is_none()).map(|(_, role)| uid("OrganizationRole", role))
}

/// Everything that there is.
fn entities(world: &World) -> Vec<Value> {
    let parents = |somebody: &Somebody| -> Vec<Value> {
        let teams = somebody.teams.iter().map(|team| uid("Team", team_id(*team)));
        let projects = world.in_projects(somebody).map(|(project, role)| project_role(project, role));
        let home = somebody.home.map(|project| uid("Project", project));
        teams.chain(organization_roles(&somebody.roles)).chain(projects).chain(home).collect()
    };
    let one = |uid: Value, attrs: Value, parents: Vec<Value>| json!({ "uid": uid, "attrs": attrs, "parents": parents });
    let mut entities = vec![one(uid("Organization", "organization"), json!({}), Vec::new())];
    for it in &world.people {
        entities.push(one(uid("Person", &it.id), json!({}), parents(it)));
    }
    for it in &world.workloads {
        // It holds no role outside its own project.
        let confined = it.home.is_some() && it.roles.iter().all(|(project, _)| *project == it.home);
        let mut attributes = json!({ "confined": confined });
        if let Some(project) = it.home {
            attributes["project"] = attribute("Project", project);
        }
        entities.push(one(uid("Workload", &it.id), attributes, parents(it)));
    }
    for (place, held) in world.teams.iter().enumerate() {
        let parents = organization_roles(held).collect();
        entities.push(one(uid("Team", team_id(place)), json!({}), parents));
    }
    for (place, role) in TOKENS.iter().enumerate() {
        entities.push(one(uid("Operator", token(place)), json!({}), vec![uid("OrganizationRole", role)]));
    }
    entities.push(one(uid("Operator", "shell"), json!({}), vec![uid("OrganizationRole", Role::Owner)]));
    for n in all("Project") {
        let project = id::<ProjectId>(n);
        let mut attributes = json!({ "project": attribute("Project", project), "slug": slug_of(n) });
        for role in Role::ALL.iter().filter(|it| it.scope() == RoleScope::Project) {
            attributes[role.as_str()] = json!({ "__entity": project_role(project, *role) });
        }
        entities.push(one(uid("Project", project), attributes, Vec::new()));
    }
    for n in all("Environment") {
        let project = project_of(n);
        let (environment, (slug, label)) = (id::<EnvironmentId>(n), names_of(n));
        let attributes = json!({
            "project": attribute("Project", project),
            "environment": attribute("Environment", environment),
            "slug": slug,
            "label": label,
        });
        entities.push(one(uid("Environment", environment), attributes, vec![uid("Project", project)]));
    }
    let keys = all("ApiKey").map(key_of).zip(&world.of_keys).map(|(key, tags)| (key, tags, None));
    let secrets = all("Secret").map(secret_of).zip(&world.of_secrets);
    for (thing, tags, owner) in
        keys.chain(secrets.map(|(secret, (tags, owner))| (secret, tags, Some(*owner))))
    {
        let (kind, name, project, environment, owner) = match thing {
            Resource::ApiKey { id, project, environment, owner } => {
                ("ApiKey", id.to_string(), project, environment, Some(owner))
            }
            Resource::Secret { id, project, environment } => {
                ("Secret", id.to_string(), project, environment, owner)
            }
            other => panic!("{other:?} is neither"),
        };
        let mut attributes = json!({
            "project": attribute("Project", project),
            "environment": attribute("Environment", environment),
        });
        match owner {
            Some(Owner::Person(id)) => attributes["ownerPerson"] = attribute("Person", id),
            Some(Owner::Team(id)) => attributes["ownerTeam"] = attribute("Team", id),
            None => {}
        }
        // Its project comes with the environment.
        let mut thing = one(uid(kind, name), attributes, vec![uid("Environment", environment)]);
        thing["tags"] = tags_of(tags);
        entities.push(thing);
    }
    entities
}

fn tags_of(tags: &Tags) -> Value {
    tags.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// What clocks show in every zone that conditions are drawn with.
fn clock(now: DateTime<Utc>) -> Entity {
    let there = |zone: chrono_tz::Tz| {
        let there = now.with_timezone(&zone);
        json!({
            "weekday": there.weekday().number_from_monday(),
            "time": { "__extn": { "fn": "duration", "arg": format!("{}s", there.num_seconds_from_midnight()) } },
        })
    };
    let tags = json!({
        "America/New_York": there(chrono_tz::America::New_York),
        "Asia/Kolkata": there(chrono_tz::Asia::Kolkata),
        "Europe/Berlin": there(chrono_tz::Europe::Berlin),
        "UTC": there(chrono_tz::UTC),
    });
    let clock = json!({ "uid": uid("Clock", "now"), "attrs": {}, "parents": [], "tags": tags });
    Entity::from_json_value(clock, None).unwrap()
}

/// The circumstances, told in the schema's words.
fn context(op: &Op) -> Value {
    let mut context = json!({
        "recovering": false,
        "now": { "__extn": { "fn": "datetime", "arg": op.now.format("%Y-%m-%dT%H:%M:%S.000Z").to_string() } },
        "weekday": op.now.weekday().number_from_monday(),
        "signInMethod": "token",
        "clock": attribute("Clock", "now"),
        "reasonGiven": op.reason.is_some(),
    });
    match &op.actor {
        Actor::Person(person) => {
            context["recovering"] = json!(person.recovering);
            context["signInMethod"] = json!(if person.recovering { "recovery" } else { "passkey" });
            if let Some(at) = person.asserted_at {
                context["passkeyAge"] = json!((op.now - at).num_seconds().max(0));
            }
        }
        Actor::Operator { token: None, .. } => context["signInMethod"] = json!("shell"),
        _ => {}
    }
    if let Some(address) = op.source.address {
        // The one that is written in two ways.
        let address = address.to_string().replace("::ffff:10.1.2.3", "10.1.2.3");
        context["address"] = json!({ "__extn": { "fn": "ip", "arg": address } });
    }
    context
}

/// So that a rule about places holds in either way of writing it down.
#[test]
fn what_a_policy_is_asked_about_by_where_it_stands_is_written_into_it() {
    let (project, team) = (here(), id::<TeamId>(1));
    let text = format!(r#"permit (principal in Team::"{team}", action == Action::"key.rotate", resource);"#);
    let policy = written(PolicyScope::Project(project), "one", &text);
    let expected = format!(
        r#"permit (principal in Team::"{team}", action == Action::"key.rotate", resource)
           when {{ resource in Project::"{project}" }}
           unless {{ resource in OrganizationRole::"owner" && !(action in Action::"reading") }};"#
    );
    let expected = Policy::parse(None, expected).unwrap();
    assert_eq!(policy.to_json().unwrap(), expected.to_json().unwrap());
}
