//! What a trace must show of what was acknowledged.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, ensure};

use crate::{
    Result,
    strace::{Call, Trace},
};

/// An act, and what the server called the request that did it.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) what: String,
    pub(super) request: String,
}

/// What an act rests on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keeper {
    /// PostgreSQL on this port.
    Postgres(u16),
    Sqlite,
}

/// A request's event was kept before its answer was sent.
pub(super) fn answered(trace: &Trace, act: &Act, keeper: Keeper, port: u16) -> Result<()> {
    let answer = |call: &&Call| call.writes() && call.is_at(port) && call.text.contains(&act.request);
    let answer = trace.calls.iter().find(answer).context("no answer was sent")?;
    kept(trace, &act.request, answer.begin, keeper)
}

/// A request's event was kept before an instant.
pub(super) fn kept(trace: &Trace, request: &str, told: u64, keeper: Keeper) -> Result<()> {
    match keeper {
        Keeper::Sqlite => synced(trace, request, told),
        Keeper::Postgres(port) => committed(trace, request, told, port),
    }
}

/// The first page of SQLite's log that holds the event belongs to its transaction; nothing else is written to the log until
/// that one is whole and, if all is well, synced.
fn synced(trace: &Trace, request: &str, told: u64) -> Result<()> {
    let in_log = |call: &&Call| {
        call.writes() && call.behind.ends_with("-wal") && call.end <= told && call.text.contains(request)
    };
    let page =
        trace.calls.iter().find(in_log).context("its event was not in the log when the answer was sent")?;
    let sync = |call: &&Call| {
        call.syncs() && call.behind == page.behind && call.begin >= page.end && call.end <= told
    };
    ensure!(trace.calls.iter().any(|call| sync(&call)), "the log was not synced when the answer was sent");
    Ok(())
}

/// The connection on which the event was sent was told to commit, and said that it had.
fn committed(trace: &Trace, request: &str, told: u64, port: u16) -> Result<()> {
    let sent = |call: &&Call| call.writes() && call.leads_to(port) && call.text.contains(request);
    let sent = trace.calls.iter().find(sent).context("its event was not sent to PostgreSQL")?;
    let on_it = |call: &&Call| call.behind == sent.behind && call.text.contains("COMMIT");
    let asked = trace.calls.iter().filter(on_it).find(|call| call.writes() && call.begin >= sent.begin);
    let asked = asked.context("no commit was asked for")?;
    let said = |call: &Call| call.reads() && call.end > asked.end && call.end <= told;
    ensure!(
        trace.calls.iter().filter(on_it).any(said),
        "PostgreSQL had not said that it committed when the answer was sent"
    );
    Ok(())
}

/// A file was written under another name, synced, given this one, and its folder synced: all before an instant.
pub(super) fn named(trace: &Trace, file: &Path, told: u64) -> Result<()> {
    let (path, folder) = (text(file)?, text(file.parent().context("a file in no folder")?)?);
    let mut before = trace.calls.iter().rev().filter(|call| call.end <= told);
    let named = before.find(|call| call.names().is_some_and(|(_, new)| new == path));
    let named = named.with_context(|| format!("{path} had not been given its name"))?;
    let draft = named.names().map(|(old, _)| old).unwrap_or_default();
    let of_draft = || trace.calls.iter().filter(|call| call.behind == draft && call.end <= named.begin);
    let written = of_draft().filter(|call| call.writes()).map(|call| call.end).max();
    let written = written.with_context(|| format!("{draft} was not written"))?;
    ensure!(
        of_draft().any(|call| call.syncs() && call.begin >= written),
        "{draft} was not synced when it became {path}"
    );
    let of_folder = |call: &&Call| call.syncs() && call.behind == folder && call.begin >= named.end;
    ensure!(
        trace.calls.iter().filter(of_folder).any(|call| call.end <= told),
        "the folder of {path} was not synced when it was said to be there"
    );
    Ok(())
}

