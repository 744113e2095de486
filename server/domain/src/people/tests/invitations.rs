use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use keywarden_model::Role;

use super::*;
use crate::cast::both_engines;
use crate::roles::{Grant, Holder};
use crate::{Action, Once, Refused, Replayed, Resource};

#[tokio::test]
async fn of_many_who_hold_one_invitation_one_comes_in_with_its_role() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = set_up(&house).await;
        let op = ada.op(&house);
        let link = house.domain.invite(&op, &named("Bob"), Role::Issuer, Some(pay.id)).await.unwrap();
        let link = value(&link);
        let looked = house.domain.look_at_link(&nobody(&house), LinkKind::Invitation, &link).await.unwrap();
        assert_eq!((looked.name.as_deref(), looked.role), (Some("Bob"), Some(Role::Issuer)));
        assert_eq!(looked.project, Some((pay.id, "pay".into())));
        let mut runners = Vec::new();
        for seed in 10..30 {
            let mut soft = SoftAuthenticator::new(seed);
            let started = house.domain.start_accept(&nobody(&house), &link, &named("Bob")).await.unwrap();
            runners.push((started.ceremony, made(&mut soft, &started.options)));
        }
        let joined = join_all(runners.iter().map(async |(ceremony, answer)| {
            house.domain.finish_accept(&nobody(&house), &link, *ceremony, answer, &named("Key")).await
        }))
        .await;
        let mut joined = joined.into_iter().filter_map(Result::ok);
        let bob = joined.next().unwrap();
        assert!(joined.next().is_none());
        assert_eq!(credentials(&house).await, [2, 2, 2, 20, 2]);
        let op = house.op(Actor::Person(bob.person));
        let here = Resource::Environment { id: pay.live, project: pay.id };
        assert!(house.domain.would(&op, Action::IssueKey, &here).await.unwrap());
        assert!(!house.domain.would(&op, Action::CreateProject, &Resource::Organization).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn nobody_invites_above_themselves_or_into_the_wrong_place() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let invite =
            async |role, project| house.domain.invite(&bob.op(&house), &named("Eve"), role, project).await;
        let above = invite(Role::Owner, None).await;
        assert!(matches!(above, Err(InviteError::Refused(Refused::Forbidden(_)))));
        assert!(invite(Role::Admin, None).await.is_ok());
        assert!(matches!(invite(Role::Issuer, None).await, Err(InviteError::Scope(Role::Issuer))));
        assert!(matches!(invite(Role::Auditor, Some(pay.id)).await, Err(InviteError::Scope(_))));
        let manager = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let by_manager = house.domain.invite(&manager.op(), &named("Eve"), Role::Viewer, Some(pay.id)).await;
        assert!(matches!(by_manager, Err(InviteError::Refused(_))));
        let unsigned = manager.without_step_up().op();
        assert!(matches!(house.domain.invitations(&unsigned).await, Err(Refused::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn an_invitation_ends_when_it_is_withdrawn_or_a_week_old() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let invite = async |name: &str| {
            house.domain.invite(&ada.op(&house), &named(name), Role::Auditor, None).await.unwrap()
        };
        let (first, second) = (invite("Bob").await, invite("Eve").await);
        let open = house.domain.invitations(&ada.op(&house)).await.unwrap();
        let names: Vec<_> = open.iter().filter_map(|it| it.name.as_deref()).collect();
        assert_eq!(open.len(), 2, "{names:?}");
        house.domain.withdraw_invitation(&ada.op(&house), first.id).await.unwrap();
        let again = house.domain.withdraw_invitation(&ada.op(&house), first.id).await;
        assert!(matches!(again, Err(Refused::NotFound)));
        let start = async |link: &NewLink| {
            house.domain.start_accept(&nobody(&house), &value(link), &named("Bob")).await.is_ok()
        };
        assert!(!start(&first).await);
        assert!(start(&second).await);
        house.clock.advance(Duration::from_hours(7 * 24));
        assert!(!start(&second).await);
    })
    .await;
}

/// Takes a role away from somebody.
async fn takes(house: &House, by: &Somebody, from: &Somebody, role: Role) {
    let holder = Holder::Person(from.person.id);
    let held = house.domain.roles_of(&by.op(house), holder).await.unwrap();
    let binding = held.iter().find(|it| it.role == role && it.holder == holder).unwrap();
    house.domain.revoke_role(&by.op(house), binding.id).await.unwrap();
}

#[tokio::test]
async fn an_invitation_lasts_no_longer_than_the_authority_of_whoever_made_it() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Owner, None, 2).await;
        let invite = async |by: &Somebody, role| {
            value(&house.domain.invite(&by.op(&house), &named("Eve"), role, None).await.unwrap())
        };
        let (owner, auditor) = (invite(&bob, Role::Owner).await, invite(&bob, Role::Auditor).await);
        let start = async |link: &str| {
            house.domain.start_accept(&nobody(&house), link, &named("Eve")).await.map(|it| {
                let mut soft = SoftAuthenticator::new(9);
                (it.ceremony, made(&mut soft, &it.options))
            })
        };
        let begun = start(&owner).await.unwrap();
        let finish = async |link: &str, (ceremony, answer): (CeremonyId, Vec<u8>)| {
            house.domain.finish_accept(&nobody(&house), link, ceremony, &answer, &named("Key")).await
        };
        let grant = Grant { holder: Holder::Person(bob.person.id), role: Role::Admin, project: None };
        house.domain.grant_role(&ada.op(&house), grant).await.unwrap();
        takes(&house, &ada, &bob, Role::Owner).await;
        let before = credentials(&house).await;
        assert!(matches!(start(&owner).await, Err(EnrolError::Link(LinkGone))));
        assert!(matches!(finish(&owner, begun).await, Err(EnrolError::Link(LinkGone))));
        assert_eq!(credentials(&house).await, before);
        let begun = start(&auditor).await.unwrap();
        takes(&house, &ada, &bob, Role::Admin).await;
        let before = credentials(&house).await;
        assert!(matches!(finish(&auditor, begun).await, Err(EnrolError::Link(LinkGone))));
        assert_eq!(credentials(&house).await, before);

        // What a team's role let somebody do ends when they leave it.
        let crew = house.team("crew", &[bob.person.id], &[(Role::Admin, None)]).await;
        let by_team = invite(&bob, Role::Auditor).await;
        let begun = start(&by_team).await.unwrap();
        house.domain.remove_member(&ada.op(&house), crew, bob.person.id).await.unwrap();
        let before = credentials(&house).await;
        assert!(matches!(finish(&by_team, begun).await, Err(EnrolError::Link(LinkGone))));
        assert_eq!(credentials(&house).await, before);
        let listed = house.domain.invitations(&ada.op(&house)).await.unwrap();
        assert_eq!(listed.len(), 3, "whoever may invite can still withdraw them");
    })
    .await;
}

