//! When somebody leaves: what they own is given away, and what they have seen is rotated.

use keywarden_domain::{
    SecretBytes,
    authz::Owner,
    cast::{Player, Stage as Project},
    keys::{NewKey, Overlap, Place},
    people::MOST_KEYS,
    secrets::{About, Address, NewValue, PutSecret, Validity},
    workloads::TokenLifetime,
};
use keywarden_model::{ApiKeyId, Role, SecretKind};

use super::{Stage, person};

/// A project, its owner, and somebody who issued a key in it.
async fn cast() -> (Stage, Project, Player, Player, ApiKeyId) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let bob = stage.cast.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
    let new = NewKey::named(Place::Environment(pay.live), "checkout".parse().unwrap());
    let key = stage.cast.domain.issue_key(&bob.op(), new).await.unwrap().id;
    (stage, pay, alice, bob, key)
}

fn form(key: ApiKeyId, to: &str) -> String {
    format!("idempotency_key=fedcba9876543210&keys[]={key}&to={to}")
}

#[tokio::test]
async fn whoever_deactivates_somebody_is_led_to_what_they_leave_behind() {
    let (stage, _, alice, bob, key) = cast().await;
    let team = stage.cast.team("payments", &[alice.id], &[]).await;
    let done = stage
        .post(person(&alice), &format!("/people/{}/deactivate", bob.id), "idempotency_key=0123456789abcdef")
        .await;
    let here = format!("/people/{}/hand-over", bob.id);
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, here.as_str()), "{}", done.body);

    let page = stage.get(person(&alice), &here).await;
    assert_eq!(page.status, 200);
    let owned = format!("name=\"keys[]\" value=\"{key}\" checked");
    let offered = format!("<option value=\"{team}\"");
    let rotate = format!("href=\"/keys/{key}/rotate\"");
    for told in [owned.as_str(), &offered, &format!("<option value=\"{}\"", alice.id), &rotate] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert!(!page.body.contains(&format!("<option value=\"{}\"", bob.id)), "to themselves");
    assert!(!page.body.contains("Not everybody is offered"), "{}", page.body);
    assert_eq!(stage.get(person(&alice), &format!("/keys/{key}/rotate")).await.status, 200);

    let given = stage.post(person(&alice), &here, &form(key, &team.to_string())).await;
    assert_eq!((given.status.as_u16(), given.to.as_str()), (303, here.as_str()), "{}", given.body);
    let page = stage.get(person(&alice), &here).await;
    assert!(page.body.contains("They own nothing"), "{}", page.body);
    assert!(page.body.contains(&rotate), "what was seen stays known to them");
}

#[tokio::test]
async fn what_they_have_seen_is_shown_with_what_ends_it() {
    let (stage, pay, alice, bob, key) = cast().await;
    let domain = &stage.cast.domain;
    let gate = stage.cast.workload("gate", Role::Verifier, Some(pay.id)).await;
    let token = domain.issue_service_token(&alice.op(), gate.id, TokenLifetime::default()).await.unwrap();
    let place = Place::Environment(pay.live);
    let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"x")).unwrap();
    let put = PutSecret {
        value,
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let secret =
        domain.put_secret(&alice.op(), &place, &"db/password".parse().unwrap(), put).await.unwrap().id;
    domain.rotate_key(&bob.op(), key, Overlap::Default).await.unwrap();
    domain.rotate_key(&alice.op(), key, Overlap::Default).await.unwrap();
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let page = stage.get(person(&olga), &format!("/people/{}/hand-over", alice.id)).await.body;
    for told in [
        format!("href=\"/keys/{key}/rotate\""),
        format!("href=\"/workloads/{}/tokens/{}\"", gate.id, token.id),
        format!("href=\"/secrets/{secret}/versions/new\""),
    ] {
        assert!(page.contains(&told), "{told}: {page}");
    }
    // Of his values only old ones work on: another rotation would not end them.
    let page = stage.get(person(&olga), &format!("/people/{}/hand-over", bob.id)).await.body;
    assert!(page.contains(&format!("href=\"/keys/{key}?tab=drain\"")), "{page}");
    assert!(!page.contains(&format!("href=\"/keys/{key}/rotate\"")), "{page}");
}

