use std::time::Duration;

use keywarden_model::{RevokeReason, VerifyCode};
use keywarden_store::backup::Carried;
use keywarden_store::{Engine, StoreError, WriteError, sql};

use super::{CANARY, New, Old, each_way, recovery_key};
use crate::audit::Query;
use crate::backup::{AcceptError, RestoreError, verify};
use crate::cast::House;
use crate::people::{SetupState, tests as people};
use crate::secrets::ReadSecretError;
use crate::{Fault, Refused};

#[tokio::test]
async fn a_backup_comes_back_on_either_engine_under_a_seal_that_never_saw_it() {
    each_way(async |old, new| {
        let backup = old.back_up("a.kwbackup").await;
        // The one row and event that came after the instant.
        let before = old.house.domain.fsck(&old.seals).await.unwrap();
        old.put("database/password", "a later value").await;

        let restored = new.restore(&backup.file, old.key()).await.unwrap();
        assert_eq!(restored.manifest.made_at, backup.made_at);
        assert!(restored.rows > 20, "{restored:?}");
        new.domain.unseal(&new.seals).await.unwrap();
        assert_eq!(old.works_at(&new.domain).await, (VerifyCode::Valid, CANARY.to_owned()));

        let after = new.domain.fsck(&new.seals).await.unwrap();
        let named = |it: &crate::fsck::Findings| {
            let mut names: Vec<_> = it.findings.iter().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(named(&after), named(&before), "what the cast plants by hand is found on both sides");
        assert!(after.skipped.is_empty(), "{:?}", after.skipped);

        let seals = new.domain.seals(&new.domain.shell_op()).await.unwrap();
        assert_eq!(
            seals.iter().map(|seal| (seal.id.as_str(), seal.lacks)).collect::<Vec<_>>(),
            [("software:new.key", 0)]
        );
        let again = new.domain.back_up(&new.domain.shell_op(), &new.house.folder().join("b.kwbackup")).await;
        assert_eq!(
            again.unwrap().recipients,
            backup.recipients,
            "the new house backs up to the old recipients"
        );
    })
    .await;
}

#[tokio::test]
async fn secrets_under_a_projects_own_seal_come_back_and_open_by_that_seal_alone() {
    each_way(async |old, mut new| {
        let (shell, acme) = (old.house.domain.shell_op(), "software:acme".parse().unwrap());
        old.house.domain.offer_seal(&shell, &acme).await.unwrap();
        old.house.domain.name_project_seal(&shell, old.pay.id, Some(&acme)).await.unwrap();
        let backup = old.back_up("a.kwbackup").await;
        let file = backup.file.clone();
        let seen = verify(move || std::fs::File::open(&file), Some(&old.key())).unwrap();
        assert_eq!(seen.rows.unwrap().get("project_seals"), Some(&1));

        let restored = new.restore(&backup.file, old.key()).await.unwrap();
        assert_eq!(restored.apart, [("software:acme".to_owned(), vec!["pay".to_owned()])].into());
        new.domain.unseal(&new.seals).await.unwrap();
        let read = old.reads_at(&new.domain).await;
        assert!(
            matches!(&read, Err(ReadSecretError::Refused(Refused::Fault(Fault::ProjectSealed { seal, .. })))
                if seal == "software:acme"),
            "{read:?}"
        );
        let found = new.domain.fsck(&new.seals).await.unwrap();
        assert!(found.skipped.is_empty() && found.apart.len() == 1, "{found:?}");
        // Another project's work goes on, and a project's seal can wait until its owner comes.
        new.house.own = old.house.own.clone();
        let with = new.house.neighbour_apart(&new.seals).await;
        assert_eq!(old.works_at(&with.domain).await, (VerifyCode::Valid, CANARY.to_owned()));
        assert!(with.domain.fsck(&new.seals).await.unwrap().apart.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_was_revoked_since_is_back_and_the_gap_has_to_be_named() {
    each_way(async |old, new| {
        let backup = old.back_up("a.kwbackup").await;
        old.house.clock.advance(Duration::from_mins(1));
        let shell = old.house.domain.shell_op();
        let found = old.house.domain.events(&shell, &Query { limit: 50, ..Query::default() }).await.unwrap();
        let issued = found.events.into_iter().find(|event| event.action == "key.issue").unwrap();
        let id = issued.resource.1.parse().unwrap();
        let alice = old.alice.steps_up();
        old.house.domain.revoke_key(&alice.op(), id, RevokeReason::KeyCompromise, "leaked").await.unwrap();

        assert!(new.domain.open_gap().await.unwrap().is_none());
        new.restore(&backup.file, old.key()).await.unwrap();
        new.domain.unseal(&new.seals).await.unwrap();
        let gap = new.domain.open_gap().await.unwrap().unwrap();
        assert_eq!(gap.made_at, backup.made_at);
        assert_eq!(old.works_at(&new.domain).await.0, VerifyCode::Valid, "which is why the doors are shut");

        let shell = new.domain.shell_op();
        let other = backup.made_at + chrono::TimeDelta::seconds(1);
        let refused = new.domain.accept_restore(&shell, other).await.unwrap_err();
        assert!(matches!(refused, AcceptError::Other(at) if at == backup.made_at), "{refused}");
        assert!(new.domain.open_gap().await.unwrap().is_some());
        new.domain.accept_restore(&shell, backup.made_at).await.unwrap();
        assert!(new.domain.open_gap().await.unwrap().is_none());
        let twice = new.domain.accept_restore(&shell, backup.made_at).await.unwrap_err();
        assert!(matches!(twice, AcceptError::None), "{twice}");
        let mallory = new.domain.accept_restore(&old.alice.op(), backup.made_at).await.unwrap_err();
        assert!(matches!(mallory, AcceptError::Refused(_)), "{mallory}");

        let told = new.domain.events(&shell, &Query { limit: 200, ..Query::default() }).await.unwrap();
        for action in ["backup.restore", "backup.accept-restore", "seal.remove", "seal.add"] {
            assert!(told.events.iter().any(|event| event.action == action), "{action}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_changed_cut_or_is_for_others_leaves_the_target_empty() {
    let old = Old::furnish(House::new(Engine::Sqlite).await).await;
    for path in ["one", "two", "three"] {
        old.put(path, &"x".repeat(60_000)).await;
    }
    let backup = old.back_up("a.kwbackup").await;
    let whole = std::fs::read(&backup.file).unwrap();
    let new = New::on(Engine::Sqlite).await;
    assert!(whole.len() > 3 * 65_536);
    let changed = old.path("changed");
    // The file has several chunks: when the last one is read, the transaction is under way.
    for at in [0, 17, 30, 400, 1_500, whole.len() / 2, whole.len() - 17, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&changed, bytes).unwrap();
        let refused = new.restore(&changed, old.key()).await.unwrap_err();
        assert!(matches!(refused, RestoreError::Backup(_)), "byte {at}: {refused}");
        assert!(new.is_empty().await, "byte {at}");
    }
    for length in [0, 100, whole.len() - 1] {
        std::fs::write(&changed, &whole[..length]).unwrap();
        assert!(new.restore(&changed, old.key()).await.is_err(), "cut to {length}");
        assert!(new.is_empty().await, "cut to {length}");
    }
    let stranger = recovery_key(&new.house);
    let refused = new.restore(&backup.file, stranger).await.unwrap_err().to_string();
    assert!(refused.contains(&old.recovery.recipient().id().to_string()), "{refused}");
    assert!(new.is_empty().await);
    new.restore(&backup.file, old.key()).await.unwrap();
}

#[tokio::test]
async fn a_house_that_holds_something_takes_no_backup() {
    let old = Old::furnish(House::new(Engine::Sqlite).await).await;
    let backup = old.back_up("a.kwbackup").await;
    let new = New::on(Engine::Sqlite).await;
    new.house.project("mine").await;
    let refused = new.restore(&backup.file, old.key()).await.unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty(_)), "{refused}");
    let twice = New::on(Engine::Sqlite).await;
    twice.restore(&backup.file, old.key()).await.unwrap();
    let refused = twice.restore(&backup.file, old.key()).await.unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty(_)), "{refused}");
}

#[tokio::test]
async fn a_backup_of_another_schema_says_which_program_it_needs() {
    for (version, word) in [(999, "newer program"), (1, "program that made it")] {
        let old = Old::furnish(House::new(Engine::Sqlite).await).await;
        let changed = old.house.store.write_silently("another version", move |tx| {
            let row = sql("UPDATE schema_info SET version = $1").bind(i64::from(version));
            Box::pin(async move { row.execute(tx).await })
        });
        changed.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
        let backup = old.back_up("a.kwbackup").await;
        let new = New::on(Engine::Sqlite).await;
        let refused = new.restore(&backup.file, old.key()).await.unwrap_err().to_string();
        assert!(refused.contains(word) && refused.contains(&version.to_string()), "{refused}");
        assert!(new.is_empty().await);
    }
}

#[test]
fn what_would_undo_a_sign_out_is_in_no_backup() {
    for left_out in [
        "sessions",
        "one_time_links",
        "ceremonies",
        "pending_posts",
        "secret_shares",
        "seals",
        "keyring_wraps",
    ] {
        assert!(Carried::named(left_out).is_none(), "{left_out}");
    }
    for carried in ["events", "secrets", "keyring_keys", "users", "backup_recipients"] {
        assert!(Carried::named(carried).is_some(), "{carried}");
    }
}

#[tokio::test]
async fn a_house_that_came_back_is_not_set_up_a_second_time() {
    each_way(async |old, new| {
        let link = people::setup_link(&old.house).await;
        people::set_up(&old.house).await;
        let backup = old.back_up("a.kwbackup").await;
        new.restore(&backup.file, old.key()).await.unwrap();
        new.domain.unseal(&new.seals).await.unwrap();
        assert!(matches!(new.domain.setup_state().await.unwrap(), SetupState::Done { .. }));
        assert!(new.domain.open_setup(&new.domain.system_op("setup")).await.is_err());
        let (nobody, name) = (people::nobody(&new.house), people::named("Mallory"));
        assert!(new.domain.start_setup(&nobody, &link, &name, &name).await.is_err());
    })
    .await;
}
