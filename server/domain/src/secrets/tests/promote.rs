use keywarden_model::{Role, SecretKind, SecretPath};

use super::{About, Address, Expected, NewValue, Put, PutError, PutSecret, Scene, Which, labelled, of};
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::{PromoteError, Promotion};
use crate::{Op, Refused};

impl Scene {
    /// From test to live.
    async fn promote_as(
        &self,
        op: &Op,
        id: keywarden_model::SecretId,
        version: i64,
        expected: Option<Expected>,
    ) -> Result<Put, PromoteError> {
        let promotion = Promotion { to: self.live(), version, expected };
        self.house.domain.promote_secret(op, id, promotion).await
    }

    async fn in_test(&self, path: &str, put: PutSecret) -> Put {
        let (place, path): (_, SecretPath) = (Place::Environment(self.pay.test), path.parse().unwrap());
        self.house.domain.put_secret(&self.alice.op(), &place, &path, put).await.unwrap()
    }
}

#[tokio::test]
async fn a_value_goes_to_the_next_environment_and_both_sides_tell_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let op = || scene.alice.op();
        let team = scene.house.team("payments", &[], &[]).await;
        let about = About {
            description: "the shop's".parse().unwrap(),
            tags: keywarden_model::Tags::parse(["team=payments"]).unwrap(),
            owner: Some(Owner::Team(team)),
        };
        let new = || {
            NewValue::new(
                SecretKind::Binary,
                Some("application/x-pem-file".parse().unwrap()),
                keywarden_vault::SecretBytes::copy_of(&[0, 0xff, 7]),
            )
            .unwrap()
        };
        let there = scene.in_test("db/ca", PutSecret { value: new(), about, ..of("x") }).await;
        let made = scene.promote_as(&op(), there.id, 1, Some(Expected::Nothing)).await.unwrap();
        assert_eq!(made.number, 1);
        let revealed = scene.read("db/ca", Which::default()).await.unwrap();
        assert_eq!(revealed.value.expose(), [0, 0xff, 7]);
        assert_eq!(
            (revealed.version.kind, revealed.version.content_type.as_str()),
            (SecretKind::Binary, "application/x-pem-file")
        );
        let secret = scene.house.domain.secret(&op(), &Address::Id(made.id)).await.unwrap().secret;
        assert_eq!(
            (secret.description.as_str(), secret.tags.words(), secret.owner),
            ("the shop's", vec!["team=payments".into()], Owner::Team(team))
        );

        scene.in_test("db/ca", of("next")).await;
        let next = scene.promote_as(&op(), there.id, 2, Some(Expected::Number(1))).await.unwrap();
        assert_eq!((next.id, next.number), (made.id, 2));
        assert_eq!(scene.text("db/ca").await, "next");
        let here = ["secret.create", "secret.put", "secret.read", "secret.read"];
        assert_eq!(scene.events(made.id).await, here, "and the two readings of this test");
        assert_eq!(scene.events(there.id).await, here, "once for each time it was carried");
    })
    .await;
}

#[tokio::test]
async fn what_is_carried_is_what_was_seen_on_both_sides() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let op = || scene.alice.op();
        let there = scene.in_test("a", of("one")).await.id;
        let carry = async |version, expected| scene.promote_as(&op(), there, version, expected).await;
        assert!(matches!(carry(2, None).await, Err(PromoteError::Stale)));
        let early = carry(1, Some(Expected::Number(3))).await;
        assert!(matches!(early, Err(PromoteError::Stale)), "{early:?}");
        carry(1, None).await.unwrap();
        let same = carry(1, Some(Expected::Number(1))).await;
        assert!(matches!(same, Err(PromoteError::Same)), "{same:?}");
        scene.in_test("a", of("two")).await;
        let late = carry(2, Some(Expected::Nothing)).await;
        assert!(matches!(late, Err(PromoteError::Stale)), "{late:?}");
        scene.in_test("a", labelled("three", "pending")).await;
        assert!(matches!(carry(3, None).await, Err(PromoteError::Stale)), "what is pending is not carried");
        scene.house.domain.disable_secret_version(&op(), there, 2).await.unwrap();
        let shut = carry(2, None).await;
        assert!(matches!(shut, Err(PromoteError::Shut { number: 2, .. })), "{shut:?}");
        assert_eq!(scene.text("a").await, "one");
        let to = |place| Promotion { to: place, version: 1, expected: None };
        let test = Place::Environment(scene.pay.test);
        let here = scene.house.domain.promote_secret(&op(), there, to(test)).await;
        assert!(matches!(here, Err(PromoteError::Here)), "{here:?}");
        scene.house.domain.delete_secret(&op(), &scene.address("a"), None).await.unwrap();
        scene.house.domain.enable_secret_version(&op(), there, 2).await.unwrap();
        let deleted = carry(2, None).await;
        assert!(matches!(deleted, Err(PromoteError::Put(PutError::Deleted))), "{deleted:?}");
    })
    .await;
}

#[tokio::test]
async fn who_carries_may_read_here_and_put_there() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let there = scene.in_test("a", of("one")).await.id;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        let before = scene.house.rows().await;
        let foreign = scene.promote_as(&mallory.op(), there, 1, None).await;
        assert!(matches!(foreign, Err(PromoteError::Refused(Refused::NotFound))), "{foreign:?}");
        for op in [victor.op(), reader.op()] {
            let refused = scene.promote_as(&op, there, 1, None).await;
            assert!(matches!(refused, Err(PromoteError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        }
        let asleep = scene.alice.without_step_up();
        let refused = scene.promote_as(&asleep.op(), there, 1, None).await;
        assert!(matches!(refused, Err(PromoteError::Refused(Refused::StepUp))), "{refused:?}");
        let away = Promotion { to: Place::Environment(other.live), version: 1, expected: None };
        let refused = scene.house.domain.promote_secret(&scene.alice.op(), there, away).await;
        assert!(matches!(refused, Err(PromoteError::Refused(Refused::NotFound))), "{refused:?}");
        assert_eq!(scene.house.rows().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_promotion_asked_for_twice_is_done_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let there = scene.in_test("a", of("one")).await.id;
        let once = || scene.alice.op_once("carry-0001", &[b"a"]);
        let first = scene.promote_as(&once(), there, 1, None).await.unwrap();
        let second = scene.promote_as(&once(), there, 1, None).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(scene.events(first.id).await, ["secret.create"]);
    })
    .await;
}
