//! How what events tell of somebody is sealed.

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{EventId, Role};
use keywarden_store::{event as rows, instance, sql};

use super::{Event, HOUSE, Query};
use crate::cast::{House, both_engines};
use crate::projects::NewProject;
use crate::{Op, Refused};

/// The byte of an envelope that names its algorithm, and what it names.
const ALGORITHM: usize = 1;
const BY_THE_SUBJECTS_KEY: u8 = 1;
const BY_A_DERIVED_KEY: u8 = 3;

fn owner(house: &House) -> Op {
    house.operator(Role::Owner)
}

/// The event of a project that is made, and what it tells as it lies in its row.
async fn made(house: &House, slug: &str) -> (Event, Option<Vec<u8>>) {
    let new = NewProject { slug: slug.parse().unwrap(), name: slug.parse().unwrap() };
    let project = house.domain.create_project(&owner(house), new).await.unwrap();
    let query = Query { resource: Some(project.to_string()), limit: 1, ..Query::default() };
    let event = house.domain.events(&owner(house), &query).await.unwrap().events.remove(0);
    let parts = rows::personal(&mut house.store.read().await.unwrap(), event.id).await.unwrap();
    assert!(parts.iter().all(|part| part.subject_id == HOUSE), "{parts:?}");
    (event, parts.into_iter().next().map(|part| part.sealed))
}

async fn tells(house: &House, event: EventId) -> Result<Option<String>, Refused> {
    let mut read = house.domain.event(&owner(house), event).await?;
    assert!(read.canonical["personal"][HOUSE]["name"].is_string(), "its hash stays");
    Ok(read.personal.remove(HOUSE).and_then(|mut fields| fields.remove("name")))
}

#[tokio::test]
async fn each_event_has_a_key_of_its_own_that_opens_no_other_and_is_gone_with_its_subjects() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let ((one, of_one), (two, of_two)) = (made(&house, "one").await, made(&house, "two").await);
        let (of_one, of_two) = (of_one.unwrap(), of_two.unwrap());
        assert_eq!([of_one[ALGORITHM], of_two[ALGORITHM]], [BY_A_DERIVED_KEY; 2]);
        assert_eq!(tells(&house, one.id).await.unwrap().unwrap(), "one");

        let lies = |sealed: &[u8], event: EventId| {
            let swap = sql("UPDATE event_personal SET sealed = $1 WHERE event_id = $2");
            swap.bind(sealed.to_vec()).bind(event)
        };
        house.put(vec![lies(&of_two, one.id), lies(&of_one, two.id)]).await;
        for event in [one.id, two.id] {
            assert!(matches!(tells(&house, event).await, Err(Refused::Fault(_))));
        }
        let found = house.domain.fsck(&seals).await.unwrap().findings;
        let moved = found.iter().filter(|it| it.check == "event-personal").count();
        assert_eq!(moved, 2, "{found:?}");
        house.put(vec![lies(&of_one, one.id), lies(&of_two, two.id)]).await;
        assert_eq!(tells(&house, two.id).await.unwrap().unwrap(), "two");

        let erase = "UPDATE subjects SET sealed_key = NULL, erased_at = 1 WHERE id = $1";
        house.put(vec![sql(erase).bind(HOUSE)]).await;
        house.domain.forget_secrets();
        for event in [one.id, two.id] {
            assert_eq!(tells(&house, event).await.unwrap(), None);
        }
        let (later, nothing) = made(&house, "later").await;
        assert_eq!((tells(&house, later.id).await.unwrap(), nothing), (None, None));
        let found = house.domain.fsck(&seals).await.unwrap();
        assert!(found.is_clean(), "{:?}", found.findings);
    })
    .await;
}

#[tokio::test]
async fn while_a_node_of_an_older_version_runs_events_are_sealed_as_it_can_open_them() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        // As an older program left the records, which is still there: it tells of itself, and of no schema that it knows.
        let older = sql("INSERT INTO nodes (id, name, version, condition, started_at, seen_at)
                         VALUES ('old', 'old', '1', 'ready', 1, $1)");
        let left = sql("UPDATE schema_info SET oldest_compatible = 25");
        house.put(vec![left, older.bind(house.now())]).await;
        house.domain.forget_secrets();
        let oldest = async || {
            let mut conn = house.store.read().await.unwrap();
            instance::schema(&mut conn).await.unwrap().oldest_compatible
        };
        let started_at = house.now() - TimeDelta::hours(2);
        house.tells_since("new", started_at).await;
        assert_eq!(oldest().await, 25);
        let (beside, sealed) = made(&house, "beside").await;
        assert_eq!(sealed.unwrap()[ALGORITHM], BY_THE_SUBJECTS_KEY);

        house.clock.advance(Duration::from_secs(61));
        house.tells_since("new", started_at).await;
        assert_eq!(oldest().await, 25, "it may be cut off, and come back");
        house.clock.advance(Duration::from_hours(1));
        house.tells_since("new", started_at).await;
        assert_eq!(oldest().await, 41, "it does not come back");
        house.domain.forget_secrets();
        let (alone, sealed) = made(&house, "alone").await;
        assert_eq!(sealed.unwrap()[ALGORITHM], BY_A_DERIVED_KEY);

        for (event, name) in [(beside.id, "beside"), (alone.id, "alone")] {
            assert_eq!(tells(&house, event).await.unwrap().unwrap(), name);
        }
        let found = house.domain.fsck(&seals).await.unwrap();
        assert!(found.is_clean(), "{:?}", found.findings);
    })
    .await;
}

#[tokio::test]
async fn a_node_waits_for_older_ones_that_have_not_told_of_themselves_yet() {
    both_engines(async |house| {
        house.put(vec![sql("UPDATE schema_info SET oldest_compatible = 25")]).await;
        let oldest = async || {
            let mut conn = house.store.read().await.unwrap();
            instance::schema(&mut conn).await.unwrap().oldest_compatible
        };
        let started_at = house.now();
        house.tells_since("new", started_at).await;
        assert_eq!(oldest().await, 25, "an older one may have started a moment ago");
        house.clock.advance(Duration::from_secs(61));
        house.tells_since("new", started_at).await;
        assert_eq!(oldest().await, 41, "it would have told by now");
    })
    .await;
}
