//! What the record's filters let through, on the page and in the file.

use std::collections::BTreeSet;

use keywarden_domain::{
    keys::{NewKey, Place},
    workloads::NewWorkload,
};
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

/// What stands between two texts, every time.
fn all_between<'a>(text: &'a str, before: &'a str, after: char) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

#[tokio::test]
async fn the_file_and_the_palette_hold_what_is_shown_one_by_one() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mut people = vec![stage.cast.person("Audrey", &[(Role::Auditor, None)]).await];
    for slug in ["quay-a", "quay-b"] {
        let quay = stage.cast.project(slug).await;
        for name in ["quay-one", "quay-two"] {
            let new = NewKey::named(Place::Environment(quay.live), name.parse().unwrap());
            stage.cast.domain.issue_key(&alice.op(), new).await.unwrap();
        }
        let workload = NewWorkload {
            name: format!("quay of {slug}").parse().unwrap(),
            project: Some(quay.id),
            role: None,
        };
        stage.cast.domain.create_workload(&alice.op(), workload).await.unwrap();
        for role in [Role::Manager, Role::Viewer] {
            let name = format!("{role} of {slug}");
            people.push(stage.cast.person(&name, &[(role, Some(quay.id))]).await);
        }
    }
    let file = stage.get(person(&alice), "/audit.csv").await.body;
    let events: BTreeSet<_> = file.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let palette = stage.get(person(&alice), "/palette?q=quay").await.body;
    let hits = all_between(&palette, "\"href\":\"", '"');
    assert!(events.len() >= 6 && hits.len() >= 6, "{file} {palette}");
    let mut seen = BTreeSet::new();
    for somebody in people {
        let theirs = stage.get(person(&somebody), "/audit.csv").await;
        let held: BTreeSet<_> = match theirs.status.as_u16() {
            200 => theirs.body.lines().skip(1).filter_map(|line| line.split(',').next()).collect(),
            _ => BTreeSet::new(),
        };
        let theirs = stage.get(person(&somebody), "/palette?q=quay").await;
        let found = all_between(&theirs.body, "\"href\":\"", '"');
        for event in &events {
            let shown = stage.get(person(&somebody), &format!("/audit/{event}")).await.status == 200;
            assert_eq!(held.contains(event), shown, "{event}");
        }
        for hit in &hits {
            let shown = stage.get(person(&somebody), hit).await.status == 200;
            assert_eq!(found.contains(hit), shown, "{hit}");
        }
        seen.insert((held.len(), found.len()));
    }
    assert!(seen.len() > 1, "everybody sees {seen:?}");
}
