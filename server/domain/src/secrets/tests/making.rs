//! How a version came to be is on it: by which door, from which value, why; whence to those alone who may read the record.

use keywarden_model::{Reason, Role, SecretKind};
use keywarden_vault::SecretString;

use super::{Address, PutSecret, Scene, Validity, of, value};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::{DeliveryWay, EditFields, FieldChange, Making, Origin, Promotion, Put};
use crate::{Op, Refused, Source};

const WHY: &str = "INC-7: the database was moved";

/// The operation of a program that calls itself so, with a reason.
fn because(op: Op, agent: &str) -> Op {
    let source = Source { agent: Some(agent.to_owned()), ..op.source };
    Op { source, reason: Some(WHY.parse::<Reason>().unwrap()), ..op }
}

impl Scene {
    async fn making(&self, op: &Op, put: &Put) -> Making {
        let (version, making) = self.house.domain.secret_version(op, put.id, put.number).await.unwrap();
        assert_eq!((version.id, version.number), (put.version, put.number));
        making.unwrap()
    }
}

#[tokio::test]
async fn who_put_a_value_by_which_door_and_why_is_on_its_version_and_sealed_in_its_event() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let deployer = scene.house.workload("deployer", Role::Manager, Some(scene.pay.id)).await;
        let vera = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let silent = scene.put("db/password", "one").await;
        let browser = because(scene.alice.op(), "Mozilla/5.0 (X11)");
        let by_hand = scene.put_as(&browser, "db/password", of("two")).await.unwrap();
        let client = because(deployer.op(), "keywarden/1.2.3 (secret)");
        let by_client = scene.put_as(&client, "db/password", of("three")).await.unwrap();
        let program = because(deployer.op(), "curl/8.5.0");
        let by_program = scene.put_as(&program, "db/password", of("four")).await.unwrap();

        // One instant made all four: each has its own event.
        let op = scene.alice.op();
        assert_eq!(scene.making(&op, &silent).await.reason, None);
        for (put, way, agent) in [
            (&by_hand, DeliveryWay::Console, "Mozilla/5.0 (X11)"),
            (&by_client, DeliveryWay::Client("secret".into()), "keywarden/1.2.3 (secret)"),
            (&by_program, DeliveryWay::Program(Some("curl/8.5.0".into())), "curl/8.5.0"),
        ] {
            let it = scene.making(&op, put).await;
            assert_eq!((it.way, it.reason.as_deref()), (way, Some(WHY)));
            assert!(it.origin.is_none(), "{:?}", it.origin);
            let record = it.record.unwrap();
            assert_eq!(
                (record.address.as_deref(), record.agent.as_deref()),
                (Some("192.0.2.7"), Some(agent))
            );
            let event = scene.house.domain.event(&op, record.event).await.unwrap();
            assert_eq!(event.canonical["facts"]["version_id"], put.version.to_string());
            assert!(!event.canonical.to_string().contains("INC-7"), "{}", event.canonical);
        }
        let seen = scene.making(&vera.op(), &by_program).await;
        assert_eq!((seen.way, seen.reason.as_deref()), (DeliveryWay::Program(None), Some(WHY)));
        assert!(seen.record.is_none(), "an address is for those who may read the record");
        let mallory = scene.house.person("Mallory", &[]).await;
        let none = scene.house.domain.secret_version(&mallory.op(), by_hand.id, by_hand.number).await;
        assert!(matches!(none, Err(Refused::NotFound)), "{none:?}");
        let none = scene.house.domain.secret_version(&op, by_hand.id, 9).await;
        assert!(matches!(none, Err(Refused::NotFound)), "{none:?}");
    })
    .await;
}

#[tokio::test]
async fn a_version_whose_value_was_not_sent_names_the_one_that_it_comes_from() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || because(scene.alice.op(), "Mozilla/5.0"));
        let config = PutSecret { value: value(SecretKind::Json, br#"{"user":"app"}"#), ..of("x") };
        let path = "db/config".parse().unwrap();
        let test = Place::Environment(scene.pay.test);
        let source = domain.put_secret(&op(), &test, &path, config).await.unwrap();
        let promotion = Promotion { to: scene.live(), version: 1, expected: None };
        let promoted = domain.promote_secret(&op(), source.id, promotion).await.unwrap();
        let it = scene.making(&op(), &promoted).await;
        assert_eq!(it.reason.as_deref(), Some(WHY));
        let Some(Origin::Promoted(Some((from, 1)))) = it.origin else { panic!("{:?}", it.origin) };
        assert_eq!((from.id, from.environment_slug.as_str()), (source.id, "test"));

        let text = |text: &str| SecretString::new(text.to_owned());
        let changes = vec![(text("user"), FieldChange::Write(text("shop")))];
        let edit = EditFields { version: 1, changes, label: None, validity: Validity::default() };
        let edited = domain.edit_secret_fields(&op(), promoted.id, edit).await.unwrap();
        let it = scene.making(&op(), &edited).await;
        assert!(matches!(it.origin, Some(Origin::Edited(1))), "{:?}", it.origin);
        assert_eq!(it.reason.as_deref(), Some(WHY));
        let rotated = domain.rotate_data_key(&op(), promoted.id).await.unwrap();
        let it = scene.making(&op(), &rotated).await;
        assert!(matches!(it.origin, Some(Origin::Rotated(2))), "{:?}", it.origin);
        assert_eq!(it.reason.as_deref(), Some(WHY));

        domain.delete_secret(&op(), &Address::Id(source.id), None).await.unwrap();
        scene.house.clock.advance(super::lifecycle::DAY * 31);
        let job = domain.system_op("purge-secrets");
        assert_eq!(domain.purge_secrets(&job).await.unwrap(), 1);
        let it = scene.making(&op(), &promoted).await;
        assert!(matches!(it.origin, Some(Origin::Promoted(None))), "it is gone: {:?}", it.origin);
    })
    .await;
}

#[tokio::test]
async fn a_version_finds_its_own_event_among_however_many_of_one_instant() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let op = scene.alice.op();
        let first = scene.put_as(&because(scene.alice.op(), "first/1"), "a", of("0")).await.unwrap();
        let mut puts = Vec::new();
        // More than are looked at in one go, twice.
        for n in 1..=120 {
            puts.push(scene.put("a", &n.to_string()).await);
        }
        let it = scene.making(&op, &first).await;
        assert_eq!((it.reason.as_deref(), it.record.unwrap().agent.as_deref()), (Some(WHY), Some("first/1")));
        for put in [&puts[0], &puts[60], &puts[119]] {
            let it = scene.making(&op, put).await;
            assert_eq!(it.reason, None);
            let event = scene.house.domain.event(&op, it.record.unwrap().event).await.unwrap();
            assert_eq!(event.canonical["facts"]["version_id"], put.version.to_string());
        }
    })
    .await;
}
