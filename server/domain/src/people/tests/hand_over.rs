use std::time::Duration;

use keywarden_model::{ApiKeyId, RevokeReason, Role};
use keywarden_store::sql;

use super::*;
use crate::Refused;
use crate::authz::Owner;
use crate::cast::{Player, Stage, both_engines};
use crate::keys::{NewKey, Overlap, Place};

async fn key(house: &House, stage: &Stage, name: &str, owner: &Player) -> ApiKeyId {
    let id: ApiKeyId = house.domain.env().id(house.now());
    let row = sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind,
                       owner_id, scopes, allowed_cidrs, tags, metadata, imported, created_at, created_by, row_version)
                   VALUES ($1, $2, $3, $4, $5, '', 'person', $6, '[]', '[]', '[]', '{}', $7, $8, 'cast', 1)")
        .bind(id)
        .bind(stage.id)
        .bind(stage.live)
        .bind(name)
        .bind(name)
        .bind(owner.id)
        .bind(false)
        .bind(house.now());
    house.put(vec![row]).await;
    id
}

#[tokio::test]
async fn what_somebody_owns_is_given_to_who_stays_all_or_nothing() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let mallory = house.person("Mallory", &[(Role::Issuer, Some(pay.id))]).await;
        let (one, two) = (key(&house, &pay, "one", &bob).await, key(&house, &pay, "two", &bob).await);
        let hers = key(&house, &pay, "hers", &mallory).await;
        let facts = house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap();
        let owned: Vec<_> = facts.owns.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(owned, ["one", "two"]);
        let strange = house.domain.hand_over_facts(&mallory.op(), bob.id).await;
        assert!(matches!(strange, Err(Refused::NotFound)));

        let team = house.team("payments", &[mallory.id], &[]).await;
        let to = Owner::Team(team);
        let give = async |keys: &[ApiKeyId], to| house.domain.hand_over(&alice.op(), bob.id, to, keys).await;
        assert!(matches!(give(&[], to).await, Err(HandOverError::Count)));
        assert!(matches!(give(&[one], Owner::Person(bob.id)).await, Err(HandOverError::Receiver)));
        let unknown = Owner::Person(house.domain.env().id(house.now()));
        assert!(matches!(give(&[one], unknown).await, Err(HandOverError::Receiver)));
        assert!(matches!(give(&[one, hers], to).await, Err(HandOverError::NotTheirs(it)) if it == hers));
        assert_eq!(house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns.len(), 2);
        give(&[one, two, one], to).await.unwrap();
        assert!(house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns.is_empty());
        assert_eq!(events(&house, "key.edit", "allowed").await, 2);
        assert_eq!(events(&house, "user.hand-over", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_has_seen_lately_are_values_shown_to_them_newest_first() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let issue = async |by: &Player, name: &str| {
            let new = NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
            house.domain.issue_key(&by.steps_up().op(), new).await.unwrap().id
        };
        let seen = async || {
            let facts = house.domain.hand_over_facts(&alice.steps_up().op(), bob.id).await.unwrap();
            facts.has_seen.into_iter().map(|it| (it.name, it.seen_at.unwrap())).collect::<Vec<_>>()
        };
        let old = issue(&bob, "old").await;
        assert_eq!(seen().await, [("old".to_owned(), house.now())]);
        house.clock.advance(LATELY.to_std().unwrap() + Duration::from_secs(1));
        assert!(seen().await.is_empty(), "long ago");

        let first = issue(&bob, "first").await;
        let hers = issue(&alice, "hers").await;
        let gone = issue(&bob, "gone").await;
        house.clock.advance(Duration::from_mins(1));
        issue(&bob, "second").await;
        let second = house.now();
        let (alice, bob) = (alice.steps_up(), bob.steps_up());
        house.domain.revoke_key(&bob.op(), gone, RevokeReason::Superseded, "").await.unwrap();
        for hidden in [old, hers] {
            house.domain.rotate_key(&alice.op(), hidden, Overlap::Default).await.unwrap();
        }
        house.clock.advance(Duration::from_mins(1));
        house.domain.rotate_key(&bob.op(), first, Overlap::Default).await.unwrap();
        let expected = [("first".to_owned(), house.now()), ("second".to_owned(), second)];
        assert_eq!(seen().await, expected, "neither what others saw nor what is revoked");
    })
    .await;
}
