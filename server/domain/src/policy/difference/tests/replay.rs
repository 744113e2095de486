//! What was decided, asked again.

use chrono::TimeDelta;

use super::*;

async fn replay(house: &House, by: &Player, id: PolicyId, version: i64) -> Replay {
    house.domain.policy_replay(&by.op(), id, PolicyChange::Version(version)).await.unwrap()
}

#[tokio::test]
async fn what_was_decided_is_asked_again() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let rob = house.person("Rob", &[(Role::Reader, Some(pay.id))]).await;
        let ann = house.person("Ann", &[(Role::Viewer, Some(pay.id))]).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b"]).await;
        let secret = |n: usize| Resource::Secret { id: live[n], project: pay.id, environment: pay.live };
        for (who, n) in [(&rob, 0), (&rob, 0), (&rob, 1), (&olga, 1)] {
            drop(house.domain.authorize(&who.op(), Action::ReadSecret, &secret(n)).await.unwrap());
        }
        house.domain.authorize(&ann.op(), Action::ReadSecret, &secret(0)).await.unwrap_err();
        house.domain.flush_decisions().await.unwrap();
        let text = format!(
            r#"forbid (principal == Person::"{}", action == Action::"secret.read", resource);"#,
            rob.id
        );
        let id = drafted(&house, &olga, PolicyScope::Organization, &text).await;
        let found = replay(&house, &olga, id, 1).await;
        assert_eq!((found.newly_denied, found.newly_allowed), (2, 0), "{found:?}");
        assert_eq!((found.asked, found.times, found.more), (4, 5, false), "{found:?}");
        assert_eq!((found.gone, found.moment_unknown, found.otherwise_today), (0, 0, 0), "{found:?}");
        let mut rows: Vec<_> =
            found.rows.iter().map(|it| (it.thing.id.clone(), it.times, it.change)).collect();
        rows.sort();
        let mut told = vec![(live[0].to_string(), 2, Change::Lost), (live[1].to_string(), 1, Change::Lost)];
        told.sort();
        assert_eq!(rows, told);
        assert!(found.rows.iter().all(|it| it.who.name.as_deref() == Some("Rob")));

        let gives = format!(
            r#"permit (principal == Person::"{}", action == Action::"secret.read", resource);"#,
            ann.id
        );
        let gives = drafted(&house, &olga, PolicyScope::Organization, &gives).await;
        let found = replay(&house, &olga, gives, 1).await;
        assert_eq!((found.newly_denied, found.newly_allowed), (0, 1), "{found:?}");

        // Whoever has left is not asked, and whose role was taken was answered otherwise.
        house
            .put(vec![
                sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(ann.id),
                sql("DELETE FROM role_bindings WHERE principal_id = $1").bind(rob.id.to_string()),
            ])
            .await;
        let found = replay(&house, &olga, id, 1).await;
        assert_eq!((found.newly_denied, found.gone, found.otherwise_today), (0, 1, 2), "{found:?}");

        house.clock.advance(Duration::from_hours(31 * 24));
        let olga = house.person("Olga the second", &[(Role::Owner, None)]).await;
        assert_eq!(replay(&house, &olga, id, 1).await.asked, 0, "older than the log is kept");
    })
    .await;
}

