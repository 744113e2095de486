//! What somebody tries who wants more than they may: to be two people, to win a race, to shut everybody out, to hide a policy
//! in a name or to hang the house on a text.

use keywarden_model::TeamId;
use keywarden_store::count::number;

use super::*;
use crate::authz::Kind;
use crate::cast::Machine;
use crate::roles::{Grant, GrantRoleError};
use crate::teams::MemberError;
use crate::{Actor, Person};

/// The same person in another session, signed in anew.
fn elsewhere(house: &House, player: &Player) -> Op {
    let env = house.domain.env();
    house.op(Actor::Person(Person {
        id: player.id,
        session: env.id(house.now()),
        passkey: Some(env.id(house.now())),
        asserted_at: Some(house.now()),
        synced: true,
        recovering: false,
    }))
}

async fn under_review(house: &House, by: &Op, name: &str) -> PolicyId {
    let id = house.domain.draft_policy(by, new(PolicyScope::Organization, name, HOLIDAY)).await.unwrap();
    house.domain.submit_policy(by, id, 1, 1).await.unwrap();
    id
}

#[tokio::test]
async fn whoever_wrote_a_draft_is_never_its_second_person() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        let bot = house.workload("bot", Role::Admin, None).await;
        let domain = &house.domain;
        domain.require_policy_review(&olga.op(), true).await.unwrap();
        let id = under_review(&house, &olga.op(), "Holiday").await;
        let own = |approved: &Result<PolicyId, ChangePolicyError>| {
            matches!(approved, Err(ChangePolicyError::OwnDraft))
        };

        let approved = domain.approve_policy(&elsewhere(&house, &olga), id, 1, 2).await;
        assert!(own(&approved), "in another session: {approved:?}");
        let renamed =
            sql("UPDATE users SET name = 'Somebody', folded_name = 'somebody' WHERE id = $1").bind(olga.id);
        house.put(vec![renamed]).await;
        let approved = domain.approve_policy(&olga.op(), id, 1, 2).await;
        assert!(own(&approved), "under another name: {approved:?}");
        let token =
            house.op(Actor::Operator { token: Some(domain.env().id(house.now())), role: Role::Owner });
        for machine in [bot.op(), house.operator(Role::Owner), token] {
            let approved = domain.approve_policy(&machine, id, 1, 2).await;
            let refused = matches!(
                approved,
                Err(ChangePolicyError::Refused(Refused::Forbidden(Action::ApprovePolicy)))
            );
            assert!(refused, "by {}: {approved:?}", machine.actor);
        }
        // Not by putting the same text once more, either: another version has another author, and no approval of its own.
        domain.approve_policy(&otto.op(), id, 1, 2).await.unwrap();
        let redraft = Redraft {
            text: HOLIDAY.to_owned(),
            note: Description::default(),
            row_version: seen(&house, &otto, id).await,
        };
        domain.redraft_policy(&otto.op(), id, redraft).await.unwrap();
        let row_version = seen(&house, &otto, id).await;
        domain.submit_policy(&otto.op(), id, 2, row_version).await.unwrap();
        let approved = domain.approve_policy(&otto.op(), id, 2, row_version + 1).await;
        assert!(own(&approved), "{approved:?}");
        let activated = activated(&house, &otto, id, 2).await;
        assert!(matches!(activated, Err(ChangePolicyError::NeedsApproval)), "{activated:?}");

        // Whoever writes into the records themselves is no second person, either.
        let forged =
            sql("UPDATE policy_versions SET approved_by = created_by, approved_at = 0 WHERE number = 2");
        house.put(vec![forged]).await;
        let activated = super::activated(&house, &olga, id, 2).await;
        assert!(matches!(activated, Err(ChangePolicyError::NeedsApproval)), "{activated:?}");
    })
    .await;
}

