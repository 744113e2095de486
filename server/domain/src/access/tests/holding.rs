//! From asking to holding, and the end of it.

use super::*;
use crate::cast::both_engines;
use crate::people::tests::events;
use crate::roles::{self, Holder};
use keywarden_model::GrantEnd;

#[tokio::test]
async fn a_role_is_asked_for_signed_held_and_gone_in_the_second_it_ends() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        let shown = house.domain.access_request(&scene.dev.op(&house), id).await.unwrap();
        assert_eq!((shown.request.state, shown.request.project_id), (AccessState::Pending, None));
        assert!(shown.rule.is_none(), "whoever may not see a project is not told its rule");
        assert!(!manages(&house, &scene.dev, &scene).await);
        let inbox = house.domain.access_inbox(&scene.mia.op(&house)).await.unwrap();
        assert_eq!(inbox.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);

        let approved = signs(&house, &mut scene.mia, id).await.unwrap();
        let Approved::Granted { starts_at, ends_at } = approved else { panic!("{approved:?}") };
        assert_eq!(starts_at, house.now());
        assert!(manages(&house, &scene.dev, &scene).await, "held at once");
        assert!(house.domain.access_inbox(&scene.mia.op(&house)).await.unwrap().is_empty());
        let own = house.domain.own_access(&scene.dev.op(&house)).await.unwrap();
        assert_eq!(
            own.iter().map(|it| (it.role, it.ends_at)).collect::<Vec<_>>(),
            [(Role::Manager, ends_at)]
        );

        let (may, place) = (Action::CreateEnvironment, scene.pay.id.to_string());
        let told = house.domain.who_can(&scene.ada.op(&house), may, &place).await.unwrap().entitled;
        assert!(told.iter().any(|it| it.name == "Dev"), "whoever asks who can is told: {told:?}");
        // Not a moment too long, though nobody has written down that it is over, and though the role is remembered.
        let left = (ends_at - house.now()).to_std().unwrap();
        house.clock.advance(left.saturating_sub(Duration::from_micros(1)));
        assert!(manages(&house, &scene.dev, &scene).await);
        house.clock.advance(Duration::from_micros(1));
        assert!(!manages(&house, &scene.dev, &scene).await, "in the second that it ends");
        assert!(house.domain.own_access(&scene.dev.op(&house)).await.unwrap().is_empty());

        let job = house.domain.system_op("end-access");
        assert_eq!(house.domain.end_due_access(&job).await.unwrap(), 1);
        assert_eq!(house.domain.end_due_access(&job).await.unwrap(), 0, "once");
        let grant = house.domain.access_request(&scene.dev.op(&house), id).await.unwrap().grant.unwrap();
        assert_eq!(grant.ended.as_ref().map(|it| it.1), Some(GrantEnd::Expired));
        assert_eq!(state(&house, &scene, id).await, AccessState::Ended);
        for action in ["access.request", "access.approve", "access.grant", "access.end"] {
            assert_eq!(events(&house, action, "allowed").await, 1, "{action}");
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_holds_a_role_gives_it_back_and_others_may_take_it() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        let first = grant(&house, &scene, id).await;
        // Nobody gives back what is somebody else's.
        let other = house.domain.give_back_access(&scene.ben.op(&house), first).await;
        assert_eq!(life(other), LifeError::NotAsker);
        house.domain.give_back_access(&scene.dev.op(&house), first).await.unwrap();
        assert!(!manages(&house, &scene.dev, &scene).await);
        assert_eq!(
            life(house.domain.give_back_access(&scene.dev.op(&house), first).await),
            LifeError::NotActive
        );

        let again = scene.asks(&house).await;
        signs(&house, &mut scene.ben, again).await.unwrap();
        let second = grant(&house, &scene, again).await;
        let op = Scene::fresh(&house, &scene.dev);
        // It makes them a manager there: whoever holds it may take it from themselves, and from others like it.
        house.domain.revoke_access(&op, second).await.unwrap();
        assert!(!manages(&house, &scene.dev, &scene).await);
        let denied = house.domain.revoke_access(&op, second).await;
        assert!(matches!(denied, Err(AccessError::Refused(_))), "{denied:?}");
    })
    .await;
}

