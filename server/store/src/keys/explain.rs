//! How SQLite goes about the lists: along an index in their order, never by looking at every key.

use keywarden_model::{ApiKeyId, EnvironmentId, KeyState, ProjectId};

use super::list::{After, Filter, Order, Rank, page};
use crate::{Location, Store};

#[derive(Debug, sqlx::FromRow)]
struct Step {
    detail: String,
}

async fn steps(filter: &Filter, order: Order, descending: bool, after: Option<&After>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(folder.path().join("keys.db"))).await.unwrap();
    let mut conn = store.read().await.unwrap();
    let asked = page(filter, order, descending, after).explained().then(order.tail(descending), [50_i64]);
    let steps: Vec<Step> = asked.all(&mut conn).await.unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}

fn after(order: Order) -> After {
    let rank = match order {
        Order::Created => Rank::None,
        Order::Expires | Order::LastUsed => Rank::Moment(1),
        Order::Name => Rank::Text("m".into()),
    };
    After { rank, id: ApiKeyId::NIL }
}

#[tokio::test]
async fn every_order_goes_along_its_index_everywhere_and_within_a_project() {
    let everywhere = Filter::default();
    let project = Filter { project: Some(ProjectId::NIL), ..Filter::default() };
    for order in Order::ALL {
        for descending in [false, true] {
            for filter in [&everywhere, &project] {
                for after in [None, Some(after(order))] {
                    let steps = steps(filter, order, descending, after.as_ref()).await;
                    let keys = steps.iter().find(|step| step.contains(" k ")).unwrap();
                    assert!(keys.contains("USING"), "{order:?} {descending}: {steps:?}");
                    assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{order:?}: {steps:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_narrow_filter_searches_an_index() {
    let none = Filter::default;
    for filter in [
        Filter { environment: Some(EnvironmentId::NIL), ..none() },
        Filter { owner: Some("user_1".into()), ..none() },
        Filter { tag: Some("team".into()), ..none() },
        Filter { id: Some("key_1".into()), ..none() },
        Filter { reach: Some((vec![ProjectId::NIL], vec!["user_1".into()])), ..none() },
    ] {
        let steps = steps(&filter, Order::Created, true, None).await;
        let searched = steps.iter().any(|step| step.contains("SEARCH k ") && step.contains("INDEX"));
        assert!(searched, "{filter:?}: {steps:?}");
    }
}

#[tokio::test]
async fn what_narrows_without_an_order_of_its_own_is_decided_within_the_index() {
    let named = || Filter { name_contains: Some("refund".into()), ..Filter::default() };
    let compromised = || Filter { state: Some(KeyState::Compromised), ..Filter::default() };
    for filter in [named(), compromised()] {
        let places = [
            (filter.clone(), "api_keys_in_order"),
            (Filter { project: Some(ProjectId::NIL), ..filter.clone() }, "api_keys_by_project"),
            (Filter { environment: Some(EnvironmentId::NIL), ..filter }, "api_keys_by_environment"),
        ];
        for (filter, index) in places {
            let steps = steps(&filter, Order::Created, true, None).await;
            let along = steps.iter().any(|step| step.split_whitespace().any(|word| word == index));
            assert!(along, "{filter:?} does not go along {index}: {steps:?}");
        }
    }
}
