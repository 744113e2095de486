//! Events that were kept elsewhere, applied after a restore: what they took away is taken away, and nothing else happens.

use chrono::TimeDelta;
use keywarden_model::{EventId, Role, TypedId as _, VerifyCode};
use keywarden_store::people::{passkeys, users};
use keywarden_store::{backups, keys, roles, sql, teams, tokens, workloads};
use serde_json::json;

use super::lost::{Lost, apply, at, counts, file, findings, is, line, parsed, verified};
use super::{CANARY, New, Old, each_way};
use crate::audit::Query;
use crate::backup::{AcceptError, ApplyEvents, EventsError};
use crate::cast::{Engine, Held, House};
use crate::keys::Place;
use crate::secrets::{Address, Which};
use crate::{Action, Refused, Resource};

#[tokio::test]
async fn what_was_taken_away_after_the_backup_is_taken_away_again_and_nothing_is_given() {
    each_way(async |old, new| {
        let lost = Lost::furnish(old).await;
        lost.goes_on().await;
        let lines = lost.exported().await;
        lost.restored(&new).await;
        let before = findings(&new).await;
        for (_, value) in &lost.keys {
            assert_eq!(
                verified(&new.domain, &lost.old.gateway, value).await,
                VerifyCode::Valid,
                "all is back"
            );
        }

        let rows = new.house.rows().await;
        let report = apply(&new, file(&lines), ApplyEvents::default()).await.unwrap();
        assert_eq!(
            counts(&report.applied),
            [
                ("backup.remove-recipient", 1),
                ("key.revoke", 1),
                ("key.rotate", 1),
                ("key.suspend", 1),
                ("role.revoke", 1),
                ("secret.delete", 1),
                ("secret.delete-version", 1),
                ("secret.destroy-version", 2),
                ("secret.disable-version", 1),
                ("service-token.revoke", 1),
                ("team.remove-member", 1),
                ("user.deactivate", 1),
                ("workload.deactivate", 1),
            ]
        );
        assert_eq!(
            counts(&report.lost),
            [
                ("API keys issued", 1),
                ("API keys rotated", 1),
                ("roles given", 1),
                ("secrets made", 1),
                ("values put", 2)
            ]
        );
        assert!(report.kept.is_empty() && report.unknown.is_empty() && report.look.is_empty(), "{report:#?}");
        assert_eq!(report.missing, Vec::<String>::new());
        assert!(report.complete && !report.accepted && !report.cut, "{report:#?}");

        // Refused by verify and by reads.
        let codes = [VerifyCode::Revoked, VerifyCode::Suspended, VerifyCode::Expired, VerifyCode::Valid];
        for ((id, value), code) in lost.keys.iter().zip(codes) {
            assert_eq!(verified(&new.domain, &lost.old.gateway, value).await, code, "{id}");
        }
        let alice = lost.old.alice.steps_up();
        for (path, reads) in [
            ("deleted", false),
            ("disabled", false),
            ("old-destroyed", true),
            ("current-destroyed", false),
            ("current-deleted", false),
        ] {
            let address =
                Address::Path { place: Place::Environment(lost.old.pay.live), path: path.parse().unwrap() };
            let read = new.domain.read_secret(&alice.op(), &address, &Which::default()).await;
            assert_eq!(read.is_ok(), reads, "{path}: {read:?}");
        }
        let project = Resource::Project(lost.old.pay.id);
        for op in [lost.bob.op(), lost.robot.op()] {
            assert!(!new.domain.would(&op, Action::ViewProject, &project).await.unwrap(), "{}", op.actor);
        }
        let mut conn = new.house.store.read().await.unwrap();
        assert!(tokens::find(&mut conn, lost.token).await.unwrap().unwrap().revoked_at.is_some());
        assert!(workloads::find(&mut conn, lost.robot.id).await.unwrap().unwrap().deactivated_at.is_some());
        assert!(roles::find(&mut conn, lost.binding).await.unwrap().is_none());
        assert!(teams::members(&mut conn, lost.team, 9).await.unwrap().is_empty());
        assert_eq!(users::find(&mut conn, lost.bob.id).await.unwrap().unwrap().state, "deactivated");
        assert!(backups::recipients(&mut conn).await.unwrap().is_empty());
        drop(conn);
        // Nothing came into being but the events that tell of it, and what is kept of `current`.
        let now = new.house.rows().await;
        for (table, count) in &rows {
            let may_grow =
                ["changes", "events", "event_personal", "secret_history", "subjects"].contains(table);
            assert!(now[table] <= *count || may_grow, "{table}: {count} -> {}", now[table]);
        }
        let after = findings(&new).await;
        let fresh: Vec<_> = after.iter().filter(|it| !before.contains(it)).collect();
        assert!(fresh.is_empty(), "{fresh:#?}");

        // Each is told, once, by the restore, with the event that did it first.
        let query = Query { actor: Some("restore".into()), limit: 200, ..Query::default() };
        let told = new.domain.events(&new.domain.shell_op(), &query).await.unwrap().events;
        assert_eq!(told.iter().filter(|it| it.canonical["facts"]["applies"].is_string()).count(), 14);

        // Again, it changes nothing.
        let again = apply(&new, file(&lines), ApplyEvents::default()).await.unwrap();
        assert!(again.applied.is_empty(), "{again:#?}");
        assert_eq!(again.done.values().map(|it| it.count).sum::<u64>(), 14);
    })
    .await;
}

