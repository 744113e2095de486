//! Seals of projects on both engines: whoever keeps the token decides, nobody else's work stops, and no key is left behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keywarden_model::{Role, SecretId, SecretKind};
use keywarden_store::secrets::project_keys;
use keywarden_store::{event, sql};
use keywarden_vault::custody::Standing;
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::{Purpose, Seal, SealId, SecretBytes};

use super::{At, DestroyOfferedKeyError, NameSealError, OfferError, RotateOfferedError, WithdrawError};
use crate::cast::{House, Player, Stage, both_engines};
use crate::keys::Place;
use crate::project_keys::RotateProjectKeyError;
use crate::rewraps::State;
use crate::secrets::{About, Address, NewValue, PutError, PutSecret, ReadSecretError, Validity, Which};
use crate::system::{AddSealError, KeyStays};
use crate::{Domain, Fault, Op, Refused};

/// A house with two projects and two seals that projects may name; `pay` has a manager, all has an owner.
struct Scene {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    pay: Stage,
    mail: Stage,
    alice: Player,
}

impl Scene {
    async fn set(house: House) -> Self {
        let (house, seals) = house.with_project_seals(&["acme", "zeta"]).await;
        let (pay, mail) = (house.project("pay").await, house.project("mail").await);
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let scene = Self { house, seals, pay, mail, alice };
        for name in ["acme", "zeta"] {
            scene.domain().offer_seal(&scene.op(), &seal(name)).await.unwrap();
        }
        scene
    }

    fn domain(&self) -> &Domain {
        &self.house.domain
    }

    fn op(&self) -> Op {
        self.alice.steps_up().op()
    }

    async fn name(&self, at: &Stage, name: Option<&str>) -> Result<usize, NameSealError> {
        let id = name.map(seal);
        let named = self.domain().name_project_seal(&self.op(), at.id, id.as_ref()).await?;
        assert_eq!(named.seal, id);
        Ok(named.keys)
    }

    async fn try_put(&self, at: &Stage, path: &str, text: &str) -> Result<SecretId, PutError> {
        let put = PutSecret {
            value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap(),
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let place = Place::Environment(at.live);
        Ok(self.domain().put_secret(&self.op(), &place, &path.parse().unwrap(), put).await?.id)
    }

    async fn put(&self, at: &Stage, path: &str, text: &str) -> SecretId {
        self.try_put(at, path, text).await.unwrap()
    }

    async fn read_by(&self, node: &Domain, at: &Stage, path: &str) -> Result<String, ReadSecretError> {
        let address = Address::Path { place: Place::Environment(at.live), path: path.parse().unwrap() };
        let revealed = node.read_secret(&self.op(), &address, &Which::default()).await?;
        Ok(String::from_utf8(revealed.value.expose().to_vec()).unwrap())
    }

    async fn read(&self, at: &Stage, path: &str) -> Result<String, ReadSecretError> {
        self.read_by(self.domain(), at, path).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.house.folder().join(name)
    }

    async fn take_away(&self, name: &str) {
        std::fs::rename(self.file(name), self.file("hidden")).unwrap();
        self.domain().observe_project_seals().await;
    }

    async fn bring_back(&self, name: &str) {
        std::fs::rename(self.file("hidden"), self.file(name)).unwrap();
        self.domain().observe_project_seals().await;
    }

    fn grace_passes(&self) {
        self.house.clock.advance(Duration::from_mins(5));
    }

    async fn told(&self, action: &str) -> Vec<serde_json::Value> {
        let mut conn = self.house.store.read().await.unwrap();
        let filter = event::Filter { action: Some(action.into()), ..Default::default() };
        let found = event::list(&mut conn, &filter, 200).await.unwrap();
        found.iter().map(|it| serde_json::from_slice(&it.bytes).unwrap()).collect()
    }

    /// Nothing is wrong with keys, seals and secrets; what could not be opened for want of a seal is given.
    async fn is_sound(&self) -> Vec<String> {
        let found = self.domain().fsck(&self.seals).await.unwrap();
        // The cast's own rows have no events.
        let ours = found.findings.iter().filter(|it| {
            ["rewrap", "project-", "keyring", "secret", "sealed", "wrap", "offered"]
                .iter()
                .any(|noun| it.check.starts_with(noun))
                && it.check != "project-without-event"
        });
        assert_eq!(ours.collect::<Vec<_>>(), Vec::<&crate::fsck::Finding>::new());
        found.apart
    }
}

fn seal(name: &str) -> SealId {
    format!("software:{name}").parse().unwrap()
}

/// The seal that a fault names.
fn sealed_by(refused: &Refused) -> Option<&str> {
    match refused {
        Refused::Fault(Fault::ProjectSealed { seal, .. }) => Some(seal),
        _ => None,
    }
}

fn unread(read: &Result<String, ReadSecretError>) -> Option<&str> {
    match read {
        Err(ReadSecretError::Refused(refused)) => sealed_by(refused),
        _ => None,
    }
}

#[tokio::test]
async fn a_project_reads_under_its_own_seal_alone_and_again_when_it_is_back() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.put(&scene.mail, "smtp", "letter").await;
        assert_eq!(scene.name(&scene.pay, Some("acme")).await.unwrap(), 1);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        scene.put(&scene.pay, "db/user", "pay").await;
        assert!(scene.is_sound().await.is_empty());

