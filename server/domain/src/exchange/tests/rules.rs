//! What a rule admits, who may change it, and what its keepers see.

use std::time::Duration;

use keywarden_model::trust::ClaimRulesError;
use serde_json::json;

use super::super::Why;
use super::*;
use crate::Refused;
use crate::audit::Query;
use crate::cast::both_engines;
use crate::trust::{CreateTrustRuleError, DeleteTrustRuleError, EditTrustRuleError};

#[tokio::test]
async fn a_token_that_fits_gives_a_service_token_for_a_quarter_of_an_hour() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let exchanged = scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        assert!(exchanged.value.expose().starts_with("kws_workload_"));
        assert_eq!(exchanged.workload, scene.workload);
        assert_eq!(scene.speaks(&exchanged).await, Some(scene.workload));
        scene.house.clock.advance(Duration::from_micros(900 * 1_000_000 - 1));
        assert_eq!(scene.speaks(&exchanged).await, Some(scene.workload));
        scene.house.clock.advance(Duration::from_micros(1));
        assert_eq!(scene.speaks(&exchanged).await, None);

        let query = Query { action: Some("service-token.exchange".into()), limit: 10, ..Query::default() };
        let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let events = scene.house.domain.events(&olga.op(), &query).await.unwrap().events;
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!(event.canonical["actor"]["id"], scene.workload.to_string());
        assert_eq!(event.canonical["resource"]["project"], scene.pay.id.to_string());
        assert_eq!(event.personal[&scene.workload.to_string()]["subject"], "shop");
        assert!(!event.canonical.to_string().contains("issuer.example"), "what tells of somebody is sealed");

        let shown = scene.house.domain.workload(&scene.mia.op(), scene.workload).await.unwrap();
        assert!(shown.tokens.is_empty(), "what ends by itself in minutes hides no token that does not");
        let rules = scene.house.domain.trust_rules(&scene.mia.op(), scene.workload).await.unwrap();
        assert!(rules[0].last_used_at.is_some());
        assert_eq!(scene.house.rows().await["service_tokens"], 1);
        scene.house.clock.advance(Duration::from_hours(25));
        scene.house.domain.sweep(&scene.house.domain.system_op("sweep")).await.unwrap();
        assert_eq!(scene.house.rows().await["service_tokens"], 0);
    })
    .await;
}

#[tokio::test]
async fn every_claim_of_a_rule_must_fit() {
    both_engines(async |house| {
        let scene = Scene::new(house).await;
        scene.rule(terms("repository=octo-org/shop\nref=refs/heads/*\nref_protected=true\nrun=7")).await;
        let with = |repository: &str, branch: &str| {
            scene.but(json!({ "repository": repository, "ref": branch, "ref_protected": true, "run": 7 }))
        };
        for (repository, branch, good) in [
            ("octo-org/shop", "refs/heads/main", true),
            ("octo-org/shop", "refs/heads/a/b", false),
            ("octo-org/shop", "refs/heads/", false),
            ("octo-org/shop", "refs/pull/1/merge", false),
            ("octo-org/shop-evil", "refs/heads/main", false),
            ("evil/octo-org/shop", "refs/heads/main", false),
        ] {
            let token = scene.issuer.sign(&with(repository, branch));
            assert_eq!(scene.exchange(&token).await.is_ok(), good, "{repository} {branch}");
        }
        let mut odd = with("octo-org/shop", "refs/heads/main");
        odd["run"] = json!(7.0);
        assert!(scene.refuses(&scene.issuer.sign(&odd)).await, "7.0 is not 7");
    })
    .await;
}

#[tokio::test]
async fn where_rules_of_two_workloads_fit_one_is_named() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        scene.rule(terms("sub=shop")).await;
        let sign = || scene.issuer.sign(&scene.claims());
        assert!(scene.exchange(&sign()).await.is_ok(), "two rules of one workload are no question");
        let new = NewWorkload { name: "other".parse().unwrap(), project: Some(scene.pay.id), role: None };
        let other = scene.house.domain.create_workload(&scene.mia.op(), new).await.unwrap();
        let op = scene.mia.steps_up().op();
        scene.house.domain.create_trust_rule(&op, other, terms("sub=shop")).await.unwrap();
        assert!(matches!(scene.exchange(&sign()).await, Err(ExchangeError::Ambiguous)));
        for named in [other, scene.workload] {
            let exchanged = scene.exchange_as(&sign(), Some(named)).await.unwrap();
            assert_eq!(scene.speaks(&exchanged).await, Some(named));
        }
        let nobody = scene.house.domain.env().id(scene.house.now());
        assert!(matches!(scene.exchange_as(&sign(), Some(nobody)).await, Err(ExchangeError::Invalid)));
        // One that is not signed well learns of no ambiguity.
        let forged = super::super::shelf::Issuer::new(URL, "k1", 3).sign(&scene.claims());
        assert!(scene.refuses(&forged).await);
    })
    .await;
}

