use std::fs::File;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keywarden_store::{Engine, StoreError, WriteError, sql};
use sha2::{Digest, Sha256};

use super::{CANARY, Old, each_way, recovery_key};
use crate::audit::Query;
use crate::backup::{AddRecipientError, BackUpError, RemoveRecipientError, Schedule, verify};
use crate::cast::{House, both_engines};
use crate::{Domain, Refused};

#[tokio::test]
async fn a_backup_is_noted_with_its_digest_and_tells_the_same_to_whoever_looks() {
    each_way(async |old, _| {
        let backup = old.back_up("a.kwbackup").await;
        let bytes = std::fs::read(&backup.file).unwrap();
        assert_eq!((backup.size, &backup.digest), (bytes.len() as u64, &hex::encode(Sha256::digest(&bytes))));
        let shell = old.house.domain.shell_op();
        let known = old.house.domain.backups(&shell).await.unwrap();
        assert_eq!(known.latest, std::slice::from_ref(&backup));
        assert_eq!(known.recipients[0].id, backup.recipients[0]);
        let told = old.house.domain.events(&shell, &Query { limit: 50, ..Query::default() }).await.unwrap();
        let event = told.events.iter().find(|event| event.action == "backup.make").unwrap();
        assert!(format!("{event:?}").contains(&backup.digest), "{event:?}");

        let open = || File::open(&backup.file);
        let seen = verify(open, None).unwrap();
        assert_eq!((seen.size, hex::encode(seen.digest)), (backup.size, backup.digest.clone()));
        assert_eq!((seen.manifest.made_at, seen.rows), (backup.made_at, None));
        let proven = verify(open, Some(&old.recovery)).unwrap().rows.unwrap();
        assert_eq!((proven["secrets"], proven["api_keys"], proven["backups"]), (1, 1, 0));
        assert!(verify(open, Some(&recovery_key(&old.house))).is_err());
    })
    .await;
}

#[tokio::test]
async fn neither_values_nor_names_are_readable_in_the_file() {
    let old = Old::furnish(House::new(Engine::Sqlite).await).await;
    let backup = old.back_up("a.kwbackup").await;
    let bytes = std::fs::read(&backup.file).unwrap();
    let tail = &old.key.expose()[old.key.expose().len() - 40..];
    for secret in [CANARY, tail, "database/password", "Alice", "gateway"] {
        for form in [secret.to_owned(), hex::encode(secret), STANDARD.encode(secret)] {
            let found = bytes.windows(form.len()).any(|part| part == form.as_bytes());
            assert!(!found, "`{secret}` is in the backup as `{form}`");
        }
    }
}

#[tokio::test]
async fn without_a_recipient_there_is_no_backup_and_no_file() {
    both_engines(async |house| {
        let (house, _) = house.with_stored_keyring().await;
        let path = house.folder().join("a.kwbackup");
        let refused = house.domain.back_up(&house.domain.shell_op(), &path).await.unwrap_err();
        assert!(matches!(refused, BackUpError::NoRecipient), "{refused}");
        assert!(!path.exists() && !path.with_added_extension("partial").exists());
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_there_stays_and_a_folder_that_is_not_is_named() {
    let old = Old::furnish(House::new(Engine::Sqlite).await).await;
    let shell = old.house.domain.shell_op();
    std::fs::write(old.path("there"), b"mine").unwrap();
    let refused = old.house.domain.back_up(&shell, &old.path("there")).await.unwrap_err();
    assert!(refused.to_string().contains("there already"), "{refused}");
    assert_eq!(std::fs::read(old.path("there")).unwrap(), b"mine");
    let refused = old.house.domain.back_up(&shell, &old.path("no/such/folder")).await.unwrap_err();
    assert!(refused.to_string().contains("no/such/folder"), "{refused}");
    assert!(old.house.domain.backups(&shell).await.unwrap().latest.is_empty(), "nothing was made");
}

#[tokio::test]
async fn a_backup_is_of_one_instant_whatever_is_written_meanwhile() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        let mut snapshot = old.house.store.snapshot().await.unwrap();
        let count = "SELECT count(*) AS number FROM secrets";
        let before = keywarden_store::count::number(sql(count), snapshot.conn().unwrap()).await.unwrap();
        old.put("another", "value").await;
        let during = keywarden_store::count::number(sql(count), snapshot.conn().unwrap()).await.unwrap();
        snapshot.end().await.unwrap();
        let mut conn = old.house.store.read().await.unwrap();
        let after = keywarden_store::count::number(sql(count), &mut conn).await.unwrap();
        assert_eq!((before, during, after), (1, 1, 2));
    })
    .await;
}

