//! Which seals projects may name, and whether they are seen to be there.

use std::sync::Arc;

use keywarden_model::Role;

use super::{Scene, seal};
use crate::cast::both_engines;
use crate::project_seals::{At, NameSealError, OfferError, WithdrawError};
use crate::system::AddSealError;

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
async fn a_seal_that_was_away_is_seen_to_be_there_as_soon_as_it_is_offered_or_named() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let owner = scene.house.operator(Role::Owner);
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.domain().withdraw_seal(&owner, &seal("zeta")).await.unwrap();
        let comes_back = async |name: &str| {
            scene.take_away(name).await;
            // Nobody asks it meanwhile, as within the second between two rounds.
            std::fs::rename(scene.file("hidden"), scene.file(name)).unwrap();
        };
        comes_back("zeta").await;
        scene.domain().offer_seal(&owner, &seal("zeta")).await.unwrap();
        let offered = scene.domain().offered_seals(&owner).await.unwrap();
        let at: Vec<_> = offered.into_iter().map(|it| it.at).collect();
        assert_eq!(at, [At::Present, At::Present]);

        comes_back("acme").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let view = scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap();
        assert_eq!(view.own.unwrap().at, At::Present);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
    })
    .await;
}
