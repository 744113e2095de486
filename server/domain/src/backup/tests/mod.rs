//! Backups on both engines: what goes in comes back elsewhere, whole or not at all.

mod applying;
mod drilling;
mod holding;
mod kept;
mod learned;
mod lost;
mod making;
mod marks;
mod protected;
mod restoring;
mod token;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keywarden_model::{Alias, Dialect, EnvironmentId, Role, Scopes, SecretKind, VerifyCode};
use keywarden_vault::recovery::RecoveryKey;
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::{Keyring, Seal, SecretBytes, SecretString};

use super::{Backup, RestoreError, Restored};
use crate::Domain;
use crate::cast::{Engine, House, Machine, Player, Stage};
use crate::env::Clock as _;
use crate::environments::{NewEnvironment, Terms};
use crate::keys::{NewKey, Place, Question, Route};
use crate::projects::NewProject;
use crate::secrets::{About, Address, NewValue, Put, PutSecret, ReadSecretError, Validity, Which};

/// A value that must be found in no file.
const CANARY: &str = "canary-of-a-backup-7f3a91c0d2";

/// A house with an API key and a secret, its recovery key elsewhere, and a folder.
struct Old {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    recovery: RecoveryKey,
    alice: Player,
    gateway: Machine,
    pay: Stage,
    key: SecretString,
}

fn recovery_key(house: &House) -> RecoveryKey {
    RecoveryKey::generate(&mut house.domain.env().fork()).unwrap()
}

/// A project's environment that use-cases made, and no row by itself.
async fn pay_live(house: &House) -> EnvironmentId {
    let (domain, owner) = (&house.domain, || house.operator(Role::Owner));
    let new = NewProject { slug: "pay".parse().unwrap(), name: "Payments".parse().unwrap() };
    let pay = domain.create_project(&owner(), new).await.unwrap();
    let live = NewEnvironment {
        slug: "live".parse().unwrap(),
        name: "Live".parse().unwrap(),
        label: "live".parse().unwrap(),
        terms: Terms::new(None, None).unwrap(),
    };
    domain.create_environment(&owner(), pay, live).await.unwrap()
}

fn named(name: &str) -> Alias {
    Alias::new(Dialect::Azure, name).unwrap()
}

impl Old {
    /// Boxed: what a whole house needs is no small future.
    fn furnish(house: House) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let (house, seals) = house.with_project_seals(&["acme"]).await;
            let pay = house.project("pay").await;
            let alice = house.person("Alice", &[(Role::Manager, Some(pay.id))]).await;
            let gateway = house.workload("gateway", Role::Verifier, Some(pay.id)).await;
            let new = NewKey::named(Place::Environment(pay.live), "Orders".parse().unwrap());
            let key = house.domain.issue_key(&alice.op(), new).await.unwrap().value;
            let recovery = recovery_key(&house);
            let old = Self { house, seals, recovery, alice, gateway, pay, key };
            let id = old.put("database/password", CANARY).await.id;
            old.house.domain.alias_secret(&old.alice.op(), id, None, &named("DB-Password")).await.unwrap();
            let text = old.recovery.recipient().to_string();
            let shell = old.house.domain.shell_op();
            old.house.domain.add_recipient(&shell, "Safe".parse().unwrap(), &text).await.unwrap();
            old
        })
    }

    async fn put(&self, path: &str, text: &str) -> Put {
        let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap();
        let put = PutSecret {
            value,
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let place = Place::Environment(self.pay.live);
        self.house.domain.put_secret(&self.alice.op(), &place, &path.parse().unwrap(), put).await.unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.house.folder().join(name)
    }

    async fn back_up(&self, name: &str) -> Backup {
        Box::pin(self.house.domain.back_up(&self.house.domain.shell_op(), &self.path(name))).await.unwrap()
    }

    fn key(&self) -> RecoveryKey {
        RecoveryKey::parse(&self.recovery.text()).unwrap()
    }

    /// Whether the old API key verifies at `domain`, and what the old secret reads as there.
    async fn works_at(&self, domain: &Domain) -> (VerifyCode, String) {
        domain.look().await.unwrap();
        let none = Scopes::default();
        let question = Question {
            presented: self.key.expose(),
            scopes: &none,
            ip: None,
            caller: None,
            route: Route::Verify,
        };
        let verdict = domain.verify_key(&self.gateway.op(), &question).await.unwrap();
        (verdict.code, self.reads_at(domain).await.unwrap())
    }

    /// What the old secret reads as at `domain`, to who asks by its name in another system.
    async fn reads_at(&self, domain: &Domain) -> Result<String, ReadSecretError> {
        let address =
            Address::Alias { place: Place::Environment(self.pay.live), alias: named("db-password") };
        let read = domain.read_secret(&self.alice.op(), &address, &Which::default()).await?;
        Ok(String::from_utf8(read.value.expose().to_vec()).unwrap())
    }
}

/// An empty house whose seal has never wrapped anything.
struct New {
    house: House,
    domain: Domain,
    seals: Vec<Arc<dyn Seal>>,
}

impl New {
    async fn on(engine: Engine) -> Self {
        let house = House::new(engine).await;
        let seal = SoftwareSeal::at(house.folder().join("new.key"), "new.key");
        seal.create_key(&mut house.domain.env().fork()).unwrap();
        let clock = Arc::clone(&house.clock);
        let keyring = Arc::new(Keyring::new(Duration::from_mins(5), move || clock.monotonic()));
        let (env, settings) = (house.domain.env().clone(), house.domain.settings().clone());
        let domain = Domain::new(house.store.clone(), keyring, env, settings).unwrap();
        Self { house, domain, seals: vec![Arc::new(seal)] }
    }

    async fn restore(&self, file: &Path, key: RecoveryKey) -> Result<Restored, RestoreError> {
        let file = file.to_owned();
        self.domain.restore(move || File::open(&file).map(BufReader::new), key, &self.seals).await
    }

    async fn is_empty(&self) -> bool {
        let mut conn = self.house.store.read().await.unwrap();
        keywarden_store::backup::first_not_empty(&mut conn).await.unwrap().is_none()
    }
}

/// The engines that a backup is carried between; only SQLite where no PostgreSQL is.
async fn each_way(test: impl AsyncFn(Old, New)) {
    crate::cast::both_engines(async |house| {
        let from = house.store.engine();
        let to: &[Engine] = match from {
            Engine::Sqlite if postgres_is_there() => &[Engine::Sqlite, Engine::Postgres],
            Engine::Sqlite | Engine::Postgres => &[Engine::Sqlite],
        };
        let mut house = Some(house);
        for engine in to {
            let again = match house.take() {
                Some(house) => house,
                None => House::new(from).await,
            };
            Box::pin(test(Old::furnish(again).await, New::on(*engine).await)).await;
        }
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where PostgreSQL is")]
fn postgres_is_there() -> bool {
    std::env::var("KEYWARDEN_TEST_POSTGRES").is_ok_and(|it| !it.is_empty())
}