#[tokio::test]
async fn recipients_are_the_owners_matter_and_each_is_there_once() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        let domain = &old.house.domain;
        let shell = domain.shell_op();
        let text = old.recovery.recipient().to_string();
        let twice = domain.add_recipient(&shell, "Again".parse().unwrap(), &text).await.unwrap_err();
        assert!(matches!(twice, AddRecipientError::There(_)), "{twice}");
        let wrong = domain.add_recipient(&shell, "Wrong".parse().unwrap(), &text[..90]).await.unwrap_err();
        assert!(matches!(wrong, AddRecipientError::Text(_)), "{wrong}");
        let other = recovery_key(&old.house).recipient().clone();
        let name = || "Mine".parse().unwrap();
        let stranger = domain.add_recipient(&old.alice.op(), name(), &other.to_string()).await.unwrap_err();
        assert!(matches!(stranger, AddRecipientError::Refused(Refused::NotFound | Refused::Forbidden(_))));
        domain.add_recipient(&shell, name(), &other.to_string()).await.unwrap();
        assert_eq!(old.back_up("two").await.recipients.len(), 2);
        domain.remove_recipient(&shell, other.id()).await.unwrap();
        let gone = domain.remove_recipient(&shell, other.id()).await.unwrap_err();
        assert!(matches!(gone, RemoveRecipientError::Unknown(_)), "{gone}");
        assert_eq!(old.back_up("one").await.recipients, [old.recovery.recipient().id()]);
        let alice = domain.back_up(&old.alice.op(), &old.path("alice")).await.unwrap_err();
        assert!(matches!(alice, BackUpError::Refused(_)) && !old.path("alice").exists());
    })
    .await;
}

#[tokio::test]
async fn scheduled_backups_come_when_they_are_due_and_the_oldest_go() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        let folder = old.path("scheduled");
        std::fs::create_dir(&folder).unwrap();
        let every = Duration::from_hours(1);
        let mut settings = old.house.domain.settings().clone();
        settings.backups = Some(Schedule { folder: folder.clone(), every, keep: 2 });
        let keyring = std::sync::Arc::clone(&old.house.keyring);
        let env = old.house.domain.env().clone();
        let domain = Domain::new(old.house.store.clone(), keyring, env, settings).unwrap();
        let names = || {
            let there = std::fs::read_dir(&folder).unwrap();
            let mut names: Vec<_> = there.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        std::fs::write(folder.join("somebody else's"), b"").unwrap();
        domain.back_up_if_due(&domain.system_op("make-backups")).await.unwrap();
        let first = names();
        assert_eq!(first.len(), 2, "{first:?}");
        domain.back_up_if_due(&domain.system_op("make-backups")).await.unwrap();
        assert_eq!(names(), first, "not due yet");
        for _ in 0..3 {
            old.house.clock.advance(every);
            domain.back_up_if_due(&domain.system_op("make-backups")).await.unwrap();
        }
        let last = names();
        assert_eq!(last.len(), 3, "two backups and what is not ours: {last:?}");
        assert!(last.contains(&"somebody else's".to_owned()) && !last.contains(&first[0]), "{last:?}");
        assert_eq!(domain.backups(&domain.shell_op()).await.unwrap().latest.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_this_node_does_not_hold_yet_holds_the_backup_up() {
    let old = Old::furnish(House::new(Engine::Sqlite).await).await;
    let planted = old.house.store.write_silently("a key of another node", |tx| {
        let row = sql("INSERT INTO keyring_keys (id, purpose, created_at, retired_at, uses)
                       VALUES ('krk_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'session', 1, NULL, 0)");
        Box::pin(async move { row.execute(tx).await })
    });
    planted.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    let path = old.path("a.kwbackup");
    let refused = old.house.domain.back_up(&old.house.domain.shell_op(), &path).await.unwrap_err();
    assert!(matches!(refused, BackUpError::Changed), "{refused}");
    assert!(!path.exists());
}