#[tokio::test]
async fn secrets_are_given_by_the_same_form_as_keys() {
    let (stage, pay, alice, bob, key) = cast().await;
    let domain = &stage.cast.domain;
    let mia = stage.cast.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
    let put = PutSecret {
        value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"x")).unwrap(),
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About { owner: Some(Owner::Person(bob.id)), ..About::default() },
    };
    let place = Place::Environment(pay.live);
    let secret = domain.put_secret(&mia.op(), &place, &"db/password".parse().unwrap(), put).await.unwrap().id;
    let here = format!("/people/{}/hand-over", bob.id);
    let ticked = |name: &str, id: &dyn std::fmt::Display| format!("name=\"{name}[]\" value=\"{id}\" checked");
    let page = stage.get(person(&alice), &here).await.body;
    for told in [ticked("keys", &key), ticked("secrets", &secret)] {
        assert!(page.contains(&told), "{told}: {page}");
    }

    let both = format!("{}&secrets[]={secret}", form(key, &alice.id.to_string()));
    let wrong = format!("{}&secrets[]=sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB", form(key, &alice.id.to_string()));
    let refused = stage.post(person(&alice), &here, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("One of these is not theirs any more."), "{}", refused.body);
    let given = stage.post(person(&alice), &here, &both).await;
    assert_eq!((given.status.as_u16(), given.to.as_str()), (303, here.as_str()), "{}", given.body);
    let page = stage.get(person(&alice), &here).await;
    assert!(page.body.contains("They own nothing"), "{}", page.body);
    let owner = domain.secret(&alice.op(), &Address::Id(secret)).await.unwrap().secret.owner;
    assert_eq!(owner, Owner::Person(alice.id));
}

#[tokio::test]
async fn keys_are_given_to_nobody_who_cannot_have_them() {
    let (stage, _, alice, bob, key) = cast().await;
    let here = format!("/people/{}/hand-over", bob.id);
    for wrong in ["", "nobody", &bob.id.to_string()] {
        let refused = stage.post(person(&alice), &here, &form(key, wrong)).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.body.contains("Choose an active person or a team."), "{wrong}: {}", refused.body);
    }
    let none = stage.post(person(&alice), &here, &format!("to={}", alice.id)).await;
    assert_eq!(none.status, 422, "no key");
    let mallory = stage.cast.person("Mallory", &[]).await;
    let stranger = stage.post(person(&mallory), &here, &form(key, &mallory.id.to_string())).await;
    assert!([403, 404].contains(&stranger.status.as_u16()), "{}", stranger.body);
    assert_eq!(stage.cast.domain.hand_over_facts(&alice.op(), bob.id).await.unwrap().owns.of, 1);
}

#[tokio::test]
async fn whoever_is_not_among_the_first_is_found_by_their_name() {
    let (stage, _, alice, bob, key) = cast().await;
    for n in 0..200 {
        stage.cast.person(&format!("Pat {n:03}"), &[]).await;
    }
    let zoe = stage.cast.person("Zoë", &[]).await;
    let here = format!("/people/{}/hand-over", bob.id);
    let offers = format!("<option value=\"{}\"", zoe.id);
    let first = stage.get(person(&alice), &here).await;
    assert!(first.body.contains("Not everybody is offered"), "{}", first.body);
    assert!(first.body.contains("name=\"q\"") && !first.body.contains(&offers), "{}", first.body);

    let found = format!("{here}?q=ZO%C3%8B");
    let page = stage.get(person(&alice), &found).await;
    assert!(page.body.contains(&offers) && !page.body.contains("Pat 000"), "{}", page.body);
    assert!(!page.body.contains("Not everybody is offered"), "{}", page.body);
    let refused = stage.post(person(&alice), &found, &form(key, "")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains(&offers), "the search stays: {}", refused.body);
    for nobody in ["nowhere", "%E2%80%8B", &"x".repeat(400)] {
        let page = stage.get(person(&alice), &format!("{here}?q={nobody}")).await;
        assert_eq!(page.status, 200, "{nobody}");
        assert!(page.body.contains("Nobody has such a name"), "{nobody}: {}", page.body);
    }
    let given = stage.post(person(&alice), &found, &form(key, &zoe.id.to_string())).await;
    assert_eq!((given.status.as_u16(), given.to.as_str()), (303, here.as_str()), "{}", given.body);
}