#[tokio::test]
async fn from_where_something_was_asked_is_sealed_and_asked_again() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b", "c"]).await;
        let secret = |n: usize| Resource::Secret { id: live[n], project: pay.id, environment: pay.live };
        for (n, address) in [(0, Some([192, 0, 2, 7])), (1, Some([198, 51, 100, 7])), (2, None)] {
            let mut op = olga.op();
            op.source.address = address.map(std::net::IpAddr::from);
            drop(house.domain.authorize(&op, Action::ReadSecret, &secret(n)).await.unwrap());
        }
        house.domain.flush_decisions().await.unwrap();
        let mut conn = house.store.read().await.unwrap();
        let since = house.now() - TimeDelta::days(1);
        let logged =
            keywarden_store::decisions::latest(&mut conn, "secret.read", None, since, 10).await.unwrap();
        drop(conn);
        assert_eq!(logged.len(), 3);
        for row in &logged {
            assert_eq!(row.method.as_deref(), Some("passkey"));
            assert_eq!(row.passkey_age, Some(0));
            let sealed = row.sealed_address.clone().unwrap_or_default();
            for plain in ["192.0.2.7", "198.51.100.7"] {
                assert!(!sealed.windows(plain.len()).any(|it| it == plain.as_bytes()), "it is sealed");
            }
        }
        assert_eq!(logged.iter().filter(|it| it.sealed_address.is_some()).count(), 2);
        let text = r#"forbid (principal, action == Action::"secret.read", resource)
                      unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, text).await;
        let found = replay(&house, &olga, id, 1).await;
        let mut denied: Vec<_> = found.rows.iter().map(|it| it.thing.id.clone()).collect();
        denied.sort();
        let mut outside = vec![live[1].to_string(), live[2].to_string()];
        outside.sort();
        assert_eq!(denied, outside);

        // Without the key nobody knows from where: what was asked from somewhere is not asked again.
        house
            .put(vec![sql("UPDATE subjects SET sealed_key = NULL WHERE id = $1").bind(olga.id.to_string())])
            .await;
        let found = replay(&house, &olga, id, 1).await;
        assert_eq!((found.newly_denied, found.moment_unknown), (1, 2), "{found:?}");
        house.put(vec![sql("UPDATE decision_log SET method = NULL")]).await;
        assert_eq!(replay(&house, &olga, id, 1).await.moment_unknown, 3, "an older program wrote them");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_not_kept_is_not_taken_for_none() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b"]).await;
        let secret = |n: usize| Resource::Secret { id: live[n], project: pay.id, environment: pay.live };
        for (n, address) in [(0, Some([192, 0, 2, 7])), (1, None)] {
            let mut op = house.operator(Role::Owner);
            op.source.address = address.map(std::net::IpAddr::from);
            drop(house.domain.authorize(&op, Action::ReadSecret, &secret(n)).await.unwrap());
        }
        house.domain.flush_decisions().await.unwrap();
        let text = r#"forbid (principal, action == Action::"secret.read", resource)
                      unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, text).await;
        let found = replay(&house, &olga, id, 1).await;
        let denied: Vec<_> = found.rows.iter().map(|it| it.thing.id.clone()).collect();
        assert_eq!(denied, [live[1].to_string()], "{found:?}");
        assert_eq!((found.asked, found.moment_unknown), (1, 1), "the shell has no key: {found:?}");
        let text = r#"forbid (principal, action == Action::"secret.read", resource);"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, text).await;
        assert_eq!(replay(&house, &olga, id, 1).await.newly_denied, 2, "where nobody looks at the moment");
    })
    .await;
}

#[tokio::test]
async fn only_who_reads_the_record_there_hears_of_what_was_decided() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let olga = owner(&house).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let max = house.person("Max", &[(Role::Manager, Some(hr.id))]).await;
        for (project, environment) in [(pay.id, pay.live), (hr.id, hr.live)] {
            let place = Resource::Environment { id: environment, project };
            drop(house.domain.authorize(&olga.op(), Action::IssueKey, &place).await.unwrap());
        }
        house.domain.flush_decisions().await.unwrap();
        let text = r#"forbid (principal, action == Action::"key.issue", resource);"#;
        let id = drafted(&house, &mia, PolicyScope::Project(pay.id), text).await;
        let found = replay(&house, &mia, id, 1).await;
        assert_eq!((found.asked, found.newly_denied), (1, 1), "hers alone: {found:?}");
        for (project, environment) in [(pay.id, pay.live), (hr.id, hr.live)] {
            let place = Resource::Environment { id: environment, project };
            let leaves = house.person("Lea", &[(Role::Manager, Some(project))]).await;
            drop(house.domain.authorize(&leaves.op(), Action::IssueKey, &place).await.unwrap());
            house.domain.flush_decisions().await.unwrap();
            house
                .put(vec![sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(leaves.id)])
                .await;
        }
        let found = replay(&house, &mia, id, 1).await;
        assert_eq!((found.asked, found.gone), (1, 1), "and who left hers: {found:?}");
        let refused = house.domain.policy_replay(&max.op(), id, PolicyChange::Disabled).await;
        assert!(matches!(refused, Err(DifferenceError::Refused(Refused::NotFound))), "{refused:?}");
    })
    .await;
}
