//! "Is this leaked string ours?": told to whom may see the secret, of nothing that could be guessed, and not too often.

use chrono::TimeDelta;
use futures_util::future::join_all;
use keywarden_model::Role;
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::{Purpose, SecretString};

use super::{Scene, labelled};
use crate::cast::both_engines;
use crate::secrets::{CheckError, Held, MOST_CHECKS};
use crate::{Op, Refused};

const LEAKED: &str = "sk_live_4f9a1c77e2b8d03a";

impl Scene {
    async fn check(&self, op: &Op, value: &str) -> Result<Vec<Held>, CheckError> {
        self.house.domain.check_fingerprint(op, &SecretString::new(value.to_owned())).await
    }
}

/// `db/password: 2 1, current`.
fn told(held: &[Held]) -> Vec<String> {
    let told = held.iter().map(|it| {
        let numbers: Vec<_> = it.versions.iter().map(|version| version.number.to_string()).collect();
        let current = if it.is_current() { ", current" } else { "" };
        format!("{}: {}{current}", it.secret.path, numbers.join(" "))
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn who_may_see_a_secret_learns_that_it_holds_the_value_or_held_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", LEAKED).await.id;
        scene.put("db/copy", &format!("{LEAKED}\n")).await;
        scene.put("db/rotated", LEAKED).await;
        scene.put("db/rotated", "another value, newer").await;
        scene.put_as(&scene.alice.op(), "db/pending", labelled(LEAKED, "pending")).await.unwrap();
        scene.put("db/other", "something else altogether").await;
        let found = scene.check(&scene.alice.op(), &format!("  {LEAKED}\n")).await.unwrap();
        assert_eq!(
            told(&found),
            ["db/copy: 1, current", "db/password: 1, current", "db/pending: 1", "db/rotated: 1"]
        );
        assert!(scene.check(&scene.alice.op(), "sk_live_4f9a1c77e2b8d03b").await.unwrap().is_empty());

        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        assert!(scene.check(&mallory.op(), LEAKED).await.unwrap().is_empty(), "nor how many there are");
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        assert_eq!(scene.check(&victor.without_step_up().op(), LEAKED).await.unwrap().len(), 4);
        let robot = scene.house.workload("robot", Role::Reader, Some(scene.pay.id)).await;
        let refused = scene.check(&robot.op(), LEAKED).await;
        assert!(matches!(refused, Err(CheckError::Refused(Refused::Forbidden(_)))), "{refused:?}");

        scene.house.domain.delete_secret(&scene.alice.op(), &super::Address::Id(id), None).await.unwrap();
        let found = scene.check(&scene.alice.op(), LEAKED).await.unwrap();
        assert!(told(&found).contains(&"db/password: 1".to_owned()), "a deleted one held it: {found:?}");
        scene
            .house
            .domain
            .destroy_secret_version(&scene.alice.op(), found_of(&found, "db/rotated"), 1)
            .await
            .unwrap();
        let found = scene.check(&scene.alice.op(), LEAKED).await.unwrap();
        assert!(
            !told(&found).iter().any(|it| it.starts_with("db/rotated")),
            "what is destroyed is forgotten"
        );
    })
    .await;
}

fn found_of(found: &[Held], path: &str) -> keywarden_model::SecretId {
    found.iter().find(|it| it.secret.path.as_str() == path).unwrap().secret.id
}

#[tokio::test]
async fn nothing_is_said_of_a_value_that_could_be_guessed() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let words = "correct horse battery staple";
        let guessable =
            ["hunter2", "", "aaaaaaaaaaaaaaaaaaaaaaaa", words, "1212121212121212", "pässwörterbücher1"];
        for (n, value) in guessable.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            scene.put(&format!("weak/{n}"), value).await;
        }
        let before = scene.house.rows().await;
        for value in guessable {
            let refused = scene.check(&scene.alice.op(), value).await;
            assert!(matches!(refused, Err(CheckError::Guessable)), "{value}: {refused:?}");
        }
        let long = "x1y2z3a4".repeat(65);
        assert!(matches!(scene.check(&scene.alice.op(), &long).await, Err(CheckError::Guessable)));
        assert_eq!(scene.house.rows().await, before);
    })
    .await;
}

