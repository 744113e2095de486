use keywarden_model::{ApiKeyId, Name, Role};
use keywarden_store::change;

use super::*;
use crate::audit::Query;
use crate::cast::{House, Player, Stage, both_engines};
use crate::keys::{EditKeyError, KeyPatch, NewKey, Place};
use crate::people::HandOverError;
use crate::policy::{Activate, NewPolicy};

const NOT_PAYMENTS: &str = r#"forbid (principal, action == Action::"key.rotate", resource)
    when { resource.hasTag("team") && resource.getTag("team") == "payments" };"#;
const OWN_ONLY: &str = r#"forbid (principal, action == Action::"secret.read", resource)
    unless { resource has ownerPerson && resource.ownerPerson == principal };"#;

struct Scene {
    house: House,
    pay: Stage,
    olga: Player,
    mia: Player,
    ian: Player,
    key: ApiKeyId,
}

impl Scene {
    /// A house with an owner, a manager and an issuer, and the issuer's key with the tag that policies will ask for.
    async fn set(house: House) -> Self {
        let pay = house.project("pay").await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let ian = house.person("Ian", &[(Role::Issuer, Some(pay.id))]).await;
        let new = NewKey::named(Place::Environment(pay.live), "Shop".parse().unwrap());
        let key = house.domain.issue_key(&ian.op(), new).await.unwrap().id;
        let it = Self { house, pay, olga, mia, ian, key };
        it.tag(&it.ian, &["team=payments"]).await.unwrap();
        it
    }

    async fn tag(&self, by: &Player, words: &[&str]) -> Result<(), EditKeyError> {
        let patch = KeyPatch { tags: Some(Tags::parse(words).unwrap()), ..KeyPatch::default() };
        self.house.domain.edit_key(&by.op(), self.key, None, patch).await
    }

    async fn may_rotate(&self, who: &Player) -> bool {
        self.may_rotate_at(&self.house, who).await
    }

    async fn may_rotate_at(&self, house: &House, who: &Player) -> bool {
        let owner = Owner::Person(self.ian.id);
        let key = Resource::ApiKey { id: self.key, project: self.pay.id, environment: self.pay.live, owner };
        house.domain.would(&who.op(), Action::RotateKey, &key).await.unwrap()
    }

    async fn activate(&self, by: &Player, scope: PolicyScope, text: &str) -> PolicyId {
        let name: Name = "Rule".parse().unwrap();
        let new = NewPolicy { scope, name, text: text.to_owned(), note: "why".parse().unwrap() };
        let id = self.house.domain.draft_policy(&by.op(), new).await.unwrap();
        let row_version = self.house.domain.policy(&by.op(), id).await.unwrap().policy.row_version;
        let now = Activate { version: 1, at: None, row_version };
        self.house.domain.activate_policy(&by.op(), id, now).await.unwrap()
    }

    async fn authority(&self) -> i64 {
        change::counter(&mut self.house.store.read().await.unwrap()).await.unwrap().authority
    }
}

fn needs_the_right<E: std::fmt::Debug>(refused: Result<(), E>, as_refused: fn(&E) -> Option<&Refused>) {
    let error = refused.expect_err("a grant was made without the right");
    assert!(matches!(as_refused(&error), Some(Refused::Forbidden(Action::ActivatePolicy))), "{error:?}");
}

fn of_edit(error: &EditKeyError) -> Option<&Refused> {
    match error {
        EditKeyError::Refused(refused) => Some(refused),
        _ => None,
    }
}

