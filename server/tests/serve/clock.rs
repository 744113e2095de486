//! A clock that ran ahead once, and what the next start says of it.

use std::path::Path;

use keywarden_store::{Location, Store, StoreError, WriteError, sql};

use crate::house::{Server, keywarden, told};

/// Notes an instant a day from now, as a node did whose clock ran ahead.
fn run_ahead(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&Location::Sqlite(folder.join("data/keywarden.db"))).await.unwrap();
        let noted = store.write_silently("a clock that ran ahead", |tx| {
            Box::pin(async move {
                let day = 24 * 3_600 * 1_000_000_i64;
                let row = sql("UPDATE instance SET clock_high_water = clock_high_water + $1 WHERE id = 1");
                row.bind(day).execute(tx).await.map(drop)
            })
        });
        noted.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    });
}

#[test]
fn a_clock_that_is_behind_is_taken_for_right_once_it_is_told_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    server.stop();
    run_ahead(folder.path());

    let refused = keywarden(folder.path(), &["serve"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("--accept-clock"), "{}", told(&refused));
    let doctor = keywarden(folder.path(), &["doctor"]).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(!doctor.status.success() && said.contains("serve --accept-clock"), "{said}");

    let accepting = Server::start_as(keywarden(folder.path(), &["serve", "--accept-clock"]));
    accepting.becomes("\"ready\"");
    accepting.stop();
    let after = Server::start(folder.path());
    after.becomes("\"ready\"");
    after.stop();
    let record = keywarden(folder.path(), &["fsck"]).output().unwrap();
    assert!(record.status.success(), "{}", told(&record));
}
