//! What a trace must show of a server whose disk failed.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

use crate::{
    Result,
    strace::{Call, Trace},
};

/// From the first failed sync of the database on, nothing more is asked of its file or log, and nobody whose event was in
/// what was not synced is told that all is well. Gives that sync.
pub(super) fn ended(trace: &Trace, port: u16) -> Result<&Call> {
    let of_database = |call: &&Call| [".db", ".db-wal"].iter().any(|end| call.behind.ends_with(end));
    let failed = trace.failed.iter().find(of_database).context("no sync of the database failed")?;
    let later = |call: &&Call| call.begin >= failed.end && (call.writes() || call.syncs());
    let mut went_on = trace.calls.iter().chain(&trace.failed).filter(of_database).filter(later);
    if let Some(call) = went_on.next() {
        anyhow::bail!("after a failed sync of {} it went on: {}", failed.behind, start(&call.text));
    }
    if failed.behind.ends_with("-wal") {
        told_nobody(trace, failed, port)?;
    }
    Ok(failed)
}

/// Requests of which the log told first after its last good sync are answered otherwise than by "all is well".
fn told_nobody(trace: &Trace, failed: &Call, port: u16) -> Result<()> {
    let of_log = || trace.calls.iter().filter(|call| call.behind == failed.behind);
    let synced = of_log().filter(|call| call.syncs() && call.end <= failed.begin).map(|call| call.end).max();
    let synced = synced.unwrap_or_default();
    let written = |kept: bool| {
        let writes = of_log().filter(move |call| call.writes() && (call.end <= synced) == kept);
        writes.flat_map(|call| requests(&call.text)).collect::<BTreeSet<_>>()
    };
    let (kept, doubtful) = (written(true), written(false));
    let good = |call: &&Call| {
        call.writes() && call.is_at(port) && call.begin >= synced && call.text.contains("HTTP/1.1 2")
    };
    for answer in trace.calls.iter().filter(good) {
        let own = answer.text.split_once("x-request-id: ").and_then(|(_, rest)| requests(rest).next());
        ensure!(
            own.is_none_or(|id| kept.contains(id) || !doubtful.contains(id)),
            "all is well, says an answer whose event was not synced: {}",
            start(&answer.text)
        );
    }
    Ok(())
}

/// A request's id has so many characters at most; SQLite writes the next column's right behind it.
const ID: usize = 30;

/// The requests that a text names.
fn requests(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("req_").filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(rest.len());
        rest.get(..end.min(ID))
    })
}

fn start(text: &str) -> &str {
    text.get(..text.len().min(200)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strace::told;

    const KEPT: &str = r#"1 1.000000010 pwrite64(7</d/a.db-wal>, "req_1", 9, 0) = 9 <0.000000001>"#;
    const SYNC: &str = "1 1.000000020 fdatasync(7</d/a.db-wal>) = 0 <0.000000005>";
    const LOST: &str = r#"1 1.000000030 pwrite64(7</d/a.db-wal>, "req_1\0req_2", 9, 9) = 9 <0.000000001>"#;
    const FAILED: &str =
        "1 1.000000040 fdatasync(7</d/a.db-wal>) = -1 EIO (Input/output error) (INJECTED) <0.000000005>";

    fn answer(status: u16, request: &str) -> String {
        format!(
            r#"2 1.000000060 writev(9<TCP:[127.0.0.1:80->127.0.0.1:9]>, [{{iov_base="HTTP/1.1 {status} OK\r\nx-request-id: {request}\r\n", iov_len=19}}], 1) = 19 <0.000000001>"#
        )
    }

    fn judged(more: &[&str]) -> String {
        let lines = [&[KEPT, SYNC, LOST, FAILED][..], more].concat();
        ended(&told(&lines), 80).map_or_else(|why| why.to_string(), |_| "well".into())
    }

    #[test]
    fn whoever_is_told_that_all_is_well_though_its_event_was_not_synced_is_seen() {
        assert_eq!(judged(&[&answer(200, "req_1"), &answer(503, "req_2"), &answer(200, "req_3")]), "well");
        assert!(judged(&[&answer(201, "req_2")]).contains("all is well"));
        let other = answer(200, "req_2").replace(":80-", ":81-");
        assert_eq!(judged(&[&other]), "well", "the server's own question to somebody else");
    }

    #[test]
    fn a_server_that_goes_on_is_seen() {
        let later = |line: &str| line.replace("1.0000000", "1.0000001");
        for line in [LOST, SYNC, FAILED] {
            let other = later(line).replace("a.db-wal", "b.log");
            assert_eq!(judged(&[&other]), "well");
            assert!(judged(&[&later(line)]).contains("went on"), "{line}");
            let in_file = later(line).replace("a.db-wal", "a.db");
            assert!(judged(&[&in_file]).contains("went on"), "{line}");
        }
        ended(&told(&[KEPT, SYNC]), 80).unwrap_err();
    }
}
