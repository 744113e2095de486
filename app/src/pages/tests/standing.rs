//! How safely things are kept, as pages say it: what wraps the keys, and what holds a person's passkeys.

use chrono::TimeDelta;
use keywarden_domain::cast::{Engine, Held, House as Cast};
use keywarden_model::Role;

use super::{Stage, person};

#[tokio::test]
async fn one_seal_is_warned_of_and_two_are_not() {
    const WARNED: &str = "class=\"banner banner-warn\"><p><strong>There is one seal only.";
    let (cast, _) = Cast::new(Engine::Sqlite).await.with_stored_keyring().await;
    let stage = Stage::of(cast);
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let one = stage.get(person(&alice), "/system").await;
    assert_eq!(one.status, 200);
    assert!(one.body.contains(WARNED), "{}", one.body);
    assert_eq!(one.body.matches("Wraps all of them").count(), 1, "{}", one.body);

    stage.cast.add_seal("second.key").await;
    let two = stage.get(person(&alice), "/system").await;
    assert!(!two.body.contains("There is one seal only."), "{}", two.body);
    assert_eq!(two.body.matches("Wraps all of them").count(), 2, "{}", two.body);
}

#[tokio::test]
async fn a_library_that_runs_as_root_is_warned_of() {
    const WARNED: &str = "class=\"banner banner-warn\"><p><strong>A PKCS#11 library runs as root.";
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let page = stage.get(person(&alice), "/system").await.body;
    assert!(!page.contains("runs as root"), "{page}");
    let as_root = Stage::of(stage.cast.neighbour_with(|settings| settings.libraries_as_root = true).await);
    let page = as_root.get(person(&alice), "/system").await.body;
    assert!(page.contains(WARNED), "{page}");
}

#[tokio::test]
async fn a_persons_passkeys_say_when_they_signed_and_what_holds_them() {
    let stage = Stage::new().await;
    let ada = stage.cast.person("Ada", &[]).await;
    let used = stage.cast.now() - TimeDelta::hours(3);
    let may_approve_after = stage.cast.now();
    let key = Held { name: "Key", synced: false, last_used_at: Some(used), may_approve_after };
    let phone = Held { name: "Phone", synced: true, last_used_at: None, ..key };
    stage.cast.holds(&ada, &[key, phone]).await;
    let account = stage.get(person(&ada), "/account").await;
    let rows: Vec<&str> = account.body.split("<tr").collect();
    let of = |path: &str| *rows.iter().find(|row| row.contains(path)).unwrap();
    let used = used.format("datetime=\"%Y-%m-%dT%H:%M:%SZ\"").to_string();
    for passkey in stage.cast.domain.own_passkeys(&ada.op()).await.unwrap() {
        let path = format!("/account/passkeys/{}", passkey.id);
        let own = stage.get(person(&ada), &path).await;
        assert_eq!(own.status, 200);
        for shown in [of(&path), &own.body] {
            let (synced, bound) = (shown.contains("Synced"), shown.contains("Device-bound"));
            assert_eq!((synced, bound), (passkey.synced, !passkey.synced), "{shown}");
            assert_eq!(shown.contains(&used), !passkey.synced, "{shown}");
            assert_eq!(shown.contains("time-never"), passkey.synced, "{shown}");
        }
    }
}
