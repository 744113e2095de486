//! What the record's filters let through, on the page and in the file.

use std::collections::BTreeSet;

use keywarden_model::Role;

use super::{Stage, person};

#[tokio::test]
async fn a_filter_that_nobody_can_read_shows_nothing_and_says_so() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    assert_eq!(stage.post(person(&alice), "/teams/new", "name=Payments&slug=payments").await.status, 303);
    for path in ["/audit", "/audit.csv"] {
        let whole = stage.get(person(&alice), path).await;
        assert!(whole.status == 200 && whole.body.contains("team.create"), "{path}");
        for wrong in ["since=yesterday", "until=2026-13-01", "after=evt_1"] {
            let came = stage.get(person(&alice), &format!("{path}?{wrong}")).await;
            assert_eq!(came.status, 422, "{path}?{wrong}");
            assert!(came.body.contains("This filter cannot be read"), "{path}?{wrong}: {}", came.body);
            assert!(!came.body.contains("/audit/evt_"), "{path}?{wrong}");
        }
    }
    let day = stage.cast.now().format("%Y-%m-%d").to_string();
    for (right, there) in [
        (format!("since={day}&until={day}"), true),
        (format!("since={day}T00:00:00"), true),
        (format!("until={day}T00:00:00"), false),
    ] {
        let came = stage.get(person(&alice), &format!("/audit.csv?{right}")).await;
        assert_eq!((came.status.as_u16(), came.body.contains("team.create")), (200, there), "{right}");
    }
}

#[tokio::test]
async fn the_file_goes_on_until_the_end() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    for n in 0..203 {
        let came = stage.post(person(&alice), "/teams/new", &format!("name=Team+{n}&slug=team-{n}")).await;
        assert_eq!(came.status, 303, "{}", came.body);
    }
    let came = stage.get(person(&alice), "/audit.csv?action=team.create").await;
    let ids: BTreeSet<_> = came.body.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!((came.status.as_u16(), ids.len(), came.body.lines().count()), (200, 203, 204));
}
