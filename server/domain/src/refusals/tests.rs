use chrono::TimeDelta;
use keywarden_model::{RevokeReason, Role};
use keywarden_store::{StoreError, WriteError, count::number, sql};

use crate::audit::{Event, HOUSE, Query};
use crate::cast::{House, both_engines};
use crate::keys::{NewKey, Place};
use crate::people::LinkKind;
use crate::{Action, Actor, Resource, Source};

async fn rows(house: &House, text: &'static str) -> i64 {
    number(sql(text), &mut house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_thousand_refusals_are_two_events() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let mallory = house.person("Mallory", &[]).await;
        let before = rows(&house, "SELECT count(*) AS number FROM events").await;
        let stranger = Source { address: Some([198, 51, 100, 9].into()), agent: None };
        for _ in 0..500 {
            house.domain.note_refusal(&stranger, "/api/v1/keys/verify", "unauthenticated");
            let here = Resource::Project(pay.id);
            house.domain.authorize(&mallory.op(), Action::ViewProject, &here).await.unwrap_err();
        }
        let nobody = house.op(Actor::Nobody);
        house.domain.authorize(&nobody, Action::ViewUsers, &Resource::Organization).await.unwrap_err();
        assert_eq!(rows(&house, "SELECT count(*) AS number FROM events").await, before);
        assert_eq!(house.domain.flush_refusals().await.unwrap(), 1_001);
        assert_eq!(house.domain.flush_refusals().await.unwrap(), 0, "nothing is told twice");
        assert_eq!(rows(&house, "SELECT count(*) AS number FROM events").await, before + 2);

        let query = Query { action: Some("refusals.count".into()), limit: 10, ..Query::default() };
        let events = house.domain.events(&olga.op(), &query).await.unwrap().events;
        let of = |kind: &str| events.iter().find(|it| it.resource.0 == kind).unwrap();
        let strangers = of("organization");
        assert_eq!(strangers.canonical["facts"]["times"], 501);
        assert_eq!(strangers.canonical["facts"]["sources"], 2);
        let told = &strangers.personal[HOUSE]["refusals"];
        assert!(told.starts_with("500 198.51.100.9 /api/v1/keys/verify unauthenticated\n"), "{told}");
        let known = of("user");
        assert_eq!(known.resource.1, mallory.id.to_string());
        assert!(
            known.personal[&mallory.id.to_string()]["refusals"]
                .starts_with("500 192.0.2.7 project.view not-found")
        );
        assert!(!strangers.canonical.to_string().contains("198.51"), "addresses are not in the open");
    })
    .await;
}

#[tokio::test]
async fn a_flood_from_everywhere_stays_bounded() {
    let house = House::new(keywarden_store::Engine::Sqlite).await;
    let pay = house.project("pay").await;
    let mallory = house.person("Mallory", &[]).await;
    for n in 0..20_000_u32 {
        let source = Source { address: Some(std::net::Ipv4Addr::from_bits(n).into()), agent: None };
        house.domain.note_refusal(&source, "/", "unauthenticated");
    }
    // Strangers take no room from those whom we know.
    house.domain.authorize(&mallory.op(), Action::ViewProject, &Resource::Project(pay.id)).await.unwrap_err();
    assert!(house.domain.refusals().0.lock().unwrap().strangers.len() <= super::AT_MOST + 1);
    let before = rows(&house, "SELECT count(*) AS number FROM events").await;
    assert_eq!(house.domain.flush_refusals().await.unwrap(), 20_001, "each is counted");
    assert_eq!(rows(&house, "SELECT count(*) AS number FROM events").await, before + 22);
    let olga = house.person("Olga", &[(Role::Owner, None)]).await;
    let query = Query { action: Some("refusals.count".into()), limit: 100, ..Query::default() };
    let mut events = house.domain.events(&olga.op(), &query).await.unwrap().events;
    let hers = events.iter().position(|it| it.resource.1 == mallory.id.to_string()).unwrap();
    assert_eq!(events.remove(hers).project, Some(pay.id));
    let times: u64 = events.iter().map(|it| it.canonical["facts"]["times"].as_u64().unwrap()).sum();
    assert_eq!(times, 20_000);
    let told: Vec<_> = events.iter().map(|it| it.personal[HOUSE]["refusals"].as_str()).collect();
    assert_eq!(
        told.iter().filter(|it| it.contains(" elsewhere unauthenticated")).count(),
        2,
        "the rest is summed"
    );
    for text in told {
        assert!(text.ends_with("unauthenticated\n"), "no line is cut: {text}");
    }
}

