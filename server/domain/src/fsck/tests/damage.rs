//! What takes a key or the canonical form to see: wraps, sealed rows, events. Damage is planted by hand, one kind after the
//! other; each is found by its own check.

use keywarden_model::{Role, RoleScope};
use keywarden_store::sql;

use super::{Findings, Furnished};
use crate::cast::both_engines;
use crate::people::tests as people;
use crate::roles::{Grant, Holder};
use crate::teams::NewTeam;

#[tokio::test]
async fn what_use_cases_leave_is_clean_and_each_kind_of_damage_is_found_by_its_own_check() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let first = it.look().await;
        assert!(first.is_clean(), "{:?}", first.findings);
        assert!(first.skipped.is_empty() && first.rules > 40, "{first:?}");
        assert!(first.events > 10 && first.opened >= 2, "{first:?}");

        it.finds("project-archived-without-event", || sql("UPDATE projects SET archived_at = 1")).await;
        it.finds("token-revoked-without-event", || sql("UPDATE service_tokens SET revoked_at = 1")).await;
        it.finds("workload-state", || sql("UPDATE workloads SET state = 'asleep'")).await;
        it.finds("counter-behind", || sql("UPDATE change_counter SET value = value - 1, authority = 0"))
            .await;
        it.finds("role-unknown", || sql("UPDATE role_bindings SET role = 'king'")).await;
        it.finds("event-column", || {
            sql("UPDATE events SET actor_id = 'somebody' WHERE action = 'project.create'")
        })
        .await;
        it.finds("event-bytes", || {
            sql("UPDATE events SET bytes = $1 WHERE action = 'workload.create'").bind(b"{\"v\": 1}".to_vec())
        })
        .await;
        it.finds("token-tag", || sql("UPDATE service_tokens SET mac = $1").bind(vec![7; 31])).await;
        it.finds("event-personal", || {
            sql("UPDATE event_personal SET sealed = $1
                 WHERE event_id IN (SELECT id FROM events WHERE action = 'project.create')")
            .bind(vec![1; 64])
        })
        .await;
        let token = it.token.clone();
        it.finds("token-without-event", move || {
            sql("DELETE FROM events WHERE resource_id = $1").bind(token.as_str())
        })
        .await;
        let new = it
            .finds_more(|| {
                sql("UPDATE events SET action = 'service-token.issue', resource_id = 'token_gone'
                     WHERE action = 'project.create'")
            })
            .await;
        assert!(
            new.contains(&"token-event-without-token") && new.contains(&"project-without-event"),
            "{new:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn every_role_in_its_scope_is_known_and_none_outside_it() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let pay = it.house.project("second").await;
        for (number, role) in Role::ALL.into_iter().enumerate() {
            let project = (role.scope() == RoleScope::Project).then_some(pay.id);
            it.house.person(&format!("Person {number}"), &[(role, project)]).await;
        }
        let unknown = |found: &Findings| found.findings.iter().any(|it| it.check == "role-unknown");
        let found = it.look().await;
        assert!(!unknown(&found), "{:?}", found.findings);
        it.damage(|| sql("UPDATE role_bindings SET project_id = NULL WHERE role = 'reader'")).await;
        assert!(unknown(&it.look().await), "a reader of everything is not one of ours");
    })
    .await;
}

