//! The cast: a house on a real store with a clock that stands still, and people in it who may or may not.
//!
//! ```ignore
//! #[tokio::test]
//! async fn a_viewer_cannot_issue() {
//!     both_engines(async |house| {
//!         let pay = house.project("pay").await;
//!         let victor = house.person("Victor", &[(Role::Viewer, Some(pay.id))]).await;
//!         let op = victor.op();
//!         …
//!     })
//!     .await;
//! }
//! ```
//!
//! The store, the keyring and the decisions are the real ones; only time and chance are staged. Rows that other nouns
//! own are put in by hand, so that a noun's tests do not depend on another noun's use-cases.

mod players;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::{EnvironmentId, ProjectId, Role};
pub use keywarden_store::Engine;
use keywarden_store::count::number;
use keywarden_store::{ChangeKind, Location, Sql, Store, StoreError, WriteError, sql};
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::token;
use keywarden_vault::{Custody, Keyring, Purpose, Seal};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::env::{Clock, MockClock};
use crate::exchange::shelf::Shelf;
use crate::messages::tray::Tray;
use crate::{Actor, Domain, Env, Op, Settings};
use players::operation;
pub use players::{Held, Machine, Player};

/// Where tests find a PostgreSQL server on which they may make databases.
const POSTGRES: &str = "KEYWARDEN_TEST_POSTGRES";

macro_rules! tables {
    ($($table:literal)*) => {
        [$(($table, concat!("SELECT count(*) AS number FROM ", $table)),)*]
    };
}

/// What holds something that is somebody's: credentials, things, who may do what, the record.
const TABLES: [(&str, &str); 52] = tables!(
    "access_approvals" "access_grants" "access_requests" "access_rules"
    "api_keys" "ceremonies" "changes" "channels" "deliveries" "environments" "event_personal" "events" "exchanged_tokens" "idempotency"
    "key_tags" "key_values" "keyring_keys" "keyring_wraps" "messages" "notices" "offered_seals" "one_time_links" "organizations"
    "passkeys" "pending_posts" "policies" "policy_proofs" "policy_tests" "policy_versions" "project_keys" "project_seals" "projects" "recovery_codes" "refused_tokens" "rewraps" "role_bindings"
    "secret_aliases" "secret_history" "secret_labels" "secret_references" "secret_shares" "secret_versions" "secrets" "service_tokens"
    "silenced_kinds" "standard_versions" "standards"
    "sessions" "team_members" "trust_rules" "users" "workloads"
);

/// A house with everything real but time and chance.
#[derive(Debug)]
pub struct House {
    /// The rules.
    pub domain: Domain,
    /// Stands still until told to move.
    pub clock: Arc<MockClock>,
    /// The records, for looking behind the scenes.
    pub store: Store,
    /// The keys.
    pub keyring: Arc<Keyring>,
    /// Seals that projects may name, once they are offered.
    pub own: Vec<Arc<dyn Seal>>,
    /// Where `Location` of the store is: for a second node on the same records.
    pub location: Location,
    /// Documents of issuers outside.
    pub shelf: Shelf,
    /// Whoever is told something outside.
    pub tray: Tray,
    folder: Arc<tempfile::TempDir>,
    seed: u64,
}

/// A project with two environments.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Which.
    pub id: ProjectId,
    /// Its slug.
    pub slug: String,
    /// The environment `live`, label `live`: keys live at most 365 days, overlaps last a day.
    pub live: EnvironmentId,
    /// The environment `test`, label `test`: no longest life, overlaps last an hour.
    pub test: EnvironmentId,
}

