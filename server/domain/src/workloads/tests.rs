use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::Role;
use keywarden_vault::SecretString;
use rand::SeedableRng;

use super::*;
use crate::cast::{House, Player, Stage, both_engines};
use crate::{Actor, Refused};

async fn stage(house: &House) -> (Stage, Player, WorkloadId) {
    let pay = house.project("pay").await;
    let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
    let new =
        NewWorkload { name: "gateway".parse().unwrap(), project: Some(pay.id), role: Some(Role::Verifier) };
    let id = house.domain.create_workload(&mia.op(), new).await.unwrap();
    (pay, mia, id)
}

async fn who(house: &House, value: &SecretString) -> Option<Actor> {
    match house.domain.authenticate_token(value.expose()).await {
        Ok(actor) => Some(actor),
        Err(Refused::NotFound) => None,
        Err(other) => panic!("{other}"),
    }
}

fn lifetime(seconds: i64) -> TokenLifetime {
    TokenLifetime::from_seconds(seconds).unwrap()
}

#[tokio::test]
async fn a_token_speaks_for_its_workload_until_it_is_revoked() {
    both_engines(async |house| {
        let (_, mia, workload) = stage(&house).await;
        let neighbour = house.neighbour().await;
        let issued = house.domain.issue_service_token(&mia.op(), workload, lifetime(3_600)).await.unwrap();
        assert!(issued.value.expose().starts_with("kws_workload_"));
        let speaks = Some(Actor::Workload { id: workload, token: issued.id });
        assert_eq!(who(&house, &issued.value).await, speaks);
        assert_eq!(who(&neighbour, &issued.value).await, speaks);
        house.domain.revoke_service_token(&mia.op(), issued.id).await.unwrap();
        assert_eq!(who(&house, &issued.value).await, None, "here at once");
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(who(&neighbour, &issued.value).await, None, "elsewhere within a second");
        let again = house.domain.revoke_service_token(&mia.op(), issued.id).await;
        assert!(matches!(again, Err(RevokeTokenError::Revoked)));
        let shown = house.domain.workload(&mia.op(), workload).await.unwrap();
        assert_eq!(shown.tokens[0].state, TokenState::Revoked);
        assert_eq!(shown.roles[0].role, Role::Verifier);
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_at_its_instant_though_it_is_remembered() {
    both_engines(async |house| {
        let (_, mia, workload) = stage(&house).await;
        let issued = house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await.unwrap();
        assert!(who(&house, &issued.value).await.is_some());
        house.clock.advance(Duration::from_micros(60 * 1_000_000 - 1));
        assert!(who(&house, &issued.value).await.is_some());
        house.clock.advance(Duration::from_micros(1));
        assert_eq!(who(&house, &issued.value).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_deactivated_workload_is_nobody_and_its_name_is_free() {
    both_engines(async |house| {
        let (pay, mia, workload) = stage(&house).await;
        let issued = house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await.unwrap();
        assert!(who(&house, &issued.value).await.is_some());
        let new = NewWorkload { name: "GATEWAY".parse().unwrap(), project: Some(pay.id), role: None };
        let twin = house.domain.create_workload(&mia.op(), new.clone()).await;
        assert!(matches!(twin, Err(CreateWorkloadError::NameTaken)));
        house.domain.deactivate_workload(&mia.op(), workload).await.unwrap();
        assert_eq!(who(&house, &issued.value).await, None);
        let again = house.domain.deactivate_workload(&mia.op(), workload).await;
        assert!(matches!(again, Err(DeactivateWorkloadError::Deactivated)));
        let late = house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await;
        assert!(matches!(late, Err(IssueTokenError::Deactivated)));
        house.domain.create_workload(&mia.op(), new).await.unwrap();
        let query = WorkloadQuery { limit: 10, ..WorkloadQuery::default() };
        assert_eq!(house.domain.workloads(&mia.op(), &query).await.unwrap().workloads.len(), 1);
        let query = WorkloadQuery { deactivated: true, ..query };
        assert_eq!(house.domain.workloads(&mia.op(), &query).await.unwrap().workloads.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn nothing_but_the_issued_value_is_a_token() {
    both_engines(async |house| {
        let (pay, mia, workload) = stage(&house).await;
        let new =
            NewWorkload { name: "other".parse().unwrap(), project: Some(pay.id), role: Some(Role::Manager) };
        let other = house.domain.create_workload(&mia.op(), new).await.unwrap();
        let ours = house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await.unwrap();
        let theirs = house.domain.issue_service_token(&mia.op(), other, lifetime(60)).await.unwrap();
        // One token's secret under the other one's id: what is proven binds both.
        let (own, foreign) = (ours.value.expose(), theirs.value.expose());
        let spliced = format!("{}{}", &foreign[..26], &own[26..]);
        let lower = own.to_lowercase();
        let cases = [
            spliced.clone(),
            lower,
            format!("{own} "),
            format!(" {own}"),
            own.replacen("kws", "kwk", 1),
            own.replacen("workload", "operator", 1),
            String::new(),
            "kws_".into(),
            "kws_workload".repeat(1_000),
        ];
        for case in cases {
            let answer = house.domain.authenticate_token(&case).await;
            assert!(matches!(answer, Err(Refused::NotFound)), "{case}");
        }
        // The same with checksums that fit, so that only the proof can tell.
        let mut rng = rand_chacha::ChaCha20Rng::from_seed([7; 32]);
        let label = "workload".parse().unwrap();
        let unknown =
            keywarden_vault::token::generate(keywarden_vault::token::Kind::ServiceToken, &label, &mut rng);
        for _ in 0..2 {
            assert_eq!(who(&house, &unknown.value).await, None, "remembered as unknown or not");
        }
        assert!(who(&house, &ours.value).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn asking_twice_gives_the_same_token_and_never_a_second_one() {
    both_engines(async |house| {
        let (pay, mia, workload) = stage(&house).await;
        let once = |request: &[u8]| mia.op_once("idempotency-key-1", &[request]);
        let domain = &house.domain;
        let first = domain.issue_service_token(&once(b"one"), workload, lifetime(60)).await.unwrap();
        let second = domain.issue_service_token(&once(b"one"), workload, lifetime(60)).await.unwrap();
        assert_eq!((first.id, first.value.expose()), (second.id, second.value.expose()));
        let other = domain.issue_service_token(&once(b"two"), workload, lifetime(60)).await;
        assert!(matches!(other, Err(IssueTokenError::Refused(Refused::Replayed(_)))));
        assert_eq!(domain.workload(&mia.op(), workload).await.unwrap().tokens.len(), 1);
        // Another caller's same key is another request: nobody renews into somebody else's token.
        let nia = house.person("Nia", &[(Role::Manager, Some(pay.id))]).await;
        let theirs = nia.op_once("idempotency-key-1", &[b"one"]);
        let third = domain.issue_service_token(&theirs, workload, lifetime(60)).await.unwrap();
        assert_ne!(third.id, first.id);
        house.clock.advance(Duration::from_mins(61));
        let late = mia.steps_up().op_once("idempotency-key-1", &[b"one"]);
        let late = domain.issue_service_token(&late, workload, lifetime(60)).await;
        assert!(
            matches!(late, Err(IssueTokenError::Refused(Refused::Replayed(_)))),
            "an hour later the value is gone"
        );
    })
    .await;
}

#[tokio::test]
async fn foreign_workloads_and_tokens_are_not_there() {
    both_engines(async |house| {
        let (_, mia, workload) = stage(&house).await;
        let issued = house.domain.issue_service_token(&mia.op(), workload, lifetime(600)).await.unwrap();
        let hr = house.project("hr").await;
        let hugo = house.person("Hugo", &[(Role::Manager, Some(hr.id))]).await;
        let domain = &house.domain;
        for id in [workload, house.domain.env().id(house.now())] {
            assert!(matches!(domain.workload(&hugo.op(), id).await, Err(Refused::NotFound)));
            let got = domain.issue_service_token(&hugo.op(), id, lifetime(60)).await;
            assert!(matches!(got, Err(IssueTokenError::Refused(Refused::NotFound))));
            let got = domain.deactivate_workload(&hugo.op(), id).await;
            assert!(matches!(got, Err(DeactivateWorkloadError::Refused(Refused::NotFound))));
        }
        for id in [issued.id, house.domain.env().id(house.now())] {
            let got = domain.revoke_service_token(&hugo.op(), id).await;
            assert!(matches!(got, Err(RevokeTokenError::Refused(Refused::NotFound))));
        }
        let query = WorkloadQuery { limit: 10, ..WorkloadQuery::default() };
        assert!(domain.workloads(&hugo.op(), &query).await.unwrap().workloads.is_empty());
        assert!(who(&house, &issued.value).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_workload_is_made_with_a_role_that_its_maker_may_give() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let make = async |by: &Player, project, role| {
            let new = NewWorkload { name: "w".parse().unwrap(), project, role };
            house.domain.create_workload(&by.op(), new).await
        };
        assert!(matches!(make(&ada, None, Some(Role::Owner)).await, Err(CreateWorkloadError::OnlyPeopleOwn)));
        assert!(matches!(
            make(&ada, None, Some(Role::Verifier)).await,
            Err(CreateWorkloadError::WrongScope(Role::Verifier))
        ));
        assert!(matches!(
            make(&ada, Some(pay.id), Some(Role::Admin)).await,
            Err(CreateWorkloadError::WrongScope(Role::Admin))
        ));
        assert!(matches!(
            make(&mia, None, Some(Role::Auditor)).await,
            Err(CreateWorkloadError::Refused(Refused::Forbidden(_)))
        ));
        make(&ada, None, Some(Role::Auditor)).await.unwrap();
        make(&mia, Some(pay.id), Some(Role::Manager)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn no_token_is_hidden_by_its_number() {
    both_engines(async |house| {
        let (_, mia, workload) = stage(&house).await;
        for _ in 0..50 {
            house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await.unwrap();
        }
        let more = house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await;
        assert!(matches!(more, Err(IssueTokenError::TooMany)));
        house.clock.advance(Duration::from_mins(1));
        house.domain.issue_service_token(&mia.op(), workload, lifetime(60)).await.unwrap();
        let shown = house.domain.workload(&mia.op(), workload).await.unwrap();
        assert_eq!(shown.tokens[0].state, TokenState::Active);
        assert_eq!(shown.tokens.len(), 51);
    })
    .await;
}

#[tokio::test]
async fn the_shell_makes_short_tokens_and_nobody_else_does() {
    both_engines(async |house| {
        let shell = house.operator(Role::Owner);
        let domain = &house.domain;
        for wrong in [TimeDelta::zero(), TimeDelta::seconds(-1), TimeDelta::seconds(3_601), TimeDelta::MAX] {
            let made = domain.operator_token(&shell, Role::Admin, wrong).await;
            assert!(matches!(made, Err(OperatorTokenError::Lifetime)));
        }
        let made = domain.operator_token(&shell, Role::Verifier, TimeDelta::hours(1)).await;
        assert!(matches!(made, Err(OperatorTokenError::WrongScope(Role::Verifier))));
        let value = domain.operator_token(&shell, Role::Admin, TimeDelta::hours(1)).await.unwrap();
        let Some(actor) = who(&house, &value).await else { panic!("a good token") };
        assert!(matches!(actor, Actor::Operator { token: Some(_), role: Role::Admin }));
        // A token cannot make tokens: it would outlive itself.
        let made = domain.operator_token(&house.op(actor.clone()), Role::Admin, TimeDelta::hours(1)).await;
        assert!(matches!(made, Err(OperatorTokenError::Refused(Refused::NotFound))));
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let made = domain.operator_token(&olga.op(), Role::Admin, TimeDelta::hours(1)).await;
        assert!(matches!(made, Err(OperatorTokenError::Refused(Refused::NotFound))));
        let listed = domain.operator_tokens(&olga.op()).await.unwrap();
        assert_eq!((listed.len(), listed[0].role), (1, Some(Role::Admin)));
        domain.revoke_service_token(&olga.op(), listed[0].id).await.unwrap();
        assert_eq!(who(&house, &value).await, None);
    })
    .await;
}

#[tokio::test]
async fn when_a_token_was_last_shown_is_written_in_batches() {
    both_engines(async |house| {
        let (_, mia, workload) = stage(&house).await;
        let issued = house.domain.issue_service_token(&mia.op(), workload, lifetime(600)).await.unwrap();
        assert_eq!(house.domain.flush_token_use().await.unwrap(), 0);
        who(&house, &issued.value).await.unwrap();
        house.clock.advance(Duration::from_millis(500));
        who(&house, &issued.value).await.unwrap();
        let last = house.now();
        assert_eq!(house.domain.flush_token_use().await.unwrap(), 1);
        assert_eq!(house.domain.flush_token_use().await.unwrap(), 0);
        let shown = house.domain.workload(&mia.op(), workload).await.unwrap();
        assert_eq!(shown.tokens[0].last_used_at, Some(last));
        assert_eq!(shown.workload.last_used_at, Some(last));
        house.clock.advance(Duration::from_millis(100));
        who(&house, &issued.value).await.unwrap();
        assert_eq!(house.domain.flush_token_use().await.unwrap(), 1);
    })
    .await;
}
