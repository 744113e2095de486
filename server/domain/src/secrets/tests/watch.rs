//! Time as a watcher hears of it: each instant once, on whatever node, however the clock goes and whoever resumes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::EventId;

use super::{Address, PutSecret, Scene, Validity, labelled, of, template};
use crate::cast::{House, both_engines};
use crate::keys::Place;
use crate::secrets::{Look, Recent, SecretChange, SecretWatch};
use crate::{Domain, Op, Refused};

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl Scene {
    fn watch(&self, last: Option<&SecretChange>) -> SecretWatch {
        SecretWatch::new(self.live(), None, last.map(|change| change.mark.to_string()).as_deref())
    }

    /// What Alice is told of.
    async fn hears(&self, watch: &mut SecretWatch) -> Vec<SecretChange> {
        heard(&self.house.domain, &self.alice.op(), watch).await
    }

    async fn put_good(&self, path: &str, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) {
        let put = PutSecret { validity: Validity::new(from, until).unwrap(), ..of(path) };
        self.put_as(&self.alice.op(), path, put).await.unwrap();
    }

    fn passes(&self, seconds: u64) {
        self.house.clock.advance(Duration::from_secs(seconds));
    }
}

async fn heard(domain: &Domain, op: &Op, watch: &mut SecretWatch) -> Vec<SecretChange> {
    match domain.look_at_secrets(op, watch).await.unwrap() {
        Look::Changes(changes) => changes,
        Look::Resync => panic!("nothing was missed"),
    }
}

/// What time did; what was done shortly before is told again.
fn turned(changes: Vec<SecretChange>) -> Vec<SecretChange> {
    changes.into_iter().filter(|change| change.turned.is_some()).collect()
}

/// `path action turned`, by their paths: of one instant the ids decide, which are chance.
fn told(changes: &[SecretChange]) -> Vec<String> {
    let turned = |change: &SecretChange| change.turned.map_or_else(|| "-".into(), |it| it.to_string());
    let mut told: Vec<_> =
        changes.iter().map(|it| format!("{} {} {}", it.path, it.action, turned(it))).collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn a_time_that_begins_and_ends_is_told_once_at_its_instant_and_alike_on_each_node() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let start = scene.house.now();
        scene.put_good("a", Some(start + SECOND * 10), Some(start + SECOND * 20)).await;
        scene.put_good("b/c", None, Some(start + SECOND * 20)).await;
        let (neighbour, mut watch, mut other) =
            (scene.house.neighbour().await, scene.watch(None), scene.watch(None));
        let mut folder = SecretWatch::new(scene.live(), Some(&"b".parse().unwrap()), None);
        let there = async |watch: &mut SecretWatch| heard(&neighbour.domain, &scene.alice.op(), watch).await;
        for watch in [&mut watch, &mut folder] {
            assert!(scene.hears(watch).await.is_empty());
        }
        assert!(there(&mut other).await.is_empty());
        scene.house.clock.advance(Duration::from_micros(9_999_999));
        assert!(scene.hears(&mut watch).await.is_empty(), "not yet");
        scene.house.clock.advance(Duration::from_micros(1));
        let begun = scene.hears(&mut watch).await;
        assert_eq!(told(&begun), ["a secret.valid 1"]);
        assert_eq!(there(&mut other).await, begun);
        assert!(scene.hears(&mut watch).await.is_empty(), "once");
        assert!(scene.hears(&mut folder).await.is_empty());

        scene.passes(10);
        let ended = scene.hears(&mut watch).await;
        assert_eq!(there(&mut other).await, ended, "on each node the same");
        assert_eq!(told(&ended), ["a secret.expired 1", "b/c secret.expired 1"]);
        assert!(ended.iter().all(|change| change.version == Some(1) && !change.deleted), "{ended:?}");
        assert_eq!(told(&scene.hears(&mut folder).await), ["b/c secret.expired 1"]);
        assert!(scene.hears(&mut watch).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_read_once_is_told_to_all_who_may_hear_of_it_and_to_each_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        scene.put_good("a", None, Some(scene.house.now() + SECOND * 10)).await;
        let (mut one, mut other, mut still) = (scene.watch(None), scene.watch(None), scene.watch(None));
        for watch in [&mut one, &mut other, &mut still] {
            assert!(scene.hears(watch).await.is_empty());
        }
        let place = scene.live();
        let hears = async |watch: &mut SecretWatch, recent: &Recent| match domain
            .hear_of_secrets(&scene.alice.op(), watch, recent)
            .await
            .unwrap()
        {
            Look::Changes(changes) => changes.iter().map(|it| format!("{} {}", it.path, it.action)).collect(),
            Look::Resync => vec!["resync".to_owned()],
        };
        scene.passes(5);
        scene.put("b", "x").await;
        let before = domain.recent_of_secrets(&place).await.unwrap();
        for watch in [&mut one, &mut other] {
            assert_eq!(hears(watch, &before).await, ["b secret.create"]);
            assert!(hears(watch, &before).await.is_empty(), "once");
        }
        let mallory = scene.house.person("Mallory", &[]).await.op();
        let refused = domain.hear_of_secrets(&mallory, &mut scene.watch(None), &before).await;
        assert!(matches!(refused, Err(Refused::NotFound)), "{refused:?}");
        let refused = domain.hear_of_secrets(&mallory, &mut other, &before).await;
        assert!(matches!(refused, Err(Refused::NotFound)), "{refused:?}");

        scene.passes(5);
        let at_the_end = domain.recent_of_secrets(&place).await.unwrap();
        assert_eq!(hears(&mut one, &at_the_end).await, ["a secret.expired"]);
        // What was read before is of no use to one that knows more, and takes nothing back.
        assert!(hears(&mut one, &before).await.is_empty());
        assert!(hears(&mut one, &at_the_end).await.is_empty());
        // One that stood still lacks more than was read, and reads for itself.
        scene.passes(60);
        scene.put("c", "x").await;
        let late = domain.recent_of_secrets(&place).await.unwrap();
        assert_eq!(
            hears(&mut still, &late).await,
            ["b secret.create", "a secret.expired", "c secret.create"]
        );
        assert_eq!(hears(&mut one, &late).await, ["c secret.create"]);
    })
    .await;
}

