//! Aliases on both engines: a name leads to one secret and a secret to its names, until it is purged.

use chrono::TimeDelta;
use keywarden_model::{Alias, Dialect, Role, SecretId};
use keywarden_store::sql;

use super::{Address, Scene, Which};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::AliasSecretError;
use crate::{Op, Refused};

fn alias(dialect: Dialect, name: &str) -> Alias {
    Alias::new(dialect, name).unwrap()
}

impl Scene {
    async fn name(&self, id: SecretId, dialect: Dialect, name: &str) -> Result<(), AliasSecretError> {
        self.house.domain.alias_secret(&self.alice.op(), id, None, &alias(dialect, name)).await
    }

    /// The path that a name leads to in `live`, for this caller.
    async fn led(&self, op: &Op, dialect: Dialect, name: &str) -> Option<String> {
        let address = Address::Alias { place: self.live(), alias: alias(dialect, name) };
        match self.house.domain.secret(op, &address).await {
            Ok(view) => Some(view.secret.path.to_string()),
            Err(Refused::NotFound) => None,
            Err(other) => panic!("{other}"),
        }
    }

    /// The names of a secret, as `aws=prod/db`.
    async fn names(&self, id: SecretId) -> Vec<String> {
        let view = self.house.domain.secret(&self.alice.op(), &Address::Id(id)).await.unwrap();
        view.aliases.iter().map(|it| format!("{}={}", it.dialect(), it.name())).collect()
    }
}

#[tokio::test]
async fn a_name_leads_to_one_secret_and_a_secret_to_its_names() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let op = || scene.alice.op();
        let main = scene.put("db/main password", "hunter2").await.id;
        let other = scene.put("db/other", "x").await.id;
        // Some of these are lower and upper case of one another: that is one name to Azure, and two to the others.
        let words = ["Prod-DB", "prod-db", "prod-Db", "Prod-Db-2"];
        for dialect in Dialect::ALL {
            for name in words {
                scene.name(main, dialect, name).await.unwrap();
                assert_eq!(scene.led(&op(), dialect, name).await.as_deref(), Some("db/main password"));
                for word in words {
                    let same = alias(dialect, word).folded() == alias(dialect, name).folded();
                    assert_eq!(
                        scene.led(&op(), dialect, word).await.is_some(),
                        same,
                        "{dialect} {name} {word}"
                    );
                    let given = scene.name(other, dialect, word).await;
                    assert_eq!(given.is_err(), same, "{dialect} {name} {word}: {given:?}");
                    assert!(given.is_ok() || matches!(given, Err(AliasSecretError::Taken)), "{given:?}");
                    scene.house.domain.unalias_secret(&op(), other, None, dialect).await.ok();
                }
            }
        }
        assert_eq!(
            scene.names(main).await,
            ["aws", "azure", "conjur", "gcp", "vault-kv2"].map(|it| format!("{it}=Prod-Db-2")),
            "as it was written"
        );
        let read = Address::Alias { place: scene.live(), alias: alias(Dialect::Azure, "PROD-DB-2") };
        let read = scene.house.domain.read_secret(&op(), &read, &Which::default()).await.unwrap();
        assert_eq!((read.id, read.value.expose()), (main, &b"hunter2"[..]), "values are read by them, too");
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_once_in_each_environment_and_changed_by_who_saw_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "x").await.id;
        scene.name(id, Dialect::Gcp, "a").await.unwrap();
        let elsewhere = Place::Environment(scene.pay.test);
        let path = "a".parse().unwrap();
        let twin = domain.put_secret(&op(), &elsewhere, &path, super::of("y")).await.unwrap().id;
        scene.name(twin, Dialect::Gcp, "a").await.unwrap();
        let there = Address::Alias { place: elsewhere, alias: alias(Dialect::Gcp, "a") };
        assert_eq!(domain.secret(&op(), &there).await.unwrap().secret.id, twin);
        assert_eq!(scene.led(&op(), Dialect::Gcp, "a").await.as_deref(), Some("a"));
        assert_eq!(scene.led(&op(), Dialect::Aws, "a").await, None, "it is no name in another dialect");

        let seen = domain.secret(&op(), &Address::Id(id)).await.unwrap().secret.row_version;
        let b = alias(Dialect::Gcp, "b");
        domain.alias_secret(&op(), id, Some(seen), &b).await.unwrap();
        for stale in [
            domain.alias_secret(&op(), id, Some(seen), &b).await,
            domain.unalias_secret(&op(), id, Some(seen), Dialect::Gcp).await,
        ] {
            assert!(matches!(stale, Err(AliasSecretError::Stale)), "{stale:?}");
        }
        assert_eq!(scene.led(&op(), Dialect::Gcp, "a").await, None, "the new one is in its place");
        domain.unalias_secret(&op(), id, None, Dialect::Gcp).await.unwrap();
        assert!(scene.names(id).await.is_empty());
        let gone = domain.unalias_secret(&op(), id, None, Dialect::Gcp).await;
        assert!(matches!(gone, Err(AliasSecretError::Refused(Refused::NotFound))), "{gone:?}");
        assert_eq!(scene.events(id).await, ["secret.alias", "secret.alias", "secret.alias", "secret.create"]);
    })
    .await;
}