#[tokio::test]
async fn what_a_rule_gave_ends_with_it_and_with_its_terms() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let (domain, mia) = (&scene.house.domain, &scene.mia);
        let rule = domain.trust_rules(&mia.op(), scene.workload).await.unwrap().remove(0);
        let first = scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        assert!(scene.speaks(&first).await.is_some());
        let neighbour = scene.house.neighbour().await;
        let edited = Terms { single_use: false, ..terms("sub=shop") };
        domain
            .edit_trust_rule(&mia.op(), scene.workload, rule.id, edited.clone(), rule.row_version)
            .await
            .unwrap();
        assert_eq!(scene.speaks(&first).await, None, "it was got on other terms");
        let stale =
            domain.edit_trust_rule(&mia.op(), scene.workload, rule.id, edited, rule.row_version).await;
        assert!(matches!(stale, Err(EditTrustRuleError::ChangedMeanwhile)));
        let token = scene.issuer.sign(&scene.claims());
        let second = scene.exchange(&token).await.unwrap();
        let third = scene.exchange(&token).await.unwrap();
        assert!(neighbour.domain.authenticate_token(third.value.expose()).await.is_ok());
        domain.delete_trust_rule(&mia.op(), scene.workload, rule.id).await.unwrap();
        for ended in [&second, &third] {
            assert_eq!(scene.speaks(ended).await, None);
        }
        scene.house.clock.advance(Duration::from_secs(1));
        assert!(neighbour.domain.authenticate_token(third.value.expose()).await.is_err());
        assert!(scene.refuses(&token).await);
        let gone = domain.delete_trust_rule(&mia.op(), scene.workload, rule.id).await;
        assert!(matches!(gone, Err(DeleteTrustRuleError::Refused(Refused::NotFound))));
    })
    .await;
}

#[tokio::test]
async fn a_deactivated_workload_signs_in_no_more() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let exchanged = scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        scene.house.domain.deactivate_workload(&scene.mia.op(), scene.workload).await.unwrap();
        assert_eq!(scene.speaks(&exchanged).await, None);
        assert!(scene.refuses(&scene.issuer.sign(&scene.claims())).await);
        let late =
            scene.house.domain.create_trust_rule(&scene.mia.op(), scene.workload, terms("sub=x")).await;
        assert!(matches!(late, Err(CreateTrustRuleError::Deactivated)));
    })
    .await;
}

#[tokio::test]
async fn rules_are_bounded_and_never_let_in_everybody() {
    both_engines(async |house| {
        let scene = Scene::new(house).await;
        let (domain, op) = (&scene.house.domain, scene.mia.op());
        let open = Terms {
            issuer: "https://token.actions.githubusercontent.com".parse().unwrap(),
            ..terms("ref=refs/heads/main")
        };
        let refused = domain.create_trust_rule(&op, scene.workload, open.clone()).await;
        assert!(matches!(refused, Err(CreateTrustRuleError::Claims(ClaimRulesError::Anybody { .. }))));
        let rule = scene.rule(terms("sub=0")).await;
        let refused = domain.edit_trust_rule(&op, scene.workload, rule.id, open, rule.row_version).await;
        assert!(matches!(refused, Err(EditTrustRuleError::Claims(ClaimRulesError::Anybody { .. }))));
        for n in 1..20 {
            scene.rule(terms(&format!("sub={n}"))).await;
        }
        let more = domain.create_trust_rule(&op, scene.workload, terms("sub=20")).await;
        assert!(matches!(more, Err(CreateTrustRuleError::TooMany)));
    })
    .await;
}