#[tokio::test]
async fn the_doors_open_at_the_last_event_and_only_when_nothing_is_missing() {
    each_way(async |old, new| {
        let lost = Lost::furnish(old).await;
        lost.goes_on().await;
        let lines = lost.exported().await;
        lost.restored(&new).await;
        let shell = new.domain.shell_op();

        let later = lost.old.house.now() + TimeDelta::minutes(10);
        let how = ApplyEvents { complete_until: Some(later), accept_gap: true };
        let report = apply(&new, file(&lines), how).await.unwrap();
        assert!(!report.complete && !report.accepted, "{report:#?}");
        let gap = new.domain.open_gap().await.unwrap().unwrap();
        assert_eq!(gap.reached(), report.until);
        assert!(report.until > lost.backup.made_at && report.until < later);
        let refused = new.domain.accept_restore(&shell, lost.backup.made_at).await.unwrap_err();
        assert!(matches!(refused, AcceptError::Other(at) if at == report.until), "{refused}");

        let how = ApplyEvents { complete_until: Some(report.until), accept_gap: true };
        let report = apply(&new, file(&lines), how).await.unwrap();
        assert!(report.accepted && new.domain.open_gap().await.unwrap().is_none());
        let twice = apply(&new, file(&lines), how).await.unwrap_err();
        assert!(matches!(twice, EventsError::None), "{twice}");
    })
    .await;
}

#[tokio::test]
async fn one_who_may_not_accept_applies_nothing() {
    each_way(async |old, new| {
        let lost = Lost::furnish(old).await;
        lost.goes_on().await;
        let lines = file(&lost.exported().await);
        lost.restored(&new).await;
        let files = vec![std::io::Cursor::new(lines)];
        let refused = new.domain.apply_events(&lost.old.alice.op(), files, ApplyEvents::default()).await;
        assert!(matches!(refused, Err(EventsError::Refused(_))), "{refused:?}");
        assert_eq!(verified(&new.domain, &lost.old.gateway, &lost.keys[0].1).await, VerifyCode::Valid);
    })
    .await;
}