/// Runs a test on SQLite and, where [`POSTGRES`] names a server, on PostgreSQL. Without one: a loud skip on a laptop,
/// a failure in CI.
pub async fn both_engines(test: impl AsyncFn(House)) {
    Box::pin(test(House::new(Engine::Sqlite).await)).await;
    if postgres().is_some() {
        Box::pin(test(House::new(Engine::Postgres).await)).await;
    } else {
        assert!(variable("CI").is_none(), "{POSTGRES} must name a PostgreSQL server in CI");
        println!(
            "SKIPPED on PostgreSQL: set {POSTGRES}=postgres://… to a server where databases can be made"
        );
    }
}

fn postgres() -> Option<String> {
    variable(POSTGRES)
}

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where PostgreSQL is")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::expect_used, reason = "the cast is for tests: what fails here fails the test")]
impl House {
    /// A fresh house on a fresh database.
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let location = match engine {
            Engine::Sqlite => Location::Sqlite(folder.path().join("keywarden.db")),
            Engine::Postgres => {
                let server = postgres().expect("a PostgreSQL server");
                // The folder's name is as unique as the machine can make it.
                let name = hex::encode(folder.path().file_name().expect("a name").as_encoded_bytes());
                keywarden_store::cast::fresh_postgres(&server, &format!("kw_{name}_{}", std::process::id()))
                    .await
                    .expect("a fresh database")
            }
        };
        let wall = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let clock = Arc::new(MockClock::at(wall));
        let keyring = Arc::new(keyring(folder.path(), &clock));
        let (shelf, tray) = (Shelf::default(), Tray::default());
        let house = Self::open(Arc::new(folder), location, keyring, clock, 1, settings(&shelf, &tray)).await;
        Self { shelf, tray, ..house }
    }

    /// A second node on the same records, keys and clock.
    pub async fn neighbour(&self) -> Self {
        self.neighbour_with(|_| ()).await
    }

    /// A second node that is set up otherwise.
    pub async fn neighbour_with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.domain.settings().clone();
        change(&mut settings);
        Self::open(
            Arc::clone(&self.folder),
            self.location.clone(),
            Arc::clone(&self.keyring),
            Arc::clone(&self.clock),
            self.seed.wrapping_add(1),
            settings,
        )
        .await
    }

    /// The same house with its keyring in its records, as a server has it, and the seal that unwraps it: for what
    /// rotates keys or looks at everything.
    pub async fn with_stored_keyring(self) -> (Self, Vec<Arc<dyn Seal>>) {
        let seal = SoftwareSeal::at(self.folder().join("stored.key"), "stored.key");
        seal.create_key(&mut self.domain.env().fork()).expect("a key file");
        let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(seal)];
        (self.unsealed_by(&seals, Vec::new()).await, seals)
    }

    /// As [`House::with_stored_keyring`], with seals that projects may name: key files of these names, not offered yet.
    pub async fn with_project_seals(self, names: &[&str]) -> (Self, Vec<Arc<dyn Seal>>) {
        let mut own: Vec<Arc<dyn Seal>> = Vec::new();
        for name in names {
            let seal = SoftwareSeal::at(self.folder().join(name), name);
            seal.create_key(&mut self.domain.env().fork()).expect("a key file");
            own.push(Arc::new(seal));
        }
        let (house, seals) = self.with_stored_keyring().await;
        (house.unsealed_by(&seals, own).await, seals)
    }

    /// A second node with a keyring of its own, unsealed by these seals: it has the keys that are stored now, and takes in
    /// later ones when it is told to.
    pub async fn neighbour_apart(&self, seals: &[Arc<dyn Seal>]) -> Self {
        self.neighbour().await.unsealed_by(seals, self.own.clone()).await
    }

    /// A well-formed value of a key that there is not.
    pub fn made_up_key(&self) -> String {
        let label = "live".parse().expect("a label");
        let made = self.domain.env().with_rng(|rng| token::generate(token::Kind::ApiKey, &label, rng));
        made.value.expose().to_owned()
    }

    /// Tells the other nodes of this one, and which keys it holds, as a server does every few seconds.
    pub async fn tells_of_itself(&self, id: &str) {
        self.tells_since(id, self.now()).await;
    }

    /// The same, of one that started then.
    pub async fn tells_since(&self, id: &str, started_at: DateTime<Utc>) {
        let node = crate::system::Node { id: id.into(), name: id.into(), version: "1", started_at };
        self.domain.note_node(&node, "ready").await.expect("noted");
    }

    async fn unsealed_by(self, seals: &[Arc<dyn Seal>], own: Vec<Arc<dyn Seal>>) -> Self {
        let (clock, same) = (Arc::clone(&self.clock), Arc::clone(&self.clock));
        let custody = Custody::new(own.clone(), Duration::from_mins(5), move || same.monotonic());
        let keyring = Keyring::new(Duration::from_mins(5), move || clock.monotonic()).with_custody(custody);
        let keyring = Arc::new(keyring);
        let (env, mut settings) = (self.domain.env().clone(), self.domain.settings().clone());
        settings.seals = seals.to_vec();
        let domain = Domain::new(self.store.clone(), Arc::clone(&keyring), env, settings).expect("a domain");
        domain.unseal(seals).await.expect("unsealed");
        Self { domain, keyring, own, ..self }
    }

    /// Lets one more seal wrap the keyring, a key file of this name.
    pub async fn add_seal(&self, name: &str) {
        let seal = SoftwareSeal::at(self.folder().join(name), name);
        seal.create_key(&mut self.domain.env().fork()).expect("a key file");
        self.domain.add_seal(&self.domain.shell_op(), Arc::new(seal)).await.expect("a seal");
    }

    async fn open(
        folder: Arc<tempfile::TempDir>,
        location: Location,
        keyring: Arc<Keyring>,
        clock: Arc<MockClock>,
        seed: u64,
        settings: Settings,
    ) -> Self {
        let store = Store::open(&location).await.expect("a store");
        let env = Env::seeded(clock.clone(), seed);
        let domain = Domain::new(store.clone(), Arc::clone(&keyring), env, settings).expect("a domain");
        let own = Vec::new();
        Self {
            domain,
            clock,
            store,
            keyring,
            own,
            location,
            shelf: Shelf::default(),
            tray: Tray::default(),
            folder,
            seed,
        }
    }

    /// A house with an owner, an issuer of the project `pay` and somebody who holds nothing.
    pub async fn with_cast(engine: Engine) -> (Self, Stage, Player, Player, Player) {
        let house = Self::new(engine).await;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let mallory = house.person("Mallory", &[]).await;
        (house, pay, alice, bob, mallory)
    }

    /// The instant at which the clock stands.
    pub fn now(&self) -> DateTime<Utc> {
        self.domain.env().now()
    }

    /// A folder of this house, gone with it.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A project with the environments `live` and `test`.
    pub async fn project(&self, slug: &str) -> Stage {
        let env = self.domain.env();
        let now = self.now();
        let stage = Stage { id: env.id(now), slug: slug.into(), live: env.id(now), test: env.id(now) };
        let project =
            sql("INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
                           VALUES ($1, $2, $3, $4, $5, 'cast', 1)")
            .bind(stage.id)
            .bind(slug)
            .bind(slug)
            .bind(slug)
            .bind(now);
        let environment = |id: EnvironmentId, word: &'static str, longest: Option<i64>, overlap: i64| {
            sql("INSERT INTO environments (id, project_id, slug, name, folded_name, label, max_lifetime_seconds,
                                           overlap_seconds, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'cast', 1)")
            .bind(id)
            .bind(stage.id)
            .bind(word)
            .bind(word)
            .bind(word)
            .bind(word)
            .bind(longest)
            .bind(overlap)
            .bind(now)
        };
        self.put(vec![
            project,
            environment(stage.live, "live", Some(365 * 86_400), 86_400),
            environment(stage.test, "test", None, 3_600),
        ])
        .await;
        stage
    }

    /// An operation of anybody's, now.
    pub fn op(&self, actor: Actor) -> Op {
        operation(self.domain.env(), actor)
    }

    /// An operation on the server's own shell.
    pub fn operator(&self, role: Role) -> Op {
        self.op(Actor::Operator { token: None, role })
    }

    /// How many rows each table has: two of these differ by what was written in between.
    pub async fn rows(&self) -> BTreeMap<&'static str, i64> {
        let mut conn = self.store.read().await.expect("a connection");
        let mut rows = BTreeMap::new();
        for (table, count) in TABLES {
            rows.insert(table, number(sql(count), &mut conn).await.expect("a count"));
        }
        rows
    }

    /// As [`House::put`], for the tests of doors, which know nothing of the store.
    pub async fn put_by(&self, statements: &[&'static str]) {
        self.put(statements.iter().copied().map(sql).collect()).await;
    }

    /// Puts rows in by hand, and lets this house know at once.
    pub async fn put(&self, rows: Vec<Sql>) {
        let now = self.now();
        self.store
            .write_silently("a test sets its stage", move |tx| {
                let rows = rows.clone();
                Box::pin(async move {
                    for row in rows {
                        row.execute(tx).await?;
                    }
                    tx.restrict(ChangeKind::Authority, "cast", now).await
                })
            })
            .await
            .map_err(|error: WriteError<StoreError>| error.to_string())
            .expect("rows");
        self.domain.look().await.expect("a look");
    }
}

