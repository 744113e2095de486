//! Keys on both engines: every verb with what it lets verify afterwards.

mod away;
mod bulk;
mod drain;
mod edit;
mod import;
mod issue;
mod leaks;
mod list;
mod rate;
mod rehash;
mod rotate;
mod states;
mod timing;
mod verify;
mod warm;

use keywarden_model::{Role, Scopes, VerifyCode};
use keywarden_vault::SecretString;

use super::{Issued, NewKey, Place, Question, Route, Verdict};
use crate::Refused;
use crate::cast::{House, Machine, Player, Stage};

/// A house with a project, its issuer and a workload that verifies in it.
struct Scene {
    house: House,
    pay: Stage,
    bob: Player,
    gateway: Machine,
}

impl Scene {
    async fn set(house: House) -> Self {
        let pay = house.project("pay").await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let gateway = house.workload("gateway", Role::Verifier, Some(pay.id)).await;
        Self { house, pay, bob, gateway }
    }

    fn new_key(&self, name: &str) -> NewKey {
        NewKey::named(Place::Environment(self.pay.live), name.parse().unwrap())
    }

    async fn issue(&self, name: &str) -> Issued {
        self.house.domain.issue_key(&self.bob.op(), self.new_key(name)).await.unwrap()
    }

    async fn ask(&self, presented: &str, change: impl FnOnce(&mut Question<'_>)) -> Result<Verdict, Refused> {
        let none = Scopes::default();
        let mut question = Question {
            presented,
            scopes: &none,
            ip: Some([192, 0, 2, 1].into()),
            caller: Some("shop/1"),
            route: Route::Verify,
        };
        change(&mut question);
        self.house.domain.verify_key(&self.gateway.op(), &question).await
    }

    async fn verify(&self, value: &SecretString) -> VerifyCode {
        self.ask(value.expose(), |_| {}).await.unwrap().code
    }
}

/// The actions of a thing's events in alphabetical order: the clock stands still, so that time says nothing.
async fn events_of(house: &House, id: impl std::fmt::Display) -> Vec<String> {
    let mut conn = house.store.read().await.unwrap();
    let filter = keywarden_store::event::Filter { resource: Some(id.to_string()), ..Default::default() };
    let found = keywarden_store::event::list(&mut conn, &filter, 100).await.unwrap();
    let mut actions: Vec<_> = found.into_iter().map(|event| event.action).collect();
    actions.sort_unstable();
    actions
}

/// Somebody who is not there.
fn stranger() -> crate::authz::Owner {
    use keywarden_model::TypedId;
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    crate::authz::Owner::Person(keywarden_model::UserId::from_parts(at, 7))
}