#[tokio::test]
async fn bad_files_are_refused_or_told_of() {
    let lost = Lost::furnish(Old::furnish(House::new(Engine::Sqlite).await).await).await;
    lost.goes_on().await;
    let lines = lost.exported().await;
    let new = New::on(Engine::Sqlite).await;
    lost.restored(&new).await;
    let how = ApplyEvents { accept_gap: true, complete_until: None };
    let untouched =
        async || verified(&new.domain, &lost.old.gateway, &lost.keys[0].1).await == VerifyCode::Valid;

    // Another house's, with or without the time before the backup.
    // Houses of the cast draw the same ids, unless one has drawn more before than the other ever does.
    let house = House::new(Engine::Sqlite).await;
    for _ in 0..1_000 {
        let _drawn: [u8; 1_024] = house.domain.env().bytes();
    }
    let other = Lost::furnish(Old::furnish(house).await).await;
    other.goes_on().await;
    let foreign = other.exported().await;
    let made_at = lost.backup.made_at;
    let late: Vec<_> = foreign.iter().filter(|it| at(it) > made_at).cloned().collect();
    for lines in [&foreign, &late] {
        let refused = apply(&new, file(lines), how).await.unwrap_err();
        assert!(matches!(refused, EventsError::Foreign), "{refused}");
    }
    let refused = apply(&new, Vec::new(), how).await.unwrap_err();
    assert!(matches!(refused, EventsError::Empty), "{refused}");

    // One event in two tellings: of the backup's time, and of later.
    for at in [0, lines.len() - 1] {
        let mut changed = parsed(&lines[at]);
        changed["nonce"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
        let mut twice = lines.clone();
        twice.push(serde_json::to_vec(&changed).unwrap());
        let refused = apply(&new, file(&twice), how).await.unwrap_err();
        assert!(matches!(refused, EventsError::Altered(_)), "{refused}");
    }

    // A line that is none, and one of a later version.
    for (line, word) in [("{\"v\":1}", "line 3: it is no event"), ("{\"v\":2}", "newer program")] {
        let mut bad = lines.clone();
        bad.insert(2, line.as_bytes().to_vec());
        let refused = apply(&new, file(&bad), how).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    assert!(untouched().await, "whatever was refused changed nothing");

    // One of a name that nobody knows here keeps the doors shut.
    let mut unknown = lines.clone();
    let mut event = parsed(&lines[lines.len() - 1]);
    event["action"] = json!("key.forget");
    event["id"] = json!(EventId::from_parts(lost.old.house.now(), 9).to_string());
    unknown.push(serde_json::to_vec(&event).unwrap());
    // In any order, told twice, and cut within the last line.
    unknown.reverse();
    unknown.extend(lines[..5].to_vec());
    let mut cut = file(&unknown);
    cut.extend(&lines[7][..40]);
    let report = apply(&new, cut, how).await.unwrap();
    assert_eq!(counts(&report.unknown), [("key.forget", 1)]);
    assert!(report.cut && !report.accepted, "{report:#?}");
    assert_eq!(report.repeated, 5);
    assert_eq!(report.disordered, report.events - 1);
    assert!(!untouched().await);
    let codes = [VerifyCode::Revoked, VerifyCode::Suspended, VerifyCode::Expired, VerifyCode::Valid];
    for ((id, value), code) in lost.keys.iter().zip(codes) {
        assert_eq!(verified(&new.domain, &lost.old.gateway, value).await, code, "{id}");
    }
}

#[tokio::test]
async fn missing_events_are_named_and_keep_the_doors_shut() {
    let lost = Lost::furnish(Old::furnish(House::new(Engine::Sqlite).await).await).await;
    lost.goes_on().await;
    let lines = lost.exported().await;
    let how = ApplyEvents { accept_gap: true, complete_until: None };
    let made_at = lost.backup.made_at;

    // Without what the backup knows, the files say nothing of where they begin.
    let new = New::on(Engine::Sqlite).await;
    lost.restored(&new).await;
    let late: Vec<_> = lines.iter().filter(|it| at(it) > made_at).cloned().collect();
    let report = apply(&new, file(&late), how).await.unwrap();
    assert_eq!((report.known, report.accepted, report.missing.len()), (0, false, 1), "{report:#?}");
    assert!(report.missing[0].contains("the backup's last event"), "{:?}", report.missing);
    assert_eq!(verified(&new.domain, &lost.old.gateway, &lost.keys[0].1).await, VerifyCode::Revoked);

    // Without the revocation, what was decided later tells that something happened.
    let new = New::on(Engine::Sqlite).await;
    lost.restored(&new).await;
    let without: Vec<_> = lines.iter().filter(|it| !is(it, "key.revoke")).cloned().collect();
    let report = apply(&new, file(&without), how).await.unwrap();
    assert!(!report.accepted && report.missing.len() == 1, "{report:#?}");
    assert!(report.missing[0].contains("moved by 1"), "{:?}", report.missing);
    // Whoever has read that opens them all the same.
    new.domain.accept_restore(&new.domain.shell_op(), report.until).await.unwrap();
}

#[tokio::test]
async fn passkeys_codes_and_purges_are_taken_and_the_last_owner_stays() {
    each_way(async |old, new| {
        let held =
            Held { name: "Key", synced: false, last_used_at: None, may_approve_after: old.house.now() };
        let carol = old.house.person("Carol", &[(Role::Viewer, Some(old.pay.id))]).await;
        old.house.holds(&carol, &[held]).await;
        let codes: Vec<_> = (0..10_i64)
            .map(|position| {
                sql("INSERT INTO recovery_codes (user_id, position, lookup, mac_key_id, mac, created_at)
                     VALUES ($1, $2, 'ABCD', 'krk', $3, 1)")
                .bind(carol.id)
                .bind(position)
                .bind([0_u8; 32])
            })
            .collect();
        old.house.put(codes).await;
        let lost = Lost::furnish(old).await;
        let mut lines = lost.exported().await;
        let now = lost.old.house.now();
        let (ada, user) = (lost.ada.id.to_string(), carol.id.to_string());
        let purged = lost.secrets["old-destroyed"].to_string();
        let mut conn = lost.old.house.store.read().await.unwrap();
        let value = keys::values(&mut conn, lost.keys[3].0).await.unwrap()[0].id;
        let passkey = passkeys::of(&mut conn, carol.id).await.unwrap()[0].id.to_string();
        drop(conn);
        let refused = |mut line: Vec<u8>| {
            let mut it = parsed(&line);
            it["outcome"] = json!("refused");
            line = serde_json::to_vec(&it).unwrap();
            line
        };
        lines.extend([
            line(1, now, "passkey.remove", &passkey, &json!({ "user": user })),
            line(2, now, "recovery.use-code", &user, &json!({ "code": 3 })),
            line(3, now, "user.deactivate", &ada, &json!({})),
            line(4, now, "secret.purge", &purged, &json!({})),
            line(
                5,
                now,
                "key.destroy-value",
                &lost.keys[3].0.to_string(),
                &json!({ "value": value.to_string() }),
            ),
            refused(line(6, now, "user.deactivate", &user, &json!({}))),
            // It does not say which.
            line(7, now, "role.revoke", &user, &json!({})),
            line(8, now, "user.reactivate", &lost.bob.id.to_string(), &json!({})),
        ]);
        lost.restored(&new).await;
        let before = findings(&new).await;
        let how = ApplyEvents { accept_gap: true, complete_until: None };
        let report = apply(&new, file(&lines), how).await.unwrap();
        assert_eq!(
            counts(&report.applied),
            [("key.destroy-value", 1), ("passkey.remove", 1), ("recovery.use-code", 1), ("secret.purge", 1)]
        );
        assert_eq!(counts(&report.kept), [("user.deactivate: they are the last active owner here", 1)]);
        assert_eq!(counts(&report.unknown), [("role.revoke", 1)]);
        assert_eq!(counts(&report.lost), [("people let back in", 1)]);
        assert!(!report.accepted, "somebody has to see to the owner");

        assert_eq!(verified(&new.domain, &lost.old.gateway, &lost.keys[3].1).await, VerifyCode::NotFound);
        let mut conn = new.house.store.read().await.unwrap();
        assert!(passkeys::of(&mut conn, carol.id).await.unwrap().is_empty());
        assert_eq!(users::find(&mut conn, lost.ada.id).await.unwrap().unwrap().state, "active");
        assert_eq!(users::find(&mut conn, carol.id).await.unwrap().unwrap().state, "active");
        let left = keywarden_store::people::codes::left(&mut conn, carol.id).await.unwrap();
        assert_eq!(left, 9);
        drop(conn);
        let found = new.domain.secret(&lost.ada.op(), &Address::Id(lost.secrets["old-destroyed"])).await;
        assert!(matches!(found, Err(Refused::NotFound)), "{found:?}");
        let fresh =
            async || findings(&new).await.into_iter().filter(|it| !before.contains(it)).collect::<Vec<_>>();
        assert_eq!(fresh().await, Vec::<String>::new());

        let renewed = [lines, vec![line(9, now, "recovery-codes.renew", &user, &json!({}))]].concat();
        let report = apply(&new, file(&renewed), how).await.unwrap();
        assert_eq!(counts(&report.applied), [("recovery-codes.renew", 1)]);
        assert_eq!(fresh().await, Vec::<String>::new(), "used up without an event of each");
        assert_eq!(lost.old.works_at(&new.domain).await.1, CANARY, "what nobody touched is as it was");
    })
    .await;
}