        scene.take_away("acme").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2", "for the grace");
        scene.grace_passes();
        let read = scene.read(&scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "{read:?}");
        let put = scene.try_put(&scene.pay, "db/password", "other").await;
        assert!(matches!(&put, Err(PutError::Refused(it)) if sealed_by(it).is_some()), "{put:?}");
        assert_eq!(scene.read(&scene.mail, "smtp").await.unwrap(), "letter", "others go on");
        let apart = scene.is_sound().await;
        assert!(
            apart.len() == 1 && apart[0].contains("2 values") && apart[0].contains("software:acme"),
            "{apart:?}"
        );
        let view = scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap();
        assert!(matches!(view.own.unwrap().at, At::Away { .. }));

        scene.bring_back("acme").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        scene.put(&scene.pay, "db/password", "other").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "other");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_key_under_the_name_of_a_seal_is_told_at_once_and_wraps_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.put(&scene.mail, "smtp", "letter").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        scene.domain().observe_project_seals().await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        let at =
            async || scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap().own.unwrap().at;
        assert_eq!(at().await, At::Present);

        std::fs::rename(scene.file("acme"), scene.file("hidden")).unwrap();
        let mut rng = scene.domain().env().fork();
        SoftwareSeal::at(scene.file("acme"), "acme").create_key(&mut rng).unwrap();
        for _ in 0..2 {
            scene.domain().observe_project_seals().await;
            let told = at().await;
            assert!(matches!(&told, At::Away { cause, .. } if cause.contains("another key")), "{told:?}");
        }
        let read = scene.read(&scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "without a grace: {read:?}");
        assert_eq!(scene.read(&scene.mail, "smtp").await.unwrap(), "letter");
        let named = scene.name(&scene.mail, Some("acme")).await;
        assert!(matches!(&named, Err(NameSealError::Refused(it)) if sealed_by(it).is_some()), "{named:?}");

        std::fs::remove_file(scene.file("acme")).unwrap();
        scene.bring_back("acme").await;
        assert_eq!(at().await, At::Present);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_seal_is_changed_and_taken_away_with_every_generation_of_the_projects_keys() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "old", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        // A rotation under way: two keys, with something under each.
        let rotated = scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap();
        scene.put(&scene.pay, "new", "two").await;
        let both = async |scene: &Scene| {
            assert_eq!(scene.read(&scene.pay, "old").await.unwrap(), "one");
            assert_eq!(scene.read(&scene.pay, "new").await.unwrap(), "two");
            assert!(scene.is_sound().await.is_empty());
        };
        both(&scene).await;
        assert_eq!(scene.name(&scene.pay, Some("zeta")).await.unwrap(), 2);
        both(&scene).await;
        assert_eq!(scene.name(&scene.pay, Some("zeta")).await.unwrap(), 0, "it names that one already");
        scene.take_away("acme").await;
        scene.grace_passes();
        both(&scene).await;
        scene.bring_back("acme").await;
        assert_eq!(scene.name(&scene.pay, None).await.unwrap(), 2);
        scene.take_away("zeta").await;
        scene.grace_passes();
        both(&scene).await;
        let told = scene.told("project.name-seal").await;
        let seals: Vec<_> = told.iter().map(|it| it["changes"]["seal"].clone()).collect();
        assert_eq!(seals.len(), 3, "{told:#?}");
        while scene.domain().rewrap().await.unwrap() > 0 {}
        let rewrap = scene.domain().find_rewrap(&scene.op(), rotated.rewrap).await.unwrap();
        assert_eq!(rewrap.state, State::Done);
        both(&scene).await;
    })
    .await;
}