fn settings(shelf: &Shelf, tray: &Tray) -> Settings {
    let hours = |n| Duration::from_hours(n);
    Settings {
        origin: "https://keys.example.com".into(),
        rp_id: "keys.example.com".into(),
        verify_max_staleness: Duration::ZERO,
        session: (hours(1), hours(24)),
        admin_session: (Duration::from_mins(15), hours(12)),
        max_value: crate::secrets::MAX_VALUE,
        software_protected: true,
        libraries_as_root: false,
        backups: None,
        drills: None,
        seals: Vec::new(),
        old_seal_keys: Some(hours(30 * 24)),
        fetch: Arc::new(shelf.clone()),
        prover: Arc::new(crate::policy::proof::NoProver),
        carry: Arc::new(tray.clone()),
    }
}

#[expect(clippy::expect_used, reason = "the cast is for tests: what fails here fails the test")]
fn keyring(folder: &std::path::Path, clock: &Arc<MockClock>) -> Keyring {
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let seal = SoftwareSeal::at(folder.join("seal.key"), "seal.key");
    seal.create_key(&mut rng).expect("a key file");
    let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(seal)];
    let (mut keys, mut wraps) = (Vec::new(), Vec::new());
    for purpose in Purpose::ALL {
        let (key, wrapped) = Keyring::generate(purpose, clock.now(), &mut rng, &seals).expect("a key");
        keys.push(key);
        wraps.extend(wrapped);
    }
    let clock = Arc::clone(clock);
    let keyring = Keyring::new(Duration::from_mins(5), move || clock.monotonic());
    keyring.unseal(&keys, &wraps, &seals).expect("unsealed");
    keyring
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Refused, Resource};

    #[tokio::test]
    async fn the_cast_may_do_what_its_roles_say() {
        both_engines(async |house| {
            let pay = house.project("pay").await;
            let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
            let here = Resource::Environment { id: pay.live, project: pay.id };
            assert!(house.domain.authorize(&bob.op(), Action::IssueKey, &here).await.is_ok());
            let unsigned = house.domain.authorize(&bob.without_step_up().op(), Action::IssueKey, &here).await;
            assert!(matches!(unsigned, Err(Refused::StepUp)));
            let mallory = house.person("Mallory", &[]).await;
            let strange = house.domain.authorize(&mallory.op(), Action::IssueKey, &here).await;
            assert!(matches!(strange, Err(Refused::NotFound)));
        })
        .await;
    }
}
