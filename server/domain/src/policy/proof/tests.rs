use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use keywarden_model::{Description, PolicyId, PolicyState, Role};

use super::*;
use crate::Domain;
use crate::audit::Query;
use crate::authz::PolicyScope;
use crate::cast::{House, Player, both_engines};
use crate::policy::{Activate, ChangePolicyError, NewPolicy, Redraft};

const TEXT: &str = r#"forbid (principal, action == Action::"secret.read", resource);"#;

/// Answers alike to every claim, and may do something before that.
#[derive(Debug, Default)]
struct Oracle {
    /// What it answers; that everything holds, if nothing.
    says: Option<Shown>,
    /// What somebody does while the first claim is looked at.
    meanwhile: Mutex<Option<(Domain, crate::Op, PolicyId)>>,
    asked: Mutex<u32>,
}

impl Oracle {
    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

#[async_trait]
impl Prover for Oracle {
    async fn look(&self) -> Result<String, NoSolver> {
        self.last()
    }

    fn last(&self) -> Result<String, NoSolver> {
        Ok("oracle 7".into())
    }

    async fn show(&self, _question: Question, _limit: Duration) -> Shown {
        *self.asked.lock().unwrap() += 1;
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((domain, op, id)) = meanwhile {
            redraft(&domain, &op, id).await;
        }
        self.says.clone().unwrap_or(Shown::Holds)
    }
}

async fn redraft(domain: &Domain, op: &crate::Op, id: PolicyId) {
    let row_version = domain.policy(op, id).await.unwrap().policy.row_version;
    let text = TEXT.replace("secret.read", "secret.put");
    domain.redraft_policy(op, id, Redraft { text, note: Description::default(), row_version }).await.unwrap();
}

/// A house whose proofs this oracle makes, with an owner and a draft.
async fn scene(house: &House, oracle: &Arc<Oracle>) -> (House, Player, PolicyId) {
    let prover = Arc::<Oracle>::clone(oracle);
    let house = house.neighbour_with(|settings| settings.prover = prover).await;
    let olga = house.person("Olga", &[(Role::Owner, None)]).await;
    let new = NewPolicy {
        scope: PolicyScope::Organization,
        name: "Nobody reads".parse().unwrap(),
        text: TEXT.to_owned(),
        note: Description::default(),
    };
    let id = house.domain.draft_policy(&olga.op(), new).await.unwrap();
    (house, olga, id)
}

async fn run(house: &House) -> bool {
    house.domain.run_waiting_proof(&house.domain.system_op("prove-policies")).await.unwrap()
}

async fn proof(house: &House, by: &Player, id: PolicyId, number: i64) -> Option<Proof> {
    house.domain.policy(&by.op(), id).await.unwrap().proofs.remove(&number)
}

#[tokio::test]
async fn what_is_submitted_is_proven_and_the_record_says_what_was_shown() {
    both_engines(async |house| {
        let oracle = Arc::default();
        let (house, olga, id) = scene(&house, &oracle).await;
        assert_eq!(proof(&house, &olga, id, 1).await, None);
        assert!(!run(&house).await, "nobody asked");
        house.domain.submit_policy(&olga.op(), id, 1, 1).await.unwrap();
        assert_eq!(proof(&house, &olga, id, 1).await.unwrap().state, ProofState::Waiting);
        house.clock.advance(Duration::from_secs(1));
        assert!(run(&house).await);
        assert!(!run(&house).await, "it is done");
        let known = proof(&house, &olga, id, 1).await.unwrap();
        let ProofState::Done(end) = known.state else { panic!("{known:?}") };
        assert_eq!(
            (end.verdict, end.solver.as_str(), end.is_stale),
            (Verdict::Equivalent, "oracle 7", false)
        );
        // Three types of principals, both ways.
        assert_eq!((known.compared, known.environments, oracle.asked()), (3, 3, 6));

        let query = Query { resource: Some(id.to_string()), limit: 10, ..Query::default() };
        let events = house.domain.events(&olga.op(), &query).await.unwrap().events;
        let told = events.iter().find(|it| it.action == "policy.prove").unwrap();
        let facts = &told.canonical["facts"];
        assert_eq!(facts["verdict"], "equivalent");
        assert_eq!((facts["version"].as_i64(), facts["environments"].as_i64()), (Some(1), Some(3)));
    })
    .await;
}

#[tokio::test]
async fn what_is_shown_is_stale_once_something_else_is_in_force() {
    both_engines(async |house| {
        let oracle = Arc::default();
        let (house, olga, id) = scene(&house, &oracle).await;
        house.domain.ask_for_proof(&olga.op(), id, 1).await.unwrap();
        assert!(run(&house).await);
        let activate = Activate { version: 1, at: None, row_version: 1 };
        house.domain.activate_policy(&olga.op(), id, activate).await.unwrap();
        let known = proof(&house, &olga, id, 1).await.unwrap();
        assert!(matches!(&known.state, ProofState::Done(end) if end.is_stale), "{known:?}");
        // What decides is what it is compared with: there is nothing to show.
        let asked = house.domain.ask_for_proof(&olga.op(), id, 1).await;
        assert!(matches!(asked, Err(ChangePolicyError::Step(step)) if step.state == PolicyState::Active));
    })
    .await;
}

#[tokio::test]
async fn a_proof_of_a_version_that_is_replaced_meanwhile_is_cancelled() {
    both_engines(async |house| {
        let oracle = Arc::default();
        let (house, olga, id) = scene(&house, &oracle).await;
        house.domain.ask_for_proof(&olga.op(), id, 1).await.unwrap();
        *oracle.meanwhile.lock().unwrap() = Some((house.domain.clone(), olga.op(), id));
        assert!(!run(&house).await);
        assert!(oracle.asked() > 0);
        assert!(!matches!(proof(&house, &olga, id, 1).await.unwrap().state, ProofState::Done(_)));
        // Nor is it taken up again, by nobody and never.
        house.clock.advance(Duration::from_hours(1));
        assert!(!run(&house).await);
    })
    .await;
}

#[tokio::test]
async fn whoever_is_cut_off_is_followed_by_another_node() {
    both_engines(async |house| {
        let oracle = Arc::default();
        let (house, olga, id) = scene(&house, &oracle).await;
        house.domain.ask_for_proof(&olga.op(), id, 1).await.unwrap();
        let until = house.now() + chrono::TimeDelta::minutes(5);
        house
            .put(vec![
                keywarden_store::sql("UPDATE policy_proofs SET state = 'running', claimed_until = $1")
                    .bind(until),
            ])
            .await;
        assert!(!run(&house).await, "somebody is at it");
        assert_eq!(proof(&house, &olga, id, 1).await.unwrap().state, ProofState::Running);
        house.clock.advance(Duration::from_mins(5));
        assert!(run(&house).await);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_known_is_not_shown_and_says_why() {
    both_engines(async |house| {
        let says = Some(Shown::Unknown("it is too hard".into()));
        let oracle = Arc::new(Oracle { says, ..Oracle::default() });
        let (house, olga, id) = scene(&house, &oracle).await;
        house.domain.ask_for_proof(&olga.op(), id, 1).await.unwrap();
        assert!(run(&house).await);
        let known = proof(&house, &olga, id, 1).await.unwrap();
        let ProofState::Done(end) = known.state else { panic!("{known:?}") };
        assert_eq!(end.verdict.as_str(), "unproven");
        assert_eq!(end.verdict.why(), Some("`secret.read`: it is too hard"));
        let stranger = house.person("Mallory", &[]).await;
        let asked = house.domain.ask_for_proof(&stranger.op(), id, 1).await;
        assert!(matches!(asked, Err(ChangePolicyError::Refused(crate::Refused::NotFound))), "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_solver_that_fails_ends_the_proof_which_may_be_asked_for_again() {
    both_engines(async |house| {
        let says = Some(Shown::NotRun("the solver took longer than 20 s".into()));
        let oracle = Arc::new(Oracle { says, ..Oracle::default() });
        let (house, olga, id) = scene(&house, &oracle).await;
        for _ in 0..2 {
            house.domain.ask_for_proof(&olga.op(), id, 1).await.unwrap();
            assert!(run(&house).await);
            let known = proof(&house, &olga, id, 1).await.unwrap();
            let ProofState::Done(end) = known.state else { panic!("{known:?}") };
            assert_eq!(end.verdict, Verdict::NotRun("the solver took longer than 20 s".into()));
            house.clock.advance(Duration::from_secs(1));
        }
        // It decides all the same.
        let activate = Activate { version: 1, at: None, row_version: 1 };
        house.domain.activate_policy(&olga.op(), id, activate).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn without_a_solver_it_waits_and_holds_nothing_up() {
    both_engines(async |house| {
        let house = house.neighbour_with(|settings| settings.prover = Arc::new(NoProver)).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let new = NewPolicy {
            scope: PolicyScope::Organization,
            name: "Nobody reads".parse().unwrap(),
            text: TEXT.to_owned(),
            note: Description::default(),
        };
        let id = house.domain.draft_policy(&olga.op(), new).await.unwrap();
        house.domain.submit_policy(&olga.op(), id, 1, 1).await.unwrap();
        assert!(!run(&house).await);
        let shown = house.domain.policy(&olga.op(), id).await.unwrap();
        assert_eq!(shown.proofs[&1].state, ProofState::Waiting);
        assert_eq!(shown.solver, Err(NoSolver("no solver is set up here".to_owned())));
        let row_version = shown.policy.row_version;
        let activate = Activate { version: 1, at: None, row_version };
        house.domain.activate_policy(&olga.op(), id, activate).await.unwrap();
    })
    .await;
}
