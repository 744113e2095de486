//! What a browser is shown while a node is sealed, and after a restore that nobody has accepted: the same at every address.

use keywarden_domain::cast::{Engine, House as Cast};

use super::*;
use crate::keeper::closed;

/// A house that was restored from a backup of the first day of a year, and by `more` on the day after.
async fn restored(more: &'static str) -> Condition {
    let cast = Cast::new(Engine::Sqlite).await;
    cast.put_by(&[
        "INSERT INTO restores (id, made_at, digest, restored_at)
         VALUES ('rst_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 1767225600000000, '', 1767312000000000)",
        more,
    ])
    .await;
    closed(&cast.domain.open_gap().await.unwrap().unwrap())
}

/// The page that is shown at every address, a line for each of its tags; what its sheet is called hangs on the sheet.
async fn page(server: &Server, seconds: &str) -> String {
    let mut pages = BTreeSet::new();
    for path in ["/", "/moved", "/nothing", "/api/v1/things/1"] {
        let (parts, page) = server.send(Request::get(path).header("accept", "text/html"), "").await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(parts.headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(parts.headers[header::RETRY_AFTER], seconds, "{path}");
        pages.insert(page);
    }
    assert_eq!(pages.len(), 1, "{pages:#?}");
    let page = pages.pop_first().unwrap().replace("><", ">\n<");
    let line = |line: &str| {
        let sheet = line.starts_with("<link rel=\"stylesheet\"");
        if sheet { "<link rel=\"stylesheet\" (sheet)>".to_owned() } else { line.to_owned() }
    };
    page.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn people_are_told_why_a_sealed_node_is_shut_and_what_to_do() {
    let server = Server::new(&[]);
    server.house.condition.send_replace(sealed());
    let page = page(&server, "5").await;
    assert!(page.contains("`keywarden doctor` on the server's shell"), "{page}");
    insta::assert_snapshot!("the_page_of_a_sealed_node", page);
}

#[tokio::test]
async fn people_are_told_what_a_restore_undid_and_how_its_doors_are_opened() {
    let server = Server::new(&[]);
    server.house.condition.send_replace(restored("UPDATE restores SET counter = 1").await);
    let just_restored = page(&server, "60").await;
    assert!(just_restored.contains("`keywarden restore accept 2026-01-01T00:00:00Z` opens the doors"));
    assert!(just_restored.contains("`keywarden restore apply --events FILE`"));
    insta::assert_snapshot!("the_page_of_a_restored_node", just_restored);
    let noon = "UPDATE restores SET events_until = 1767268800000000";
    server.house.condition.send_replace(restored(noon).await);
    let with_events = page(&server, "60").await;
    assert!(with_events.contains("`keywarden restore accept 2026-01-01T12:00:00Z` opens the doors"));
    insta::assert_snapshot!("the_page_of_a_restored_node_with_events", with_events);
}
