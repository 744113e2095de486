//! New keys around, beneath and in the seals of projects.

use keywarden_model::Role;
use keywarden_vault::custody::Standing;
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::{Purpose, Seal};

use super::{Scene, seal, sealed_by};
use crate::cast::both_engines;
use crate::project_keys::RotateProjectKeyError;
use crate::project_seals::{DestroyOfferedKeyError, NameSealError, RotateOfferedError};
use crate::rewraps::State;
use crate::system::KeyStays;

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