#[tokio::test]
async fn whoever_resumes_is_told_what_time_did_meanwhile() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let start = scene.house.now();
        for path in ["a", "b"] {
            scene.put_good(path, None, Some(start + SECOND * 10)).await;
        }
        scene.put_good("later", None, Some(start + TimeDelta::hours(3))).await;
        let mut watch = scene.watch(None);
        assert!(scene.hears(&mut watch).await.is_empty());
        scene.passes(1);
        scene.put("other", "x").await;
        let put = scene.hears(&mut watch).await.remove(0);

        // From a change on: both, though they come after it in no record.
        scene.passes(9);
        let resumed = scene.hears(&mut scene.watch(Some(&put))).await;
        let of_time = turned(resumed);
        assert_eq!(told(&of_time), ["a secret.expired 1", "b secret.expired 1"]);
        // From the first one on, the connection broke before the second: it is of the same instant.
        let resumed = scene.hears(&mut scene.watch(Some(&of_time[0]))).await;
        assert!(resumed.contains(&of_time[1]), "{resumed:?}");
        // Nothing but time went by, for longer than any operation takes.
        scene.passes(3 * 3600);
        let late = turned(scene.hears(&mut scene.watch(Some(&of_time[1]))).await);
        assert_eq!(told(&late), ["a secret.expired 1", "b secret.expired 1", "later secret.expired 1"]);
        let again = scene.hears(&mut scene.watch(late.last())).await;
        assert_eq!(told(&again), ["later secret.expired 1"]);
        // An instant is as old as it is: what is missed by then is not told one by one.
        scene.passes(25 * 3600);
        let mut old = scene.watch(late.last());
        let look = scene.house.domain.look_at_secrets(&scene.alice.op(), &mut old).await.unwrap();
        assert_eq!(look, Look::Resync);
        let mut elsewhere = late[0].clone();
        elsewhere.mark.event = EventId::NIL;
        elsewhere.mark.until = Some(scene.house.now());
        let mut foreign = scene.watch(Some(&elsewhere));
        let look = scene.house.domain.look_at_secrets(&scene.alice.op(), &mut foreign).await.unwrap();
        assert_eq!(look, Look::Resync, "the record is another one");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_jumps_or_differs_loses_no_instant() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let start = scene.house.now();
        scene.put_good("a", Some(start + SECOND * 10), Some(start + SECOND * 20)).await;
        let at = |seconds: i32| Op { now: start + SECOND * seconds, ..scene.alice.op() };
        let domain = &scene.house.domain;

        // Over both at once: the last word is that it is over.
        let mut watch = scene.watch(None);
        assert!(heard(domain, &at(0), &mut watch).await.is_empty());
        let over = heard(domain, &at(7_200), &mut watch).await;
        assert_eq!(told(&over), ["a secret.expired 1"]);
        // Set back, and there once more: rather twice than never. What was put is told again as well, and no instant.
        let early = heard(domain, &at(5), &mut watch).await;
        assert!(early.iter().all(|it| it.turned.is_none()), "{early:?}");
        assert_eq!(told(&heard(domain, &at(15), &mut watch).await), ["a secret.valid 1"]);
        assert_eq!(told(&heard(domain, &at(20), &mut watch).await), ["a secret.expired 1"]);

        // The node that told of it is ahead of the one that it goes on at, where the value is good for two more seconds.
        let mut behind = scene.watch(over.last());
        let early = heard(domain, &at(18), &mut behind).await;
        assert!(early.iter().all(|it| it.action != "secret.expired"), "{early:?}");
        assert_eq!(told(&heard(domain, &at(20), &mut behind).await), ["a secret.expired 1"]);
    })
    .await;
}

