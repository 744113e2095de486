//! The cast of the authorization tests, and one file for each question.

mod absent;
mod alike;
mod answers;
mod comparison;
mod differential;
mod drawn;
mod escalation;
mod explain;
mod facts;
mod gate;
mod matrix;
mod plain;
mod properties;
mod round_trip;
mod sliced;
mod speed;
mod world;
mod written;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{ProjectId, Role, RoleScope, TypedId};

use super::action::Kind;
use super::*;
use crate::{Actor, LastRefusal, Op, Person, Source};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A moment at which nothing is known of whoever asks.
fn quiet() -> Circumstances {
    Circumstances::absent(now(), SignInMethod::Passkey)
}

fn id<I: TypedId>(n: u128) -> I {
    I::from_parts(now(), n)
}

/// What may be read of a thing.
fn known() -> Facts {
    Facts {
        tags: keywarden_model::Tags::parse(["team=payments"]).unwrap(),
        owner: Some(Owner::Person(id(1))),
        environment: "production".into(),
        label: "live".into(),
        project: "pay".into(),
    }
}

/// The project in which things happen.
fn here() -> ProjectId {
    id(1)
}

/// Another project.
fn elsewhere() -> ProjectId {
    id(2)
}

/// Person 1 without any role.
fn alice() -> Principal {
    Principal::bare(Who::Person(id(1)))
}

fn give(principal: &mut Principal, role: Role, project: ProjectId) {
    match role.scope() {
        RoleScope::Organization => principal.organization.push(role),
        RoleScope::Project => principal.projects.push((project, role)),
    }
}

/// Person 1 with one role.
fn holding(role: Role, project: ProjectId) -> Principal {
    let mut principal = alice();
    give(&mut principal, role, project);
    principal
}

fn key(project: ProjectId, owner: Owner) -> Resource {
    Resource::ApiKey { id: id(1), project, environment: id(1), owner }
}

/// Somebody else's thing of the kind that the action is done to, in a project where that can be.
fn thing_in(action: Action, project: ProjectId) -> Target {
    let resource = match action.kind() {
        Kind::ApiKey => key(project, Owner::Person(id(99))),
        Kind::Environment => Resource::Environment { id: id(1), project },
        Kind::Organization => Resource::Organization,
        Kind::Person => Resource::Person(id(98)),
        Kind::Project | Kind::Scope => Resource::Project(project),
        Kind::Secret => Resource::Secret { id: id(1), project, environment: id(1) },
        Kind::Team => Resource::Team(id(97)),
        Kind::Workload => Resource::Workload { id: id(1), project: Some(project) },
    };
    Target::holder(resource, &[])
}

/// The same, the person 1 themself where it is a person.
fn own(action: Action) -> Target {
    match action.kind() {
        Kind::ApiKey => Target::thing(key(here(), Owner::Person(id(1)))),
        Kind::Person => Target::thing(Resource::Person(id(1))),
        _ => thing_in(action, here()),
    }
}

/// Person 1 asks, who showed a passkey this long ago.
fn op(asserted: Option<TimeDelta>) -> Op {
    let person = Person {
        id: id(1),
        session: id(1),
        passkey: None,
        asserted_at: asserted.map(|age| now() - age),
        synced: false,
        recovering: false,
    };
    Op {
        actor: Actor::Person(person),
        source: Source::default(),
        request: id(1),
        now: now(),
        once: None,
        reason: None,
        seen: None,
        refusal: LastRefusal::default(),
    }
}
