//! A file of events that only grows: each line is an event that is whole, once.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::audit::just_before;
use keywarden_model::{EventId, TypedId as _};
use serde::Deserialize;

/// The file and what it holds of late.
#[derive(Debug)]
pub(super) struct Kept {
    file: File,
    since: Option<DateTime<Utc>>,
    newest: Option<EventId>,
    recent: BTreeSet<EventId>,
    remembered: TimeDelta,
}

#[derive(Deserialize)]
struct Named {
    id: EventId,
}

impl Kept {
    /// Opens it, or makes it. A last line that was never ended is cut off; another program may not write there meanwhile.
    pub(super) fn open(path: &Path, remembered: TimeDelta, since: Option<DateTime<Utc>>) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|_| io::Error::other("another program writes this file"))?;
        let mut it = Self { file, since, newest: None, recent: BTreeSet::new(), remembered };
        let whole = it.look_through()?;
        it.file.set_len(whole)?;
        it.file.seek(SeekFrom::End(0))?;
        // Its name is on the disk before anything in it counts as kept.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(it)
    }

    /// Where its last whole line ends.
    fn look_through(&mut self) -> io::Result<u64> {
        let mut lines = BufReader::new(self.file.try_clone()?);
        let (mut line, mut whole) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line)?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                return Ok(whole);
            }
            whole = u64::try_from(read).map_or(u64::MAX, |read| read.saturating_add(whole));
            self.remember(id(&line)?);
        }
    }

    /// Where to go on, so far back from the newest event; `None`: from the first one there is.
    pub(super) fn after(&self, back: TimeDelta) -> Option<EventId> {
        match self.newest {
            Some(newest) => Some(back_from(newest, back)),
            None => self.since.map(just_before),
        }
    }

    /// Writes an event, in one piece, unless it is there; whether it was new.
    pub(super) fn add(&mut self, event: &[u8]) -> io::Result<bool> {
        let id = id(event)?;
        if self.recent.contains(&id) {
            return Ok(false);
        }
        self.file.write_all(&[event, b"\n"].concat())?;
        self.remember(id);
        Ok(true)
    }

    /// Puts on the disk what was written.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Of when the newest event is.
    pub(super) fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest.map(EventId::made_at)
    }

    fn remember(&mut self, id: EventId) {
        self.recent.insert(id);
        self.newest = self.newest.max(Some(id));
        // Longer than is ever asked for again.
        let before = self.newest.map(|newest| back_from(back_from(newest, self.remembered), self.remembered));
        while let Some(oldest) = self.recent.first()
            && Some(*oldest) < before
        {
            self.recent.pop_first();
        }
    }
}

fn back_from(event: EventId, back: TimeDelta) -> EventId {
    event.made_at().checked_sub_signed(back).map_or(EventId::NIL, just_before)
}

fn id(line: &[u8]) -> io::Result<EventId> {
    let named: Result<Named, _> = serde_json::from_slice(line);
    named.map(|it| it.id).map_err(|cause| io::Error::other(format!("this is no file of events: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64) -> Vec<u8> {
        let at = DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap();
        format!("{{\"id\":\"{}\",\"v\":1}}", EventId::from_parts(at, 7)).into_bytes()
    }

    #[test]
    fn each_event_is_written_once_and_a_line_that_was_cut_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let hour = TimeDelta::hours(1);
        let mut kept = Kept::open(&path, hour, None).unwrap();
        assert_eq!(kept.after(hour), None);
        assert!(Kept::open(&path, hour, None).unwrap_err().to_string().contains("another program"));
        for (second, new) in [(0, true), (9, true), (5, true), (9, false), (0, false)] {
            assert_eq!(kept.add(&event(second)).unwrap(), new, "{second}");
        }
        drop(kept);
        let mut cut = std::fs::read(&path).unwrap();
        let whole = cut.len();
        cut.extend(&event(20)[..30]);
        std::fs::write(&path, cut).unwrap();
        let mut kept = Kept::open(&path, hour, None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole as u64);
        assert!(!kept.add(&event(5)).unwrap());
        assert!(kept.add(&event(20)).unwrap());
        assert!(kept.after(TimeDelta::seconds(5)).unwrap() > EventId::NIL);
        drop(kept);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
        std::fs::write(&path, "something else\n").unwrap();
        assert!(Kept::open(&path, hour, None).unwrap_err().to_string().contains("no file of events"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else\n", "it is left as it was");
    }
}