#[tokio::test]
async fn a_project_without_a_key_gets_one_under_its_seal() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        assert_eq!(scene.name(&scene.pay, Some("acme")).await.unwrap(), 1);
        scene.put(&scene.pay, "first", "one").await;
        assert_eq!(scene.read(&scene.pay, "first").await.unwrap(), "one");
        let keys = scene.domain().project_key(&scene.op(), scene.pay.id).await.unwrap().keys;
        assert_eq!(keys.len(), 1);
        assert_eq!(scene.told("project-key.generate").await.len(), 1);
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn rotations_go_on_around_a_seal_that_is_away_and_wait_beneath_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.put(&scene.mail, "smtp", "letter").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let waits = scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap().rewrap;
        scene.take_away("acme").await;
        scene.grace_passes();
        // The data keys of `pay` wait for the seal; those of `mail`, which come later, do not.
        let moves = scene.domain().rotate_project_key(&scene.op(), scene.mail.id).await.unwrap().rewrap;
        scene.domain().rewrap().await.unwrap();
        let state = async |id| scene.domain().find_rewrap(&scene.op(), id).await.unwrap().state;
        assert_eq!((state(waits).await, state(moves).await), (State::Running, State::Done));
        // The keyring's key goes round every project key, without any seal of a project.
        let owner = scene.house.operator(Role::Owner);
        let rotated =
            scene.domain().rotate_keyring_key(&owner, Purpose::ProjectKey, &scene.seals).await.unwrap();
        scene.domain().rewrap().await.unwrap();
        assert_eq!(state(rotated.rewrap.unwrap()).await, State::Done);
        // A new key of the project needs its seal, and so does taking that away.
        scene.domain().rewrap().await.unwrap();
        let keyless = scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await;
        assert!(
            matches!(&keyless, Err(RotateProjectKeyError::Refused(it)) if sealed_by(it).is_some()),
            "{keyless:?}"
        );
        let taken = scene.name(&scene.pay, None).await;
        assert!(matches!(&taken, Err(NameSealError::Refused(it)) if sealed_by(it).is_some()), "{taken:?}");

        scene.bring_back("acme").await;
        scene.domain().rewrap().await.unwrap();
        assert_eq!(state(waits).await, State::Done);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_seal_that_is_away_is_not_named_and_nothing_of_the_project_changes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.take_away("zeta").await;
        let named = scene.name(&scene.pay, Some("zeta")).await;
        assert!(
            matches!(&named, Err(NameSealError::Refused(it)) if sealed_by(it) == Some("software:zeta")),
            "{named:?}"
        );
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert!(scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap().own.is_none());
        assert!(scene.told("project.name-seal").await.is_empty());
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_dies_before_the_commit_changed_nothing_and_asks_again() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap();
        scene.put(&scene.pay, "db/user", "pay").await;
        // Cut off at every step that it takes: the seal may have wrapped by then, no key is stored.
        let id = seal("acme");
        for steps in 0..40 {
            let op = scene.op();
            let naming = Box::pin(scene.domain().name_project_seal(&op, scene.pay.id, Some(&id)));
            if polled(naming, steps).await {
                break;
            }
            let mut conn = scene.house.store.read().await.unwrap();
            let keys = project_keys::all_of_project(&mut conn, scene.pay.id).await.unwrap();
            drop(conn);
            assert_eq!(keys.len(), 2);
            assert!(scene.is_sound().await.is_empty(), "cut off after {steps}");
        }
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert_eq!(scene.read(&scene.pay, "db/user").await.unwrap(), "pay");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

