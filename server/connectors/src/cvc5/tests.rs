//! With the real solver, and with programs that are none. What takes a cvc5 is skipped where there is none, and says so; where
//! `KEYWARDEN_TEST_CVC5` names one, it must be there.

mod other;
mod proofs;
mod same;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use keywarden_domain::authz::PolicyScope;
use keywarden_domain::cast::{Engine, House, Player, both_engines};
use keywarden_domain::policy::proof::{Proof, ProofState, Prover, Verdict};
use keywarden_domain::policy::{Activate, NewPolicy, Redraft};
use keywarden_model::{Description, PolicyId, Role};

use super::*;

/// The solver of this machine.
#[expect(clippy::disallowed_methods, reason = "tests are told by their environment which solver there is")]
async fn cvc5() -> Option<Cvc5> {
    let named = std::env::var_os("KEYWARDEN_TEST_CVC5").filter(|it| !it.is_empty());
    let solver = Cvc5::at(named.clone().unwrap_or_else(|| "cvc5".into()).into());
    match solver.look().await {
        Ok(_) => Some(solver),
        Err(why) => {
            assert!(named.is_none(), "KEYWARDEN_TEST_CVC5 names no solver: {why}");
            println!("SKIPPED: there is no cvc5 here, so that no policy is proven");
            None
        }
    }
}

/// A program that is no solver, where nobody may run it, too.
fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("solver");
    std::fs::write(&path, text).unwrap();
    for it in [folder.path(), &path] {
        std::fs::set_permissions(it, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    (folder, path)
}

/// A house whose proofs this solver runs.
struct Scene {
    house: House,
    olga: Player,
}

impl Scene {
    async fn with(solver: impl Prover + 'static) -> Self {
        Self::at(&House::new(Engine::Sqlite).await, solver).await
    }

    async fn at(house: &House, solver: impl Prover + 'static) -> Self {
        let house = house.neighbour_with(|settings| settings.prover = Arc::new(solver)).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        Self { house, olga }
    }

    async fn draft(&self, scope: PolicyScope, name: &str, text: &str) -> PolicyId {
        let new = NewPolicy {
            scope,
            name: name.parse().unwrap(),
            text: text.to_owned(),
            note: Description::default(),
        };
        self.house.domain.draft_policy(&self.olga.op(), new).await.unwrap()
    }

    async fn row_version(&self, id: PolicyId) -> i64 {
        self.house.domain.policy(&self.olga.op(), id).await.unwrap().policy.row_version
    }

    async fn activate(&self, id: PolicyId, version: i64) {
        let now = Activate { version, at: None, row_version: self.row_version(id).await };
        self.house.domain.activate_policy(&self.olga.op(), id, now).await.unwrap();
    }

    async fn redraft(&self, id: PolicyId, text: &str) {
        let redraft = Redraft {
            text: text.to_owned(),
            note: Description::default(),
            row_version: self.row_version(id).await,
        };
        self.house.domain.redraft_policy(&self.olga.op(), id, redraft).await.unwrap();
    }

    /// A policy that decides, and another text for it.
    async fn redrafted(&self, name: &str, before: &str, after: &str) -> PolicyId {
        let id = self.draft(PolicyScope::Organization, name, before).await;
        self.activate(id, 1).await;
        self.redraft(id, after).await;
        id
    }

    async fn proven(&self, id: PolicyId, version: i64) -> Proof {
        let domain = &self.house.domain;
        domain.ask_for_proof(&self.olga.op(), id, version).await.unwrap();
        assert!(domain.run_waiting_proof(&domain.system_op("prove-policies")).await.unwrap());
        domain.policy(&self.olga.op(), id).await.unwrap().proofs.remove(&version).unwrap()
    }

    async fn verdict(&self, id: PolicyId, version: i64) -> Verdict {
        match self.proven(id, version).await.state {
            ProofState::Done(end) => end.verdict,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_version_is_read_from_what_cvc5_says() {
    assert_eq!(version_in("This is cvc5 version 1.0.3").as_deref(), Some("cvc5 1.0.3"));
    let newer = "This is cvc5 version 1.3.1 [git tag 1.3.1 branch HEAD]";
    assert_eq!(version_in(newer).as_deref(), Some("cvc5 1.3.1"));
    for none in ["Z3 version 4.8.12", "This is cvc5 version ", "This is cvc5 version <b>1</b>"] {
        assert_eq!(version_in(none), None, "{none}");
    }
}
