//! Without a solver, with one that never ends, and with programs that answer something else.

use super::*;

const TEXT: &str =
    r#"forbid (principal, action == Action::"secret.read", resource) when { context.weekday > 5 };"#;

/// Tells its version as cvc5 does, and then does something else.
fn pretends(then: &str) -> String {
    format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'This is cvc5 version 9.9'; exit; }}\n{then}\n")
}

#[tokio::test]
async fn without_a_solver_a_proof_waits_and_it_is_said_why() {
    let missing = Cvc5::at("/nowhere/cvc5".into());
    assert!(missing.last().is_err());
    let why = missing.look().await.unwrap_err();
    assert!(why.0.contains("/nowhere/cvc5"), "{why}");
    let scene = Scene::with(missing).await;
    let id = scene.draft(PolicyScope::Organization, "Weekends", TEXT).await;
    let domain = &scene.house.domain;
    domain.ask_for_proof(&scene.olga.op(), id, 1).await.unwrap();
    assert!(!domain.run_waiting_proof(&domain.system_op("prove-policies")).await.unwrap());
    let shown = domain.policy(&scene.olga.op(), id).await.unwrap();
    assert_eq!((&shown.proofs[&1].state, shown.solver), (&ProofState::Waiting, Err(why)));
}

#[tokio::test]
async fn a_program_that_is_no_cvc5_is_none() {
    for text in
        ["#!/bin/sh\necho 'Z3 version 4.8'\n", "#!/bin/sh\nexit 3\n", "#!/bin/sh\nprintf '\\377\\n'\n"]
    {
        let (_folder, path) = script(text);
        assert!(Cvc5::at(path).look().await.is_err(), "{text}");
    }
}

#[tokio::test]
async fn nonsense_shows_nothing() {
    let answers = [
        "echo perhaps",
        "echo sat; echo '(define-fun'",
        "echo sat; echo '(' ; echo nonsense ; echo ')'",
        "echo unsatisfying",
        "exit 1",
        "kill -9 $$",
        // It may have been about to say something else.
        "echo unsat; kill -9 $$",
        // More than any model.
        "exec yes unsat",
    ];
    for answer in answers {
        let (_folder, path) = script(&pretends(answer));
        let scene = Scene::with(Cvc5::at(path)).await;
        let id = scene.draft(PolicyScope::Organization, "Weekends", TEXT).await;
        let verdict = scene.verdict(id, 1).await;
        assert!(matches!(verdict, Verdict::NotRun(_)), "{answer}: {verdict:?}");
    }
    let (_folder, path) = script(&pretends("echo unknown"));
    let scene = Scene::with(Cvc5::at(path)).await;
    let id = scene.draft(PolicyScope::Organization, "Weekends", TEXT).await;
    let verdict = scene.verdict(id, 1).await;
    assert_eq!(verdict, Verdict::Unproven("`secret.read`: the solver does not know".to_owned()));
}

#[tokio::test]
async fn a_request_that_decisions_answer_alike_is_no_counter_example() {
    // Every claim is said to be refuted by a model in which nothing is defined.
    let (_folder, path) = script(&pretends("echo sat; echo '('; echo ')'"));
    let scene = Scene::with(Cvc5::at(path)).await;
    let id = scene.draft(PolicyScope::Organization, "Weekends", TEXT).await;
    let verdict = scene.verdict(id, 1).await;
    assert!(matches!(verdict, Verdict::NotRun(_) | Verdict::Unproven(_)), "{verdict:?}");
}

#[tokio::test]
async fn a_solver_that_never_ends_is_killed() {
    let (folder, path) = script("");
    // A name that no other process has.
    let sleeper = folder.path().join("sleeper");
    std::os::unix::fs::symlink("/bin/sleep", &sleeper).unwrap();
    std::fs::write(&path, pretends(&format!("exec {} 3600", sleeper.display()))).unwrap();
    let solver = Cvc5::at(path);
    solver.look().await.unwrap();
    let limit = Duration::from_secs(3);
    let (shown, ()) = tokio::join!(solver.show(question(), limit), until(&sleeper, true));
    assert!(matches!(&shown, Shown::NotRun(why) if why.contains("longer")), "{shown:?}");
    until(&sleeper, false).await;

    // Nor does it outlive whoever waits for it.
    tokio::select! {
        shown = solver.show(question(), Duration::from_mins(10)) => panic!("{shown:?}"),
        () = until(&sleeper, true) => {}
    }
    until(&sleeper, false).await;
}

/// One that cannot be answered without a solver.
fn question() -> Question {
    let environment = cedar_policy::RequestEnv::new(
        "User".parse().unwrap(),
        r#"Action::"look""#.parse().unwrap(),
        "Thing".parse().unwrap(),
    );
    let claim = keywarden_domain::policy::proof::Claim::Implies {
        narrow: Box::new("permit (principal, action, resource);".parse().unwrap()),
        wide: Box::new("permit (principal, action, resource) when { resource.age > 3 };".parse().unwrap()),
    };
    Question { schema: Arc::new(schema()), environment, claim }
}

fn schema() -> cedar_policy::Schema {
    let text = "entity User; entity Thing { age: Long }; action look appliesTo { principal: User, resource: Thing };";
    cedar_policy::Schema::from_cedarschema_str(text).unwrap().0
}

/// Waits until a process runs this program, or none does any more.
async fn until(program: &std::path::Path, runs: bool) {
    let wanted = program.as_os_str().as_encoded_bytes();
    let is_there = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
            let said = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            said.starts_with(wanted)
        })
    };
    while is_there() != runs {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