#[tokio::test]
async fn two_who_want_a_name_at_once_get_it_one_of_them() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let mut ids = Vec::new();
        for n in 0..8 {
            ids.push(scene.put(&format!("s{n}"), "x").await.id);
        }
        let all = ids.iter().map(|id| scene.name(*id, Dialect::Azure, "Wanted"));
        let done = futures_util::future::join_all(all).await;
        assert_eq!(done.iter().filter(|it| it.is_ok()).count(), 1, "{done:?}");
        let lost = done.iter().filter(|it| matches!(it, Err(AliasSecretError::Taken))).count();
        assert_eq!(lost, 7, "{done:?}");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_secret_keeps_its_names_and_a_purged_one_frees_them() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "x").await.id;
        scene.name(id, Dialect::VaultKv2, "prod/a").await.unwrap();
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        for done in [
            scene.name(id, Dialect::VaultKv2, "prod/b").await,
            domain.unalias_secret(&op(), id, None, Dialect::VaultKv2).await,
        ] {
            assert!(matches!(done, Err(AliasSecretError::Deleted)), "{done:?}");
        }
        let other = scene.put("b", "y").await.id;
        let taken = scene.name(other, Dialect::VaultKv2, "prod/a").await;
        assert!(matches!(taken, Err(AliasSecretError::Taken)), "it may come back: {taken:?}");
        domain.restore_secret(&op(), id).await.unwrap();
        assert_eq!(scene.led(&op(), Dialect::VaultKv2, "prod/a").await.as_deref(), Some("a"));
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        let mut later = domain.system_op("purge-secrets");
        later.now += TimeDelta::days(30);
        assert_eq!(domain.purge_secrets(&later).await.unwrap(), 1);
        assert_eq!(scene.led(&op(), Dialect::VaultKv2, "prod/a").await, None);
        scene.name(other, Dialect::VaultKv2, "prod/a").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_name_that_an_older_node_left_of_a_purged_secret_is_swept() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "x").await.id;
        scene.name(id, Dialect::Aws, "prod/a").await.unwrap();
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        let mut later = domain.system_op("purge-secrets");
        later.now += TimeDelta::days(30);
        assert_eq!(domain.purge_secrets(&later).await.unwrap(), 1);
        let left = "INSERT INTO secret_aliases (secret_id, environment_id, dialect, name, folded_name)
                    SELECT id, environment_id, 'aws', 'prod/a', 'prod/a' FROM secrets WHERE id = $1";
        scene.house.put(vec![sql(left).bind(id)]).await;
        let other = scene.put("a", "y").await.id;
        let taken = scene.name(other, Dialect::Aws, "prod/a").await;
        assert!(matches!(taken, Err(AliasSecretError::Taken)), "{taken:?}");
        scene.name(other, Dialect::Gcp, "prod-a").await.unwrap();
        later.now += TimeDelta::seconds(1);
        domain.sweep(&later).await.unwrap();
        scene.name(other, Dialect::Aws, "prod/a").await.unwrap();
        assert_eq!(scene.names(other).await, ["aws=prod/a", "gcp=prod-a"]);
    })
    .await;
}

#[tokio::test]
async fn a_name_shows_nothing_to_who_may_not_see_its_secret() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "x").await.id;
        scene.name(id, Dialect::Aws, "prod/a").await.unwrap();
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        assert_eq!(scene.led(&mallory.op(), Dialect::Aws, "prod/a").await, None);
        assert_eq!(scene.led(&victor.op(), Dialect::Aws, "prod/a").await.as_deref(), Some("a"));
        let address = Address::Alias { place: scene.live(), alias: alias(Dialect::Aws, "prod/a") };
        let read = scene.house.domain.read_secret(&victor.op(), &address, &Which::default()).await;
        assert!(read.is_err(), "to see is not to read");
    })
    .await;
}
