//! What the real solver shows of changes.

use super::*;

const OFFICE: &str = r#"forbid (principal is Person, action == Action::"secret.read", resource)
    unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;

#[tokio::test]
async fn every_kind_of_change_is_shown_on_both_engines() {
    let Some(solver) = cvc5().await else { return };
    both_engines(async |house| {
        let scene = Scene::at(&house, solver.clone()).await;
        let wider = OFFICE.replace("/24", "/16");
        let id = scene.redrafted("Office", OFFICE, &wider).await;
        // What is let elsewhere than before: from where, is told.
        let Verdict::Grants(example) = scene.verdict(id, 2).await else { panic!("it grants") };
        assert_eq!((example.before, example.after), (false, true));
        let address = example.address.clone().unwrap();
        assert!(address.starts_with("192.0.") && !address.starts_with("192.0.2."), "{example:?}");
        assert_eq!((example.principal.as_str(), example.resource.as_str()), ("person", "secret"));

        // The same in other words.
        let other = OFFICE.replace(
            r#"context has address && context.address.isInRange(ip("192.0.2.0/24"))"#,
            r#"context has address && (context.address.isInRange(ip("192.0.2.0/25")) ||
               context.address.isInRange(ip("192.0.2.128/25")))"#,
        );
        scene.redraft(id, &other).await;
        assert_eq!(scene.verdict(id, 3).await, Verdict::Equivalent);

        // From fewer places.
        scene.redraft(id, &OFFICE.replace("/24", "/25")).await;
        let Verdict::Narrows(example) = scene.verdict(id, 4).await else { panic!("it narrows") };
        assert_eq!((example.before, example.after), (true, false));
        let last: u8 = example.address.unwrap().rsplit('.').next().unwrap().parse().unwrap();
        assert!(last >= 128, "{last}");
    })
    .await;
}

#[tokio::test]
async fn a_version_grants_nothing_new_where_only_that_is_known() {
    let Some(solver) = cvc5().await else { return };
    let program = solver.program.path().display();
    let folder = tempfile::tempdir().unwrap();
    // The second question of a proof, what is taken away, it leaves open.
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec {program} \"$@\"\nmkdir {}/asked 2>/dev/null && exec {program} \"$@\"\necho unknown\n",
        folder.path().display(),
    );
    let path = folder.path().join("solver");
    std::fs::write(&path, text).unwrap();
    for it in [folder.path(), &path] {
        std::fs::set_permissions(it, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let scene = Scene::with(Cvc5::at(path)).await;
    let id = scene.draft(PolicyScope::Organization, "Office", OFFICE).await;
    let why = "`secret.read`: the solver does not know".to_owned();
    assert_eq!(scene.verdict(id, 1).await, Verdict::GrantsNothing(why));
}

#[tokio::test]
async fn a_rule_that_forbids_more_only_narrows_and_a_request_shows_it() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let text = r#"forbid (principal is Person, action == Action::"secret.read", resource)
                  unless { context has passkeyAge && context.passkeyAge < 60 };"#;
    let id = scene.draft(PolicyScope::Organization, "Fresh passkeys", text).await;
    let proof = scene.proven(id, 1).await;
    let ProofState::Done(end) = &proof.state else { panic!("{proof:?}") };
    let Verdict::Narrows(example) = &end.verdict else { panic!("{end:?}") };
    assert_eq!((example.before, example.after), (true, false));
    assert_eq!((example.principal.as_str(), example.action.as_str()), ("person", "secret.read"));
    assert!(example.passkey_age.is_none_or(|age| age >= 60), "{example:?}");
    assert!(end.solver.starts_with("cvc5 "), "{end:?}");
    assert_eq!((proof.compared, proof.environments), (3, 3));
    assert!(!end.is_stale);
    // Another set is in force by then.
    let other = scene
        .draft(
            PolicyScope::Organization,
            "Nobody purges",
            r#"forbid (principal, action == Action::"secret.purge", resource);"#,
        )
        .await;
    scene.activate(other, 1).await;
    let later = scene.house.domain.policy(&scene.olga.op(), id).await.unwrap();
    let ProofState::Done(end) = &later.proofs[&1].state else { panic!("{later:?}") };
    assert!(end.is_stale);
}

#[tokio::test]
async fn another_way_to_write_the_same_is_equivalent() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let before = r#"forbid (principal, action in [Action::"secret.read", Action::"key.rotate"], resource)
                    when { context.weekday == 6 || context.weekday == 7 };"#;
    let after = r#"forbid (principal, action in [Action::"key.rotate", Action::"secret.read"], resource)
                   unless { context.weekday < 6 };"#;
    // Only days of the week are known to be from 1 to 7: else 8 would tell the two apart.
    let id = scene.redrafted("Weekends", before, after).await;
    assert_eq!(scene.verdict(id, 2).await, Verdict::Equivalent);
}

