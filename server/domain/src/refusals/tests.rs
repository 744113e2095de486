use chrono::TimeDelta;
use keywarden_model::Role;
use keywarden_store::{count::number, sql};

use crate::audit::{HOUSE, Query};
use crate::cast::{House, both_engines};
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
    for n in 0..20_000_u32 {
        let source = Source { address: Some(std::net::Ipv4Addr::from_bits(n).into()), agent: None };
        house.domain.note_refusal(&source, "/", "unauthenticated");
    }
    assert!(house.domain.refusals().0.lock().unwrap().len() <= super::AT_MOST + 1);
    assert_eq!(house.domain.flush_refusals().await.unwrap(), 20_000, "each is counted");
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
