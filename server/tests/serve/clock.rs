//! A clock that ran ahead once, and what the next start says of it.

use std::path::Path;

use keywarden_store::{Location, Store, StoreError, WriteError, sql};

use crate::house::{Server, keywarden, told};

/// Notes an instant some days from now, as a node did whose clock ran ahead.
fn run_ahead(folder: &Path, days: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&Location::Sqlite(folder.join("data/keywarden.db"))).await.unwrap();
        let noted = store.write_silently("a clock that ran ahead", move |tx| {
            Box::pin(async move {
                let row = sql("UPDATE instance SET clock_high_water = clock_high_water + $1 WHERE id = 1");
                row.bind(days * 24 * 3_600 * 1_000_000).execute(tx).await.map(drop)
            })
        });
        noted.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    });
}

/// Which instant a start that is refused says to name.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let refused = keywarden(folder, arguments).output().unwrap();
    let said = told(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let (_, wrong) = said.split_once("--accept-clock ").unwrap_or_else(|| panic!("{said}"));
    wrong[..=wrong.find('Z').unwrap()].to_owned()
}

#[test]
fn a_clock_that_is_behind_is_taken_for_right_where_the_instant_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.becomes("\"ready\"");
    server.stop();
    run_ahead(folder, 1);

    let first = refused(folder, &["serve"]);
    let doctor = keywarden(folder, &["doctor"]).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(!doctor.status.success() && said.contains("serve --accept-clock"), "{said}");
    assert_eq!(refused(folder, &["serve", "--accept-clock", "2026-01-01T00:00:00Z"]), first);
    let accepts = ["serve", "--accept-clock", &first];
    let accepting = Server::start_as(keywarden(folder, &accepts));
    accepting.becomes("\"ready\"");
    accepting.stop();
    let after = Server::start(folder);
    after.becomes("\"ready\"");
    after.stop();

    // Where it was left, it says nothing of a clock that is behind later.
    run_ahead(folder, 2);
    let second = refused(folder, &accepts);
    assert_ne!(second, first);
    let accepting = Server::start_as(keywarden(folder, &["serve", "--accept-clock", &second]));
    accepting.becomes("\"ready\"");
    accepting.stop();
    let record = keywarden(folder, &["fsck"]).output().unwrap();
    assert!(record.status.success(), "{}", told(&record));
}
