//! To whom a value went lately: the last reading of each, from the record.

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::Role;
use keywarden_store::sql;

use super::{Address, Scene, Which, template};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::files::FileFormat;
use crate::secrets::{Deliveries, DeliveryWay, Export, NewShare, Promotion, ShareLife};
use crate::{Actor, Op, Refused, Source};

/// The same operation of a program that calls itself so.
fn by(op: Op, agent: &str) -> Op {
    Op { source: Source { agent: Some(agent.to_owned()), ..op.source }, ..op }
}

fn told(found: &Deliveries) -> Vec<(&str, i64, DeliveryWay)> {
    found.last.iter().map(|it| (it.event.actor.0.as_str(), it.version, it.way.clone())).collect()
}

#[tokio::test]
async fn each_reader_is_told_once_with_the_last_version_and_the_way_it_went() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "one").await.id;
        let domain = &scene.house.domain;
        let deliveries = async || domain.secret_deliveries(&scene.alice.op(), id).await.unwrap();
        assert!(deliveries().await.last.is_empty());
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        let poller = scene.house.workload("poller", Role::Reader, Some(scene.pay.id)).await;
        let (address, which) = (Address::Id(id), Which::default());
        let read = async |op: Op| domain.read_secret(&op, &address, &which).await.unwrap();
        let tick = || scene.house.clock.advance(Duration::from_secs(1));
        read(by(reader.op(), "keywarden/1.2.3 (run)")).await;
        tick();
        scene.put("db/password", "two").await;
        for _ in 0..3 {
            tick();
            read(by(poller.op(), "curl/8.5.0")).await;
        }
        tick();
        read(by(scene.alice.op(), "Mozilla/5.0 (X11)")).await;
        let found = deliveries().await;
        let wanted = [
            ("person", 2, DeliveryWay::Console),
            ("workload", 2, DeliveryWay::Program(Some("curl/8.5.0".into()))),
            ("workload", 1, DeliveryWay::Client("run".into())),
        ];
        assert_eq!(told(&found), wanted);
        let names: Vec<_> = found.last.iter().map(|it| it.event.names[&it.event.actor.1].as_str()).collect();
        assert_eq!(names, ["Alice", "poller", "reader"]);
        assert!(!found.more);

        tick();
        let new = NewShare { version: 2, recipient: None, life: ShareLife::Day };
        let made = domain.share_secret(&scene.alice.op(), id, new).await.unwrap();
        let passphrase = keywarden_vault::SecretString::new(made.passphrase().unwrap().to_owned());
        let link = made.url().rsplit('/').next().unwrap();
        domain.open_share(&scene.house.op(Actor::Nobody), link, Some(&passphrase)).await.unwrap();
        assert_eq!(told(&deliveries().await)[0], ("link", 2, DeliveryWay::Link));
        tick();
        scene.put_as(&scene.alice.op(), "db/url", template("x:${pay/live/db/password}")).await.unwrap();
        let url = scene.address("db/url");
        domain.read_secret(&reader.op(), &url, &which).await.unwrap();
        assert_eq!(told(&deliveries().await)[0], ("workload", 2, DeliveryWay::Template));
        tick();
        let export = Export { folder: None, format: FileFormat::Json, reason: "a move".into() };
        domain.export_secrets(&scene.alice.op(), &scene.live(), &export).await.unwrap();
        let found = deliveries().await;
        assert_eq!(told(&found)[0], ("person", 2, DeliveryWay::File));
        tick();
        let to = Promotion { to: Place::Environment(scene.pay.test), version: 2, expected: None };
        domain.promote_secret(&scene.alice.op(), id, to).await.unwrap();
        let found = deliveries().await;
        assert_eq!(told(&found)[0], ("person", 2, DeliveryWay::Promotion));
        assert_eq!(found.last.len(), 4, "three readers and a link: {:?}", told(&found));
    })
    .await;
}

#[tokio::test]
async fn what_lies_too_far_back_to_be_looked_through_is_said_to_do_so() {
    const MANY: &str =
        "INSERT INTO events (id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, project_id,
                             request_id, bytes)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         SELECT 'evt_7ZZZZZZZZZZZZZ' || substr(CAST(1000000000000 + i AS TEXT), 2), CAST($1 AS BIGINT) + i, 'secret.label',
                'allowed', 'person', 'usr_x', 'secret', $2, $3, 'req_x', $4 FROM n";
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "one").await.id;
        let domain = &scene.house.domain;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        domain.read_secret(&reader.op(), &Address::Id(id), &Which::default()).await.unwrap();
        let found = domain.secret_deliveries(&scene.alice.op(), id).await.unwrap();
        assert_eq!((found.last.len(), found.since), (1, None));
        let now = scene.house.now();
        let many = sql(MANY).bind(now).bind(id).bind(scene.pay.id).bind(vec![0_u8]);
        scene.house.put(vec![many]).await;
        let found = domain.secret_deliveries(&scene.alice.op(), id).await.unwrap();
        assert!(found.last.is_empty() && !found.more, "{:?}", told(&found));
        assert_eq!(found.since, Some(now + TimeDelta::microseconds(1)));
    })
    .await;
}

#[tokio::test]
async fn who_read_is_told_to_who_may_read_the_record_and_refusals_are_no_deliveries() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "one").await.id;
        let domain = &scene.house.domain;
        let viewer = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let refused = domain.read_secret(&viewer.op(), &Address::Id(id), &Which::default()).await;
        assert!(refused.is_err());
        assert!(domain.secret_deliveries(&scene.alice.op(), id).await.unwrap().last.is_empty());
        let mallory = scene.house.person("Mallory", &[]).await;
        let none = domain.secret_deliveries(&mallory.op(), id).await;
        assert!(matches!(none, Err(Refused::NotFound)), "{none:?}");
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        let without = domain.secret_deliveries(&reader.op(), id).await;
        assert!(matches!(without, Err(Refused::Forbidden(_) | Refused::NotFound)), "{without:?}");
    })
    .await;
}
