//! What an older program wrote lawfully is no damage: backups of its houses pass their drills.

use chrono::TimeDelta;
use keywarden_model::Role;
use keywarden_store::sql;

use super::Furnished;
use crate::cast::both_engines;
use crate::environments::{NewEnvironment, Terms};
use crate::keys::{KeyPatch, NewKey, Overlap, Place};

/// A shorter life of a key did not always shorten the overlaps of its old values.
#[tokio::test]
async fn an_old_value_may_stop_later_than_its_key() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        let (house, domain) = (&it.house, &it.house.domain);
        let op = || house.operator(Role::Owner);
        let pay = domain.project(&op(), "pay").await.unwrap().id;
        let live = NewEnvironment {
            slug: "live".parse().unwrap(),
            name: "Live".parse().unwrap(),
            label: "live".parse().unwrap(),
            terms: Terms::new(None, None).unwrap(),
        };
        let live = domain.create_environment(&op(), pay, live).await.unwrap();
        let new = NewKey::named(Place::Environment(live), "Orders".parse().unwrap());
        let key = domain.issue_key(&op(), new).await.unwrap().id;
        domain.rotate_key(&op(), key, Overlap::For(TimeDelta::days(7))).await.unwrap();
        let tomorrow = Some(Some(house.now() + TimeDelta::days(1)));
        let patch = KeyPatch { expires_at: tomorrow, ..KeyPatch::default() };
        domain.edit_key(&op(), key, None, patch).await.unwrap();
        let found = it
            .finds_more(|| {
                sql("UPDATE key_values SET stops_at = stops_at + 518400000000 WHERE superseded_at IS NOT NULL")
            })
            .await;
        assert!(found.is_empty(), "{found:?}");
    })
    .await;
}
