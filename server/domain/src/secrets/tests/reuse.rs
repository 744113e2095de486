//! Reuse: told of values that nobody could guess, to whoever may read both secrets.

use keywarden_model::{Role, SecretId};
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::Purpose;

use super::{Put, Scene, of, template};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::once::Repeatable as _;
use crate::{Op, Refused};

const VALUE: &str = "sk_live_4f9a1c77e2b8d03a";
const OTHER: &str = "sk_live_90d1e4b27fa6c835";

impl Scene {
    /// Where else the value is, to somebody: `pay/db/copy: 2 1`, and `, current` behind it.
    async fn reuse(&self, op: &Op, id: SecretId) -> Vec<String> {
        let told = self.house.domain.secret_reuse(op, id).await.unwrap().into_iter().map(|it| {
            let numbers: Vec<_> = it.versions.iter().map(|version| version.number.to_string()).collect();
            let current = if it.is_current() { ", current" } else { "" };
            format!("{}/{}: {}{current}", it.secret.project_slug, it.secret.path, numbers.join(" "))
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        told
    }
}

#[tokio::test]
async fn where_else_a_value_is_is_told_to_whoever_may_read_both() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.project("other").await;
        let oscar = scene.house.person("Oscar", &[(Role::Manager, Some(other.id))]).await;
        let id = scene.put("db/password", VALUE).await.id;
        scene.put("db/copy", &format!("{VALUE}\n")).await;
        scene.put("db/rotated", VALUE).await;
        scene.put("db/rotated", VALUE).await;
        scene.put("db/rotated", OTHER).await;
        let (domain, path) = (&scene.house.domain, "mine".parse().unwrap());
        let mine = domain.put_secret(&oscar.op(), &Place::Environment(other.live), &path, of(VALUE)).await;
        let mine = mine.unwrap().id;

        let here = ["pay/db/copy: 1, current", "pay/db/rotated: 2 1"];
        assert_eq!(scene.reuse(&scene.alice.op(), id).await, here);
        assert!(scene.reuse(&oscar.op(), mine).await.is_empty(), "nor that there are others");
        let refused = domain.secret_reuse(&oscar.op(), id).await;
        assert!(matches!(refused, Err(Refused::NotFound)), "{refused:?}");
        let roles = [(Role::Reader, Some(scene.pay.id)), (Role::Reader, Some(other.id))];
        let rita = scene.house.person("Rita", &roles).await;
        let both = ["other/mine: 1, current", here[0], here[1]];
        assert_eq!(scene.reuse(&rita.op(), id).await, both);
        assert_eq!(
            scene.reuse(&rita.op(), mine).await,
            ["pay/db/copy: 1, current", "pay/db/password: 1, current", "pay/db/rotated: 2 1"]
        );

        let before = scene.house.rows().await;
        scene.reuse(&rita.op(), id).await;
        assert_eq!(scene.house.rows().await, before, "it is no reading, and nothing is written");
        domain.delete_secret(&scene.alice.op(), &super::Address::Id(id), None).await.unwrap();
        assert!(scene.reuse(&rita.op(), id).await.is_empty(), "what is deleted has no current value");
    })
    .await;
}

#[tokio::test]
async fn who_may_only_see_one_of_the_two_is_told_nothing_of_their_values() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.project("other").await;
        let id = scene.put("db/password", VALUE).await.id;
        let roles = [(Role::Viewer, Some(scene.pay.id)), (Role::Manager, Some(other.id))];
        let guesser = scene.house.person("Gregor", &roles).await;
        let (domain, path) = (&scene.house.domain, "guess".parse().unwrap());
        let place = Place::Environment(other.live);
        let guess = domain.put_secret(&guesser.op(), &place, &path, of(VALUE)).await.unwrap().id;
        assert!(scene.reuse(&guesser.op(), guess).await.is_empty(), "a put is no way to ask");
        assert!(
            scene.reuse(&guesser.op(), id).await.is_empty(),
            "whose value one may read is no hint either"
        );

        scene.put("db/copy", VALUE).await;
        let here = ["pay/db/copy: 1, current"];
        assert_eq!(scene.reuse(&scene.alice.op(), id).await, here);
        let project = Some(scene.pay.id);
        let victor = scene.house.person("Victor", &[(Role::Viewer, project)]).await;
        assert!(scene.reuse(&victor.op(), id).await.is_empty(), "nor within one project");
        let olga = scene.house.person("Olga", &[(Role::Auditor, None)]).await;
        assert!(scene.reuse(&olga.op(), id).await.is_empty());
        let robot = scene.house.workload("robot", Role::Reader, project).await;
        assert_eq!(scene.reuse(&robot.op(), id).await, here, "and the one in the other project is not named");
    })
    .await;
}

