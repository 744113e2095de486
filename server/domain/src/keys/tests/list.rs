use std::collections::BTreeSet;
use std::time::Duration;

use keywarden_model::{KeyState, RevokeReason, Role, Tags};

use super::Scene;
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::{KeyQuery, ListError, NewKey, Order, Place, UnusedDays};

#[tokio::test]
async fn pages_in_every_order_hold_each_key_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        for n in 0..7 {
            let mut new = scene.new_key(&format!("Key {n} {}", "zyxwvut".chars().nth(n).unwrap()));
            if n % 2 == 0 {
                new.place = Place::Environment(scene.pay.test);
            }
            let key = domain.issue_key(&scene.bob.op(), new).await.unwrap();
            if n % 3 == 0 {
                scene.verify(&key.value).await;
            }
            scene.house.clock.advance(Duration::from_secs(1));
        }
        domain.flush_usage().await.unwrap();
        for order in Order::ALL {
            for reversed in [false, true] {
                let (mut seen, mut cursor, mut names) = (BTreeSet::new(), None, Vec::new());
                loop {
                    let query = KeyQuery { order, reversed, cursor, limit: 2, ..KeyQuery::default() };
                    let page = domain.keys(&scene.bob.op(), &query).await.unwrap();
                    assert!(page.keys.len() <= 2);
                    for line in &page.keys {
                        assert!(seen.insert(line.key.id), "{order:?}: twice");
                        names.push(line.key.name.to_string());
                    }
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(seen.len(), 7, "{order:?} {reversed}");
                if order == Order::Name {
                    let mut sorted = names.clone();
                    sorted.sort();
                    if reversed {
                        sorted.reverse();
                    }
                    assert_eq!(names, sorted);
                }
            }
        }
        let wrong = KeyQuery { cursor: Some("bm9uc2Vuc2U".into()), limit: 5, ..KeyQuery::default() };
        assert!(matches!(domain.keys(&scene.bob.op(), &wrong).await, Err(ListError::Cursor)));
    })
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say_and_nobody_sees_beyond_their_reach() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let elsewhere = scene.house.project("elsewhere").await;
        let olga = scene.house.person("Olga", &[]).await;
        let boss = scene.house.person("Boss", &[(Role::Owner, None)]).await;
        let mut tagged = scene.new_key("Orders 100% off");
        tagged.tags = Tags::parse(["team=payments"]).unwrap();
        tagged.owner = Some(Owner::Person(olga.id));
        let orders = domain.issue_key(&scene.bob.op(), tagged).await.unwrap();
        scene.house.clock.advance(Duration::from_secs(1));
        let refunds = scene.issue("Refunds").await;
        scene.house.clock.advance(Duration::from_secs(1));
        let foreign = NewKey::named(Place::Environment(elsewhere.live), "Foreign".parse().unwrap());
        domain.issue_key(&boss.op(), foreign).await.unwrap();
        domain.revoke_key(&scene.bob.op(), refunds.id, RevokeReason::KeyCompromise, "").await.unwrap();
        let base = KeyQuery { limit: 50, ..KeyQuery::default() };
        let names = async |op: &crate::Op, query: KeyQuery| {
            let page = domain.keys(op, &query).await.unwrap();
            page.keys.iter().map(|line| line.key.name.to_string()).collect::<Vec<_>>()
        };
        let bob = scene.bob.op();
        assert_eq!(names(&boss.op(), base.clone()).await, ["Foreign", "Refunds", "Orders 100% off"]);
        assert_eq!(names(&bob, base.clone()).await, ["Refunds", "Orders 100% off"]);
        assert_eq!(names(&olga.op(), base.clone()).await, ["Orders 100% off"], "her own");
        let search = |text: &str| KeyQuery { search: Some(text.into()), ..base.clone() };
        assert_eq!(names(&bob, search("REFUND")).await, ["Refunds"]);
        assert_eq!(names(&bob, search("100%")).await, ["Orders 100% off"]);
        assert_eq!(names(&bob, search("1_0")).await, Vec::<String>::new());
        assert_eq!(names(&bob, search(&refunds.id.to_string())).await, ["Refunds"]);
        assert_eq!(names(&bob, search(orders.value.expose())).await, ["Orders 100% off"]);
        assert_eq!(
            names(&bob, search(&format!("kwk_live_{}_…", orders.public_id))).await,
            ["Orders 100% off"]
        );
        let tag = KeyQuery { tag: Some("team=payments".parse().unwrap()), ..base.clone() };
        assert_eq!(names(&bob, tag).await, ["Orders 100% off"]);
        let state = |state| KeyQuery { state: Some(state), ..base.clone() };
        assert_eq!(names(&bob, state(KeyState::Compromised)).await, ["Refunds"]);
        assert_eq!(names(&bob, state(KeyState::Active)).await, ["Orders 100% off"]);
        for none in [KeyState::Suspended, KeyState::PreActivation, KeyState::Deactivated, KeyState::Destroyed]
        {
            assert_eq!(names(&bob, state(none)).await, Vec::<String>::new(), "{none}");
        }
        let unused = |days: &str| KeyQuery { unused: Some(days.parse().unwrap()), ..base.clone() };
        assert_eq!(names(&bob, unused("90")).await, Vec::<String>::new(), "none was there for so long");
        scene.house.clock.advance(Duration::from_hours(40 * 24));
        scene.verify(&orders.value).await;
        domain.flush_usage().await.unwrap();
        scene.house.clock.advance(Duration::from_hours(60 * 24));
        let bob = scene.bob.op();
        assert_eq!(names(&bob, unused("90")).await, ["Refunds"], "issued 100 days ago, used never");
        assert_eq!(names(&bob, unused("60")).await, ["Refunds"], "used 60 days ago");
        assert_eq!(names(&bob, unused("59")).await, ["Refunds", "Orders 100% off"]);
        for wrong in ["0", "-1", "3651", "1e2", " 90", ""] {
            assert!(wrong.parse::<UnusedDays>().is_err(), "{wrong:?}");
        }
        let owner = KeyQuery { owner: Some(Owner::Person(olga.id)), ..base.clone() };
        assert_eq!(domain.count_keys(&bob, &owner).await.unwrap(), 1);
        let new = scene.new_key("Checkout2Api");
        let lookalike = domain.issue_key(&scene.bob.steps_up().op(), new).await.unwrap();
        assert_eq!(
            names(&bob, search("Checkout2Api")).await,
            ["Checkout2Api"],
            "a name of twelve characters"
        );
        assert_eq!(names(&bob, search(&lookalike.public_id)).await, ["Checkout2Api"]);
        let project = KeyQuery { project: Some(elsewhere.id), ..base };
        assert_eq!(names(&bob, project).await, Vec::<String>::new());
    })
    .await;
}
