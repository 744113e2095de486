//! A file of events that only grows: each line is an event that is whole, once, or a mark of those before it. What is written
//! ends with a mark, so that a file that lost some of its lines does not pass for whole.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::audit::{Mark, Tally, just_before};
use keywarden_model::{EventId, TypedId as _};
use serde::Deserialize;

/// Written at once, with a mark behind it.
const MOST_PENDING: usize = 1 << 20;

/// The file and what it holds of late.
#[derive(Debug)]
pub(super) struct Kept {
    file: File,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    tally: Tally,
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
        let (pending, tally) = (Vec::new(), Tally::default());
        let mut it = Self { file, pending, tally, since, newest: None, recent: BTreeSet::new(), remembered };
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
        for number in 1_u64.. {
            line.clear();
            let read = lines.read_until(b'\n', &mut line)?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                return Ok(whole);
            }
            whole = u64::try_from(read).map_or(u64::MAX, |read| read.saturating_add(whole));
            match Mark::read(&line) {
                Some(mark) => self.fits(number, &mark)?,
                None => {
                    self.remember(id(&line)?);
                    self.tally.add(&line);
                }
            }
        }
        Ok(whole)
    }

    fn fits(&self, number: u64, mark: &Mark) -> io::Result<()> {
        self.tally.misfit(mark).map_or(Ok(()), |why| {
            let advice = "keep this file as it is, and begin another one";
            Err(io::Error::other(format!("its line {number} says {why}: it was changed; {advice}")))
        })
    }

    /// Where to go on, so far back from the newest event; `None`: from the first one there is.
    pub(super) fn after(&self, back: TimeDelta) -> Option<EventId> {
        match self.newest {
            Some(newest) => Some(back_from(newest, back)),
            None => self.since.map(just_before),
        }
    }

    /// Takes an event in, unless it is there; whether it was new. It is written by the next [`Kept::settle`] at the latest.
    pub(super) fn add(&mut self, event: &[u8]) -> io::Result<bool> {
        let id = id(event)?;
        if self.recent.contains(&id) {
            return Ok(false);
        }
        self.pending.extend_from_slice(event);
        self.pending.push(b'\n');
        self.tally.add(event);
        self.remember(id);
        if self.pending.len() >= MOST_PENDING {
            self.write()?;
        }
        Ok(true)
    }

    /// Puts on the disk what was taken in, with its mark.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.write()?;
        self.file.sync_data()
    }

    /// In one piece: whoever is stopped leaves no events without their mark.
    fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.extend_from_slice(self.tally.mark().to_line().as_bytes());
        self.pending.push(b'\n');
        self.file.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
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
        kept.settle().unwrap();
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
        kept.settle().unwrap();
        kept.settle().unwrap();
        drop(kept);
        let text = std::fs::read_to_string(&path).unwrap();
        let marks = text.lines().filter(|line| Mark::read(line.as_bytes()).is_some()).count();
        assert_eq!((text.lines().count(), marks), (6, 2), "{text}");
        std::fs::write(&path, "something else\n").unwrap();
        assert!(Kept::open(&path, hour, None).unwrap_err().to_string().contains("no file of events"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else\n", "it is left as it was");
    }

    #[test]
    fn a_file_that_lost_a_line_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let hour = TimeDelta::hours(1);
        let mut kept = Kept::open(&path, hour, None).unwrap();
        for second in [0, 3, 6] {
            kept.add(&event(second)).unwrap();
        }
        kept.settle().unwrap();
        kept.add(&event(9)).unwrap();
        kept.settle().unwrap();
        drop(kept);
        let whole = std::fs::read_to_string(&path).unwrap();
        let without = |n: usize| {
            let lines = whole.split_inclusive('\n').enumerate();
            lines.filter(|(at, _)| *at != n).map(|(_, line)| line).collect::<String>()
        };
        for (lost, line) in [(0, 3), (1, 3), (2, 3), (4, 5)] {
            std::fs::write(&path, without(lost)).unwrap();
            let refused = Kept::open(&path, hour, None).unwrap_err().to_string();
            assert!(refused.contains(&format!("line {line} says that")), "{lost}: {refused}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), without(lost), "it is left as it was");
        }
        // The next one tells of those before a mark that is gone.
        std::fs::write(&path, without(3)).unwrap();
        Kept::open(&path, hour, None).unwrap();
        std::fs::write(&path, whole).unwrap();
        Kept::open(&path, hour, None).unwrap();
    }
}