#[tokio::test]
async fn a_tag_that_the_organizations_policy_reads_is_changed_by_who_may_change_that_policy() {
    both_engines(async |house| {
        let it = Scene::set(house).await;
        assert!(it.may_rotate(&it.mia).await);
        let there = it.house.neighbour().await;
        let policy = it.activate(&it.olga, PolicyScope::Organization, NOT_PAYMENTS).await;
        assert!(!it.may_rotate(&it.mia).await);
        for by in [&it.mia, &it.ian] {
            needs_the_right(it.tag(by, &["team=shop"]).await, of_edit);
            needs_the_right(it.tag(by, &[]).await, of_edit);
        }
        // What no policy reads is nobody's grant.
        let before = it.authority().await;
        it.tag(&it.ian, &["team=payments", "note=shop"]).await.unwrap();
        assert_eq!(it.authority().await, before);
        assert!(!it.may_rotate(&it.mia).await);

        it.house.clock.advance(std::time::Duration::from_secs(1));
        it.tag(&it.olga, &["team=shop"]).await.unwrap();
        assert!(it.authority().await > before, "permits that were decided before are void");
        assert!(it.may_rotate(&it.mia).await);
        there.domain.look().await.unwrap();
        assert!(it.may_rotate_at(&there, &it.mia).await, "every node decides by it");
        let query = Query { resource: Some(it.key.to_string()), limit: 1, ..Query::default() };
        let told = it.house.domain.events(&it.olga.op(), &query).await.unwrap().events;
        assert_eq!(told[0].canonical["facts"]["read_by"], serde_json::json!([policy.to_string()]));
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_a_projects_policy_reads_is_changed_by_its_managers() {
    both_engines(async |house| {
        let it = Scene::set(house).await;
        it.activate(&it.mia, PolicyScope::Project(it.pay.id), NOT_PAYMENTS).await;
        assert!(!it.may_rotate(&it.olga).await);
        needs_the_right(it.tag(&it.ian, &["team=shop"]).await, of_edit);
        it.tag(&it.mia, &["team=shop"]).await.unwrap();
        assert!(it.may_rotate(&it.olga).await);
        // In another project that policy says nothing.
        let hr = it.house.project("hr").await;
        let hal = it.house.person("Hal", &[(Role::Issuer, Some(hr.id))]).await;
        let new = NewKey::named(Place::Environment(hr.live), "Staff".parse().unwrap());
        let key = it.house.domain.issue_key(&hal.op(), new).await.unwrap().id;
        let patch = KeyPatch { tags: Some(Tags::parse(["team=payments"]).unwrap()), ..KeyPatch::default() };
        it.house.domain.edit_key(&hal.op(), key, None, patch).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn handing_over_asks_for_the_right_where_a_policy_reads_owners() {
    both_engines(async |house| {
        let it = Scene::set(house).await;
        let adam = it.house.person("Adam", &[(Role::Admin, None)]).await;
        it.activate(&it.olga, PolicyScope::Organization, OWN_ONLY).await;
        let give = async |by: &Player| {
            let to = Owner::Person(it.mia.id);
            it.house.domain.hand_over(&by.op(), it.ian.id, to, &[it.key], &[]).await.map(|_| ())
        };
        needs_the_right(give(&adam).await, |error| match error {
            HandOverError::Refused(refused) => Some(refused),
            _ => None,
        });
        let before = it.authority().await;
        give(&it.olga).await.unwrap();
        assert!(it.authority().await > before);
    })
    .await;
}

#[tokio::test]
async fn what_is_read_of_a_thing_is_what_is_said_of_it() {
    both_engines(async |house| {
        let it = Scene::set(house).await;
        let mut conn = it.house.store.read().await.unwrap();
        let owner = Owner::Person(it.ian.id);
        let key = Resource::ApiKey { id: it.key, project: it.pay.id, environment: it.pay.live, owner };
        let facts = Facts::load(&mut conn, &key).await.unwrap();
        assert_eq!((facts.tags.words(), facts.owner), (vec!["team=payments".to_owned()], Some(owner)));
        assert_eq!(facts.project, "pay");
        let environment = Resource::Environment { id: it.pay.live, project: it.pay.id };
        let there = Facts::load(&mut conn, &environment).await.unwrap();
        assert_eq!((&there.environment, &there.label), (&facts.environment, &facts.label));
        assert!(!there.environment.is_empty() && !there.label.is_empty());
        let project = Facts::load(&mut conn, &Resource::Project(it.pay.id)).await.unwrap();
        assert_eq!((project.project.as_str(), project.environment.as_str()), ("pay", ""));
        let nothing =
            Facts::load(&mut conn, &Resource::no_secret(keywarden_model::SecretId::NIL)).await.unwrap();
        assert_eq!(nothing, Facts::default());
    })
    .await;
}

#[test]
fn what_moves_is_what_comes_goes_or_gets_another_value() {
    let (one, other) =
        (Owner::Person(keywarden_model::UserId::NIL), Owner::Team(keywarden_model::TeamId::NIL));
    let tags = |words: &[&str]| Tags::parse(words).unwrap();
    let before = tags(&["a", "b=1", "c=2"]);
    let moved = Moved::of((&before, one), (&tags(&["a", "b=2", "d"]), other));
    assert_eq!(moved.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["b", "c", "d"]);
    assert!(moved.owner);
    assert!(Moved::of((&before, one), (&before, one)).is_nothing());
}