#[tokio::test]
async fn what_a_known_caller_was_refused_is_told_with_the_thing_if_there_is_one() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let mallory = house.person("Mallory", &[(Role::Viewer, Some(pay.id))]).await;
        let mut keys = Vec::new();
        for place in [pay.live, hr.live] {
            let new = NewKey::named(Place::Environment(place), "Orders".parse().unwrap());
            keys.push(house.domain.issue_key(&olga.op(), new).await.unwrap().id);
        }
        keys.push(house.domain.env().id(house.now()));
        for key in &keys {
            let refused = house.domain.revoke_key(&mallory.op(), *key, RevokeReason::Superseded, "").await;
            refused.unwrap_err();
        }
        house.domain.flush_refusals().await.unwrap();
        let query = Query { action: Some("refusals.count".into()), limit: 10, ..Query::default() };
        let events = house.domain.events(&olga.op(), &query).await.unwrap().events;
        let lines = |it: &Event| it.personal[&mallory.id.to_string()]["refusals"].clone();
        let told: String = events.iter().map(lines).collect();
        let [forbidden, foreign, nothing] = [0, 1, 2].map(|n: usize| keys[n].to_string());
        assert!(told.contains(&format!("key.revoke forbidden {forbidden}\n")), "{told}");
        assert!(told.contains(&format!("key.revoke not-found {foreign}\n")), "{told}");
        assert!(!told.contains(&nothing), "an id of nothing is anybody's: {told}");
        for event in &events {
            assert!(!event.canonical.to_string().contains(&forbidden), "what was tried is not in the open");
        }
        // Who looks after a project sees who was refused something in it, and nothing of another's.
        let mae = house.person("Mae", &[(Role::Auditor, None)]).await;
        for (project, key) in [(pay.id, &forbidden), (hr.id, &foreign)] {
            let there = Query { project: Some(project), ..query.clone() };
            let seen = house.domain.events(&mae.op(), &there).await.unwrap().events;
            assert_eq!(seen.len(), 1);
            assert!(lines(&seen[0]).contains(key.as_str()), "{}", lines(&seen[0]));
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_dead_is_counted() {
    let house = House::new(keywarden_store::Engine::Sqlite).await;
    let nobody = house.op(Actor::Nobody);
    for kind in [LinkKind::Invitation, LinkKind::Recovery, LinkKind::Setup] {
        assert!(house.domain.look_at_link(&nobody, kind, "kwt_invite_no").await.is_err());
    }
    assert_eq!(house.domain.flush_refusals().await.unwrap(), 3);
}

#[tokio::test]
async fn decisions_that_cannot_be_written_are_kept_for_the_next_time() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let here = Resource::Environment { id: pay.live, project: pay.id };
        let decide = async || drop(house.domain.authorize(&bob.op(), Action::IssueKey, &here).await.unwrap());
        decide().await;
        alter(&house, "ALTER TABLE decision_log RENAME TO gone").await;
        assert!(house.domain.flush_decisions().await.is_err());
        decide().await;
        assert!(house.domain.flush_decisions().await.is_err(), "once is not enough");
        alter(&house, "ALTER TABLE gone RENAME TO decision_log").await;
        decide().await;
        assert_eq!(house.domain.flush_decisions().await.unwrap(), 1);
        assert_eq!(rows(&house, "SELECT times AS number FROM decision_log").await, 3);
        assert_eq!(house.domain.flush_decisions().await.unwrap(), 0);
    })
    .await;
}

async fn alter(house: &House, text: &'static str) {
    let altered = house.store.write_silently("a test takes a table away", move |tx| {
        Box::pin(async move { sql(text).execute(tx).await })
    });
    altered.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
}

#[tokio::test]
async fn distinct_decisions_are_counted_and_kept_for_thirty_days() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let here = Resource::Environment { id: pay.live, project: pay.id };
        for _ in 0..3 {
            let _permit = house.domain.authorize(&bob.op(), Action::IssueKey, &here).await.unwrap();
        }
        house.domain.authorize(&bob.op(), Action::EditEnvironment, &here).await.unwrap_err();
        let gate = house.workload("gate", Role::Verifier, Some(pay.id)).await;
        let verify = house.domain.authorize(&gate.op(), Action::VerifyKeys, &Resource::Project(pay.id)).await;
        drop(verify.unwrap());
        assert_eq!(house.domain.flush_decisions().await.unwrap(), 2);
        let _permit = house.domain.authorize(&bob.op(), Action::IssueKey, &here).await.unwrap();
        assert_eq!(house.domain.flush_decisions().await.unwrap(), 1);
        assert_eq!(house.domain.flush_decisions().await.unwrap(), 0);
        let asked = "SELECT times AS number FROM decision_log WHERE action = 'key.issue'";
        assert_eq!(rows(&house, asked).await, 4);
        let refused =
            "SELECT count(*) AS number FROM decision_log WHERE action = 'environment.edit' AND NOT allowed";
        let refused_sqlite =
            "SELECT count(*) AS number FROM decision_log WHERE action = 'environment.edit' AND allowed = 0";
        let text =
            if house.store.engine() == keywarden_store::Engine::Sqlite { refused_sqlite } else { refused };
        assert_eq!(rows(&house, text).await, 1);
        let mut op = house.domain.system_op("sweep");
        op.now += TimeDelta::days(29);
        house.domain.sweep(&op).await.unwrap();
        assert_eq!(rows(&house, "SELECT count(*) AS number FROM decision_log").await, 2);
        op.now += TimeDelta::days(2);
        house.domain.sweep(&op).await.unwrap();
        assert_eq!(rows(&house, "SELECT count(*) AS number FROM decision_log").await, 0);
    })
    .await;
}
