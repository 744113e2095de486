use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{Role, SecretPath};
use keywarden_store::{count::number, sql};

use super::lifecycle::DAY;
use super::{Address, Scene, Which, label, labelled};
use crate::cast::{Player, both_engines};
use crate::keys::Place;
use crate::secrets::{AsOf, AsOfError, Later, Lost, Return, ReturnError, Returned, Stand, Way};
use crate::{Once, Op, Refused};

impl Scene {
    fn at_rest(&self) -> DateTime<Utc> {
        let at = self.house.now();
        self.house.clock.advance(std::time::Duration::from_secs(1));
        at
    }

    async fn as_of(&self, by: &Player, folder: Option<&str>, at: DateTime<Utc>) -> AsOf {
        let folder: Option<SecretPath> = folder.map(|it| it.parse().unwrap());
        self.house.domain.secrets_as_of(&by.op(), &self.live(), folder.as_ref(), at).await.unwrap()
    }

    async fn back(&self, op: &Op, asked: &Return) -> Result<Returned, ReturnError> {
        self.house.domain.return_secrets(op, &self.live(), asked).await
    }
}

fn to(at: DateTime<Utc>) -> Return {
    Return { folder: None, at, later: Later::Leave, seen: None }
}

/// `a 1>2 back`, and so on.
fn told(found: &AsOf) -> Vec<String> {
    let stand = |it: Stand| match it {
        Stand::Absent => "absent".to_owned(),
        Stand::Deleted => "deleted".to_owned(),
        Stand::Purged => "purged".to_owned(),
        Stand::There(None) => "none".to_owned(),
        Stand::There(Some(number)) => number.to_string(),
    };
    let way = |it: Way| match it {
        Way::Back { restore, to } => {
            format!(
                "{}{}",
                if restore { "restored" } else { "" },
                to.map_or(String::new(), |to| format!("->{to}"))
            )
        }
        Way::Later => "later".to_owned(),
        Way::Lost(lost) => format!("lost: {lost}"),
        Way::Stays => "stays".to_owned(),
    };
    let line = |it: &crate::secrets::WasLine| {
        format!("{} {}>{} {}", it.path, stand(it.then), stand(it.now), way(it.way))
    };
    found.lines.iter().map(line).collect()
}