#[tokio::test]
async fn a_foreign_rule_is_not_there() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let domain = &scene.house.domain;
        let rule = domain.trust_rules(&scene.mia.op(), scene.workload).await.unwrap().remove(0);
        let hr = scene.house.project("hr").await;
        let hugo = scene.house.person("Hugo", &[(Role::Manager, Some(hr.id))]).await;
        let new = NewWorkload { name: "own".parse().unwrap(), project: Some(hr.id), role: None };
        let own = domain.create_workload(&hugo.op(), new).await.unwrap();
        let op = hugo.op();
        // Asked under one's own workload, another's rule is as little there as under its own.
        for at in [scene.workload, own] {
            assert!(matches!(domain.trust_rule(&op, at, rule.id).await, Err(Refused::NotFound)));
            let edited = domain.edit_trust_rule(&op, at, rule.id, terms("sub=evil"), rule.row_version).await;
            assert!(matches!(edited, Err(EditTrustRuleError::Refused(Refused::NotFound))));
            let deleted = domain.delete_trust_rule(&op, at, rule.id).await;
            assert!(matches!(deleted, Err(DeleteTrustRuleError::Refused(Refused::NotFound))));
        }
        assert!(matches!(domain.trust_rules(&op, scene.workload).await, Err(Refused::NotFound)));
        let made = domain.create_trust_rule(&op, scene.workload, terms("sub=evil")).await;
        assert!(matches!(made, Err(CreateTrustRuleError::Refused(Refused::NotFound))));
    })
    .await;
}

#[tokio::test]
async fn the_last_token_refused_is_shown_to_those_who_keep_the_rule() {
    both_engines(async |house| {
        let scene = Scene::new(house).await;
        let rule = scene.rule(terms("sub=shop\nref=refs/heads/main")).await;
        let near = scene.rule(terms("sub=other\nref=refs/heads/x")).await;
        let domain = &scene.house.domain;
        let refused = async |op: &crate::Op, id| domain.trust_rule(op, scene.workload, id).await.unwrap().refused;
        assert!(refused(&scene.mia.op(), rule.id).await.is_none());
        // One that is not proven tells nobody anything.
        let forged = super::super::shelf::Issuer::new(URL, "k1", 3).sign(&scene.claims());
        assert!(scene.refuses(&forged).await);
        assert!(refused(&scene.mia.op(), rule.id).await.is_none());

        let claims = scene.but(json!({ "ref": "refs/heads/dev", "groups": ["a"], "email": "ada@example.com" }));
        assert!(scene.refuses(&scene.issuer.sign(&claims)).await);
        let shown = refused(&scene.mia.op(), rule.id).await.unwrap();
        assert_eq!(shown.why, Why::Claims);
        let claim = |name: &str| shown.claims.iter().find(|it| it.name == name).unwrap();
        assert!(claim("ref").missed && claim("ref").value == "refs/heads/dev");
        assert!(!claim("sub").missed && !claim("groups").comparable);
        assert!(refused(&scene.mia.op(), near.id).await.is_none(), "kept with the rule that it came nearest to");
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        assert!(refused(&victor.op(), rule.id).await.is_none(), "it tells of people");

        // A flood is no flood of writes; a later one takes its place; the reason goes with it.
        let late = scene.but(json!({ "ref": "refs/heads/main", "exp": scene.house.now().timestamp() - 100, "iat": scene.house.now().timestamp() - 200 }));
        assert!(scene.refuses(&scene.issuer.sign(&late)).await);
        assert_eq!(refused(&scene.mia.op(), rule.id).await.unwrap().why, Why::Claims);
        scene.house.clock.advance(Duration::from_secs(5));
        assert!(scene.refuses(&scene.issuer.sign(&late)).await);
        assert_eq!(refused(&scene.mia.op(), rule.id).await.unwrap().why, Why::Expired);
        assert_eq!(scene.house.rows().await["refused_tokens"], 1);
        domain
            .edit_trust_rule(&scene.mia.op(), scene.workload, rule.id, terms("sub=shop"), rule.row_version)
            .await
            .unwrap();
        assert!(refused(&scene.mia.op(), rule.id).await.is_none(), "it was refused on other terms");
    })
    .await;
}

#[tokio::test]
async fn refusals_are_counted_and_told_once_a_minute() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let before = scene.house.rows().await["events"];
        for _ in 0..50 {
            assert!(scene.refuses("a.b.c").await);
            assert!(
                scene.refuses(&scene.issuer.sign(&scene.but(json!({ "iss": "https://x.example" })))).await
            );
        }
        assert_eq!(scene.house.rows().await["events"], before);
        assert_eq!(scene.house.domain.flush_refusals().await.unwrap(), 100);
        assert_eq!(scene.house.rows().await["events"], before + 1);
        let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let query = Query { action: Some("refusals.count".into()), limit: 1, ..Query::default() };
        let told = scene.house.domain.events(&olga.op(), &query).await.unwrap().events.remove(0);
        assert_eq!(told.canonical["facts"]["verdicts"], json!([["malformed", 50], ["unknown-issuer", 50]]));
    })
    .await;
}