#[tokio::test]
async fn of_what_nobody_reads_time_tells_nothing_and_of_a_purge_the_record_does() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let until = scene.house.now() + SECOND * 10;
        for path in ["deleted", "disabled", "elsewhere", "pending"] {
            scene.put_good(path, None, Some(until)).await;
        }
        let mut gone = None;
        for (path, n) in [("deleted", 0), ("disabled", 1)] {
            let id = domain.secret(&op(), &scene.address(path)).await.unwrap().secret.id;
            match n {
                0 => drop(domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap()),
                _ => domain.disable_secret_version(&op(), id, 1).await.unwrap(),
            }
            gone = gone.or(Some(id));
        }
        // Two versions further on no label points at it any more.
        for value in ["x", "y"] {
            scene.put("elsewhere", value).await;
        }
        let soon =
            PutSecret { validity: Validity::new(None, Some(until)).unwrap(), ..labelled("z", "pending") };
        scene.put_as(&op(), "pending", soon).await.unwrap();
        let mut watch = scene.watch(None);
        assert!(scene.hears(&mut watch).await.is_empty());
        scene.passes(10);
        let heard = scene.hears(&mut watch).await;
        // Of one secret the last word is told: which of its two versions that is, is all the same.
        assert!(matches!(&*heard, [only] if only.path.to_string() == "pending"), "{heard:?}");

        scene.passes(31 * 86_400);
        scene.hears(&mut watch).await;
        domain.purge_secrets(&domain.system_op("purge-secrets")).await.unwrap();
        let purged = scene.hears(&mut watch).await;
        assert_eq!(told(&purged), ["deleted secret.purge -"]);
        assert!(purged[0].deleted && Some(purged[0].id) == gone);
    })
    .await;
}

#[tokio::test]
async fn a_template_is_told_of_when_the_time_of_what_it_refers_to_begins_and_ends() {
    both_engines(async |house: House| {
        let scene = Scene::set(house).await;
        let op = || scene.alice.op();
        let start = scene.house.now();
        let test = Place::Environment(scene.pay.test);
        let good = Validity::new(Some(start + SECOND * 10), Some(start + SECOND * 20)).unwrap();
        let far = PutSecret { validity: good, ..of("one") };
        let domain = &scene.house.domain;
        domain.put_secret(&op(), &test, &"far".parse().unwrap(), far).await.unwrap();
        let between = template("${pay/test/far}");
        domain.put_secret(&op(), &test, &"between".parse().unwrap(), between).await.unwrap();
        scene.put_as(&op(), "url", template("${pay/test/between}")).await.unwrap();
        scene.put("plain", "${pay/test/far}").await;
        let mut watch = scene.watch(None);
        assert!(scene.hears(&mut watch).await.is_empty());
        for _ in 0..2 {
            scene.passes(10);
            let heard = scene.hears(&mut watch).await;
            assert_eq!(told(&heard), ["url secret.referred -"]);
            assert!(scene.hears(&mut watch).await.is_empty());
            let resumed = scene.hears(&mut scene.watch(heard.last())).await;
            assert!(resumed.iter().any(|it| it == &heard[0]), "{resumed:?}");
        }
    })
    .await;
}
