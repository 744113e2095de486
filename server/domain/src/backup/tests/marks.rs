//! Files of events out of which some were cut: the change counter does not tell of what destroys, the marks between the lines do.

use std::io::Cursor;

use super::lost::{Lost, apply, counts, file, is};
use super::{New, Old};
use crate::audit::Tally;
use crate::backup::{ApplyEvents, EventsReport};
use crate::cast::{Engine, House};

/// Lines with a mark after each so many, and one at the end.
fn marked(lines: &[Vec<u8>], each: usize) -> Vec<Vec<u8>> {
    let (mut tally, mut all) = (Tally::default(), Vec::new());
    for part in lines.chunks(each) {
        for line in part {
            tally.add(line);
        }
        all.extend(part.iter().cloned().chain([tally.mark().to_line().into_bytes()]));
    }
    all
}

fn bytes(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
}

fn destroys(line: &[u8]) -> bool {
    !line.starts_with(b"{\"mark\"") && is(line, "secret.destroy-version")
}

/// A house that lost what came after its backup, and its events with marks.
async fn scene() -> (Lost, Vec<Vec<u8>>) {
    let lost = Lost::furnish(Old::furnish(House::new(Engine::Sqlite).await).await).await;
    lost.goes_on().await;
    let lines = lost.exported().await;
    (lost, lines)
}

async fn applied(lost: &Lost, files: Vec<Vec<u8>>) -> EventsReport {
    let new = New::on(Engine::Sqlite).await;
    lost.restored(&new).await;
    let how = ApplyEvents { accept_gap: true, complete_until: None };
    let files = files.into_iter().map(Cursor::new).collect();
    new.domain.apply_events(&new.domain.shell_op(), files, how).await.unwrap()
}

#[tokio::test]
async fn a_file_out_of_which_destructions_were_cut_keeps_the_doors_shut() {
    let (lost, lines) = scene().await;
    let whole = marked(&lines, 7);
    let report = applied(&lost, vec![bytes(&whole)]).await;
    assert!(report.accepted && report.missing.is_empty(), "{report:#?}");
    assert_eq!(report.events, lines.len() as u64, "marks are no events");

    let cut: Vec<_> = whole.iter().filter(|line| !destroys(line)).cloned().collect();
    assert_eq!(cut.len() + 2, whole.len());
    let report = applied(&lost, vec![bytes(&cut)]).await;
    assert!(!report.accepted, "{report:#?}");
    assert_eq!(report.missing.len(), 1, "the counter knows nothing of them: {:?}", report.missing);
    let said = &report.missing[0];
    assert!(said.contains("of file 1 says that") && said.contains("events stand before it, and"), "{said}");
    let told = counts(&report.applied);
    assert!(told.contains(&("key.revoke", 1)), "what is there is applied all the same: {told:?}");
    assert!(!told.iter().any(|(what, _)| *what == "secret.destroy-version"), "{told:?}");
}

#[tokio::test]
async fn what_no_mark_vouches_for_is_named() {
    let (lost, lines) = scene().await;
    let half = lines.len() / 2;
    // Without any mark, as another program could have collected them.
    let none = applied(&lost, vec![bytes(&lines)]).await;
    assert!(!none.accepted && none.missing.len() == 1, "{none:#?}");
    assert!(none.missing[0].contains("no mark is in file 1"), "{:?}", none.missing);
    // With a tail behind the last one.
    let tail = [marked(&lines[..half], half), lines[half..].to_vec()].concat();
    let tail = applied(&lost, vec![bytes(&tail)]).await;
    assert!(!tail.accepted && tail.missing.len() == 1, "{tail:#?}");
    let said = format!("the last {} events of file 1", lines.len() - half);
    assert!(tail.missing[0].contains(&said), "{:?}", tail.missing);
    // Two lines in each other's place.
    let mut moved = marked(&lines, lines.len());
    moved.swap(half, half + 1);
    let moved = applied(&lost, vec![bytes(&moved)]).await;
    assert!(!moved.accepted && moved.missing[0].contains("in another order"), "{moved:#?}");
}

#[tokio::test]
async fn each_file_has_marks_of_its_own() {
    let (lost, lines) = scene().await;
    let half = lines.len() / 2;
    let (one, other) = (marked(&lines[..half + 3], 5), marked(&lines[half..], 9));
    let report = applied(&lost, vec![bytes(&one), bytes(&other)]).await;
    assert!(report.accepted && report.missing.is_empty(), "{report:#?}");
    assert_eq!(report.repeated, 3);
    let report = applied(&lost, vec![bytes(&one), bytes(&other[1..])]).await;
    assert!(!report.accepted && report.missing.len() == 1, "{report:#?}");
    assert!(report.missing[0].contains("of file 2"), "{:?}", report.missing);
}

/// What they are not: signed. Whoever writes the file anew writes its marks anew.
#[tokio::test]
async fn marks_that_were_written_anew_fit() {
    let (lost, lines) = scene().await;
    let new = New::on(Engine::Sqlite).await;
    lost.restored(&new).await;
    let without: Vec<_> = lines.iter().filter(|line| !destroys(line)).cloned().collect();
    let how = ApplyEvents { accept_gap: true, complete_until: None };
    let report = apply(&new, file(&without), how).await.unwrap();
    assert!(report.accepted, "{report:#?}");
}
