//! With the real solver, and with programs that are none. Where there is no cvc5: a loud skip on a laptop, a failure in CI.

mod other;
mod proofs;
mod same;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use keywarden_domain::authz::PolicyScope;
use keywarden_domain::cast::{House, Player};
use keywarden_domain::policy::proof::{Proof, ProofState, Prover, Verdict};
use keywarden_domain::policy::{Activate, NewPolicy};
use keywarden_model::{PolicyId, Role};

use super::*;

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment whether they run in CI")]
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|it| !it.is_empty())
}

/// The solver of this machine.
async fn cvc5() -> Option<Cvc5> {
    let solver = Cvc5::at("cvc5".into());
    match solver.look().await {
        Ok(_) => Some(solver),
        Err(why) => {
            assert!(!in_ci(), "cvc5 must be there in CI: {why}");
            println!("SKIPPED: {why}: apt-get install cvc5");
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
        let house = House::new(keywarden_domain::cast::Engine::Sqlite).await;
        let house = house.neighbour_with(|settings| settings.prover = Arc::new(solver)).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        Self { house, olga }
    }

    async fn draft(&self, scope: PolicyScope, name: &str, text: &str) -> PolicyId {
        let new = NewPolicy {
            scope,
            name: name.parse().unwrap(),
            text: text.to_owned(),
            note: keywarden_model::Description::default(),
        };
        self.house.domain.draft_policy(&self.olga.op(), new).await.unwrap()
    }

    async fn activate(&self, id: PolicyId, version: i64) {
        let row_version = self.house.domain.policy(&self.olga.op(), id).await.unwrap().policy.row_version;
        let now = Activate { version, at: None, row_version };
        self.house.domain.activate_policy(&self.olga.op(), id, now).await.unwrap();
    }

    /// A policy that decides, and another text for it.
    async fn redrafted(&self, name: &str, before: &str, after: &str) -> PolicyId {
        let id = self.draft(PolicyScope::Organization, name, before).await;
        self.activate(id, 1).await;
        let row_version = self.house.domain.policy(&self.olga.op(), id).await.unwrap().policy.row_version;
        let redraft = keywarden_domain::policy::Redraft {
            text: after.to_owned(),
            note: keywarden_model::Description::default(),
            row_version,
        };
        self.house.domain.redraft_policy(&self.olga.op(), id, redraft).await.unwrap();
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
