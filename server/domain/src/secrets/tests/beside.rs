use keywarden_model::Role;

use super::{Scene, labelled, of};
use crate::Refused;
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::{Address, BesideQuery, CellState, Only, SecretListError, SideBySide};

impl Scene {
    async fn put_in_test(&self, path: &str, put: super::PutSecret) -> super::Put {
        let (place, path) = (Place::Environment(self.pay.test), path.parse().unwrap());
        self.house.domain.put_secret(&self.alice.op(), &place, &path, put).await.unwrap()
    }

    async fn beside(&self, only: Option<Only>, folder: Option<&str>) -> SideBySide {
        let query = BesideQuery { only, folder: folder.map(|it| it.parse().unwrap()), ..self.all() };
        self.house.domain.secrets_side_by_side(&self.alice.op(), &query).await.unwrap()
    }

    fn all(&self) -> BesideQuery {
        BesideQuery { project: self.pay.id, folder: None, only: None, cursor: None, limit: 200 }
    }
}

/// Each row as `path: live, test`, whatever order the environments come in.
fn told(scene: &Scene, found: &SideBySide) -> Vec<String> {
    let column = |id| found.environments.iter().position(|it| it.id == id).unwrap();
    let columns = [column(scene.pay.live), column(scene.pay.test)];
    let line = |row: &crate::secrets::BesideRow| {
        let cells = columns.map(|n| {
            let cell = &row.cells[n];
            let same = if cell.same_as.is_empty() { "" } else { "=" };
            match cell.state {
                CellState::Deleted => "deleted".to_owned(),
                CellState::Missing => "-".to_owned(),
                CellState::Set(number) => format!("v{number}{same}"),
                CellState::Unreadable => "unreadable".to_owned(),
            }
        });
        format!("{}: {}", row.path, cells.join(", "))
    };
    found.rows.iter().map(line).collect()
}

#[tokio::test]
async fn environments_stand_side_by_side_and_say_where_a_value_is_the_same() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        for path in ["db/same", "db/other", "only-live", "gone", "shut", "waits"] {
            scene.put(path, "hunter2").await;
        }
        scene.put("db/same", "hunter3").await;
        scene.put_in_test("db/same", of("hunter3")).await;
        scene.put_in_test("db/other", of("something else")).await;
        scene.put_in_test("only-test", of("hunter2")).await;
        let gone = scene.put_in_test("gone", of("hunter2")).await.id;
        domain.delete_secret(&scene.alice.op(), &Address::Id(gone), None).await.unwrap();
        let shut = scene.put_in_test("shut", of("hunter2")).await.id;
        domain.disable_secret_version(&scene.alice.op(), shut, 1).await.unwrap();
        scene.put_in_test("waits", labelled("hunter2", "pending")).await;

        let same = "db/same: v2=, v1=";
        let differ = [
            "db/other: v1, v1",
            "gone: v1, deleted",
            "only-live: v1, -",
            "only-test: -, v1",
            "shut: v1, unreadable",
            "waits: v1, unreadable",
        ];
        let all = scene.beside(None, None).await;
        let mut expected = vec![differ[0], same];
        expected.extend(&differ[1..]);
        assert_eq!(
            (told(&scene, &all), all.next),
            (expected.iter().map(ToString::to_string).collect(), None)
        );
        assert_eq!(told(&scene, &scene.beside(Some(Only::Differences), None).await), differ);
        assert_eq!(
            told(&scene, &scene.beside(Some(Only::Missing), None).await),
            ["gone: v1, deleted", "only-live: v1, -", "only-test: -, v1"]
        );
        assert_eq!(told(&scene, &scene.beside(None, Some("DB")).await), [differ[0], same]);
        let read = scene.events(gone).await;
        assert!(!read.contains(&"secret.read".to_owned()), "to compare reads nothing: {read:?}");
    })
    .await;
}

#[tokio::test]
async fn pages_of_paths_hold_each_path_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        for n in 0..7 {
            scene.put(&format!("s{n}"), "x").await;
            scene.put_in_test(&format!("S{n}"), of("x")).await;
        }
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let query = BesideQuery { cursor, limit: 3, ..scene.all() };
            let page = scene.house.domain.secrets_side_by_side(&scene.alice.op(), &query).await.unwrap();
            walked.extend(page.rows.iter().map(|row| row.path.folded()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
        let wrong = BesideQuery { cursor: Some("%".into()), ..scene.all() };
        let refused = scene.house.domain.secrets_side_by_side(&scene.alice.op(), &wrong).await;
        assert!(matches!(refused, Err(SecretListError::Cursor)), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn only_who_may_see_the_secrets_sees_them_side_by_side() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "x").await;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let gateway = scene.house.workload("gateway", Role::Verifier, Some(scene.pay.id)).await;
        for op in [mallory.op(), gateway.op()] {
            let refused = scene.house.domain.secrets_side_by_side(&op, &scene.all()).await;
            assert!(matches!(refused, Err(SecretListError::Refused(Refused::NotFound))), "{refused:?}");
        }
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let seen = scene.house.domain.secrets_side_by_side(&victor.op(), &scene.all()).await.unwrap();
        assert_eq!(seen.rows.len(), 1);
    })
    .await;
}