#[tokio::test]
async fn a_folder_is_shown_as_it_was_and_returned_to_all_of_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let before = scene.at_rest();
        let moved = scene.put("db/moved", "one").await.id;
        let deleted = scene.put("db/deleted", "one").await.id;
        let both = scene.put("db/both", "one").await.id;
        scene.put("db/same", "one").await;
        scene.put("elsewhere", "one").await;
        let then = scene.at_rest();
        scene.put("db/moved", "two").await;
        scene.put("db/moved", "three").await;
        scene.put("db/both", "two").await;
        domain.delete_secret(&op(), &Address::Id(both), None).await.unwrap();
        domain.delete_secret(&op(), &Address::Id(deleted), None).await.unwrap();
        let later = scene.put("db/later", "one").await.id;
        scene.put("elsewhere", "two").await;

        let found = scene.as_of(&scene.alice, Some("DB"), then).await;
        assert_eq!(
            told(&found),
            [
                "db/both 1>deleted restored->1",
                "db/deleted 1>deleted restored",
                "db/later absent>1 later",
                "db/moved 1>3 ->1",
                "db/same 1>1 stays",
            ]
        );
        let found = scene.as_of(&scene.alice, Some("db"), before).await;
        assert_eq!(
            told(&found),
            ["db/later absent>1 later", "db/moved absent>3 later", "db/same absent>1 later"]
        );
        let present = scene.as_of(&scene.alice, None, scene.house.now()).await;
        assert!(present.lines.iter().all(|it| it.way == Way::Stays), "{present:?}");

        let found = scene.as_of(&scene.alice, Some("db"), then).await;
        let asked = Return { folder: Some("db".parse().unwrap()), seen: Some(found.mark()), ..to(then) };
        let done = scene.back(&op(), &asked).await.unwrap();
        assert_eq!(done, Returned { moved: 2, restored: 2, deleted: 0 });
        for path in ["db/moved", "db/deleted", "db/both", "db/same"] {
            assert_eq!(scene.text(path).await, "one", "{path}");
        }
        assert_eq!(scene.text("elsewhere").await, "two", "another folder stays");
        assert_eq!(scene.labels(moved).await, ["current=1", "previous=3"]);
        assert_eq!(scene.text("db/later").await, "one", "left alone");
        for (id, action) in [(moved, "secret.label"), (deleted, "secret.restore"), (both, "secret.restore")] {
            let events = scene.events(id).await;
            assert_eq!(events.iter().filter(|it| *it == action).count(), 1, "{events:?}");
        }
        assert!(!scene.events(both).await.contains(&"secret.label".into()), "one event tells both");
        assert_eq!(scene.events(scene.pay.live).await, ["secret.return"]);

        // What was made later is deleted where that is chosen, and can be had back.
        let again = scene.back(&op(), &asked).await;
        assert!(matches!(again, Err(ReturnError::Changed)), "what was seen is not so any more: {again:?}");
        let nothing = Return { seen: None, ..asked.clone() };
        let nothing = scene.back(&op(), &nothing).await.unwrap();
        assert_eq!(nothing, Returned { moved: 0, restored: 0, deleted: 0 });
        assert_eq!(scene.events(scene.pay.live).await, ["secret.return"], "nothing is told of nothing");
        let gone = Return { seen: None, later: Later::Delete, ..asked };
        let done = scene.back(&op(), &gone).await.unwrap();
        assert_eq!(done, Returned { moved: 0, restored: 0, deleted: 1 });
        domain.restore_secret(&op(), later).await.unwrap();
        // The return itself is a part of what was.
        let found = scene.as_of(&scene.alice, Some("db"), then).await;
        assert_eq!(found.count(|it| *it == Way::Stays), 4, "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_as_it_was_is_named_and_keeps_nothing_else_from_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let paths = ["deleted", "destroyed", "disabled", "fine", "purged"];
        let mut ids = Vec::new();
        for path in paths {
            ids.push(scene.put(path, "one").await.id);
        }
        let never = scene.put_as(&op(), "never", labelled("one", "pending")).await.unwrap().id;
        let then = scene.at_rest();
        for path in paths {
            scene.put(path, "two").await;
        }
        domain.label_secret(&op(), never, None, &label("current"), 1).await.unwrap();
        domain.delete_secret_version(&op(), ids[0], 1).await.unwrap();
        domain.destroy_secret_version(&op(), ids[1], 1).await.unwrap();
        domain.disable_secret_version(&op(), ids[2], 1).await.unwrap();
        domain.delete_secret(&op(), &Address::Id(ids[4]), None).await.unwrap();
        let mut job = domain.system_op("purge-secrets");
        job.now += TimeDelta::days(30);
        assert_eq!(domain.purge_secrets(&job).await.unwrap(), 1);
        scene.put("purged", "another one").await;

        let found = scene.as_of(&scene.alice, None, then).await;
        let told = told(&found);
        let lost = |lost: Lost| format!("lost: {lost}");
        for (line, expected) in told.iter().zip([
            format!("deleted 1>2 {}", lost(Lost::Deleted(1))),
            format!("destroyed 1>2 {}", lost(Lost::Destroyed(1))),
            format!("disabled 1>2 {}", lost(Lost::Disabled(1))),
            "fine 1>2 ->1".into(),
            format!("never none>1 {}", lost(Lost::NoCurrent)),
        ]) {
            assert_eq!(*line, expected);
        }
        let mut purged = told[5..].to_vec();
        purged.sort_unstable();
        let old = format!("purged 1>purged {}", lost(Lost::Purged));
        assert_eq!(purged, [old, "purged absent>1 later".to_owned()]);
        let done = scene.back(&op(), &to(then)).await.unwrap();
        assert_eq!(done, Returned { moved: 1, restored: 0, deleted: 0 });
        assert_eq!((scene.text("fine").await, scene.text("destroyed").await), ("one".into(), "two".into()));
    })
    .await;
}

#[tokio::test]
async fn one_no_is_a_no_to_all_and_who_has_no_business_there_finds_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        let then = scene.at_rest();
        scene.put("a", "two").await;
        let vera = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        assert_eq!(told(&scene.as_of(&vera, None, then).await), ["a 1>2 ->1"]);
        let before = scene.house.rows().await;
        let refused = scene.back(&vera.op(), &to(then)).await;
        assert!(matches!(refused, Err(ReturnError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let seen = domain.secrets_as_of(&mallory.op(), &scene.live(), None, then).await;
        assert!(matches!(seen, Err(AsOfError::Refused(Refused::NotFound))), "{seen:?}");
        let done = scene.back(&mallory.op(), &to(then)).await;
        assert!(matches!(done, Err(ReturnError::Refused(Refused::NotFound))), "{done:?}");
        let nowhere = Place::Environment(keywarden_model::EnvironmentId::NIL);
        let nowhere = domain.secrets_as_of(&op(), &nowhere, None, then).await;
        assert!(matches!(nowhere, Err(AsOfError::Refused(Refused::NotFound))), "{nowhere:?}");
        let unsigned = scene.back(&scene.alice.without_step_up().op(), &to(then)).await;
        assert!(matches!(unsigned, Err(ReturnError::Refused(Refused::StepUp))), "{unsigned:?}");
        let ahead = scene.house.now() + TimeDelta::microseconds(1);
        let future = domain.secrets_as_of(&op(), &scene.live(), None, ahead).await;
        assert!(matches!(future, Err(AsOfError::Future)), "{future:?}");
        let future = scene.back(&op(), &to(ahead)).await;
        assert!(matches!(future, Err(ReturnError::Future)), "{future:?}");
        for seen in ["", "x", &"0".repeat(64)] {
            let stale = scene.back(&op(), &Return { seen: Some(seen.into()), ..to(then) }).await;
            assert!(matches!(stale, Err(ReturnError::Changed)), "{seen}: {stale:?}");
        }
        let after = scene.house.rows().await;
        assert_eq!((before["secret_history"], before["events"]), (after["secret_history"], after["events"]));
        assert_eq!(scene.labels(id).await, ["current=2", "previous=1"]);
    })
    .await;
}