/// Nothing that was written to a database or its log is without a sync, and the folder was synced once they were there.
pub(super) fn whole(trace: &Trace, database: &Path, told: u64) -> Result<()> {
    let (path, folder) = (text(database)?, text(database.parent().context("a file in no folder")?)?);
    let log = format!("{path}-wal");
    let mut first = None;
    for file in [path, &*log] {
        let of_it = || trace.calls.iter().filter(|call| call.behind == file && call.end <= told);
        let written = of_it().filter(|call| call.writes());
        let Some(last) = written.clone().map(|call| call.end).max() else { continue };
        first = first.max(written.map(|call| call.begin).min());
        ensure!(
            of_it().any(|call| call.syncs() && call.begin >= last),
            "{file} was not synced when it was said to be whole"
        );
    }
    let first = first.with_context(|| format!("{path} was not written"))?;
    let of_folder = |call: &&Call| call.syncs() && call.behind == folder && call.end <= told;
    ensure!(
        trace.calls.iter().filter(of_folder).any(|call| call.end >= first),
        "the folder of {path} was not synced"
    );
    Ok(())
}

/// Whatever a token's library wrote below a folder was synced, and so were the folders that it lies in, once its last key was
/// written: all before an instant. How many files that were. (A login writes to the token's own file again, and says nothing new.)
pub(super) fn below(trace: &Trace, folder: &Path, told: u64) -> Result<usize> {
    let before = || trace.calls.iter().filter(|call| call.end <= told);
    let in_it = |call: &&Call| Path::new(&call.behind).starts_with(folder);
    let written = before().filter(|call| call.writes()).filter(in_it);
    let of_key = |call: &&Call| call.behind.ends_with(".object") && !call.behind.ends_with("/token.object");
    let made = written.clone().filter(of_key).map(|call| call.end).max().context("no key was written")?;
    let files: BTreeSet<_> = written.map(|call| Path::new(&call.behind)).collect();
    let folders =
        files.iter().flat_map(|file| file.ancestors().skip(1).take_while(move |it| it.starts_with(folder)));
    for path in files.iter().copied().chain(folders) {
        let synced = |call: &Call| call.syncs() && call.begin >= made && Path::new(&call.behind) == path;
        ensure!(before().any(synced), "{} was not synced once the token had its key", path.display());
    }
    Ok(files.len())
}

pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strace::told;

    const WRITE: &str = r#"1 1.000000010 pwrite64(7</d/a.db-wal>, "evt_1 req_1", 9, 0) = 9 <0.000000001>"#;
    const SYNC: &str = "1 1.000000020 fdatasync(7</d/a.db-wal>) = 0 <0.000000005>";
    const ANSWER: &str = r#"2 1.000000030 writev(9<TCP:[127.0.0.1:80->127.0.0.1:9]>, [{iov_base="x-request-id: req_1", iov_len=19}], 1) = 19 <0.000000001>"#;

    fn judged(lines: &[&str], keeper: Keeper) -> String {
        let act = Act { what: "act".into(), request: "req_1".into() };
        answered(&told(lines), &act, keeper, 80).map_or_else(|why| why.to_string(), |()| "kept".into())
    }

    #[test]
    fn an_answer_before_the_log_is_synced_is_seen() {
        let late = SYNC.replace("000000020", "000000040");
        let slow = SYNC.replace("<0.000000005>", "<0.000000015>");
        let early = SYNC.replace("000000020", "000000001");
        let other = SYNC.replace("a.db-wal", "a.db");
        let failed = SYNC.replace("= 0", "= -1 EIO (Input/output error)");
        assert_eq!(judged(&[WRITE, SYNC, ANSWER], Keeper::Sqlite), "kept");
        for sync in [&*late, &*slow, &*early, &*other, &*failed, ""] {
            let why = judged(&[WRITE, sync, ANSWER], Keeper::Sqlite);
            assert!(why.contains("not synced"), "{sync}: {why}");
        }
        assert!(judged(&[SYNC, ANSWER], Keeper::Sqlite).contains("not in the log"));
    }

    #[test]
    fn an_answer_before_postgres_said_that_it_committed_is_seen() {
        let on = |at: u32, call: &str, text: &str| {
            format!(
                r#"1 1.0000000{at} {call}(5<TCP:[127.0.0.1:4->127.0.0.1:5432]>, "{text}", 9, 0, NULL, NULL) = 9 <0.000000001>"#
            )
        };
        let (bind, ask) = (on(10, "sendto", r"B\0req_1"), on(12, "sendto", r"Q\0\0\0\vCOMMIT\0"));
        let said = on(14, "recvfrom", r"C\0\0\0\vCOMMIT\0Z\0\0\0\5I");
        let postgres = Keeper::Postgres(5432);
        assert_eq!(judged(&[&bind, &ask, &said, ANSWER], postgres), "kept");
        let late = on(31, "recvfrom", r"C\0\0\0\vCOMMIT\0");
        let others = said.replace("5<TCP:[127.0.0.1:4", "6<TCP:[127.0.0.1:6");
        for said in [&late, &others] {
            assert!(judged(&[&bind, &ask, said, ANSWER], postgres).contains("had not said"), "{said}");
        }
        assert!(judged(&[&bind, ANSWER], postgres).contains("no commit"));
    }

    #[test]
    fn a_file_that_has_its_name_before_it_is_synced_is_seen() {
        let lines = [
            r#"1 1.000000010 write(7</d/k.new>, "key", 3) = 3 <0.000000001>"#,
            "1 1.000000020 fsync(7</d/k.new>) = 0 <0.000000005>",
            r#"1 1.000000030 rename("/d/k.new", "/d/k") = 0 <0.000000001>"#,
            "1 1.000000040 fsync(8</d>) = 0 <0.000000005>",
        ];
        let judged =
            |lines: &[&str], told_at: u64| named(&told(lines), Path::new("/d/k"), 1_000_000_000 + told_at);
        judged(&lines, 50).unwrap();
        judged(&lines, 42).unwrap_err();
        for gone in 0..lines.len() {
            let rest: Vec<_> = (0..lines.len()).filter(|at| *at != gone).map(|at| lines[at]).collect();
            judged(&rest, 50).unwrap_err();
        }
        let more = r#"1 1.000000027 write(7</d/k.new>, "more", 4) = 4 <0.000000001>"#;
        judged(&[lines[0], lines[1], more, lines[2], lines[3]], 50).unwrap_err();
    }

    #[test]
    fn a_token_that_is_not_synced_with_its_key_is_seen() {
        let lines = [
            r#"1 1.000000010 write(4</d/t/x/token.object>, "pin", 3) = 3 <0.000000001>"#,
            r#"1 1.000000012 write(4</d/t/x/9.object>, "key", 3) = 3 <0.000000001>"#,
            "2 1.000000020 fsync(7</d/t/x/token.object>) = 0 <0.000000001>",
            "2 1.000000022 fsync(7</d/t/x/9.object>) = 0 <0.000000001>",
            "2 1.000000024 fsync(7</d/t/x>) = 0 <0.000000001>",
            "2 1.000000026 fsync(7</d/t>) = 0 <0.000000001>",
            r#"1 1.000000030 write(4</d/t/x/token.object>, "pin", 3) = 3 <0.000000001>"#,
        ];
        let judged = |lines: &[&str]| below(&told(lines), Path::new("/d/t"), 1_000_000_050);
        assert_eq!(judged(&lines).unwrap(), 2);
        for gone in 2..6 {
            let rest: Vec<_> = (0..lines.len()).filter(|at| *at != gone).map(|at| lines[at]).collect();
            judged(&rest).unwrap_err();
        }
        let another = lines[1].replace("9.object", "8.object").replace("000012", "000040");
        judged(&[&lines[..], &[&*another]].concat()).unwrap_err();
        judged(&lines[..1]).unwrap_err();
    }

    #[test]
    fn a_database_that_is_not_synced_whole_is_seen() {
        let lines = [
            r#"1 1.000000010 pwrite64(7</d/c.db>, "page", 4, 0) = 4 <0.000000001>"#,
            r#"1 1.000000012 pwrite64(8</d/c.db-wal>, "page", 4, 0) = 4 <0.000000001>"#,
            "1 1.000000020 fsync(7</d/c.db>) = 0 <0.000000001>",
            "1 1.000000022 fdatasync(8</d/c.db-wal>) = 0 <0.000000001>",
            "1 1.000000030 fsync(9</d>) = 0 <0.000000001>",
        ];
        let judged = |lines: &[&str]| whole(&told(lines), Path::new("/d/c.db"), 1_000_000_050);
        judged(&lines).unwrap();
        for gone in 2..lines.len() {
            let rest: Vec<_> = (0..lines.len()).filter(|at| *at != gone).map(|at| lines[at]).collect();
            judged(&rest).unwrap_err();
        }
        let more = r#"1 1.000000040 pwrite64(8</d/c.db-wal>, "more", 4, 4) = 4 <0.000000001>"#;
        judged(&[&lines[..], &[more]].concat()).unwrap_err();
        judged(&[]).unwrap_err();
    }
}
