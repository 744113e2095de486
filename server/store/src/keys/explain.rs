//! Lists of keys, as the engines would run them.

use keywarden_model::{ApiKeyId, EnvironmentId, KeyState, KeyValueId, ProjectId};

use super::list::{After, Filter, Order, Rank, page};
use super::proven::{by_tags, living_before};
use super::usage::{EACH_CALLER, valid};
use crate::explain::Planner;

/// In the middle of what is there, so that much is left.
fn after(order: Order) -> After {
    let rank = match order {
        Order::Created => Rank::None,
        Order::Expires | Order::LastUsed => Rank::Moment(50_000),
        Order::Name => Rank::Text("8".into()),
    };
    After { rank, id: "key_00000000000000000000005000".parse().unwrap() }
}

#[tokio::test]
async fn every_order_goes_along_its_index_everywhere_and_within_a_project() {
    let everywhere = Filter::default();
    let project = Filter { project: Some(ProjectId::NIL), ..Filter::default() };
    for planner in Planner::each().await {
        for order in Order::ALL {
            for descending in [false, true] {
                for filter in [&everywhere, &project] {
                    for after in [None, Some(after(order))] {
                        let asked = page(filter, order, descending, after.as_ref());
                        let plan = planner.plan(asked, order.tail(descending)).await;
                        let told = format!("{order:?} {descending} {after:?}: {plan:#?}");
                        assert!(!plan.scans("api_keys", "k"), "{told}");
                        // Of a project that has no key PostgreSQL knows that there is little to sort.
                        assert!(
                            !plan.sorts() || filter.project.is_some() && plan.searches("api_keys", "k"),
                            "{told}"
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_value_is_found_by_its_tag_along_an_index() {
    for planner in Planner::each().await {
        for tags in [vec![[7; 32]], vec![[7; 32], [8; 32]]] {
            let plan = planner.plan(by_tags(&tags), "LIMIT ?").await;
            assert!(plan.searches("key_values", "v"), "{plan:#?}");
        }
    }
}

#[tokio::test]
async fn living_values_are_gone_through_in_order_without_sorting() {
    for planner in Planner::each().await {
        for before in [None, Some("kvl_00000000000000000000005000".parse().unwrap())] {
            let plan = planner.plan(living_before(before), "ORDER BY v.id DESC LIMIT ?").await;
            assert!(!plan.sorts() && !plan.scans("api_keys", "k"), "{before:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn callers_of_values_are_found_by_the_values_keys() {
    let (key, other) = (ApiKeyId::NIL, "key_00000000000000000000000007".parse().unwrap());
    for planner in Planner::each().await {
        for keys in [vec![key], vec![key, other]] {
            let values = vec![KeyValueId::NIL; keys.len()];
            let plan = planner.plan(valid(&keys, &values, 1), EACH_CALLER).await;
            assert!(plan.searches("key_usage", "g") && plan.goes_along("key_usage_by_key"), "{plan:#?}");
        }
    }
}

#[tokio::test]
async fn every_narrow_filter_searches_an_index() {
    let none = Filter::default;
    for planner in Planner::each().await {
        for filter in [
            Filter { environment: Some(EnvironmentId::NIL), ..none() },
            Filter { owner: Some("usr_1".into()), ..none() },
            Filter { tag: Some("team=7".into()), ..none() },
            Filter { id: Some("key_00000000000000000000000001".into()), ..none() },
            Filter { reach: Some((vec![ProjectId::NIL], vec!["usr_1".into()])), ..none() },
        ] {
            let asked = page(&filter, Order::Created, true, None);
            let plan = planner.plan(asked, Order::Created.tail(true)).await;
            assert!(plan.searches("api_keys", "k"), "{filter:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn what_narrows_without_an_order_of_its_own_is_decided_within_the_index() {
    let named = || Filter { name_contains: Some("refund".into()), ..Filter::default() };
    let compromised = || Filter { state: Some(KeyState::Compromised), ..Filter::default() };
    for planner in Planner::each().await {
        for filter in [named(), compromised()] {
            let places = [
                (filter.clone(), "api_keys_in_order"),
                (Filter { project: Some(ProjectId::NIL), ..filter.clone() }, "api_keys_by_project"),
                (Filter { environment: Some(EnvironmentId::NIL), ..filter }, "api_keys_by_environment"),
            ];
            for (filter, index) in places {
                let asked = page(&filter, Order::Created, true, None);
                let plan = planner.plan(asked, Order::Created.tail(true)).await;
                assert!(plan.goes_along(index), "{filter:?} does not go along {index}: {plan:#?}");
            }
        }
    }
}