#[tokio::test]
async fn a_return_that_is_sent_twice_is_done_once_and_of_two_at_once_one_is() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let ids: Vec<_> = {
            let mut ids = Vec::new();
            for path in ["a", "b", "c"] {
                ids.push(scene.put(path, "one").await.id);
            }
            ids
        };
        let then = scene.at_rest();
        for path in ["a", "b", "c"] {
            scene.put(path, "two").await;
        }
        let once = || Some(Once::new("0123456789abcdef", &[b"the same"]).unwrap());
        let seen = Some(scene.as_of(&scene.alice, None, then).await.mark());
        let asked = Return { seen, ..to(then) };
        let first = scene.back(&Op { once: once(), ..scene.alice.op() }, &asked).await.unwrap();
        let again = scene.back(&Op { once: once(), ..scene.alice.op() }, &asked).await.unwrap();
        assert_eq!((first, again.moved), (Returned { moved: 3, restored: 0, deleted: 0 }, 3));
        for path in ["a", "b", "c"] {
            scene.put(path, "three").await;
        }
        let seen = Some(scene.as_of(&scene.alice, None, then).await.mark());
        let asked = Return { seen, ..to(then) };
        let (one, other) = (scene.alice.op(), scene.alice.op());
        let (one, other) = tokio::join!(scene.back(&one, &asked), scene.back(&other, &asked));
        assert_eq!([&one, &other].into_iter().filter(|it| it.is_ok()).count(), 1, "{one:?} {other:?}");
        for id in ids {
            let events = scene.events(id).await;
            assert_eq!(events.iter().filter(|it| *it == "secret.label").count(), 2, "{events:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn history_is_kept_by_every_write_that_makes_one_and_by_no_other() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        let kept = async || {
            let text = "SELECT count(*) AS number FROM secret_history";
            number(sql(text), &mut scene.house.store.read().await.unwrap()).await.unwrap()
        };
        assert_eq!(kept().await, 1);
        scene.put("a", "two").await;
        domain.rotate_data_key(&op(), id).await.unwrap();
        domain.label_secret(&op(), id, None, &label("current"), 1).await.unwrap();
        assert_eq!(kept().await, 4);
        domain.label_secret(&op(), id, None, &label("blue"), 1).await.unwrap();
        scene.put_as(&op(), "a", labelled("x", "pending")).await.unwrap();
        domain.disable_secret_version(&op(), id, 2).await.unwrap();
        domain.delete_secret_version(&op(), id, 2).await.unwrap();
        scene.read("a", Which::default()).await.unwrap();
        assert_eq!(kept().await, 4, "nothing of this is in it");
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        domain.restore_secret(&op(), id).await.unwrap();
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        assert_eq!(kept().await, 7);
        scene.house.clock.advance(DAY * 30);
        let job = domain.system_op("purge-secrets");
        assert_eq!(domain.purge_secrets(&job).await.unwrap(), 1);
        assert_eq!(kept().await, 8);
        // A write that began earlier than the one before it counts from that one on.
        let early = Op { now: scene.house.now() - TimeDelta::seconds(9), ..scene.alice.steps_up().op() };
        let new = scene.put_as(&scene.alice.steps_up().op(), "b", super::of("one")).await.unwrap().id;
        scene.put_as(&early, "b", super::of("two")).await.unwrap();
        let found = scene.as_of(&scene.alice, None, scene.house.now()).await;
        let line = found.lines.iter().find(|it| it.id == new).unwrap();
        assert_eq!((line.then, line.way), (Stand::There(Some(2)), Way::Stays));
    })
    .await;
}
