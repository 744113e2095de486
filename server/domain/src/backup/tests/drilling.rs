//! Drills: of the newest backup only, told whatever comes of them, and gone without a trace.

use std::fs::File;
use std::time::Duration;

use keywarden_model::Role;
use keywarden_store::{drills as rows, sql};

use super::Old;
use crate::backup::{Drill, DrillError, DrillState, Drills, DrillsDue, verify};
use crate::cast::both_engines;
use crate::{Domain, Refused};

/// The same house with drills switched on.
async fn drilled(mut old: Old, due: DrillsDue) -> Old {
    let folder = old.house.folder().join("drill");
    let on = |settings: &mut crate::Settings| settings.drills = Some(Drills { folder, due });
    old.house = old.house.neighbour_with(on).await;
    old
}

async fn drill(domain: &Domain) -> Drill {
    Box::pin(domain.drill(&domain.shell_op())).await.unwrap()
}

/// What the clock does.
async fn clock(domain: &Domain) {
    Box::pin(domain.drill_if_due(&domain.system_op("drill-backups"))).await.unwrap();
}

async fn known(domain: &Domain) -> Vec<Drill> {
    domain.backups(&domain.shell_op()).await.unwrap().drills
}

/// How often the record tells of something.
async fn told(old: &Old, action: &'static str) -> i64 {
    let mut conn = old.house.store.read().await.unwrap();
    let count = sql("SELECT count(*) AS number FROM events WHERE action = $1").bind(action);
    keywarden_store::count::number(count, &mut conn).await.unwrap()
}

#[tokio::test]
async fn the_newest_backup_comes_back_beside_the_house_and_is_taken_away_again() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        assert!(!domain.backups(&domain.shell_op()).await.unwrap().may_drill, "there is nothing to drill");
        let backup = old.back_up("a.kwbackup").await;
        assert_eq!(backup.recipients, [old.recovery.recipient().id()], "the key for drills is nobody's");
        assert!(domain.backups(&domain.shell_op()).await.unwrap().may_drill);
        let done = drill(domain).await;
        let report = done.report.clone().unwrap();
        assert_eq!((done.state, report.failures.join("; ").as_str()), (DrillState::Passed, ""));
        assert_eq!((done.backup, done.made_at, report.compared), (backup.id, backup.made_at, 1));
        assert!(report.rows > 20 && report.events > 3 && report.opened > 2, "{report:?}");
        assert!(!old.path("drill").exists(), "the scratch database stays");
        assert_eq!((told(&old, "backup.drill").await, told(&old, "backup.drill-passed").await), (1, 1));
        assert_eq!(known(domain).await, [done]);
        let findings = domain.fsck(&old.seals).await.unwrap();
        assert!(findings.is_clean(), "{:?}", findings.findings);
        assert_eq!(old.works_at(domain).await.1, super::CANARY, "the house goes on");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_changed_taken_away_or_replaced_is_a_failed_drill_that_says_so() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        let first = old.back_up("first").await;
        let second = old.back_up("second").await;
        let whole = std::fs::read(&second.file).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        let other = std::fs::read(&first.file).unwrap();
        for (bytes, says) in
            [(Some(changed), "authentication failed"), (None, "No such file"), (Some(other), "not good")]
        {
            match bytes {
                Some(bytes) => std::fs::write(&second.file, bytes).unwrap(),
                None => std::fs::remove_file(&second.file).unwrap(),
            }
            old.house.clock.advance(Duration::from_secs(1));
            let failed = drill(domain).await;
            let failures = failed.report.unwrap().failures.join("; ");
            assert_eq!(failed.state, DrillState::Failed);
            assert!(failures.contains(says), "{failures}");
            assert!(!old.path("drill").exists());
        }
        assert_eq!(told(&old, "backup.drill-failed").await, 3);
        std::fs::write(&second.file, whole).unwrap();
        old.house.clock.advance(Duration::from_secs(1));
        assert_eq!(drill(domain).await.state, DrillState::Passed);
        assert!(domain.fsck(&old.seals).await.unwrap().is_clean());
    })
    .await;
}

#[tokio::test]
async fn a_value_or_an_event_that_is_another_one_here_fails_the_drill() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        old.put("other", "another value").await;
        old.back_up("a.kwbackup").await;
        old.house.put(vec![sql("UPDATE secret_versions SET ciphertext = wrapped_key")]).await;
        let failed = drill(domain).await;
        let failures = failed.report.unwrap().failures;
        assert_eq!(failures.iter().filter(|it| it.contains("does not open here")).count(), 2, "{failures:?}");

        old.house.put(vec![sql("DELETE FROM event_personal"), sql("DELETE FROM events")]).await;
        old.house.clock.advance(Duration::from_secs(1));
        let failures = drill(domain).await.report.unwrap().failures;
        assert!(failures.iter().any(|it| it.contains("is not in this house's record")), "{failures:?}");
    })
    .await;
}