#[tokio::test]
async fn what_they_have_seen_is_rotated_together_and_each_new_value_shown_once() {
    let (stage, pay, alice, bob, key) = cast().await;
    let domain = &stage.cast.domain;
    let new = NewKey::named(Place::Environment(pay.live), "refunds".parse().unwrap());
    let other = domain.issue_key(&bob.op(), new).await.unwrap().id;
    let left = format!("/people/{}/hand-over", bob.id);
    let here = format!("{left}/rotate");
    assert!(stage.get(person(&alice), &left).await.body.contains(&format!("href=\"{here}\"")));
    let page = stage.get(person(&alice), &here).await;
    assert_eq!(page.status, 200);
    for key in [key, other] {
        let ticked = format!("name=\"keys[]\" value=\"{key}\" checked");
        assert!(page.body.contains(&ticked), "{ticked}: {}", page.body);
    }
    let form =
        |keys: &str, overlap: &str| format!("idempotency_key=0123456789abcdef{keys}&overlap={overlap}");
    let both = format!("&keys[]={key}&keys[]={other}");
    for wrong in [form("", "0"), form(&both, "1"), form(&format!("&keys[]={key}").repeat(51), "0")] {
        assert_eq!(stage.post(person(&alice), &here, &wrong).await.status, 422, "{wrong}");
    }
    let mallory = stage.cast.person("Mallory", &[]).await;
    assert_eq!(stage.post(person(&mallory), &here, &form(&both, "0")).await.status, 404);
    let unproven = stage.post(person(&alice.without_step_up()), &here, &form(&both, "0")).await;
    assert!(unproven.to.starts_with("/step-up?post="), "{}", unproven.to);
    for key in [key, other] {
        assert_eq!(domain.key(&alice.op(), key).await.unwrap().values.len(), 1, "nothing was done so far");
    }

    let done = stage.post(person(&alice), &here, &form(&both, "0")).await;
    assert_eq!(
        (done.status.as_u16(), done.body.matches("value=\"kwk_live_").count()),
        (200, 2),
        "{}",
        done.body
    );
    assert!(done.body.contains(&format!("data-address=\"{left}\"")), "where a reload leads: {}", done.body);
    assert!(done.body.contains("2 keys rotated") && !done.body.contains("Not rotated"), "{}", done.body);
    let again = stage.post(person(&alice), &here, &form(&both, "0")).await;
    assert!(!again.body.contains("kwk_live_") && !again.body.contains("Not rotated"), "{}", again.body);
    assert!(again.body.contains("Rotated by this form before"), "{}", again.body);
    for key in [key, other] {
        assert_eq!(domain.key(&alice.op(), key).await.unwrap().values.len(), 2, "rotated once");
    }
    let page = stage.get(person(&alice), &here).await;
    assert!(page.body.contains("No value that they have seen still works"), "{}", page.body);
}

#[tokio::test]
async fn as_many_keys_as_are_listed_are_given_by_one_form() {
    let (stage, _, alice, bob, _) = cast().await;
    let more = "INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind,
                    owner_id, scopes, allowed_cidrs, tags, metadata, imported, created_at, created_by, row_version)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                SELECT 'key_01JDB2W1N9F6Q3R8T5V7' || substr('00000' || i, -6), project_id, environment_id, name || i,
                    folded_name || i, description, owner_kind, owner_id, scopes, allowed_cidrs, tags, metadata,
                    imported, created_at, created_by, row_version
                FROM n, api_keys";
    stage.cast.put_by(&[more]).await;
    let here = format!("/people/{}/hand-over", bob.id);
    let page = stage.get(person(&alice), &here).await.body;
    assert!(page.contains("The first 200 of 201 are listed"), "{page}");
    let boxes = page.split("name=\"keys[]\" value=\"").skip(1);
    let ticked: Vec<_> = boxes.map(|it| it.split_once("\" checked").unwrap().0).collect();
    assert_eq!(ticked.len(), MOST_KEYS);
    let form = format!("idempotency_key=0123456789abcdef&to={}&keys[]={}", alice.id, ticked.join("&keys[]="));
    let given = stage.post(person(&alice), &here, &form).await;
    assert_eq!(given.status, 303, "{}", given.body);
    let page = stage.get(person(&alice), &here).await.body;
    assert_eq!(page.matches("name=\"keys[]\"").count(), 1);
    assert!(!page.contains("are listed"), "{page}");
}