#[tokio::test]
async fn what_an_operators_token_invited_ends_when_it_is_revoked_and_not_with_its_hour() {
    both_engines(async |house| {
        set_up(&house).await;
        let shell = || house.op(Actor::Operator { token: None, role: Role::Owner });
        let made = house.domain.operator_token(&shell(), Role::Owner, TimeDelta::hours(1)).await.unwrap();
        let by_token = house.domain.authenticate_token(made.expose()).await.unwrap();
        let Actor::Operator { token: Some(token), .. } = by_token else { panic!("{by_token}") };
        let invite =
            async |by: Op| value(&house.domain.invite(&by, &named("Eve"), Role::Owner, None).await.unwrap());
        let (by_token, by_shell) = (invite(house.op(by_token)).await, invite(shell()).await);
        house.clock.advance(Duration::from_hours(25));
        let serves = async |link: &str| {
            house.domain.look_at_link(&nobody(&house), LinkKind::Invitation, link).await.is_ok()
        };
        assert!(serves(&by_token).await && serves(&by_shell).await);
        house.domain.revoke_service_token(&shell(), token).await.unwrap();
        assert!(!serves(&by_token).await);
        assert!(serves(&by_shell).await);
    })
    .await;
}

#[tokio::test]
async fn a_replayed_invitation_is_the_same_link_and_never_a_second_one() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let once = || {
            let once = Once::new("idempotency-key-1", &[b"POST /people/invite", b"Bob"]).unwrap();
            Op { once: Some(once), ..ada.op(&house) }
        };
        let invite = async |op: Op| house.domain.invite(&op, &named("Bob"), Role::Auditor, None).await;
        let first = invite(once()).await.unwrap();
        house.clock.advance(Duration::from_mins(5));
        let again = invite(Op { now: house.now(), ..once() }).await.unwrap();
        assert_eq!((first.id, first.url.expose()), (again.id, again.url.expose()));
        assert_eq!(
            first.expires_at, again.expires_at,
            "the link that is shown, not the one that was not made"
        );
        assert_eq!(house.domain.invitations(&ada.op(&house)).await.unwrap().len(), 1);
        let other = Once::new("idempotency-key-1", &[b"POST /people/invite", b"Eve"]).unwrap();
        let other = invite(Op { once: Some(other), ..ada.op(&house) }).await;
        assert!(matches!(other, Err(InviteError::Refused(Refused::Replayed(Replayed::OtherRequest)))));
    })
    .await;
}

#[tokio::test]
async fn while_roles_come_and_go_an_invitation_is_decided_anew_and_not_lost() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = house.person("Bob", &[]).await;
        let domain = &house.domain;
        let invite = async |n: usize| {
            domain.invite(&ada.op(&house), &named(&format!("Eve {n}")), Role::Auditor, None).await
        };
        let churn = async {
            for _ in 0..10 {
                let grant = Grant { holder: Holder::Person(bob.id), role: Role::Auditor, project: None };
                let id = domain.grant_role(&ada.op(&house), grant).await.unwrap();
                domain.revoke_role(&ada.op(&house), id).await.unwrap();
            }
        };
        let (invited, ()) = futures_util::future::join(join_all((0..20).map(invite)), churn).await;
        for answer in invited {
            answer.unwrap();
        }
    })
    .await;
}