#[tokio::test]
async fn a_lost_wrap_a_changed_wrap_and_a_changed_subject_are_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let new = it.finds_more(|| sql("UPDATE subjects SET sealed_key = $1").bind(vec![1; 64])).await;
        assert!(new.contains(&"sealed-row") && new.contains(&"event-personal"), "{new:?}");
        it.damage(|| {
            sql("UPDATE keyring_wraps SET wrapped = $1
                 WHERE key_id IN (SELECT id FROM keyring_keys WHERE purpose = 'session')")
            .bind(vec![1; 61])
        })
        .await;
        // A fresh node: the keys in memory would hide it.
        it.house.domain.keyring().zeroize();
        let found = it.look().await;
        assert!(found.findings.iter().any(|it| it.check == "wrap-broken"), "{found:?}");
        assert!(found.findings.iter().any(|it| it.check == "keyring-sealed"), "{found:?}");
        it.damage(|| sql("DELETE FROM keyring_wraps")).await;
        let found = it.look().await;
        assert!(found.findings.iter().any(|it| it.check == "keyring-key-without-wrap"), "{found:?}");
        assert!(found.findings.iter().any(|it| it.check == "seal-without-wrap"), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_role_that_no_event_gave_and_one_that_an_event_took_are_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let (domain, op) = (&it.house.domain, it.house.operator(Role::Owner));
        let pay = domain.project(&op, "pay").await.unwrap().id;
        let team = NewTeam { slug: "payers".parse().unwrap(), name: "Payers".parse().unwrap() };
        let holder = Holder::Team(domain.create_team(&op, team).await.unwrap());
        let grant = async |role| domain.grant_role(&op, Grant { holder, role, project: Some(pay) }).await.unwrap();
        let kept = grant(Role::Viewer).await;
        let taken = grant(Role::Reader).await;
        domain.revoke_role(&op, taken).await.unwrap();
        let clean = it.look().await;
        assert!(clean.is_clean(), "{:?}", clean.findings);
        // Beside one that an event gave to the same holder.
        let silently = "INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
                        SELECT $1, principal_kind, principal_id, $2, project_id, created_at + 1, created_by
                        FROM role_bindings WHERE role = 'viewer'";
        it.finds("role-without-event", move || sql(silently).bind("rbd_silent").bind("issuer")).await;
        it.finds("role-event-not-revoked", move || sql(silently).bind(taken).bind("reader")).await;
        it.finds("role-event-without-role", move || sql("DELETE FROM role_bindings WHERE id = $1").bind(kept)).await;
    })
    .await;
}

#[tokio::test]
async fn a_member_whom_no_event_added_and_one_whom_an_event_removed_are_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let (house, domain) = (&it.house, &it.house.domain);
        let ada = people::set_up(house).await;
        let pay = domain.project(&ada.op(house), "pay").await.unwrap().id;
        let kept = people::join(house, &ada, "Bob", Role::Viewer, Some(pay), 2).await.person.id;
        let again = people::join(house, &ada, "Cleo", Role::Viewer, Some(pay), 3).await.person.id;
        let gone = ada.person.id;
        let team = async |slug: &str, name: &str| {
            let new = NewTeam { slug: slug.parse().unwrap(), name: name.parse().unwrap() };
            domain.create_team(&ada.op(house), new).await.unwrap()
        };
        let (payers, others) = (team("payers", "Payers").await, team("others", "Others").await);
        for person in [kept, again, gone] {
            domain.add_member(&ada.op(house), payers, person).await.unwrap();
        }
        for person in [again, gone] {
            domain.remove_member(&ada.op(house), payers, person).await.unwrap();
        }
        domain.add_member(&ada.op(house), payers, again).await.unwrap();
        let clean = it.look().await;
        assert!(clean.is_clean(), "{:?}", clean.findings);

        let put = move |team, person| {
            sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, 1)")
                .bind(team)
                .bind(person)
        };
        it.finds("member-event-not-removed", move || put(payers, gone)).await;
        it.finds("member-without-event", move || put(others, kept)).await;
        let taken = "DELETE FROM team_members WHERE team_id = $1 AND user_id = $2";
        it.finds("member-event-without-member", move || sql(taken).bind(payers).bind(kept)).await;
        // An event goes after the personal part that refers to it.
        let personal = "DELETE FROM event_personal
                        WHERE event_id IN (SELECT id FROM events WHERE action = 'team.remove-member')";
        it.damage(move || sql(personal)).await;
        let lost = it.finds_more(|| sql("DELETE FROM events WHERE action = 'team.remove-member'")).await;
        assert!(lost.contains(&"member-events-uneven"), "{lost:?}");
    })
    .await;
}
