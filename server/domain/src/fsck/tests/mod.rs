//! The oracle is asked about real records, damaged on purpose.

mod damage;
mod lawful;
mod live;
mod opened;
mod rules;
mod silence;

use std::sync::Arc;

use keywarden_model::Role;
use keywarden_store::{Sql, StoreError, WriteError};
use keywarden_vault::Seal;

use super::Findings;
use crate::cast::House;
use crate::projects::NewProject;
use crate::workloads::{NewWorkload, TokenLifetime};

/// The cast's records with a stored keyring over them, and nothing in them that a use-case did not make.
struct Furnished {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    token: String,
}

impl Furnished {
    async fn new(house: House) -> Self {
        let (house, seals) = house.with_project_seals(&["acme"]).await;
        let domain = &house.domain;
        let shell = || domain.shell_op();
        let new = NewProject { slug: "pay".parse().unwrap(), name: "Payments".parse().unwrap() };
        // From somewhere, so that its event has a personal part.
        let project = domain.create_project(&house.operator(Role::Owner), new).await.unwrap();
        let new = NewWorkload {
            name: "gateway".parse().unwrap(),
            project: Some(project),
            role: Some(Role::Verifier),
        };
        let workload = domain.create_workload(&shell(), new).await.unwrap();
        let hour = TokenLifetime::from_seconds(3_600).unwrap();
        let token = domain.issue_service_token(&shell(), workload, hour).await.unwrap().id.to_string();
        Self { house, seals, token }
    }

    async fn look(&self) -> Findings {
        self.house.domain.fsck(&self.seals).await.unwrap()
    }

    /// Changes rows as no use-case would.
    async fn damage(&self, statement: impl Fn() -> Sql + Send + Sync + 'static) {
        let statement = Arc::new(statement);
        let changed = self.house.store.write_silently("damage for a test", move |tx| {
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
