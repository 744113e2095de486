//! Access that is asked for, on both engines, signed by soft authenticators.

mod attacks;
mod holding;
mod race;
mod told;

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{AccessGrantId, AccessRequestId, PasskeyStrength, Role};
use serde::Serialize;

use super::*;
use crate::authz::Resource;
use crate::cast::{House, Stage};
use crate::people::tests::{Somebody, got, join, set_up};

/// A house in which a day has gone by since everybody came in.
struct Scene {
    /// The owner.
    ada: Somebody,
    /// An admin.
    ben: Somebody,
    /// A manager of `pay`.
    mia: Somebody,
    /// Whoever asks: a viewer of another project.
    dev: Somebody,
    pay: Stage,
}

impl Scene {
    async fn new(house: &House) -> Self {
        let ada = set_up(house).await;
        let (pay, other) = (house.project("pay").await, house.project("other").await);
        let ben = join(house, &ada, "Ben", Role::Admin, None, 2).await;
        let mia = join(house, &ada, "Mia", Role::Manager, Some(pay.id), 3).await;
        let dev = join(house, &ada, "Dev", Role::Viewer, Some(other.id), 4).await;
        house.clock.advance(Duration::from_hours(25));
        Self { ada, ben, mia, dev, pay }
    }

    /// Dev asks to manage `pay` for an hour.
    async fn asks(&self, house: &House) -> AccessRequestId {
        house.domain.request_access(&self.dev.op(house), wanted("pay", Role::Manager, 60)).await.unwrap()
    }

    /// Somebody's session just after their passkey signed.
    fn fresh(house: &House, who: &Somebody) -> Op {
        let mut op = who.op(house);
        if let crate::Actor::Person(person) = &mut op.actor {
            person.asserted_at = Some(house.now());
        }
        op
    }

    /// How many persons it takes in the organization.
    async fn takes(&self, house: &House, approvers: u32) {
        let rule = Rule { approvers, ..Rule::built_in() };
        let newest =
            house.domain.access_rule(&self.ada.op(house), PolicyScope::Organization).await.unwrap().newest;
        let op = Self::fresh(house, &self.ada);
        house.domain.set_access_rule(&op, PolicyScope::Organization, Some(rule), newest).await.unwrap();
    }
}

fn terms(minutes: i64) -> Terms {
    Terms {
        lasts: TimeDelta::minutes(minutes),
        reason: "INC-7: payments fail".parse().unwrap(),
        ticket: "INC-7".parse().unwrap(),
    }
}

fn wanted(project: &str, role: Role, minutes: i64) -> NewRequest {
    NewRequest { role, project: Some(project.into()), holder: None, terms: terms(minutes) }
}

/// Somebody signs.
async fn signs(house: &House, who: &mut Somebody, id: AccessRequestId) -> Result<Approved, AccessError> {
    // Each signature has an instant of its own.
    house.clock.advance(Duration::from_secs(1));
    let op = who.op(house);
    let started = house.domain.start_access_approval(&op, id).await?;
    let answer = got(&mut who.soft, &started.options);
    house.domain.finish_access_approval(&op, id, started.ceremony, &answer).await
}

/// Whether they may make an environment in `pay`, aside from their passkey.
async fn manages(house: &House, who: &Somebody, scene: &Scene) -> bool {
    let place = Resource::Project(scene.pay.id);
    house.domain.would(&who.op(house), Action::CreateEnvironment, &place).await.unwrap()
}

async fn state(house: &House, scene: &Scene, id: AccessRequestId) -> AccessState {
    house.domain.access_request(&scene.dev.op(house), id).await.unwrap().request.state
}

async fn grant(house: &House, scene: &Scene, id: AccessRequestId) -> AccessGrantId {
    house.domain.access_request(&scene.dev.op(house), id).await.unwrap().grant.unwrap().id
}

fn life(refused: Result<impl std::fmt::Debug, AccessError>) -> LifeError {
    match refused {
        Err(AccessError::Life(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// What a file of evidence is.
fn file(evidence: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(evidence).unwrap()
}