#[tokio::test]
async fn of_what_could_be_guessed_and_of_templates_nothing_is_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let alice = || scene.alice.op();
        for weak in ["hunter2", "correct horse battery staple", "1212121212121212", &"x1y2z3a4".repeat(65)] {
            let first = scene.put("weak/one", weak).await;
            scene.put("weak/two", weak).await;
            assert!(scene.reuse(&alice(), first.id).await.is_empty(), "{weak}");
            assert_eq!(scene.put("weak/one", weak).await.same_as, None, "{weak}");
        }
        let text = format!("{VALUE}${{pay/live/db}}");
        let made = scene.put_as(&alice(), "url", template(&text)).await.unwrap();
        assert_eq!(scene.put_as(&alice(), "url", template(&text)).await.unwrap().same_as, None);
        assert_eq!(scene.put("url", &text).await.same_as, None, "it reads otherwise than the template");
        scene.put_as(&alice(), "url", template(&text)).await.unwrap();
        scene.put("plain", &text).await;
        assert!(scene.reuse(&alice(), made.id).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_new_version_says_which_earlier_one_has_its_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let first = scene.put("db", VALUE).await;
        assert_eq!((first.number, first.same_as), (1, None));
        assert_eq!(scene.put("db", OTHER).await.same_as, None);
        let again = scene.put("db", VALUE).await;
        assert_eq!((again.number, again.same_as), (3, Some(1)));
        assert_eq!(
            scene.put("db", &format!("{VALUE}\n")).await.same_as,
            Some(3),
            "the line's end is no change"
        );
        assert_eq!(scene.put("elsewhere", VALUE).await.same_as, None, "of its own versions only");
        for put in [&first, &again] {
            assert_eq!(Put::again(&put.thing(), None).as_ref(), Some(put), "a replay says it, too");
        }

        let domain = &scene.house.domain;
        let rotated = domain.rotate_data_key(&scene.alice.op(), again.id).await.unwrap();
        assert_eq!(rotated.same_as, None, "that it is the same was the point");
        scene.put("db", "sk_live_77aa0c41b9de5f62").await;
        domain.destroy_secret_version(&scene.alice.op(), again.id, 2).await.unwrap();
        assert_eq!(scene.put("db", OTHER).await.same_as, None, "what is destroyed is forgotten");
    })
    .await;
}

#[tokio::test]
async fn a_value_is_the_same_under_another_key_of_fingerprints() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain, purpose) = (&scene.house, &scene.house.domain, Purpose::SecretFingerprint);
        scene.put("db/old", VALUE).await;
        scene.put("db/same", VALUE).await;
        domain.rotate_keyring_key(&house.operator(Role::Owner), purpose, &seals).await.unwrap();
        house.tells_of_itself("one").await;
        let new = scene.put("db/new", VALUE).await.id;
        assert_eq!(scene.put("db/same", VALUE).await.same_as, Some(1));
        let count = sql("SELECT count(*) AS number FROM secret_versions WHERE fingerprint_key_id = $1");
        let count = count.bind(domain.keyring().newest(purpose).unwrap());
        assert_eq!(number(count, &mut house.store.read().await.unwrap()).await.unwrap(), 2);
        let told = ["pay/db/old: 1, current", "pay/db/same: 2 1, current"];
        assert_eq!(scene.reuse(&scene.alice.op(), new).await, told);
    })
    .await;
}