/// Polls a future so many times and drops it; whether it ended.
async fn polled<T>(mut future: std::pin::Pin<Box<impl Future<Output = T>>>, times: u32) -> bool {
    for _ in 0..times {
        let once = std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready()));
        if once.await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn keys_that_were_swapped_between_two_projects_do_not_open() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        for at in [&scene.pay, &scene.mail] {
            scene.put(at, "value", "one").await;
            scene.name(at, Some("acme")).await.unwrap();
        }
        let mut conn = scene.house.store.read().await.unwrap();
        let pay = project_keys::all_of_project(&mut conn, scene.pay.id).await.unwrap().remove(0);
        let mail = project_keys::all_of_project(&mut conn, scene.mail.id).await.unwrap().remove(0);
        drop(conn);
        for (row, other) in [(pay.clone(), mail.clone()), (mail, pay)] {
            let swap =
                sql("UPDATE project_keys SET sealed = $1 WHERE id = $2").bind(&other.sealed).bind(row.id);
            scene.house.put(vec![swap]).await;
        }
        for at in [&scene.pay, &scene.mail] {
            let read = scene.read(at, "value").await;
            assert!(
                matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))),
                "{read:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_names_another_seal_than_wrapped_the_key_is_found() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "value", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        for table in ["UPDATE project_keys SET seal_id = $1", "UPDATE project_seals SET seal_id = $1"] {
            scene.house.put(vec![sql(table).bind("software:zeta")]).await;
        }
        let found = scene.domain().fsck(&scene.seals).await.unwrap().findings;
        assert!(
            found.iter().any(|it| it.check == "sealed-row" && it.thing.starts_with("project_keys")),
            "{found:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_seal_whose_key_its_keeper_destroyed_opens_nothing_any_more_and_is_told_at_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let keeper = SoftwareSeal::at(scene.file("acme"), "acme");
        keeper.add_key(&mut scene.domain().env().fork()).unwrap();
        keeper.destroy_key(1).unwrap();
        // Another node, which holds nothing yet.
        let other = scene.house.neighbour_apart(&scene.seals).await;
        let read = scene.read_by(&other.domain, &scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "{read:?}");
        let custody = other.keyring.custody();
        let standing = custody.of(&seal("acme")).unwrap().standing();
        assert!(matches!(standing, Standing::Away { .. }), "{standing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_seal_gets_a_new_key_every_project_under_it_is_wrapped_to_it_and_the_old_one_goes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (owner, acme) = (scene.house.operator(Role::Owner), seal("acme"));
        for at in [&scene.pay, &scene.mail] {
            scene.put(at, "value", "one").await;
            scene.name(at, Some("acme")).await.unwrap();
        }
        scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap();
        scene.put(&scene.pay, "newer", "two").await;
        let keeper = SoftwareSeal::at(scene.file("acme"), "acme");
        let newest = scene.domain().destroy_offered_key(&owner, &acme, 1).await;
        assert!(
            matches!(newest, Err(DestroyOfferedKeyError::Stays(KeyStays::Newest { number: 1, .. }))),
            "{newest:?}"
        );

        // A rotation that died once its key was made: that one is taken.
        keeper.add_key(&mut scene.domain().env().fork()).unwrap();
        let in_use = scene.domain().destroy_offered_key(&owner, &acme, 1).await;
        assert!(
            matches!(in_use, Err(DestroyOfferedKeyError::Stays(KeyStays::InUse { keys: 3, .. }))),
            "{in_use:?}"
        );
        let rotated = scene.domain().rotate_offered_key(&owner, &acme).await.unwrap();
        assert_eq!((rotated.number, rotated.projects, rotated.keys), (2, 2, 3));
        assert_eq!(keeper.keys().unwrap(), [1, 2]);
        let again = scene.domain().rotate_offered_key(&owner, &acme).await.unwrap();
        assert_eq!((again.number, again.keys), (3, 3));
        for old in [1, 2] {
            scene.domain().destroy_offered_key(&owner, &acme, old).await.unwrap();
        }
        assert_eq!(keeper.keys().unwrap(), [3]);
        let gone = scene.domain().destroy_offered_key(&owner, &acme, 1).await;
        assert!(
            matches!(gone, Err(DestroyOfferedKeyError::Stays(KeyStays::NoKey { number: 1, .. }))),
            "{gone:?}"
        );

        let told = scene.domain().observe_project_seals().await;
        assert!(told.iter().all(|(_, standing)| *standing == Standing::Present), "{told:?}");
        let other = scene.house.neighbour_apart(&scene.seals).await;
        for node in [scene.domain(), &other.domain] {
            for (at, path, text) in
                [(&scene.pay, "value", "one"), (&scene.pay, "newer", "two"), (&scene.mail, "value", "one")]
            {
                assert_eq!(scene.read_by(node, at, path).await.unwrap(), text);
            }
        }
        assert!(scene.is_sound().await.is_empty());
        let told = scene.told("seal.rotate-key").await;
        assert_eq!(told.len(), 2, "{told:#?}");
        assert_eq!(scene.told("seal.destroy-key").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn one_node_at_a_time_makes_a_key_in_a_seal_of_projects() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (owner, acme) = (scene.house.operator(Role::Owner), seal("acme"));
        scene.put(&scene.pay, "value", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let keeper = SoftwareSeal::at(scene.file("acme"), "acme");
        let other = scene.house.neighbour_apart(&scene.seals).await;
        let turn = other.domain.turn_at_seals().await.unwrap().unwrap();
        let meanwhile = scene.domain().rotate_offered_key(&owner, &acme).await;
        assert!(matches!(meanwhile, Err(RotateOfferedError::Changed)), "{meanwhile:?}");
        assert_eq!(keeper.keys().unwrap(), [1], "it made one all the same");
        turn.end().await;
        for number in 2..4 {
            assert_eq!(scene.domain().rotate_offered_key(&owner, &acme).await.unwrap().number, number);
        }
        // Whoever is refused gives the turn back, too.
        let unknown = scene.domain().rotate_offered_key(&owner, &seal("stored.key")).await;
        assert!(matches!(unknown, Err(RotateOfferedError::NotOffered(_))), "{unknown:?}");
        other.domain.turn_at_seals().await.unwrap().unwrap().end().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_of_a_seal_is_made_for_what_lies_under_it_by_who_may_and_while_it_answers() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (owner, acme) = (scene.house.operator(Role::Owner), seal("acme"));
        let unnamed = scene.domain().rotate_offered_key(&owner, &acme).await;
        assert!(matches!(unnamed, Err(RotateOfferedError::NotNamed(_))), "{unnamed:?}");
        let unknown = scene.domain().rotate_offered_key(&owner, &seal("stored.key")).await;
        assert!(matches!(unknown, Err(RotateOfferedError::NotOffered(_))), "{unknown:?}");
        scene.put(&scene.pay, "value", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let mallory = scene.house.person("Mallory", &[]).await.steps_up();
        for tried in [
            scene
                .domain()
                .rotate_offered_key(&mallory.op(), &acme)
                .await
                .map(drop)
                .map_err(|it| it.to_string()),
            scene.domain().destroy_offered_key(&mallory.op(), &acme, 1).await.map_err(|it| it.to_string()),
        ] {
            let refused = tried.unwrap_err();
            assert!(refused.contains("may not"), "{refused}");
        }
        scene.take_away("acme").await;
        assert!(scene.domain().rotate_offered_key(&owner, &acme).await.is_err());
        scene.bring_back("acme").await;
        assert_eq!(SoftwareSeal::at(scene.file("acme"), "acme").keys().unwrap(), [1]);
        assert_eq!(scene.read(&scene.pay, "value").await.unwrap(), "one");
        assert!(scene.told("seal.rotate-key").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_seal_is_offered_once_and_withdrawn_when_no_project_names_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let owner = scene.house.operator(Role::Owner);
        let again = scene.domain().offer_seal(&owner, &seal("acme")).await;
        assert!(matches!(again, Err(OfferError::Already(_))), "{again:?}");
        let unknown = scene.domain().offer_seal(&owner, &seal("nobody")).await;
        assert!(matches!(unknown, Err(OfferError::Unknown(_))), "{unknown:?}");
        let added = scene.domain().add_seal(&owner, Arc::clone(&scene.house.own[0])).await;
        assert!(matches!(added, Err(AddSealError::OfProjects(_))), "{added:?}");
        let keyrings = scene.name(&scene.pay, Some("stored.key")).await;
        assert!(matches!(keyrings, Err(NameSealError::NotOffered(_))), "{keyrings:?}");

        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let withdrawn = scene.domain().withdraw_seal(&owner, &seal("acme")).await;
        assert!(
            matches!(&withdrawn, Err(WithdrawError::Named { projects, .. }) if projects == &["pay"]),
            "{withdrawn:?}"
        );
        let offered = scene.domain().offered_seals(&owner).await.unwrap();
        let told: Vec<_> =
            offered.iter().map(|it| (it.id.as_str(), it.projects.len(), it.at.clone())).collect();
        assert_eq!(told, [("software:acme", 1, At::Present), ("software:zeta", 0, At::Present)]);
        scene.name(&scene.pay, None).await.unwrap();
        scene.domain().withdraw_seal(&owner, &seal("acme")).await.unwrap();
        let gone = scene.domain().withdraw_seal(&owner, &seal("acme")).await;
        assert!(matches!(gone, Err(WithdrawError::Unknown(_))), "{gone:?}");
        let named = scene.name(&scene.pay, Some("acme")).await;
        assert!(matches!(named, Err(NameSealError::NotOffered(_))), "{named:?}");
        assert_eq!(scene.told("seal.offer").await.len(), 2);
        assert_eq!(scene.told("seal.withdraw").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_choose_neither_names_a_seal_nor_sees_which_there_are() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let manager = scene.house.person("Mae", &[(Role::Manager, Some(scene.pay.id))]).await;
        let stranger = scene.house.person("Sam", &[]).await;
        let id = seal("acme");
        let named = scene.domain().name_project_seal(&manager.op(), scene.pay.id, Some(&id)).await;
        assert!(matches!(named, Err(NameSealError::Refused(Refused::Forbidden(_)))), "{named:?}");
        let view = scene.domain().project_seal(&manager.op(), scene.pay.id).await.unwrap();
        assert!(view.offered.is_empty() && !view.may_choose);
        for asked in [
            scene.domain().name_project_seal(&stranger.op(), scene.pay.id, Some(&id)).await.map(drop),
            scene.domain().name_project_seal(&manager.op(), scene.mail.id, None).await.map(drop),
        ] {
            assert!(matches!(asked, Err(NameSealError::Refused(Refused::NotFound))), "{asked:?}");
        }
        let unsigned = scene.alice.without_step_up().op();
        let named = scene.domain().name_project_seal(&unsigned, scene.pay.id, Some(&id)).await;
        assert!(matches!(named, Err(NameSealError::Refused(Refused::StepUp))), "{named:?}");
    })
    .await;
}
