use std::collections::BTreeSet;

use keywarden_model::Role;

use super::Scene;
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::{About, SecretListError, SecretPatch, SecretQuery, Standing};

fn query() -> SecretQuery {
    SecretQuery { limit: 200, ..SecretQuery::default() }
}

async fn paths(scene: &Scene, query: &SecretQuery) -> Vec<String> {
    let page = scene.house.domain.secrets(&scene.alice.op(), query).await.unwrap();
    page.secrets.iter().map(|line| line.secret.path.to_string()).collect()
}

#[tokio::test]
async fn pages_go_along_the_paths_and_hold_each_secret_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let all = ["A/b", "a/B/c", "a-b", "a/b0", "Zebra", "db", "db/x", "\u{e9}clair"];
        for path in all {
            if path != "a/B/c" {
                scene.put(path, "x").await;
            }
        }
        let place = Place::Environment(scene.pay.test);
        for path in ["A/b", "a/B/c"] {
            let path = path.parse().unwrap();
            scene.house.domain.put_secret(&scene.alice.op(), &place, &path, super::of("x")).await.unwrap();
        }
        let (mut seen, mut walked, mut cursor) = (BTreeSet::new(), Vec::new(), None);
        loop {
            let query = SecretQuery { cursor, limit: 2, ..query() };
            let page = scene.house.domain.secrets(&scene.alice.op(), &query).await.unwrap();
            for line in page.secrets {
                assert!(seen.insert(line.secret.id), "twice");
                assert_eq!(line.current.map(|version| version.number), Some(1));
                walked.push(line.secret.path.folded());
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked.len(), 9);
        let mut sorted = walked.clone();
        sorted.sort();
        assert_eq!(walked, sorted, "in the order of bytes on both engines");

        let narrow = |folder: Option<&str>, search: Option<&str>| SecretQuery {
            project: Some(scene.pay.id),
            environment: Some(scene.pay.live),
            folder: folder.map(|it| it.parse().unwrap()),
            search: search.map(Into::into),
            ..query()
        };
        assert_eq!(paths(&scene, &narrow(Some("a"), None)).await, ["A/b", "a/b0"]);
        assert_eq!(paths(&scene, &narrow(Some("DB"), None)).await, ["db/x"]);
        assert_eq!(paths(&scene, &narrow(None, Some("\u{c9}CL"))).await, ["\u{e9}clair"]);
        assert_eq!(paths(&scene, &narrow(None, Some("B/"))).await, ["db/x"]);
        assert!(paths(&scene, &narrow(None, Some("%"))).await.is_empty());
        for wrong in ["x", "", "c2VjX3ggYQ"] {
            let query = SecretQuery { cursor: Some(wrong.into()), ..query() };
            let refused = scene.house.domain.secrets(&scene.alice.op(), &query).await;
            assert!(matches!(refused, Err(SecretListError::Cursor)), "{wrong}: {refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_in_a_list_of_its_own_and_what_is_purged_in_none() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        scene.put("a", "x").await;
        scene.put("b", "x").await;
        domain.delete_secret(&scene.alice.op(), &scene.address("b"), None).await.unwrap();
        let deleted = || SecretQuery { standing: Standing::Deleted, ..query() };
        assert_eq!(
            (paths(&scene, &query()).await, paths(&scene, &deleted()).await),
            (vec!["a".into()], vec!["b".into()])
        );
        let mut op = domain.system_op("purge-secrets");
        op.now += chrono::TimeDelta::days(30);
        assert_eq!(domain.purge_secrets(&op).await.unwrap(), 1);
        assert_eq!(
            (paths(&scene, &query()).await, paths(&scene, &deleted()).await),
            (vec!["a".into()], vec![])
        );
    })
    .await;
}

#[tokio::test]
async fn a_list_shows_the_projects_that_one_may_see() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.project("other").await;
        scene.put("a", "x").await;
        let nina = scene.house.person("Nina", &[(Role::Manager, Some(other.id))]).await;
        let both = scene
            .house
            .person("Bo", &[(Role::Viewer, Some(other.id)), (Role::Viewer, Some(scene.pay.id))])
            .await;
        let (place, path) = (Place::Environment(other.live), "theirs".parse().unwrap());
        scene.house.domain.put_secret(&nina.op(), &place, &path, super::of("x")).await.unwrap();
        let seen = async |op: &crate::Op, project| {
            let query = SecretQuery { project, ..query() };
            scene.house.domain.secrets(op, &query).await.unwrap().secrets.len()
        };
        assert_eq!(seen(&scene.alice.op(), None).await, 1);
        assert_eq!(seen(&scene.alice.op(), Some(other.id)).await, 0);
        assert_eq!(seen(&both.op(), None).await, 2);
        assert_eq!(seen(&scene.house.operator(Role::Admin), None).await, 2);
    })
    .await;
}

#[tokio::test]
async fn secrets_are_found_by_path_tag_owner_and_state() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let bob = scene.house.person("Bob Burger", &[]).await.id;
        let team = scene.house.team("payments", &[], &[]).await;
        let said = |tags: &[&str], owner| About {
            tags: keywarden_model::Tags::parse(tags).unwrap(),
            owner,
            ..About::default()
        };
        let put = async |path: &str, about| {
            let put = super::PutSecret { about, ..super::of("x") };
            scene.put_as(&op(), path, put).await.unwrap().id
        };
        put("db/password", said(&["pci", "team=Payments"], Some(Owner::Team(team)))).await;
        let token = put("mail/token", said(&["team=mail"], Some(Owner::Person(bob)))).await;
        put("burger-api", About::default()).await;
        let found = async |narrow: SecretQuery| paths(&scene, &narrow).await;
        let word = |text: &str| SecretQuery { search: Some(text.into()), ..query() };
        assert_eq!(found(word("BURGER")).await, ["burger-api", "mail/token"], "path, or owner's name");
        assert_eq!(found(word("team=pay")).await, ["db/password"], "a part of a tag, in any spelling");
        assert!(found(word("team%pay")).await.is_empty());
        let tagged = |tag: &str| SecretQuery { tag: Some(tag.parse().unwrap()), ..query() };
        assert_eq!(found(tagged("pci")).await, ["db/password"]);
        assert!(found(tagged("team=payments")).await.is_empty(), "a filter takes the tag as it is written");
        let owned = |owner| SecretQuery { owner: Some(owner), ..query() };
        assert_eq!(found(owned(Owner::Person(bob))).await, ["mail/token"]);
        assert_eq!(found(owned(Owner::Person(scene.alice.id))).await, ["burger-api"], "its maker's");

        let standing = |standing| SecretQuery { standing, ..query() };
        assert!(found(standing(Standing::Unreadable)).await.is_empty());
        domain.disable_secret_version(&op(), token, 1).await.unwrap();
        scene.put_as(&op(), "later", super::labelled("x", "pending")).await.unwrap();
        assert_eq!(found(standing(Standing::Unreadable)).await, ["later", "mail/token"]);
        let patch = SecretPatch {
            owner: Some(Owner::Team(team)),
            tags: Some(keywarden_model::Tags::default()),
            description: None,
        };
        domain.edit_secret(&op(), token, None, patch).await.unwrap();
        assert_eq!(found(owned(Owner::Team(team))).await, ["db/password", "mail/token"]);
        assert!(found(tagged("team=mail")).await.is_empty(), "a tag that was taken away finds nothing");
    })
    .await;
}