#[tokio::test]
async fn every_node_learns_that_it_is_over_within_a_second() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        let neighbour = house.neighbour().await;
        assert!(!manages(&neighbour, &scene.dev, &scene).await);
        signs(&house, &mut scene.mia, id).await.unwrap();
        house.clock.advance(Duration::from_secs(1));
        assert!(manages(&neighbour, &scene.dev, &scene).await);
        let grant = grant(&house, &scene, id).await;
        house.domain.give_back_access(&scene.dev.op(&house), grant).await.unwrap();
        house.clock.advance(Duration::from_secs(1));
        assert!(!manages(&neighbour, &scene.dev, &scene).await);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_an_owner_by_it_and_no_rule_that_keeps_one_looks_at_it() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let op = scene.dev.op(&house);
        let owner = NewRequest { role: Role::Owner, project: None, holder: None, terms: terms(60) };
        let refused = house.domain.request_access(&op, owner).await;
        assert!(matches!(refused, Err(RequestError::Owner)), "{refused:?}");

        let admin = NewRequest { role: Role::Admin, project: None, holder: None, terms: terms(60) };
        let id = house.domain.request_access(&op, admin).await.unwrap();
        // Who manages a project does not approve what is of the organization.
        let by_manager = signs(&house, &mut scene.mia, id).await;
        assert!(matches!(by_manager, Err(AccessError::Refused(Refused::NotFound))), "{by_manager:?}");
        signs(&house, &mut scene.ben, id).await.unwrap();
        let organization = Resource::Organization;
        assert!(house.domain.would(&op, Action::CreateProject, &organization).await.unwrap());
        // An admin for a while touches no owner, either.
        assert!(!house.domain.would(&op, Action::GrantOwner, &organization).await.unwrap());
        let standing = authz_standing(&house, &scene).await;
        assert!(standing.organization.is_empty(), "{standing:?}");
    })
    .await;
}

/// What Dev holds without an end.
async fn authz_standing(house: &House, scene: &Scene) -> crate::authz::Principal {
    let id = scene.dev.person.id;
    let mut conn = house.store.read().await.unwrap();
    crate::authz::load(Who::Person(id), &id.to_string(), None, &mut conn).await.unwrap()
}

#[tokio::test]
async fn what_nobody_answers_ends_by_itself() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        house.clock.advance(Duration::from_hours(24));
        assert_eq!(life(signs(&house, &mut scene.mia, id).await), LifeError::Expired);
        let job = house.domain.system_op("end-access");
        assert_eq!(house.domain.end_due_access(&job).await.unwrap(), 1);
        assert_eq!(state(&house, &scene, id).await, AccessState::Expired);
        assert_eq!(events(&house, "access.expire", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_workload_asks_for_itself_and_whoever_made_its_token_is_no_second_person() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let gate = house.workload("gate", Role::Viewer, Some(scene.pay.id)).await;
        let machine = gate.op();
        let id = house.domain.request_access(&machine, wanted("pay", Role::Issuer, 30)).await.unwrap();
        // Its token was made by Mia, who manages the project.
        let behind = scene.mia.person.id.to_string();
        house
            .put(vec![
                keywarden_store::sql("UPDATE access_requests SET behind = $1 WHERE id = $2")
                    .bind(behind)
                    .bind(id),
            ])
            .await;
        assert_eq!(life(signs(&house, &mut scene.mia, id).await), LifeError::OwnRequest);
        signs(&house, &mut scene.ben, id).await.unwrap();
        let environment = Resource::Environment { id: scene.pay.live, project: scene.pay.id };
        assert!(house.domain.would(&machine, Action::IssueKey, &environment).await.unwrap());
        let own = GrantQuery { own: true, limit: 10, ..Default::default() };
        let grants = house.domain.access_grants(&machine, &own).await.unwrap().grants;
        house.domain.give_back_access(&machine, grants[0].id).await.unwrap();
        assert!(!house.domain.would(&gate.op(), Action::IssueKey, &environment).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_held_for_a_while_is_not_handed_on() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.ada, id).await.unwrap();
        let place = Resource::Project(scene.pay.id);
        let would = async |who: &Somebody, action| house.domain.would(&who.op(&house), action, &place).await.unwrap();
        assert!(would(&scene.dev, Action::CreateEnvironment).await);
        assert!(would(&scene.dev, Action::DraftPolicy).await, "what decides nothing yet");
        for action in [
            Action::ActivatePolicy,
            Action::ApproveAccess,
            Action::GrantProjectRole,
            Action::SetAccessRule,
        ] {
            assert!(!would(&scene.dev, action).await, "{action:?}");
        }
        assert!(would(&scene.mia, Action::GrantProjectRole).await, "a role that stands");
        let dev = Scene::fresh(&house, &scene.dev);
        let holder = Holder::Person(scene.dev.person.id);
        let grant = roles::Grant { holder, role: Role::Manager, project: Some(scene.pay.id) };
        let handed = house.domain.grant_role(&dev, grant).await;
        let refused = Refused::Forbidden(Action::GrantProjectRole);
        assert!(matches!(&handed, Err(roles::GrantRoleError::Refused(it)) if it.to_string() == refused.to_string()));
    })
    .await;
}
