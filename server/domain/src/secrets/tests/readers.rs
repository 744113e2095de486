use keywarden_model::Role;
use keywarden_store::sql;

use super::{Scene, of};
use crate::cast::both_engines;
use crate::secrets::{Address, Ground, Readers};
use crate::{Action, Refused, Resource};

/// As a page tells it: `Alice: manager here`.
fn told(found: &Readers) -> Vec<String> {
    let ground = |ground: &Ground| {
        let place = if ground.in_project { " here" } else { "" };
        let team = ground.team.as_ref().map(|(_, name)| format!(" through {name}")).unwrap_or_default();
        format!("{}{place}{team}", ground.role)
    };
    let line = |it: &crate::secrets::Reader| {
        format!("{}: {}", it.name, it.grounds.iter().map(ground).collect::<Vec<_>>().join(", "))
    };
    found.readers.iter().map(line).collect()
}

#[tokio::test]
async fn whoever_may_read_is_told_with_every_role_that_lets_them() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (house, pay) = (&scene.house, &scene.pay);
        let other = house.project("other").await;
        let bob = house.person("Bob", &[(Role::Viewer, Some(pay.id)), (Role::Manager, Some(other.id))]).await;
        let carol = house.person("carol", &[(Role::Viewer, Some(pay.id))]).await;
        let dana = house.person("Dana", &[(Role::Admin, None), (Role::Auditor, None)]).await;
        let eve = house.person("Eve", &[(Role::Manager, Some(pay.id))]).await;
        let frank = house.person("Frank", &[]).await;
        house.team("sre", &[carol.id, eve.id], &[(Role::Manager, Some(pay.id))]).await;
        house
            .team("watchers", &[bob.id, frank.id], &[(Role::Viewer, Some(pay.id)), (Role::Auditor, None)])
            .await;
        let deployer = house.workload("deployer", Role::Reader, Some(pay.id)).await;
        let gateway = house.workload("gateway", Role::Verifier, Some(pay.id)).await;
        let gone = house.workload("gone", Role::Manager, Some(pay.id)).await;
        house
            .put(vec![
                sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(eve.id),
                sql("UPDATE workloads SET state = 'deactivated' WHERE id = $1").bind(gone.id),
            ])
            .await;
        let id = scene.put("db/password", "hunter2").await.id;
        let found = house.domain.secret_readers(&bob.op(), &Address::Id(id)).await.unwrap();
        assert!(!found.incomplete);
        assert_eq!(
            told(&found),
            [
                "Alice: manager here",
                "carol: manager here through sre",
                "Dana: admin",
                "deployer: reader here",
            ]
        );
        // What is told is what happens.
        let resource = Resource::Secret { id, project: pay.id, environment: pay.live };
        let people = [&scene.alice, &bob, &carol, &dana, &eve, &frank].map(|it| (it.id.to_string(), it.op()));
        let machines = [&deployer, &gateway, &gone].map(|it| (it.id.to_string(), it.op()));
        for (id, op) in people.into_iter().chain(machines) {
            let may = house.domain.would(&op, Action::ReadSecret, &resource).await.unwrap();
            let listed = found.readers.iter().any(|it| it.holder.to_string() == id);
            assert_eq!(listed, may, "{id}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_roles_that_would_each_do_are_both_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put_as(&scene.alice.op(), "x", of("y")).await.unwrap().id;
        scene.house.team("platform", &[scene.alice.id], &[(Role::Admin, None)]).await;
        let found = scene.house.domain.secret_readers(&scene.alice.op(), &Address::Id(id)).await.unwrap();
        assert_eq!(told(&found), ["Alice: admin through platform, manager here"]);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_learns_nothing_and_a_machine_no_names() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "hunter2").await.id;
        let mallory = scene.house.person("Mallory", &[]).await;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        let domain = &scene.house.domain;
        let refused = domain.secret_readers(&mallory.op(), &Address::Id(id)).await.unwrap_err();
        assert!(matches!(refused, Refused::NotFound), "{refused:?}");
        let refused = domain.secret_readers(&reader.op(), &Address::Id(id)).await.unwrap_err();
        assert!(matches!(refused, Refused::Forbidden(Action::ViewUsers)), "{refused:?}");
    })
    .await;
}
