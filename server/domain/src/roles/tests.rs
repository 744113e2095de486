use keywarden_model::Role;

use super::*;
use crate::Refused;
use crate::cast::both_engines;

fn grant(holder: Holder, role: Role, project: Option<ProjectId>) -> Grant {
    Grant { holder, role, project }
}

#[tokio::test]
async fn a_role_counts_from_its_grant_to_its_revocation() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let bob = house.person("Bob", &[]).await;
        let may = async || {
            let here = Resource::Environment { id: pay.live, project: pay.id };
            house.domain.would(&bob.op(), Action::IssueKey, &here).await.unwrap()
        };
        let asked = grant(Holder::Person(bob.id), Role::Issuer, Some(pay.id));
        let id = house.domain.grant_role(&mia.op(), asked).await.unwrap();
        assert!(may().await);
        assert!(matches!(house.domain.grant_role(&mia.op(), asked).await, Err(GrantRoleError::AlreadyHeld)));
        let listed = house.domain.project_roles(&mia.op(), pay.id, None, 10).await.unwrap().bindings;
        let names: Vec<_> = listed.iter().map(|it| (it.holder_name.as_str(), it.role)).collect();
        assert_eq!(names, [("Mia", Role::Manager), ("Bob", Role::Issuer)]);
        assert_eq!(house.domain.roles_of(&bob.op(), Holder::Person(bob.id)).await.unwrap()[0].id, id);
        house.domain.revoke_role(&mia.op(), id).await.unwrap();
        assert!(!may().await);
        let again = house.domain.revoke_role(&mia.op(), id).await;
        assert!(matches!(again, Err(RevokeRoleError::Refused(Refused::NotFound))));
    })
    .await;
}

#[tokio::test]
async fn roles_are_given_where_they_belong_and_by_who_may() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let bob = house.person("Bob", &[]).await;
        let team = house.team("crew", &[], &[]).await;
        let (local, foreign) = (
            house.workload("local", Role::Verifier, Some(pay.id)).await,
            house.workload("foreign", Role::Verifier, Some(hr.id)).await,
        );
        let wide = house.workload("wide", Role::Auditor, None).await;
        let person = Holder::Person(bob.id);
        let give = async |by: &crate::cast::Player, holder, role, project| {
            house.domain.grant_role(&by.op(), grant(holder, role, project)).await
        };
        assert!(matches!(
            give(&olga, person, Role::Owner, Some(pay.id)).await,
            Err(GrantRoleError::WrongScope(_))
        ));
        assert!(matches!(give(&olga, person, Role::Viewer, None).await, Err(GrantRoleError::WrongScope(_))));
        assert!(matches!(
            give(&olga, Holder::Team(team), Role::Owner, None).await,
            Err(GrantRoleError::OnlyPeopleOwn)
        ));
        assert!(matches!(
            give(&olga, Holder::Workload(wide.id), Role::Owner, None).await,
            Err(GrantRoleError::OnlyPeopleOwn)
        ));
        assert!(matches!(
            give(&ada, person, Role::Owner, None).await,
            Err(GrantRoleError::Refused(Refused::Forbidden(Action::GrantOwner)))
        ));
        assert!(matches!(
            give(&mia, person, Role::Admin, None).await,
            Err(GrantRoleError::Refused(Refused::Forbidden(Action::GrantOrganizationRole)))
        ));
        // A workload of one project holds nothing in another, whoever asks; and a manager learns of no foreign one.
        for by in [&ada, &mia] {
            let given = give(by, Holder::Workload(foreign.id), Role::Viewer, Some(pay.id)).await;
            assert!(matches!(given, Err(GrantRoleError::NoSuchHolder)));
        }
        let given = give(&mia, Holder::Workload(wide.id), Role::Viewer, Some(pay.id)).await;
        assert!(matches!(given, Err(GrantRoleError::NoSuchHolder)));
        let given = give(&ada, Holder::Workload(local.id), Role::Auditor, None).await;
        assert!(matches!(given, Err(GrantRoleError::NoSuchHolder)));
        give(&mia, Holder::Workload(local.id), Role::Viewer, Some(pay.id)).await.unwrap();
        give(&ada, Holder::Workload(wide.id), Role::Verifier, Some(pay.id)).await.unwrap();
        give(&olga, person, Role::Owner, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_last_active_owner_stays() {
    both_engines(async |house| {
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let gone = house.person("Gone", &[(Role::Owner, None)]).await;
        let off = keywarden_store::sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(gone.id);
        house.put(vec![off]).await;
        let owners = house.domain.organization_roles(&olga.op(), None, 10).await.unwrap().bindings;
        let of = |id| owners.iter().find(|it| it.holder == Holder::Person(id)).unwrap();
        assert!(of(olga.id).holder_active && !of(gone.id).holder_active);
        let revoked = house.domain.revoke_role(&olga.op(), of(olga.id).id).await;
        assert!(matches!(revoked, Err(RevokeRoleError::LastOwner)));
        house.domain.revoke_role(&olga.op(), of(gone.id).id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn two_owners_who_remove_each_other_at_once_leave_one() {
    both_engines(async |house| {
        for round in 0..8 {
            let house = crate::cast::House::new(house.store.engine()).await;
            let (one, two) = (
                house.person("One", &[(Role::Owner, None)]).await,
                house.person("Two", &[(Role::Owner, None)]).await,
            );
            let neighbour = house.neighbour().await;
            let owners = house.domain.organization_roles(&one.op(), None, 10).await.unwrap().bindings;
            let of = |id| owners.iter().find(|it| it.holder == Holder::Person(id)).unwrap().id;
            let (a, b) = (one.op(), two.op());
            let (first, second) = tokio::join!(
                house.domain.revoke_role(&a, of(two.id)),
                neighbour.domain.revoke_role(&b, of(one.id)),
            );
            let done = usize::from(first.is_ok()) + usize::from(second.is_ok());
            assert_eq!(done, 1, "round {round}: {first:?} {second:?}");
            let left =
                keywarden_store::sql("SELECT count(*) AS number FROM role_bindings WHERE role = 'owner'");
            let left = keywarden_store::count::number(left, &mut house.store.read().await.unwrap()).await;
            assert_eq!(left.unwrap(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn of_others_one_sees_roles_in_own_projects_only() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let bob = house.person("Bob", &[(Role::Viewer, Some(pay.id)), (Role::Viewer, Some(hr.id))]).await;
        let victor = house.person("Victor", &[(Role::Viewer, Some(pay.id))]).await;
        let gate = house.workload("gate", Role::Verifier, Some(pay.id)).await;
        let seen = house.domain.roles_of(&victor.op(), Holder::Person(bob.id)).await.unwrap();
        assert_eq!(seen.iter().map(|it| it.project).collect::<Vec<_>>(), [Some(pay.id)]);
        assert_eq!(house.domain.roles_of(&bob.op(), Holder::Person(bob.id)).await.unwrap().len(), 2);
        assert!(house.domain.roles_of(&gate.op(), Holder::Person(bob.id)).await.is_err());
        let names = house.domain.project_roles(&gate.op(), pay.id, None, 10).await;
        assert!(matches!(names, Err(Refused::NotFound)), "a service that verifies learns no names");
    })
    .await;
}