#[tokio::test]
async fn a_machine_in_ones_own_hand_makes_nobody_two_people() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        let bot: Machine = house.workload("bot", Role::Admin, None).await;
        let shell = || house.operator(Role::Owner);
        let domain = &house.domain;
        domain.require_policy_review(&olga.op(), true).await.unwrap();

        // What her machine wrote Olga may approve, and not let decide as well; nor may a machine do that for her.
        for (name, author) in [("By a workload", bot.op()), ("By the shell", shell())] {
            let id = under_review(&house, &author, name).await;
            domain.approve_policy(&olga.op(), id, 1, 2).await.unwrap();
            for by in [olga.op(), shell()] {
                let row_version = seen(&house, &olga, id).await;
                let alone = domain.activate_policy(&by, id, now(1, row_version)).await;
                assert!(matches!(alone, Err(ChangePolicyError::NeedsApproval)), "{name}: {alone:?}");
            }
            let later = Activate { at: Some(house.now() + TimeDelta::hours(1)), ..now(1, 3) };
            let alone = domain.activate_policy(&olga.op(), id, later).await;
            assert!(matches!(alone, Err(ChangePolicyError::NeedsApproval)), "{name}: {alone:?}");
            activated(&house, &otto, id, 1).await.unwrap();

            // The same of disabling it.
            let row_version = seen(&house, &olga, id).await;
            domain.disable_policy(&shell(), id, row_version).await.unwrap();
            let row_version = seen(&house, &olga, id).await;
            domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
            let shown = domain.policy(&olga.op(), id).await.unwrap();
            assert!(shown.active().is_some(), "{name}: one person and a machine");
            assert_eq!(shown.policy.ending_by, Some(olga.id.to_string()));
            let row_version = seen(&house, &otto, id).await;
            domain.disable_policy(&otto.op(), id, row_version).await.unwrap();
            assert!(domain.policy(&olga.op(), id).await.unwrap().active().is_none());
        }

        // And of doing without the rule.
        domain.require_policy_review(&shell(), false).await.unwrap();
        domain.require_policy_review(&olga.op(), false).await.unwrap();
        assert_eq!(domain.policy_review(&olga.op()).await.unwrap(), ReviewRule::Ending);
        let again = domain.require_policy_review(&shell(), false).await;
        assert!(matches!(again, Err(RequireReviewError::AnotherOwner)), "{again:?}");
        domain.require_policy_review(&otto.op(), false).await.unwrap();
        assert_eq!(domain.policy_review(&olga.op()).await.unwrap(), ReviewRule::Off);
    })
    .await;
}

