//! Damage is planted by hand, one kind after the other; each is found by its own check.

use std::sync::Arc;

use keywarden_model::Role;
use keywarden_store::{Sql, Store, StoreError, WriteError, sql};
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::{Keyring, Seal};

use super::Findings;
use crate::cast::{House, both_engines};
use crate::projects::NewProject;
use crate::workloads::{NewWorkload, TokenLifetime};
use crate::{Domain, Op, Source};

/// The cast's records with a stored keyring over them, and nothing in them that a use-case did not make.
struct Furnished {
    domain: Domain,
    seals: Vec<Arc<dyn Seal>>,
    store: Store,
    token: String,
}

impl Furnished {
    async fn new(house: &House) -> Self {
        let env = house.domain.env().clone();
        let seal = SoftwareSeal::at(house.folder().join("fsck.key"), "fsck.key");
        seal.create_key(&mut env.fork()).unwrap();
        let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(seal)];
        let ticks = env.clone();
        let keyring = Keyring::new(std::time::Duration::from_mins(5), move || ticks.monotonic());
        let settings = house.domain.settings().clone();
        let domain = Domain::new(house.store.clone(), Arc::new(keyring), env, settings).unwrap();
        domain.unseal(&seals).await.unwrap();
        let new = NewProject { slug: "pay".parse().unwrap(), name: "Payments".parse().unwrap() };
        let op = Op {
            source: Source { address: Some([192, 0, 2, 7].into()), agent: Some("curl/8".into()) },
            ..domain.shell_op()
        };
        let project = domain.create_project(&op, new).await.unwrap();
        let new = NewWorkload {
            name: "gateway".parse().unwrap(),
            project: Some(project),
            role: Some(Role::Verifier),
        };
        let workload = domain.create_workload(&domain.shell_op(), new).await.unwrap();
        let token = domain
            .issue_service_token(&domain.shell_op(), workload, TokenLifetime::from_seconds(3_600).unwrap())
            .await;
        let token = token.unwrap().id.to_string();
        Self { domain, seals, store: house.store.clone(), token }
    }

    async fn look(&self) -> Findings {
        self.domain.fsck(&self.seals).await.unwrap()
    }

    /// Changes rows as no use-case would.
    async fn damage(&self, statement: impl Fn() -> Sql + Send + Sync + 'static) {
        let statement = Arc::new(statement);
        let changed = self.store.write_silently("damage for a test", move |tx| {
            let statement = Arc::clone(&statement);
            Box::pin(async move { statement().execute(tx).await })
        });
        let rows = changed.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
        assert!(rows > 0, "nothing was damaged");
    }

    /// Plants damage and sees that just this check finds more than before.
    async fn finds(&self, check: &str, statement: impl Fn() -> Sql + Send + Sync + 'static) {
        let new = self.finds_more(statement).await;
        assert!(!new.is_empty(), "{check} was not found");
        assert!(new.iter().all(|it| *it == check), "expected {check}, found {new:?}");
    }

    /// Plants damage and says which checks find more than before.
    async fn finds_more(&self, statement: impl Fn() -> Sql + Send + Sync + 'static) -> Vec<&'static str> {
        let before = self.look().await.findings;
        self.damage(statement).await;
        let after = self.look().await.findings;
        after.iter().filter(|it| !before.contains(it)).map(|it| it.check).collect()
    }
}

#[tokio::test]
async fn what_use_cases_leave_is_clean_and_each_kind_of_damage_is_found_by_its_own_check() {
    both_engines(async |house| {
        let it = Furnished::new(&house).await;
        let first = it.look().await;
        assert!(first.is_clean(), "{:?}", first.findings);
        assert!(first.skipped.is_empty() && first.rules > 40, "{first:?}");
        assert!(first.events > 10 && first.opened >= 2, "{first:?}");

        it.finds("project-archived-without-event", || sql("UPDATE projects SET archived_at = 1")).await;
        it.finds("token-revoked-without-event", || sql("UPDATE service_tokens SET revoked_at = 1")).await;
        it.finds("workload-state", || sql("UPDATE workloads SET state = 'asleep'")).await;
        it.finds("counter-behind", || sql("UPDATE change_counter SET value = value - 1, authority = 0"))
            .await;
        it.finds("role-unknown", || sql("UPDATE role_bindings SET role = 'king'")).await;
        it.finds("event-column", || {
            sql("UPDATE events SET actor_id = 'somebody' WHERE action = 'project.create'")
        })
        .await;
        it.finds("event-bytes", || {
            sql("UPDATE events SET bytes = $1 WHERE action = 'workload.create'").bind(b"{\"v\": 1}".to_vec())
        })
        .await;
        it.finds("token-tag", || sql("UPDATE service_tokens SET mac = $1").bind(vec![7; 31])).await;
        it.finds("event-personal", || {
            sql("UPDATE event_personal SET sealed = $1
                 WHERE event_id IN (SELECT id FROM events WHERE action = 'project.create')")
            .bind(vec![1; 64])
        })
        .await;
        let token = it.token.clone();
        it.finds("token-without-event", move || {
            sql("DELETE FROM events WHERE resource_id = $1").bind(token.as_str())
        })
        .await;
        let new = it
            .finds_more(|| {
                sql("UPDATE events SET action = 'service-token.issue', resource_id = 'token_gone'
                     WHERE action = 'project.create'")
            })
            .await;
        assert!(
            new.contains(&"token-event-without-token") && new.contains(&"project-without-event"),
            "{new:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_wrap_a_changed_wrap_and_a_changed_subject_are_found() {
    both_engines(async |house| {
        let it = Furnished::new(&house).await;
        let new = it.finds_more(|| sql("UPDATE subjects SET sealed_key = $1").bind(vec![1; 64])).await;
        assert!(new.contains(&"sealed-row") && new.contains(&"event-personal"), "{new:?}");
        it.damage(|| {
            sql("UPDATE keyring_wraps SET wrapped = $1
                 WHERE key_id IN (SELECT id FROM keyring_keys WHERE purpose = 'session')")
            .bind(vec![1; 61])
        })
        .await;
        // A fresh node: the keys in memory would hide it.
        it.domain.keyring().zeroize();
        let found = it.look().await;
        assert!(found.findings.iter().any(|it| it.check == "wrap-broken"), "{found:?}");
        assert!(found.findings.iter().any(|it| it.check == "keyring-sealed"), "{found:?}");
        it.damage(|| sql("DELETE FROM keyring_wraps")).await;
        let found = it.look().await;
        assert!(found.findings.iter().any(|it| it.check == "keyring-key-without-wrap"), "{found:?}");
        assert!(found.findings.iter().any(|it| it.check == "seal-without-wrap"), "{found:?}");
    })
    .await;
}
