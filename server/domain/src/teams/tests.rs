use keywarden_model::Role;

use super::*;
use crate::cast::both_engines;
use crate::{Action, Refused, Resource};

fn new(slug: &str, name: &str) -> NewTeam {
    NewTeam { slug: slug.parse().unwrap(), name: name.parse().unwrap() }
}

#[tokio::test]
async fn a_teams_role_comes_and_goes_with_its_members_at_once() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let bob = house.person("Bob", &[]).await;
        let team = house.team("payments", &[], &[(Role::Viewer, Some(pay.id))]).await;
        let neighbour = house.neighbour().await;
        let sees = async |house: &crate::cast::House| {
            house.domain.would(&bob.op(), Action::ViewProject, &Resource::Project(pay.id)).await.unwrap()
        };
        assert!(!sees(&house).await);
        assert!(!sees(&neighbour).await);
        house.domain.add_member(&ada.op(), team, bob.id).await.unwrap();
        assert!(sees(&house).await);
        house.clock.advance(std::time::Duration::from_secs(1));
        assert!(sees(&neighbour).await, "a second later the other node knows");
        let twice = house.domain.add_member(&ada.op(), team, bob.id).await;
        assert!(matches!(twice, Err(MemberError::AlreadyIn)));
        house.domain.remove_member(&ada.op(), team, bob.id).await.unwrap();
        assert!(!sees(&house).await);
        house.clock.advance(std::time::Duration::from_secs(1));
        assert!(!sees(&neighbour).await, "a second later the other node knows");
        let twice = house.domain.remove_member(&ada.op(), team, bob.id).await;
        assert!(matches!(twice, Err(MemberError::NotIn)));
    })
    .await;
}

#[tokio::test]
async fn every_spelling_of_a_name_is_the_same_team() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let id = house.domain.create_team(&ada.op(), new("pay", "Pay Crew")).await.unwrap();
        for (n, spelling) in ["pay crew", "PAY  CREW", "Ｐay\u{a0}Ｃrew"].iter().enumerate() {
            let made = house.domain.create_team(&ada.op(), new(&format!("t-{n}"), spelling)).await;
            assert!(matches!(made, Err(CreateTeamError::NameTaken)), "{spelling}");
        }
        let twin = house.domain.create_team(&ada.op(), new("pay", "Other")).await;
        assert!(matches!(twin, Err(CreateTeamError::SlugTaken)));
        let rename = RenameTeam { name: "Crew".parse().unwrap(), row_version: 1 };
        house.domain.rename_team(&ada.op(), id, rename.clone()).await.unwrap();
        let stale = house.domain.rename_team(&ada.op(), id, rename).await;
        assert!(matches!(stale, Err(RenameTeamError::ChangedMeanwhile)));
    })
    .await;
}

#[tokio::test]
async fn people_see_teams_and_only_admins_change_them() {
    both_engines(async |house| {
        let bob = house.person("Bob", &[]).await;
        let pay = house.project("pay").await;
        let gate = house.workload("gate", Role::Manager, Some(pay.id)).await;
        let team = house.team("payments", &[bob.id], &[]).await;
        let shown = house.domain.team(&bob.op(), "payments").await.unwrap();
        assert_eq!((shown.team.id, shown.team.members), (team, 1));
        assert_eq!(shown.members[0].name, "Bob");
        assert_eq!(house.domain.teams(&bob.op(), None, 10).await.unwrap().teams.len(), 1);
        house.team("platform", &[], &[]).await;
        let named = async |part: &str| {
            let found = house.domain.teams_named(&bob.op(), &part.parse().unwrap(), 10).await.unwrap();
            found.teams.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(named("YMENT").await, ["payments"]);
        assert_eq!(named("P").await, ["payments", "platform"]);
        assert!(named("%").await.is_empty());
        let added = house.domain.add_member(&bob.op(), team, bob.id).await;
        assert!(matches!(added, Err(MemberError::Refused(Refused::Forbidden(Action::EditTeam)))));
        assert!(matches!(house.domain.team(&gate.op(), "payments").await, Err(Refused::NotFound)));
        let added = house.domain.add_member(&gate.op(), team, bob.id).await;
        assert!(matches!(added, Err(MemberError::Refused(Refused::NotFound))));
    })
    .await;
}