/// The change counter after somebody's authority, or a policy, was last changed.
async fn moved(house: &House, thing: impl ToString) -> i64 {
    let row =
        sql("SELECT coalesce(max(value), 0) AS number FROM changes WHERE thing = $1").bind(thing.to_string());
    number(row, &mut house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_activation_that_races_with_the_end_of_its_right_comes_first_or_not_at_all() {
    both_engines(async |house| {
        let (mut first, mut late) = (0, 0);
        for round in 0..8 {
            let house = House::new(house.store.engine()).await;
            let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
            let there = house.neighbour().await;
            let id = drafted(&house, &otto, "Holiday", HOLIDAY).await;
            let roles = house.domain.roles_of(&olga.op(), Holder::Person(otto.id)).await.unwrap();
            let (his, hers, before) = (otto.op(), olga.op(), moved(&house, otto.id).await);
            let activate = house.domain.activate_policy(&his, id, now(1, 1));
            let revoke = there.domain.revoke_role(&hers, roles[0].id);
            let (activated, revoked) = if round % 2 == 0 {
                tokio::join!(activate, revoke)
            } else {
                let (revoked, activated) = tokio::join!(revoke, activate);
                (activated, revoked)
            };
            revoked.unwrap();
            let taken = moved(&house, otto.id).await;
            assert!(taken > before, "round {round}");
            match activated {
                Ok(_) => {
                    let decided = moved(&house, id).await;
                    assert!(0 < decided && decided < taken, "round {round}: {decided} after {taken}");
                    first += 1;
                }
                Err(ChangePolicyError::Refused(Refused::NotFound | Refused::Forbidden(_))) => {
                    assert_eq!(moved(&house, id).await, 0, "round {round}");
                    late += 1;
                }
                Err(other) => panic!("round {round}: {other:?}"),
            }
            for node in [&house, &there] {
                node.domain.look().await.unwrap();
                let again = node.domain.activate_policy(&his, id, now(1, 2)).await;
                assert!(matches!(again, Err(ChangePolicyError::Refused(_))), "round {round}: {again:?}");
            }
        }
        assert_eq!(first + late, 8);
    })
    .await;
}

#[tokio::test]
async fn two_owners_who_shut_each_other_out_at_once_leave_one() {
    both_engines(async |house| {
        for round in 0..6 {
            let house = House::new(house.store.engine()).await;
            let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
            let there = house.neighbour().await;
            let shut =
                |whom: &Player| format!(r#"forbid (principal == Person::"{}", action, resource);"#, whom.id);
            let not_otto = drafted(&house, &olga, "Not Otto", &shut(&otto)).await;
            let not_olga = drafted(&house, &otto, "Not Olga", &shut(&olga)).await;
            let (hers, his) = (olga.op(), otto.op());
            let (one, other) = tokio::join!(
                house.domain.activate_policy(&hers, not_otto, now(1, 1)),
                there.domain.activate_policy(&his, not_olga, now(1, 1)),
            );
            assert_eq!(
                usize::from(one.is_ok()) + usize::from(other.is_ok()),
                1,
                "round {round}: {one:?} {other:?}"
            );
            house.domain.look().await.unwrap();
            let invites =
                async |who: &Player| may(&house, who, Action::InviteUser, Resource::Organization).await;
            assert!(invites(&olga).await != invites(&otto).await, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_team_that_is_shut_out_and_gets_the_last_owner_at_once_does_not_do_both() {
    both_engines(async |house| {
        for round in 0..6 {
            let house = House::new(house.store.engine()).await;
            let olga = owner(&house, "Olga").await;
            let ada = house.person("Ada", &[(Role::Admin, None)]).await;
            let team = house.team("contractors", &[], &[]).await;
            let there = house.neighbour().await;
            let text = format!(r#"forbid (principal in Team::"{team}", action, resource);"#);
            let id = drafted(&house, &olga, "Contractors", &text).await;
            let (owner, admin) = (olga.op(), ada.op());
            let (activated, added) = tokio::join!(
                house.domain.activate_policy(&owner, id, now(1, 1)),
                there.domain.add_member(&admin, team, olga.id),
            );
            let done = usize::from(activated.is_ok()) + usize::from(added.is_ok());
            assert_eq!(done, 1, "round {round}: {activated:?} {added:?}");
            house.domain.look().await.unwrap();
            assert!(may(&house, &olga, Action::InviteUser, Resource::Organization).await, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn owners_are_not_shut_out_by_what_they_are_given_or_lose() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let (out, inside) = (
            house.team("contractors", &[], &[]).await,
            house.team("trusted", &[olga.id], &[(Role::Auditor, None)]).await,
        );
        let domain = &house.domain;
        let invites = async || may(&house, &olga, Action::InviteUser, Resource::Organization).await;
        let activate = async |name: &str, text: String| {
            let id = drafted(&house, &olga, name, &text).await;
            activated(&house, &olga, id, 1).await.unwrap();
            id
        };
        let end = async |id| {
            let row_version = seen(&house, &olga, id).await;
            domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        };

        let forbid_team =
            |team: TeamId| format!(r#"forbid (principal in Team::"{team}", action, resource);"#);
        let id = activate("Not these", forbid_team(out)).await;
        let added = domain.add_member(&ada.op(), out, olga.id).await;
        assert!(matches!(added, Err(MemberError::LocksOut)), "{added:?}");
        assert!(invites().await);
        domain.add_member(&ada.op(), out, ada.id).await.unwrap();
        end(id).await;
        domain.add_member(&olga.op(), out, olga.id).await.unwrap();

        let unless =
            format!(r#"forbid (principal, action, resource) unless {{ principal in Team::"{inside}" }};"#);
        let id = activate("Only these", unless).await;
        let removed = domain.remove_member(&olga.op(), inside, olga.id).await;
        assert!(matches!(removed, Err(MemberError::LocksOut)), "{removed:?}");
        assert!(invites().await);
        end(id).await;

        let text =
            r#"forbid (principal, action, resource) unless { principal in OrganizationRole::"auditor" };"#;
        let id = activate("Who looks", text.to_owned()).await;
        let roles = domain.roles_of(&olga.op(), Holder::Team(inside)).await.unwrap();
        let revoked = domain.revoke_role(&olga.op(), roles[0].id).await;
        assert!(matches!(revoked, Err(RevokeRoleError::LocksOut)), "{revoked:?}");
        assert!(invites().await);
        end(id).await;
        domain.revoke_role(&olga.op(), roles[0].id).await.unwrap();

        let text = r#"forbid (principal in OrganizationRole::"auditor", action, resource);"#;
        activate("Who only looks", text.to_owned()).await;
        for holder in [Holder::Person(olga.id), Holder::Team(inside)] {
            let given =
                domain.grant_role(&olga.op(), Grant { holder, role: Role::Auditor, project: None }).await;
            assert!(matches!(given, Err(GrantRoleError::LocksOut)), "{given:?}");
        }
        assert!(invites().await);
        // With another owner who can, they may be.
        owner(&house, "Otto").await;
        let wanted = Grant { holder: Holder::Team(inside), role: Role::Auditor, project: None };
        domain.grant_role(&olga.op(), wanted).await.unwrap();
        assert!(!invites().await);
    })
    .await;
}

#[tokio::test]
async fn no_moment_comes_from_which_on_nobody_administers() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let text = |when: &str| {
            format!(r#"forbid (principal, action in [Action::"user.invite", Action::"policy.disable"], resource) when {{ {when} }};"#)
        };
        // It is a Friday, eight o'clock.
        let ever = [
            r#"context.now >= datetime("2027-02-01T00:00:00Z")"#,
            r#"context.now > datetime("2040-01-01")"#,
            r#"context.now.durationSince(datetime("2027-01-15T08:00:00Z")) > duration("30d")"#,
            r#"context.now.toDate() != datetime("2027-01-15")"#,
            "context.weekday > 0 && context.now.toTime() >= duration(\"0h\")",
            // It fails, which is a no, for ever.
            "context.weekday * 9223372036854775807 > 1",
        ];
        for (n, when) in ever.iter().enumerate() {
            let id = drafted(&house, &olga, &format!("Ever {n}"), &text(when)).await;
            let refused = activated(&house, &olga, id, 1).await;
            assert!(matches!(refused, Err(ChangePolicyError::LocksOut)), "{when}: {refused:?}");
        }
        // What passes again may be: nights, weekends, a day.
        let at_times = [
            r#"context.now.toTime() < duration("7h")"#,
            "[6, 7].contains(context.weekday)",
            "context.weekday != 5",
            r#"context.now.toDate() == datetime("2027-12-24")"#,
            r#"context.now < datetime("2027-01-10T00:00:00Z")"#,
        ];
        for (n, when) in at_times.iter().enumerate() {
            let id = drafted(&house, &olga, &format!("At times {n}"), &text(when)).await;
            activated(&house, &olga, id, 1).await.unwrap_or_else(|why| panic!("{when}: {why:?}"));
            let row_version = seen(&house, &olga, id).await;
            house.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        }
        // Whoever could administer until then does not remain as the only one.
        let otto = owner(&house, "Otto").await;
        let until = format!(
            r#"forbid (principal == Person::"{}", action == Action::"user.invite", resource) when {{ {} }};"#,
            otto.id, ever[0]
        );
        let id = drafted(&house, &olga, "Until", &until).await;
        activated(&house, &olga, id, 1).await.unwrap();
        let gone = house.domain.deactivate_user(&otto.op(), olga.id).await;
        assert!(matches!(gone, Err(DeactivateError::LastOwner)), "{gone:?}");
        house.domain.deactivate_user(&olga.op(), otto.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_fails_says_no_to_what_it_is_asked_about_until_it_is_disabled() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let ask = async |action| may(&house, &olga, action, Resource::Organization).await;
        // Even where it would only allow.
        let text = r#"permit (principal, action == Action::"team.create", resource) when { context.weekday * 9223372036854775807 > 1 };"#;
        assert!(ask(Action::CreateTeam).await);
        let id = drafted(&house, &olga, "Fails", text).await;
        activated(&house, &olga, id, 1).await.unwrap();
        assert!(!ask(Action::CreateTeam).await);
        assert!(ask(Action::CreateProject).await, "nothing else is asked of it");
        let refused = house.domain.authorize(&olga.op(), Action::CreateTeam, &Resource::Organization).await;
        assert!(matches!(refused, Err(Refused::Forbidden(Action::CreateTeam))), "{refused:?}");
        let row_version = seen(&house, &olga, id).await;
        house.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        assert!(ask(Action::CreateTeam).await);
    })
    .await;
}

/// Names, slugs and tags are anybody's to choose, and no policy reads them.
#[tokio::test]
async fn what_things_and_people_are_called_is_no_policy() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let evil = r#""); permit (principal, action, resource); //"#;
        let mallory = house.person(evil, &[]).await;
        let pay = house.project("pay").await;
        let twin = house.person("olga", &[]).await;
        let owner_team = house.team("owner", &[mallory.id, twin.id], &[]).await;
        house
            .put(vec![
                sql("UPDATE projects SET name = $1, folded_name = $2 WHERE id = $3")
                    .bind(r#"OrganizationRole::"owner""#)
                    .bind("organizationrole::\"owner\"")
                    .bind(pay.id),
                sql("UPDATE teams SET name = $1 WHERE id = $2").bind(evil).bind(owner_team),
            ])
            .await;
        for text in [
            format!(
                r#"forbid (principal == Person::"{}", action == Action::"team.create", resource);"#,
                olga.id
            ),
            format!(
                r#"forbid (principal in Team::"{owner_team}", action == Action::"project.create", resource);"#
            ),
        ] {
            let id = drafted(&house, &olga, &format!("{} {evil}", &text[8..20]), &text).await;
            activated(&house, &olga, id, 1).await.unwrap();
        }
        assert!(!may(&house, &olga, Action::CreateTeam, Resource::Organization).await);
        assert!(may(&house, &olga, Action::CreateProject, Resource::Organization).await);
        let bare = house.person("Bare", &[]).await;
        for action in Action::ALL.iter().filter(|it| matches!(it.kind(), Kind::Organization | Kind::Scope)) {
            // The team's own policy is what it is.
            if *action == Action::CreateProject {
                continue;
            }
            for player in [&mallory, &twin] {
                assert_eq!(
                    may(&house, player, *action, Resource::Organization).await,
                    may(&house, &bare, *action, Resource::Organization).await,
                    "{} {}",
                    player.name,
                    action.name()
                );
            }
        }
        // Whoever names them by what they are called names nobody.
        for head in [
            r#"principal == Person::"olga", action == Action::"key.rotate", resource"#,
            r#"principal in Team::"owner", action == Action::"key.rotate", resource"#,
            r#"principal, action == Action::"key.rotate", resource in Project::"pay""#,
        ] {
            let text = format!("forbid ({head});");
            let refused =
                house.domain.draft_policy(&olga.op(), new(PolicyScope::Organization, "By name", &text)).await;
            assert!(matches!(refused, Err(DraftPolicyError::Text(_))), "{text}: {refused:?}");
        }
    })
    .await;
}
