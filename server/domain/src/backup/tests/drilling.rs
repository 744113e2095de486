//! Drills: of the newest backup only, told whatever comes of them, and gone without a trace.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keywarden_model::{EnvironmentId, Role, SecretKind};
use keywarden_store::{drills as rows, sql};
use keywarden_vault::recovery::RecoveryKey;
use keywarden_vault::seal::softhsm::ScratchTokens;
use keywarden_vault::{Seal, SecretBytes};

use super::token::{tokens, tokens_by};
use super::{CANARY, pay_live, recovery_key};
use crate::backup::{Backup, Drill, DrillError, DrillSeal, DrillState, Drills, DrillsDue, verify};
use crate::cast::{House, both_engines};
use crate::keys::Place;
use crate::secrets::{About, NewValue, PutSecret, Validity};
use crate::{Domain, Once, Op, Refused};

/// A house in which nothing is that a use-case did not make: whatever `fsck` finds in its backup is the drill's to tell.
struct Home {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    recovery: RecoveryKey,
    live: EnvironmentId,
}

impl Home {
    /// Boxed: what a whole house needs is no small future.
    fn furnish(house: House) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let (house, seals) = house.with_project_seals(&["acme"]).await;
            let live = pay_live(&house).await;
            let recovery = recovery_key(&house);
            let text = recovery.recipient().to_string();
            let domain = &house.domain;
            domain.add_recipient(&domain.shell_op(), "Safe".parse().unwrap(), &text).await.unwrap();
            let home = Self { house, seals, recovery, live };
            home.put("database/password", CANARY).await;
            home
        })
    }

    async fn put(&self, path: &str, text: &str) {
        let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap();
        let put = PutSecret {
            value,
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let (place, owner) = (Place::Environment(self.live), self.house.operator(Role::Owner));
        self.house.domain.put_secret(&owner, &place, &path.parse().unwrap(), put).await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.house.folder().join(name)
    }

    async fn back_up(&self, name: &str) -> Backup {
        Box::pin(self.house.domain.back_up(&self.house.domain.shell_op(), &self.path(name))).await.unwrap()
    }
}

/// The same house with drills switched on.
async fn drilled(home: Home, due: DrillsDue) -> Home {
    Box::pin(drilled_under(home, due, Err("this test makes none".into()))).await
}

