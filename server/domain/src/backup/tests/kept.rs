//! Backups that earlier builds wrote and that lie in the repository, one for each schema: they verify for ever, and that of
//! this schema comes back.
//!
//! A new schema needs one more; the test says by which command it is made. One that is there is never written anew: that it
//! was made by an earlier build is the point. All of them are for the recovery key whose seed X-Wing's specification prints as
//! its first test vector, so that nothing in them is a secret.

#![expect(
    clippy::disallowed_methods,
    reason = "whoever runs the test says whether a backup shall be written"
)]

use std::fs::{create_dir_all, read_dir};

use chrono::TimeDelta;
use keywarden_store::SCHEMA_VERSION;

use super::*;
use crate::backup::verify;

const KEY: &str = "kwrs1_f5wrpOiPgn1hYEVQdgWFPtc7gJP277yI6xpurPpm7yZv70aY";
const WRITE: &str = "KEYWARDEN_WRITE_FIXTURES";
const COMMAND: &str = "KEYWARDEN_WRITE_FIXTURES=1 cargo nextest run --workspace --cargo-profile ci \
                       -E 'test(backups_that_earlier_builds_wrote)'";
const PASSWORD: &str = "kept for ever: ärger & Söhne";
const BYTES: &[u8] = &[0, 0xff, b'\n', 0x80];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backup/tests/kept")
}

fn key() -> RecoveryKey {
    RecoveryKey::parse(&SecretString::new(KEY.to_owned())).unwrap()
}

/// A house of which each row was made by a use-case, in a backup at this path.
async fn write(path: &Path) {
    let (house, _seals) = House::new(Engine::Sqlite).await.with_stored_keyring().await;
    let (domain, owner) = (&house.domain, || house.operator(Role::Owner));
    let live = pay_live(&house).await;
    for (path, kind, value) in [
        ("database/password", SecretKind::Text, b"an earlier one".as_slice()),
        ("database/password", SecretKind::Text, PASSWORD.as_bytes()),
        ("bytes", SecretKind::Binary, BYTES),
    ] {
        let value = NewValue::new(kind, None, SecretBytes::copy_of(value)).unwrap();
        let (validity, about) = (Validity::default(), About::default());
        let put = PutSecret { value, label: None, expected: None, validity, about };
        let place = Place::Environment(live);
        domain.put_secret(&owner(), &place, &path.parse().unwrap(), put).await.unwrap();
    }
    let (shell, recipient) = (domain.shell_op(), key().recipient().to_string());
    domain.add_recipient(&shell, "Safe".parse().unwrap(), &recipient).await.unwrap();
    create_dir_all(folder()).unwrap();
    Box::pin(domain.back_up(&shell, path)).await.unwrap();
}

/// What a secret of `pay/live` reads as in a house that was restored.
async fn reads(new: &New, path: &str) -> Vec<u8> {
    let owner = || new.house.operator(Role::Owner);
    let pay = new.domain.project(&owner(), "pay").await.unwrap().id;
    let live = new.domain.environment(&owner(), pay, "live").await.unwrap().id;
    let address = Address::Path { place: Place::Environment(live), path: path.parse().unwrap() };
    let read = new.domain.read_secret(&owner(), &address, &Which::default()).await.unwrap();
    read.value.expose().to_vec()
}

#[tokio::test]
async fn backups_that_earlier_builds_wrote_verify_and_come_back() {
    let own = folder().join(format!("{SCHEMA_VERSION}.kwbackup"));
    if std::env::var_os(WRITE).is_some_and(|it| it == "1") && !own.exists() {
        write(&own).await;
    }
    assert!(own.exists(), "no backup of schema {SCHEMA_VERSION} is kept: run {COMMAND}, and commit the file");
    let paths: Vec<_> = read_dir(folder()).unwrap().map(|it| it.unwrap().path()).collect();
    let mut kept = Vec::new();
    for path in &paths {
        let seen = verify(|| File::open(path).map(BufReader::new), Some(&key()));
        let seen = seen.unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        assert_eq!(path.file_name().unwrap(), format!("{}.kwbackup", seen.manifest.schema).as_str());
        assert_eq!(seen.recipients, [key().recipient().id()], "{}", path.display());
        let rows = seen.rows.unwrap();
        let count = |table: &str| rows.get(table).copied().unwrap_or_default();
        assert_eq!((count("projects"), count("secrets"), count("secret_versions")), (1, 2, 3), "{rows:?}");
        kept.push((path, seen.manifest.made_at));
    }
    crate::cast::both_engines(async |house| {
        for (path, made_at) in &kept {
            let new = New::on(house.store.engine()).await;
            // Houses of the cast draw the same ids in one moment: this one is restored after the backup was made.
            let behind = *made_at - new.house.now() + TimeDelta::minutes(1);
            new.house.clock.advance(behind.to_std().unwrap_or_default());
            let restored = new.restore(path, key()).await;
            if **path != own {
                assert!(matches!(restored, Err(RestoreError::Older { .. })), "{}", path.display());
                assert!(new.is_empty().await);
                continue;
            }
            restored.unwrap();
            new.domain.unseal(&new.seals).await.unwrap();
            assert_eq!(reads(&new, "database/password").await, PASSWORD.as_bytes());
            assert_eq!(reads(&new, "bytes").await, BYTES);
            let found = new.domain.fsck(&new.seals).await.unwrap();
            assert!(found.is_clean(), "{:?} {:?}", found.findings, found.skipped);
        }
    })
    .await;
}