/// S-12.
#[tokio::test]
async fn thirty_values_in_a_minute_are_answered_however_they_are_asked() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", LEAKED).await;
        let neighbour = scene.house.neighbour().await;
        let ops: Vec<_> = (0..60).map(|_| scene.alice.op()).collect();
        let asked = join_all(ops.iter().map(|op| scene.check(op, LEAKED))).await;
        let answered = asked.iter().filter(|it| it.is_ok()).count();
        assert_eq!(u32::try_from(answered).unwrap(), MOST_CHECKS);
        assert!(asked.iter().all(|it| matches!(it, Ok(_) | Err(CheckError::TooMany))), "{asked:?}");
        let value = SecretString::new(LEAKED.to_owned());
        let elsewhere = neighbour.domain.check_fingerprint(&scene.alice.op(), &value).await;
        assert!(matches!(elsewhere, Err(CheckError::TooMany)), "another node counts them too: {elsewhere:?}");
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        assert!(scene.check(&victor.op(), LEAKED).await.is_ok(), "each has their own");
        let mut later = scene.alice.op();
        later.now += TimeDelta::seconds(61);
        assert!(scene.check(&later, LEAKED).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn nodes_that_are_asked_at_the_same_instant_count_each_others_checks() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", LEAKED).await;
        let value = SecretString::new(LEAKED.to_owned());
        // Each is the neighbour of the one before it: neighbours of one house draw the same ids.
        let mut nodes = vec![scene.house.neighbour().await];
        while nodes.len() < 8 {
            nodes.push(nodes[nodes.len() - 1].neighbour().await);
        }
        for node in &nodes {
            node.domain.check_fingerprint(&scene.alice.op(), &value).await.unwrap();
        }
        for _ in nodes.len()..MOST_CHECKS as usize - 2 {
            scene.check(&scene.alice.op(), LEAKED).await.unwrap();
        }
        let op = scene.alice.op();
        let asked = join_all(nodes.iter().map(|node| node.domain.check_fingerprint(&op, &value))).await;
        assert_eq!(asked.iter().filter(|it| it.is_ok()).count(), 2, "{asked:?}");
        assert!(asked.iter().all(|it| matches!(it, Ok(_) | Err(CheckError::TooMany))), "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_value_that_is_put_after_a_rotation_is_found_on_every_node_at_once() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        scene.put("db/old", LEAKED).await;
        let node = house.neighbour_apart(&seals).await;
        let purpose = Purpose::SecretFingerprint;
        domain.rotate_keyring_key(&house.operator(Role::Owner), purpose, &seals).await.unwrap();
        house.tells_of_itself("one").await;
        node.tells_of_itself("two").await;
        scene.put("db/new", LEAKED).await;
        let value = SecretString::new(LEAKED.to_owned());
        let expected = ["db/new: 1, current", "db/old: 1, current"];
        for there in [house, &node] {
            let found = there.domain.check_fingerprint(&scene.alice.op(), &value).await.unwrap();
            assert_eq!(told(&found), expected);
        }
        node.domain.unseal(&seals).await.unwrap();
        node.tells_of_itself("two").await;
        scene.put("db/newer", LEAKED).await;
        let new = domain.keyring().newest(purpose).unwrap();
        let count = sql("SELECT count(*) AS number FROM secret_versions WHERE fingerprint_key_id = $1");
        let under = number(count.bind(new), &mut house.store.read().await.unwrap()).await.unwrap();
        assert_eq!(under, 1, "the new key serves once every node has it");
        assert_eq!(node.domain.check_fingerprint(&scene.alice.op(), &value).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn each_check_is_on_record_with_what_was_told_and_never_with_the_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", LEAKED).await.id;
        scene.check(&scene.alice.op(), LEAKED).await.unwrap();
        let olga = scene.house.person("Olga", &[(Role::Auditor, None)]).await;
        let query =
            crate::audit::Query { action: Some("fingerprint.check".into()), limit: 5, ..Default::default() };
        let events = scene.house.domain.events(&olga.op(), &query).await.unwrap().events;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].canonical["facts"]["secrets"], serde_json::json!([id.to_string()]));
        let whole = format!("{events:?}");
        assert!(!whole.contains(LEAKED) && !whole.contains("4f9a1c77"), "{whole}");
    })
    .await;
}