async fn drilled_under(mut home: Home, due: DrillsDue, tokens: Result<ScratchTokens, String>) -> Home {
    let folder = home.path("drill");
    let on = |settings: &mut crate::Settings| settings.drills = Some(Drills { folder, due, tokens });
    home.house = home.house.neighbour_with(on).await;
    home
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
async fn told(home: &Home, action: &'static str) -> i64 {
    let mut conn = home.house.store.read().await.unwrap();
    let count = sql("SELECT count(*) AS number FROM events WHERE action = $1").bind(action);
    keywarden_store::count::number(count, &mut conn).await.unwrap()
}

#[tokio::test]
async fn the_newest_backup_comes_back_beside_the_house_and_is_taken_away_again() {
    both_engines(async |house| {
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        assert!(!domain.backups(&domain.shell_op()).await.unwrap().may_drill, "there is nothing to drill");
        let backup = home.back_up("a.kwbackup").await;
        assert_eq!(backup.recipients, [home.recovery.recipient().id()], "the key for drills is nobody's");
        assert!(domain.backups(&domain.shell_op()).await.unwrap().may_drill);
        let done = drill(domain).await;
        let report = done.report.clone().unwrap();
        assert_eq!((done.state, report.failures.join("; ").as_str()), (DrillState::Passed, ""));
        assert_eq!((done.backup, done.made_at, report.compared), (backup.id, backup.made_at, 1));
        assert!(report.rows > 20 && report.events > 3 && report.opened > 2, "{report:?}");
        assert!(!home.path("drill").exists(), "the scratch database stays");
        assert_eq!((told(&home, "backup.drill").await, told(&home, "backup.drill-passed").await), (1, 1));
        assert_eq!(known(domain).await, [done]);
        let findings = domain.fsck(&home.seals).await.unwrap();
        assert!(findings.is_clean(), "{:?}", findings.findings);
    })
    .await;
}

#[tokio::test]
async fn it_comes_back_under_an_empty_token_and_where_none_can_be_made_the_report_says_so() {
    both_engines(async |house| {
        let broken = tokens_by("/nowhere/libsofthsm2.so".into());
        let mut home = Home::furnish(house).await;
        for (tokens, under) in [
            (Ok(tokens()), None),
            (Ok(broken), Some("`/nowhere/libsofthsm2.so` does not load")),
            (Err("it is not installed".to_owned()), Some("it is not installed")),
        ] {
            home = drilled_under(home, DrillsDue::Never, tokens).await;
            home.house.clock.advance(Duration::from_secs(1));
            let name = under.map_or("token", |_| "software");
            home.back_up(&format!("{}.kwbackup", told(&home, "backup.drill").await)).await;
            let done = drill(&home.house.domain).await;
            let report = done.report.unwrap();
            assert_eq!((done.state, report.failures.join("; ").as_str()), (DrillState::Passed, ""));
            assert_eq!(report.compared, 1, "{report:?}");
            match (report.seal.unwrap(), under) {
                (DrillSeal::Token, None) => {}
                (DrillSeal::Software { why }, Some(says)) => assert!(why.contains(says), "{why}"),
                other => panic!("{other:?}"),
            }
            assert!(!home.path("drill").exists(), "the token stays");
            let mut conn = home.house.store.read().await.unwrap();
            let events = sql("SELECT id, bytes FROM events WHERE action = 'backup.drill-passed' ORDER BY id");
            let events: Vec<rows::EventBytes> = events.all(&mut conn).await.unwrap();
            let last = String::from_utf8(events.last().unwrap().bytes.clone()).unwrap();
            assert!(last.contains(&format!("\"seal\":\"{name}\"")), "{last}");
        }
        // What a killed one left: a token and a database, which nothing opens any more.
        std::fs::create_dir_all(home.path("drill/softhsm/tokens/one")).unwrap();
        std::fs::write(home.path("drill/softhsm/tokens/one/token.object"), b"a rest").unwrap();
        home = drilled_under(home, DrillsDue::Never, Ok(tokens())).await;
        home.house.clock.advance(Duration::from_secs(1));
        assert_eq!(drill(&home.house.domain).await.report.unwrap().seal, Some(DrillSeal::Token));
        assert!(!home.path("drill").exists());
        assert!(home.house.domain.fsck(&home.seals).await.unwrap().is_clean());
    })
    .await;
}

#[tokio::test]
async fn a_drill_opens_nothing_that_is_under_a_projects_own_seal_and_says_so() {
    both_engines(async |house| {
        let mut home = Home::furnish(house).await;
        let acme = "software:acme".parse().unwrap();
        let owner = || home.house.operator(Role::Owner);
        let pay = home.house.domain.project(&owner(), "pay").await.unwrap().id;
        home.house.domain.offer_seal(&owner(), &acme).await.unwrap();
        home.house.domain.name_project_seal(&owner(), pay, Some(&acme)).await.unwrap();
        home = drilled(home, DrillsDue::Never).await;
        home.back_up("a.kwbackup").await;
        let done = drill(&home.house.domain).await;
        let report = done.report.unwrap();
        assert_eq!((done.state, report.failures.join("; ").as_str()), (DrillState::Passed, ""));
        assert_eq!((report.apart.len(), report.compared), (1, 0), "{report:?}");
        assert!(report.apart[0].contains("software:acme"), "{report:?}");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_changed_taken_away_or_replaced_is_a_failed_drill_that_says_so() {
    both_engines(async |house| {
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        let first = home.back_up("first").await;
        let second = home.back_up("second").await;
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
            home.house.clock.advance(Duration::from_secs(1));
            let failed = drill(domain).await;
            let failures = failed.report.unwrap().failures.join("; ");
            assert_eq!(failed.state, DrillState::Failed);
            assert!(failures.contains(says), "{failures}");
            assert!(!home.path("drill").exists());
        }
        assert_eq!(told(&home, "backup.drill-failed").await, 3);
        std::fs::write(&second.file, whole).unwrap();
        home.house.clock.advance(Duration::from_secs(1));
        assert_eq!(drill(domain).await.state, DrillState::Passed);
        assert!(domain.fsck(&home.seals).await.unwrap().is_clean());
    })
    .await;
}

#[tokio::test]
async fn a_value_or_an_event_that_is_another_one_here_fails_the_drill() {
    both_engines(async |house| {
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        home.put("other", "another value").await;
        home.back_up("a.kwbackup").await;
        home.house.put(vec![sql("UPDATE secret_versions SET ciphertext = wrapped_key")]).await;
        let failed = drill(domain).await;
        let failures = failed.report.unwrap().failures;
        assert_eq!(failures.iter().filter(|it| it.contains("does not open here")).count(), 2, "{failures:?}");

        home.house.put(vec![sql("DELETE FROM event_personal"), sql("DELETE FROM events")]).await;
        home.house.clock.advance(Duration::from_secs(1));
        let failures = drill(domain).await.report.unwrap().failures;
        assert!(failures.iter().any(|it| it.contains("is not in this house's record")), "{failures:?}");
    })
    .await;
}

#[tokio::test]
async fn the_house_opens_its_newest_backup_and_no_older_one() {
    both_engines(async |house| {
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        let first = home.back_up("first").await;
        let of_first = rows::key(&mut home.house.store.read().await.unwrap()).await.unwrap().unwrap();
        home.house.clock.advance(Duration::from_secs(1));
        let second = home.back_up("second").await;
        let of_second = rows::key(&mut home.house.store.read().await.unwrap()).await.unwrap().unwrap();
        assert_eq!((of_first.id, &of_second.id), (first.id.to_string(), &second.id.to_string()));
        let count = sql("SELECT count(*) AS number FROM drill_keys");
        let mut conn = home.house.store.read().await.unwrap();
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
        let home = Home::furnish(house).await;
        let off = &home.house.domain;
        home.back_up("without").await;
        let refused = off.drill(&off.shell_op()).await.unwrap_err();
        assert!(matches!(refused, DrillError::Off), "{refused}");
        let on = drilled(home, DrillsDue::Never).await;
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
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        let admin = || home.house.operator(Role::Admin);
        let once = || Op { once: Some(Once::new("key-of-this-form", &[b"x"]).unwrap()), ..admin() };
        let refused = domain.ask_for_drill(&admin()).await.unwrap_err();
        assert!(matches!(refused, DrillError::NoKey), "{refused}");
        home.back_up("a.kwbackup").await;
        let stranger = domain.ask_for_drill(&home.house.operator(Role::Auditor)).await.unwrap_err();
        assert!(
            matches!(stranger, DrillError::Refused(Refused::NotFound | Refused::Forbidden(_))),
            "{stranger}"
        );
        clock(domain).await;
        assert!(known(domain).await.is_empty(), "nobody asked");
        let asked = domain.ask_for_drill(&once()).await.unwrap();
        let again = domain.ask_for_drill(&once()).await.unwrap();
        assert_eq!(asked, again);
        let refused = domain.ask_for_drill(&admin()).await.unwrap_err();
        assert!(matches!(refused, DrillError::UnderWay), "{refused}");
        let seen = domain.backups(&admin()).await.unwrap();
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
        let home = drilled(Home::furnish(house).await, DrillsDue::Backups(2)).await;
        let domain = &home.house.domain;
        home.back_up("first").await;
        clock(domain).await;
        assert!(known(domain).await.is_empty(), "one backup of two");
        home.house.clock.advance(Duration::from_secs(1));
        let second = home.back_up("second").await;
        clock(domain).await;
        clock(domain).await;
        let done = known(domain).await;
        assert_eq!((done.len(), done[0].backup, done[0].state), (1, second.id, DrillState::Passed));
        home.house.clock.advance(Duration::from_secs(1));
        home.back_up("third").await;
        clock(domain).await;
        assert_eq!(known(domain).await.len(), 1, "one backup since");
    })
    .await;
}

#[tokio::test]
async fn a_drill_that_nobody_ended_is_told_as_cut_off_and_makes_room_for_another() {
    both_engines(async |house| {
        let home = drilled(Home::furnish(house).await, DrillsDue::Never).await;
        let domain = &home.house.domain;
        home.back_up("a.kwbackup").await;
        domain.ask_for_drill(&domain.shell_op()).await.unwrap();
        home.house.put(vec![sql("UPDATE drills SET state = 'running', started_at = asked_at")]).await;
        clock(domain).await;
        assert_eq!(known(domain).await[0].state, DrillState::Running, "it may be at it yet");
        home.house.clock.advance(Duration::from_hours(7));
        clock(domain).await;
        let ended = known(domain).await;
        assert_eq!(ended[0].state, DrillState::Failed);
        assert!(ended[0].report.as_ref().unwrap().failures[0].contains("cut off"));
        // What a killed one left behind is no obstacle.
        std::fs::create_dir(home.path("drill")).unwrap();
        std::fs::write(home.path("drill/drill.db"), b"a rest").unwrap();
        assert_eq!(drill(domain).await.state, DrillState::Passed);
        assert!(!home.path("drill").exists());
        assert!(domain.fsck(&home.seals).await.unwrap().is_clean());
    })
    .await;
}
