//! People on both engines, with real ceremonies by soft authenticators.

mod ceremonies;
mod hand_over;
mod invitations;
mod list;
mod new_keys;
mod once_only;
mod passkeys;
mod posts;
mod recovery;
mod sessions;
mod setup;
mod step_up;
mod terminals;
mod timing;

use std::sync::Arc;

use keywarden_model::{CeremonyId, Name, ProjectId, Role};
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::cast::House;
use crate::passkeys::soft::SoftAuthenticator;
use crate::{Actor, Op, Person};

const ORIGIN: &str = "https://keys.example.com";

/// Somebody who came in by a ceremony of their own, with their authenticator and cookie.
pub(crate) struct Somebody {
    pub(crate) soft: SoftAuthenticator,
    pub(crate) person: Person,
    pub(crate) key: Arc<SessionKey>,
}

impl Somebody {
    pub(crate) fn new(soft: SoftAuthenticator, signed_in: SignedIn) -> Self {
        Self { soft, person: signed_in.person, key: signed_in.key }
    }

    /// As of the session's last proof.
    pub(crate) fn op(&self, house: &House) -> Op {
        house.op(Actor::Person(self.person.clone()))
    }

    /// Who the cookie says it is.
    pub(crate) async fn resolved(&self, house: &House) -> Option<Person> {
        house.domain.resolve_session(&self.key, house.now()).await.unwrap()
    }

    /// Signs in anew, in a browser of their own.
    pub(crate) async fn signs_in(&mut self, house: &House) -> Result<Self, CeremonyError> {
        let (browser, _) = Browser::fresh(house.domain.env());
        let started = house.domain.start_sign_in(&nobody(house), browser).await?;
        let answer = got(&mut self.soft, &started.options);
        let signed_in =
            house.domain.finish_sign_in(&nobody(house), browser, started.ceremony, &answer).await?;
        Ok(Self::new(self.soft.clone(), signed_in))
    }
}

pub(crate) fn nobody(house: &House) -> Op {
    house.op(Actor::Nobody)
}

pub(crate) fn named(name: &str) -> Name {
    name.parse().unwrap()
}

pub(crate) fn json(options: &impl Serialize) -> Value {
    serde_json::to_value(options).unwrap()
}

pub(crate) fn made(soft: &mut SoftAuthenticator, options: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&soft.create(ORIGIN, &json(options)).unwrap()).unwrap()
}

pub(crate) fn got(soft: &mut SoftAuthenticator, options: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&soft.get(ORIGIN, &json(options)).unwrap()).unwrap()
}

/// The value in a link: what comes after the last slash.
pub(crate) fn value(link: &NewLink) -> String {
    link.url.expose().rsplit('/').next().unwrap().to_owned()
}

pub(crate) async fn setup_link(house: &House) -> String {
    value(&house.domain.open_setup(&house.op(Actor::System("start"))).await.unwrap())
}

/// Ada sets the house up.
pub(crate) async fn set_up(house: &House) -> Somebody {
    let link = setup_link(house).await;
    let mut soft = SoftAuthenticator::new(1);
    let (ceremony, answer) = starts_setup(house, &link, &mut soft).await;
    let finished =
        house.domain.finish_setup(&nobody(house), &link, ceremony, &answer, &named("YubiKey")).await;
    Somebody::new(soft, finished.unwrap())
}

pub(crate) async fn starts_setup(
    house: &House,
    link: &str,
    soft: &mut SoftAuthenticator,
) -> (CeremonyId, Vec<u8>) {
    let (organization, person) = (named("Example"), named("Ada"));
    let started = house.domain.start_setup(&nobody(house), link, &organization, &person).await.unwrap();
    (started.ceremony, made(soft, &started.options))
}

/// Somebody whom `host` invites comes in.
pub(crate) async fn join(
    house: &House,
    host: &Somebody,
    name: &str,
    role: Role,
    project: Option<ProjectId>,
    seed: u64,
) -> Somebody {
    let link = house.domain.invite(&host.op(house), &named(name), role, project).await.unwrap();
    let (link, mut soft) = (value(&link), SoftAuthenticator::new(seed));
    let started = house.domain.start_accept(&nobody(house), &link, &named(name)).await.unwrap();
    let answer = made(&mut soft, &started.options);
    let joined =
        house.domain.finish_accept(&nobody(house), &link, started.ceremony, &answer, &named("Phone")).await;
    Somebody::new(soft, joined.unwrap())
}

/// Their unseen codes, as texts.
pub(crate) async fn codes(house: &House, somebody: &Somebody) -> Vec<String> {
    let codes = house.domain.take_unseen_codes(&somebody.op(house)).await.unwrap().unwrap();
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

pub(crate) fn typed(code: &str) -> SecretString {
    SecretString::new(code.to_owned())
}

/// Rows of what lets people in: users, role bindings, passkeys, codes, sessions.
pub(crate) async fn credentials(house: &House) -> [i64; 5] {
    let mut conn = house.store.read().await.unwrap();
    let mut counts = [0; 5];
    for (count, statement) in counts.iter_mut().zip([
        "SELECT count(*) AS number FROM users",
        "SELECT count(*) AS number FROM role_bindings",
        "SELECT count(*) AS number FROM passkeys",
        "SELECT count(*) AS number FROM recovery_codes",
        "SELECT count(*) AS number FROM sessions",
    ]) {
        *count = number(sql(statement), &mut conn).await.unwrap();
    }
    counts
}

/// How many events of an action had this outcome.
pub(crate) async fn events(house: &House, action: &str, outcome: &str) -> i64 {
    let mut conn = house.store.read().await.unwrap();
    let count = sql("SELECT count(*) AS number FROM events WHERE action = $1 AND outcome = $2");
    number(count.bind(action).bind(outcome), &mut conn).await.unwrap()
}