#[tokio::test]
async fn the_house_opens_its_newest_backup_and_no_older_one() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        let first = old.back_up("first").await;
        let of_first = rows::key(&mut old.house.store.read().await.unwrap()).await.unwrap().unwrap();
        old.house.clock.advance(Duration::from_secs(1));
        let second = old.back_up("second").await;
        let of_second = rows::key(&mut old.house.store.read().await.unwrap()).await.unwrap().unwrap();
        assert_eq!((of_first.id, &of_second.id), (first.id.to_string(), &second.id.to_string()));
        let count = sql("SELECT count(*) AS number FROM drill_keys");
        let mut conn = old.house.store.read().await.unwrap();
        assert_eq!(keywarden_store::count::number(count, &mut conn).await.unwrap(), 1);
        drop(conn);
        let key = domain.open_drill_key(&of_second).unwrap();
        assert!(verify(|| File::open(&second.file), Some(&key)).unwrap().rows.is_some());
        assert!(verify(|| File::open(&first.file), Some(&key)).is_err());
        let astray = rows::DrillKeyRow { id: first.id.to_string(), ..of_second };
        assert!(domain.open_drill_key(&astray).is_err(), "a key of another backup's row");
        let bytes = std::fs::read(&second.file).unwrap();
        let text = key.text();
        assert!(!bytes.windows(16).any(|part| text.expose().as_bytes().ends_with(part)));
    })
    .await;
}

#[tokio::test]
async fn where_drills_are_off_none_is_done_and_the_key_is_forgotten() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        let off = &old.house.domain;
        old.back_up("without").await;
        let refused = off.drill(&off.shell_op()).await.unwrap_err();
        assert!(matches!(refused, DrillError::Off), "{refused}");
        let on = drilled(old, DrillsDue::Never).await;
        let refused = on.house.domain.drill(&on.house.domain.shell_op()).await.unwrap_err();
        assert!(matches!(refused, DrillError::NoKey), "{refused}");
        on.house.clock.advance(Duration::from_secs(1));
        on.back_up("with").await;
        let off = on.house.neighbour_with(|settings| settings.drills = None).await;
        clock(&off.domain).await;
        clock(&off.domain).await;
        let key = rows::key(&mut on.house.store.read().await.unwrap()).await.unwrap();
        assert!(key.is_none(), "the key of an earlier time stays");
        assert_eq!(told(&on, "backup.forget-drill-key").await, 1);
        assert!(known(&off.domain).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_drill_is_asked_for_by_owners_and_admins_once_and_the_clock_does_it() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        let ada = old.house.person("Ada", &[(Role::Admin, None)]).await;
        let refused = domain.ask_for_drill(&ada.op()).await.unwrap_err();
        assert!(matches!(refused, DrillError::NoKey), "{refused}");
        old.back_up("a.kwbackup").await;
        let stranger = domain.ask_for_drill(&old.alice.op()).await.unwrap_err();
        assert!(
            matches!(stranger, DrillError::Refused(Refused::NotFound | Refused::Forbidden(_))),
            "{stranger}"
        );
        clock(domain).await;
        assert!(known(domain).await.is_empty(), "nobody asked");
        let asked = domain.ask_for_drill(&ada.op_once("key-of-this-form", &[b"x"])).await.unwrap();
        let again = domain.ask_for_drill(&ada.op_once("key-of-this-form", &[b"x"])).await.unwrap();
        assert_eq!(asked, again);
        let refused = domain.ask_for_drill(&ada.op()).await.unwrap_err();
        assert!(matches!(refused, DrillError::UnderWay), "{refused}");
        let seen = domain.backups(&ada.op()).await.unwrap();
        assert_eq!((seen.drills[0].state, seen.may_drill), (DrillState::Asked, false));
        clock(domain).await;
        let done = known(domain).await;
        assert_eq!((done.len(), done[0].id, done[0].state), (1, asked, DrillState::Passed));
        clock(domain).await;
        assert_eq!(known(domain).await.len(), 1, "once");
    })
    .await;
}

#[tokio::test]
async fn a_drill_that_is_due_is_done_by_itself_and_never_twice_of_one_backup() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Backups(2)).await;
        let domain = &old.house.domain;
        old.back_up("first").await;
        clock(domain).await;
        assert!(known(domain).await.is_empty(), "one backup of two");
        old.house.clock.advance(Duration::from_secs(1));
        let second = old.back_up("second").await;
        clock(domain).await;
        clock(domain).await;
        let done = known(domain).await;
        assert_eq!((done.len(), done[0].backup, done[0].state), (1, second.id, DrillState::Passed));
        old.house.clock.advance(Duration::from_secs(1));
        old.back_up("third").await;
        clock(domain).await;
        assert_eq!(known(domain).await.len(), 1, "one backup since");
    })
    .await;
}

#[tokio::test]
async fn a_drill_that_nobody_ended_is_told_as_cut_off_and_makes_room_for_another() {
    both_engines(async |house| {
        let old = drilled(Old::furnish(house).await, DrillsDue::Never).await;
        let domain = &old.house.domain;
        old.back_up("a.kwbackup").await;
        domain.ask_for_drill(&domain.shell_op()).await.unwrap();
        old.house.put(vec![sql("UPDATE drills SET state = 'running', started_at = asked_at")]).await;
        clock(domain).await;
        assert_eq!(known(domain).await[0].state, DrillState::Running, "it may be at it yet");
        old.house.clock.advance(Duration::from_hours(7));
        clock(domain).await;
        let ended = known(domain).await;
        assert_eq!(ended[0].state, DrillState::Failed);
        assert!(ended[0].report.as_ref().unwrap().failures[0].contains("cut off"));
        // What a killed one left behind is no obstacle.
        std::fs::create_dir(old.path("drill")).unwrap();
        std::fs::write(old.path("drill/drill.db"), b"a rest").unwrap();
        assert_eq!(drill(domain).await.state, DrillState::Passed);
        assert!(!old.path("drill").exists());
        assert!(domain.fsck(&old.seals).await.unwrap().is_clean());
    })
    .await;
}
