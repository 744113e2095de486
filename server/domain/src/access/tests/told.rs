//! What is told to whom: rules, hidden projects, evidence.

use std::collections::BTreeMap;

use super::*;
use crate::cast::both_engines;
use crate::passkeys::ProofError;
use keywarden_model::Reason;

#[tokio::test]
async fn whether_there_is_such_a_project_is_not_told_to_whoever_may_not_see_it() {
    both_engines(async |house| {
        let scene = Scene::new(&house).await;
        let op = scene.dev.op(&house);
        let strict = Rule { longest_seconds: 600, unanswered_seconds: 1_800, ..Rule::built_in() };
        let owner = Scene::fresh(&house, &scene.ada);
        house
            .domain
            .set_access_rule(&owner, PolicyScope::Project(scene.pay.id), Some(strict), 0)
            .await
            .unwrap();
        let (mut told, mut asked) = (Vec::new(), Vec::new());
        for project in ["pay", "ghost"] {
            let id = house.domain.request_access(&op, wanted(project, Role::Viewer, 60)).await.unwrap();
            let shown = house.domain.access_request(&op, id).await.unwrap();
            let request = &shown.request;
            told.push((
                request.state,
                request.expires_at,
                request.project_id,
                shown.rule.is_some(),
                shown.have,
                shown.may.clone(),
            ));
            house.domain.edit_access_request(&op, id, terms(90)).await.unwrap();
            asked.push(id);
        }
        assert_eq!(told[0], told[1]);
        // Both are held to the organization's limits, when they are asked for otherwise too.
        for id in asked {
            let nine = house.domain.edit_access_request(&op, id, terms(9 * 60)).await;
            assert!(
                matches!(nine, Err(AccessError::TooLong(most)) if most == TimeDelta::hours(8)),
                "{nine:?}"
            );
        }
        // Whoever may see it is held to its limits.
        let known = house.domain.request_access(&scene.mia.op(&house), wanted("pay", Role::Issuer, 60)).await;
        assert!(
            matches!(known, Err(RequestError::TooLong(most)) if most == TimeDelta::minutes(10)),
            "{known:?}"
        );
        // And nobody approves what is nowhere.
        let inbox = house.domain.access_inbox(&scene.ada.op(&house)).await.unwrap();
        assert_eq!(inbox.iter().filter_map(|it| it.project.as_deref()).collect::<Vec<_>>(), ["pay"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_nothing_to_whoever_has_no_part_in_it() {
    both_engines(async |house| {
        let scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        let stranger = house.person("Stranger", &[]).await;
        let op = stranger.op();
        let shown = house.domain.access_request(&op, id).await;
        assert!(matches!(shown, Err(Refused::NotFound)), "{shown:?}");
        let evidence = house.domain.access_evidence(&op, id).await;
        assert!(matches!(evidence, Err(Refused::NotFound)), "{evidence:?}");
        for refused in [
            house.domain.withdraw_access_request(&op, id).await,
            house.domain.deny_access(&op, id, words()).await,
            house.domain.edit_access_request(&op, id, terms(60)).await,
        ] {
            assert!(matches!(refused, Err(AccessError::Refused(Refused::NotFound))), "{refused:?}");
        }
        let statement = house.domain.access_statement(&op, id).await;
        assert!(matches!(statement, Err(AccessError::Refused(Refused::NotFound))), "{statement:?}");
        let listed =
            house.domain.access_requests(&op, &RequestQuery { limit: 10, ..Default::default() }).await;
        assert!(listed.unwrap().requests.is_empty());
    })
    .await;
}

fn words() -> Reason {
    "not today: ask on Monday".parse().unwrap()
}

#[tokio::test]
async fn a_no_has_words_and_is_the_end_of_it() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        // Saying no needs a passkey as any change does.
        let stale = house.domain.deny_access(&scene.mia.op(&house), id, words()).await;
        assert!(matches!(stale, Err(AccessError::Refused(Refused::StepUp))), "{stale:?}");
        house.domain.deny_access(&Scene::fresh(&house, &scene.mia), id, words()).await.unwrap();
        let shown = house.domain.access_request(&scene.dev.op(&house), id).await.unwrap().request;
        assert_eq!((shown.state, shown.words.as_str()), (AccessState::Denied, "not today: ask on Monday"));
        assert_eq!(life(signs(&house, &mut scene.ben, id).await), LifeError::NotPending(AccessState::Denied));
        let withdrawn = house.domain.withdraw_access_request(&scene.dev.op(&house), id).await;
        assert_eq!(life(withdrawn), LifeError::NotPending(AccessState::Denied));
    })
    .await;
}

#[tokio::test]
async fn a_rule_is_written_by_who_may_and_holds_in_its_scope() {
    both_engines(async |house| {
        let scene = Scene::new(&house).await;
        let project = PolicyScope::Project(scene.pay.id);
        let rule = Rule { approvers: 2, ..Rule::built_in() };
        let set = async |who: &Somebody, rule: Option<Rule>, newest| {
            house.domain.set_access_rule(&Scene::fresh(&house, who), project, rule, newest).await
        };
        // Those who approve do not say how many of them it takes.
        let manager = set(&scene.mia, Some(rule.clone()), 0).await;
        assert!(matches!(manager, Err(SetRuleError::Refused(Refused::Forbidden(_)))), "{manager:?}");
        let stale = house.domain.set_access_rule(&scene.ben.op(&house), project, Some(rule.clone()), 0).await;
        assert!(matches!(stale, Err(SetRuleError::Refused(Refused::StepUp))), "{stale:?}");
        assert_eq!(set(&scene.ben, Some(rule.clone()), 0).await.unwrap(), 1);
        let meanwhile = set(&scene.ada, Some(rule.clone()), 0).await;
        assert!(matches!(meanwhile, Err(SetRuleError::ChangedMeanwhile)), "{meanwhile:?}");
        let shown = house.domain.access_rule(&scene.mia.op(&house), project).await.unwrap();
        assert_eq!((shown.rule.approvers, shown.at.to_string()), (2, format!("{}@1", scene.pay.id)));
        assert_eq!(set(&scene.ada, None, 1).await.unwrap(), 2);
        let shown = house.domain.access_rule(&scene.mia.op(&house), project).await.unwrap();
        assert_eq!(
            (shown.rule, shown.at.to_string(), shown.newest),
            (Rule::built_in(), "built-in@0".into(), 2)
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_signed_is_checked_without_keywarden_and_any_change_of_it_is_seen() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        signs(&house, &mut scene.ben, id).await.unwrap();
        let evidence = house.domain.access_evidence(&scene.dev.op(&house), id).await.unwrap();
        let (read, verified) = verify(&file(&evidence), &BTreeMap::new()).unwrap();
        assert_eq!(read, evidence);
        assert_eq!(verified.iter().map(|it| it.signer_proven).collect::<Vec<_>>(), [false, false]);
        let names: Vec<_> = verified.iter().map(|it| it.statement.approver.name.as_str()).collect();
        assert_eq!(names, ["Mia", "Ben"]);
        assert!(evidence.approvals.iter().all(|it| it.enrolment.is_some()), "{evidence:?}");
        assert_eq!(proven(&verified), (0, 2));
        // With Mia's key from elsewhere, as hers.
        let person = |at: usize| verified[at].statement.approver.id.clone();
        let key = |at: usize| evidence.approvals[at].proof.public_key.clone();
        let keys = BTreeMap::from([(key(0), person(0))]);
        let checked = |keys: &BTreeMap<Vec<u8>, String>| {
            let (_, verified) = verify(&file(&evidence), keys).unwrap();
            let each = verified.iter().map(|it| it.signer_proven).collect::<Vec<_>>();
            (each, proven(&verified))
        };
        assert_eq!(checked(&keys), (vec![true, false], (1, 2)));
        // As somebody else's it proves nothing, and both together prove both.
        let crossed = BTreeMap::from([(key(0), person(1)), (key(1), person(0))]);
        assert_eq!(checked(&crossed), (vec![false, false], (0, 2)));
        let both = BTreeMap::from([(key(0), person(0)), (key(1), person(1))]);
        assert_eq!(checked(&both), (vec![true, true], (2, 2)));
        // A signature of hers twice is one person's.
        let mut twice = evidence.clone();
        twice.approvals[1] = twice.approvals[0].clone();
        let (_, twice) = verify(&file(&twice), &both).unwrap();
        assert_eq!(proven(&twice), (1, 2));

        let mut longer = evidence.clone();
        longer.approvals[0].statement = longer.approvals[0].statement.replace(":3600,", ":7200,");
        assert_eq!(verify(&file(&longer), &keys), Err(EvidenceError::Proof(1, ProofError::OtherContent)));
        let mut spaced = evidence.clone();
        spaced.approvals[1].statement.push(' ');
        assert_eq!(verify(&file(&spaced), &keys), Err(EvidenceError::Unreadable(2)));
        let mut swapped = evidence.clone();
        swapped.approvals[1].proof = swapped.approvals[0].proof.clone();
        assert_eq!(verify(&file(&swapped), &keys), Err(EvidenceError::Proof(2, ProofError::OtherContent)));
        let mut elsewhere = evidence.clone();
        elsewhere.origin = "https://evil.example".into();
        assert_eq!(verify(&file(&elsewhere), &keys), Err(EvidenceError::OtherStatement(1)));
        let mut unsigned = evidence.clone();
        unsigned.approvals[0].proof.signature[9] ^= 1;
        assert!(matches!(verify(&file(&unsigned), &keys), Err(EvidenceError::Proof(1, _))));
        assert!(verify(b"{}", &keys).is_err());
    })
    .await;
}
