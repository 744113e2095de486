use std::time::Duration;

use keywarden_model::{ApiKeyId, RevokeReason, Role, SecretId, SecretKind};
use keywarden_store::sql;
use keywarden_vault::SecretBytes;

use super::*;
use crate::Refused;
use crate::authz::Owner;
use crate::cast::{Player, Stage, both_engines};
use crate::keys::{NewKey, Overlap, Place};
use crate::secrets::{About, Address, NewValue, PutSecret, Validity, Which};
use crate::workloads::TokenLifetime;

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
        let owned: Vec<_> = facts.owns.first.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(owned, ["one", "two"]);
        let strange = house.domain.hand_over_facts(&mallory.op(), bob.id).await;
        assert!(matches!(strange, Err(Refused::NotFound)));

        let team = house.team("payments", &[mallory.id], &[]).await;
        let to = Owner::Team(team);
        let give =
            async |keys: &[ApiKeyId], to| house.domain.hand_over(&alice.op(), bob.id, to, keys, &[]).await;
        assert!(matches!(give(&[], to).await, Err(HandOverError::Count)));
        assert!(matches!(give(&[one], Owner::Person(bob.id)).await, Err(HandOverError::Receiver)));
        let unknown = Owner::Person(house.domain.env().id(house.now()));
        assert!(matches!(give(&[one], unknown).await, Err(HandOverError::Receiver)));
        assert!(matches!(give(&[one, hers], to).await, Err(HandOverError::NotTheirs(it)) if it == hers));
        assert_eq!(house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns.of, 2);
        give(&[one, two, one], to).await.unwrap();
        assert!(house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns.first.is_empty());
        assert_eq!(events(&house, "key.edit", "allowed").await, 2);
        assert_eq!(events(&house, "user.hand-over", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn their_secrets_are_given_with_their_keys_all_or_nothing() {
    both_engines(async |house| {
        let domain = &house.domain;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
        let put = async |by: &Player, path: &str| {
            let put = PutSecret {
                value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"x")).unwrap(),
                label: None,
                expected: None,
                about: About::default(),
                validity: Validity::default(),
            };
            let place = Place::Environment(pay.live);
            domain.put_secret(&by.op(), &place, &path.parse().unwrap(), put).await.unwrap().id
        };
        let one = key(&house, &pay, "one", &bob).await;
        let (kept, deleted) = (put(&bob, "db/kept").await, put(&bob, "db/deleted").await);
        let hers = put(&alice, "db/hers").await;
        domain.delete_secret(&bob.op(), &Address::Id(deleted), None).await.unwrap();
        let owner = async |id| domain.secret(&alice.op(), &Address::Id(id)).await.unwrap().secret.owner;
        let version =
            async || domain.secret(&alice.op(), &Address::Id(kept)).await.unwrap().secret.row_version;
        let team = Owner::Team(house.team("payments", &[alice.id], &[]).await);
        let give =
            async |secrets: &[SecretId]| domain.hand_over(&alice.op(), bob.id, team, &[one], secrets).await;

        let before = (house.rows().await, version().await);
        let refused = give(&[kept, hers]).await;
        assert!(matches!(refused, Err(HandOverError::SecretNotTheirs(it)) if it == hers), "{refused:?}");
        assert_eq!((house.rows().await, version().await), before);
        assert_eq!(owner(kept).await, Owner::Person(bob.id));

        give(&[deleted, kept, kept]).await.unwrap();
        for id in [kept, deleted] {
            assert_eq!(owner(id).await, team);
        }
        assert!(version().await > before.1, "whoever edits it meanwhile looks again");
        let left = domain.hand_over_facts(&alice.op(), bob.id).await.unwrap();
        assert_eq!((left.owns.of, left.secrets.of), (0, 0));
        assert_eq!(events(&house, "key.edit", "allowed").await, 1);
        assert_eq!(events(&house, "secret.edit", "allowed").await, 2);
        assert_eq!(events(&house, "user.hand-over", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_has_seen_is_listed_for_as_long_as_it_works_the_last_seen_first() {
    both_engines(async |house| {
        let domain = &house.domain;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let issue = async |by: &Player, name: &str| {
            let new = NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
            domain.issue_key(&by.steps_up().op(), new).await.unwrap().id
        };
        let seen = async || {
            let facts = domain.hand_over_facts(&alice.steps_up().op(), bob.id).await.unwrap();
            facts
                .has_seen
                .first
                .into_iter()
                .map(|it| (it.key.name, it.seen_at, it.current))
                .collect::<Vec<_>>()
        };
        let line = |name: &str, at, current| (name.to_owned(), at, current);
        let begun = house.now();
        let old = issue(&bob, "old").await;
        let hers = issue(&alice, "hers").await;
        let gone = issue(&bob, "gone").await;
        domain.revoke_key(&bob.op(), gone, RevokeReason::Superseded, "").await.unwrap();
        house.clock.advance(Duration::from_hours(91 * 24));
        assert_eq!(seen().await, [line("old", begun, true)], "however long ago");

        let second = house.now();
        issue(&bob, "second").await;
        for key in [old, hers] {
            domain.rotate_key(&alice.steps_up().op(), key, Overlap::Default).await.unwrap();
        }
        let overlapping = [line("second", second, true), line("old", begun, false)];
        assert_eq!(seen().await, overlapping, "the old value works on");
        house.clock.advance(Duration::from_hours(24));
        assert_eq!(seen().await, [line("second", second, true)], "rotated by somebody else");

        let third = house.now();
        domain.rotate_key(&bob.steps_up().op(), old, Overlap::Default).await.unwrap();
        domain.suspend_key(&bob.steps_up().op(), old, "a pause").await.unwrap();
        assert_eq!(seen().await, [line("old", third, true), line("second", second, true)]);
        house.clock.advance(Duration::from_hours(365 * 24));
        assert!(seen().await.is_empty(), "expired");
    })
    .await;
}

#[tokio::test]
async fn service_tokens_that_somebody_issued_are_listed_for_as_long_as_they_work() {
    both_engines(async |house| {
        let domain = &house.domain;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let gate = house.workload("gate", Role::Verifier, Some(pay.id)).await;
        let shop = house.workload("shop", Role::Verifier, Some(pay.id)).await;
        let issue = async |by: &Player, workload, days: i64| {
            let lifetime = TokenLifetime::from_seconds(days * 86_400).unwrap();
            domain.issue_service_token(&by.steps_up().op(), workload, lifetime).await.unwrap()
        };
        let seen = async || {
            let facts = domain.hand_over_facts(&alice.steps_up().op(), mia.id).await.unwrap();
            facts.tokens.first.into_iter().map(|it| (it.id, it.workload.1)).collect::<Vec<_>>()
        };
        let short = issue(&mia, gate.id, 1).await;
        issue(&alice, gate.id, 30).await;
        house.clock.advance(Duration::from_mins(1));
        let long = issue(&mia, gate.id, 30).await;
        let other = issue(&mia, shop.id, 30).await;
        domain.deactivate_workload(&alice.steps_up().op(), shop.id).await.unwrap();
        let listed = seen().await;
        assert_eq!(listed, [(long.id, "gate".to_owned()), (short.id, "gate".to_owned())], "{other:?}");
        // Who is deactivated signs in no more; their tokens would.
        domain.deactivate_user(&alice.steps_up().op(), mia.id).await.unwrap();
        assert_eq!(seen().await, listed);
        house.clock.advance(Duration::from_hours(24));
        assert_eq!(seen().await, [(long.id, "gate".to_owned())]);
        domain.revoke_service_token(&alice.steps_up().op(), long.id).await.unwrap();
        assert!(seen().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn secrets_are_listed_until_the_value_that_somebody_knows_is_not_current_any_more() {
    both_engines(async |house| {
        let domain = &house.domain;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let max = house.person("Max", &[(Role::Manager, Some(pay.id))]).await;
        let place = Place::Environment(pay.live);
        let put = async |by: &Player, path: &str| {
            let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"x")).unwrap();
            let (label, expected) = (None, None);
            let put =
                PutSecret { value, label, expected, validity: Validity::default(), about: About::default() };
            domain.put_secret(&by.steps_up().op(), &place, &path.parse().unwrap(), put).await.unwrap()
        };
        let read = async |path: &str| {
            let address = Address::Path { place: place.clone(), path: path.parse().unwrap() };
            domain.read_secret(&mia.steps_up().op(), &address, &Which::default()).await.unwrap()
        };
        let seen = async || {
            let facts = domain.hand_over_facts(&alice.steps_up().op(), mia.id).await.unwrap();
            facts
                .has_read
                .first
                .into_iter()
                .map(|it| (it.secret.path, it.number, it.seen_at))
                .collect::<Vec<_>>()
        };
        let begun = house.now();
        put(&mia, "own").await;
        put(&max, "read").await;
        put(&max, "unread").await;
        house.clock.advance(Duration::from_mins(1));
        let later = house.now();
        read("read").await;
        assert_eq!(seen().await, [("read".to_owned(), 1, later), ("own".to_owned(), 1, begun)]);
        house.clock.advance(Duration::from_mins(1));
        put(&max, "read").await;
        put(&max, "own").await;
        assert!(seen().await.is_empty(), "what they know is current no more");
        house.clock.advance(Duration::from_mins(1));
        read("own").await;
        assert_eq!(seen().await, [("own".to_owned(), 2, house.now())]);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_much_for_one_page_is_counted_and_follows_once_the_first_is_given() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
        let mut ids = Vec::new();
        for n in 0..=MOST_KEYS {
            ids.push(key(&house, &pay, &format!("key-{n:03}"), &bob).await);
        }
        let owns = async || house.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns;
        let listed = owns().await;
        let first: Vec<_> = listed.first.iter().map(|it| it.id).collect();
        assert_eq!((first.as_slice(), listed.of), (&ids[..MOST_KEYS], ids.len() as u64));
        let give = async |keys: &[ApiKeyId]| {
            house.domain.hand_over(&alice.op(), bob.id, Owner::Person(alice.id), keys, &[]).await
        };
        assert!(matches!(give(&ids).await, Err(HandOverError::Count)));
        give(&first).await.unwrap();
        let left = owns().await;
        assert_eq!((left.first.len(), left.of, left.first[0].id), (1, 1, ids[MOST_KEYS]));
    })
    .await;
}