#[tokio::test]
async fn a_rule_that_lets_more_is_shown_by_a_request_that_both_sets_decide() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let before = r#"forbid (principal, action == Action::"secret.read", resource)
                    unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;
    let after = before.replace("/24", "/16");
    let id = scene.redrafted("Office", before, &after).await;
    let Verdict::Grants(example) = scene.verdict(id, 2).await else { panic!("it grants") };
    assert_eq!((example.before, example.after), (false, true));
    let address = example.address.clone().unwrap();
    assert!(address.starts_with("192.0.") && !address.starts_with("192.0.2."), "{example:?}");
    // Back again, it takes just that away.
    scene.activate(id, 2).await;
    let Verdict::Narrows(example) = scene.verdict(id, 1).await else { panic!("it narrows") };
    assert_eq!((example.before, example.after), (true, false));
}

#[tokio::test]
async fn a_permit_grants_something_where_no_role_and_no_guard_says_otherwise() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let pay = scene.house.project("pay").await;
    let bob = scene.house.person("Bob", &[]).await;
    let text = format!(
        r#"permit (principal == Person::"{}", action == Action::"secret.read", resource in Project::"{}");"#,
        bob.id, pay.id
    );
    let id = scene.draft(PolicyScope::Organization, "Bob reads", &text).await;
    let Verdict::Grants(example) = scene.verdict(id, 1).await else { panic!("it grants") };
    assert_eq!(example.principal_id, Some(bob.id.to_string()));
    assert_eq!(example.project, Some(pay.id.to_string()));
    assert_eq!(example.method, "passkey", "whoever recovers may not: the guard stays");

    // What owners may anyway is nothing new.
    let text =
        r#"permit (principal in OrganizationRole::"owner", action == Action::"secret.read", resource);"#;
    let id = scene.draft(PolicyScope::Organization, "Owners read", text).await;
    assert_eq!(scene.verdict(id, 1).await, Verdict::Equivalent);
    let text =
        r#"permit (principal in OrganizationRole::"admin", action == Action::"user.deactivate", resource);"#;
    let id = scene.draft(PolicyScope::Organization, "Admins deactivate", text).await;
    assert_eq!(
        scene.verdict(id, 1).await,
        Verdict::Equivalent,
        "nor over owners: permits are not asked about them"
    );
}

#[tokio::test]
async fn a_projects_policy_is_proven_in_its_project() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let pay = scene.house.project("pay").await;
    let text = r#"permit (principal, action == Action::"secret.put", resource)
                  when { resource has project && principal in resource.project.reader };"#;
    let id = scene.draft(PolicyScope::Project(pay.id), "Readers put", text).await;
    let Verdict::Grants(example) = scene.verdict(id, 1).await else { panic!("it grants") };
    assert_eq!(example.project, Some(pay.id.to_string()));
    let holds = |role: &str| example.project_roles.iter().any(|it| it == role);
    assert!(holds("reader") && !holds("manager"), "{example:?}");
    let text = text.replace("reader", "manager");
    let id = scene.draft(PolicyScope::Project(pay.id), "Managers put", &text).await;
    assert_eq!(scene.verdict(id, 1).await, Verdict::Equivalent);
}

#[tokio::test]
async fn a_policy_that_may_fail_is_not_proven() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let text = r#"forbid (principal, action == Action::"key.rotate", resource)
                  when { context.weekday * 9223372036854775807 > 1 };"#;
    let id = scene.draft(PolicyScope::Organization, "Too much", text).await;
    let Verdict::Unproven(why) = scene.verdict(id, 1).await else { panic!("it may fail") };
    assert!(why.contains("may fail"), "{why}");
    // One that has room for every day of the week does not fail.
    let text = text.replace("9223372036854775807", "2");
    let id = scene.draft(PolicyScope::Organization, "Enough", &text).await;
    let verdict = scene.verdict(id, 1).await;
    assert!(matches!(verdict, Verdict::Narrows(_)), "{verdict:?}");
}

#[tokio::test]
async fn what_clocks_show_is_made_true() {
    let Some(solver) = cvc5().await else { return };
    let scene = Scene::with(solver).await;
    let text = r#"permit (principal is Person, action == Action::"secret.read", resource) when {
        context.clock.hasTag("Europe/Berlin") && context.clock.getTag("Europe/Berlin").weekday == 3 &&
        context.clock.getTag("Europe/Berlin").time >= duration("9h") };"#;
    let id = scene.draft(PolicyScope::Organization, "Wednesdays", text).await;
    let verdict = scene.verdict(id, 1).await;
    let Verdict::Grants(example) = verdict else { panic!("{verdict:?}") };
    assert_eq!((example.before, example.after), (false, true));
    let told = example.facts.iter().find(|it| it.of == "clock").unwrap();
    assert_eq!(told.name, "Europe/Berlin");
    assert!(told.value.starts_with("Wednesday "), "{told:?}");
    let hour: u32 = told.value["Wednesday ".len()..][..2].parse().unwrap();
    assert!(hour >= 9, "{told:?}");
}
