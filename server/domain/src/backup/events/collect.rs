//! Files of events beside the records: which of them are new here, whether any are missing, and whose they are.

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use keywarden_model::{EventId, TypedId as _};
use keywarden_store::{Conn, Store, event, names};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Narrowing;
use super::apply::EventsError;
use super::report::{EventsReport, name};
use super::told::{NoEvent, Told};
use super::verdict::{Verdict, judge, moves};
use crate::Fault;
use crate::audit::{Mark, Tally};
use crate::backup::Gap;

/// Longer than any event.
const LONGEST: u64 = 1 << 20;
/// Lines that are looked at together.
const BATCH: usize = 500;
const WAITING: usize = 4;
/// An event this much older than the backup was written before it, or is of another time.
const SLACK: TimeDelta = TimeDelta::minutes(15);
/// As far as the clocks of two nodes may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(10);
/// Holes that are told.
const HOLES: usize = 20;

/// Something to be taken away.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) event: EventId,
    pub(super) action: String,
    pub(super) thing: String,
    pub(super) narrowing: Narrowing,
}

/// What the files hold that the records do not.
#[derive(Debug)]
pub(super) struct Collected {
    /// In the order of their events.
    pub(super) steps: Vec<Step>,
    pub(super) report: EventsReport,
}

struct Line {
    number: u64,
    bytes: Vec<u8>,
    whole: bool,
}

struct Collecting<'g> {
    gap: &'g Gap,
    seen: HashMap<EventId, [u8; 32]>,
    new: Vec<(EventId, Option<i64>, i64)>,
    steps: Vec<Step>,
    /// Whether anything that the new events tell of is here by its id.
    related: bool,
    last: Option<EventId>,
    until: Option<DateTime<Utc>>,
    digest: Sha256,
    report: EventsReport,
}

/// Reads the files, one after the other, and changes nothing.
pub(super) async fn collect<R>(store: &Store, files: Vec<R>, gap: &Gap) -> Result<Collected, EventsError>
where
    R: BufRead + Send + 'static,
{
    let (send, mut waiting) = mpsc::channel(WAITING);
    let reading = spawn_blocking(move || -> io::Result<Vec<String>> {
        let read = (1..).zip(files).map(|(number, file)| lines(number, file, &send));
        Ok(read.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    });
    let mut conn = store.read().await?;
    let mut all = Collecting {
        gap,
        seen: HashMap::new(),
        new: Vec::new(),
        steps: Vec::new(),
        related: false,
        last: None,
        until: None,
        digest: Sha256::new(),
        report: EventsReport::default(),
    };
    while let Some(batch) = waiting.recv().await {
        all.take_in(&mut conn, batch).await?;
    }
    let cut_out = reading.await.map_err(|cause| Fault::Unexpected(cause.to_string()))??;
    all.end(&mut conn, cut_out).await
}

/// Sends a file's events on, and says where its marks tell of others that stood between them.
fn lines(place: usize, mut file: impl BufRead, send: &mpsc::Sender<Vec<Line>>) -> io::Result<Option<String>> {
    let mut batch = Vec::with_capacity(BATCH);
    let (mut tally, mut marked, mut gap) = (Tally::default(), 0_u64, None);
    for number in 1_u64.. {
        let mut bytes = Vec::new();
        file.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)?;
        let whole = bytes.pop_if(|last| *last == b'\n').is_some();
        if !whole && bytes.is_empty() {
            break;
        }
        if let Some(mark) = Mark::read(&bytes).filter(|_| whole) {
            let misfit = tally
                .misfit(&mark)
                .map(|why| format!("the mark in line {number} of file {place} says {why}"));
            gap = gap.or(misfit);
            marked = tally.events();
            continue;
        }
        if whole {
            tally.add(&bytes);
        }
        batch.push(Line { number, bytes, whole });
        if !whole || batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            // Whoever listens no more has said why.
            if send.blocking_send(full).is_err() {
                return Ok(None);
            }
        }
    }
    drop(send.blocking_send(batch));
    Ok(gap.or_else(|| match tally.events().saturating_sub(marked) {
        0 => None,
        _ if marked == 0 => Some(format!(
            "no mark is in file {place}, as `keywarden audit export` writes them: whether events were cut out of it is not known"
        )),
        behind => Some(format!(
            "the last {behind} events of file {place} stand behind its last mark: whether others were cut out there is not known"
        )),
    }))
}

impl Collecting<'_> {
    async fn take_in(&mut self, conn: &mut Conn, batch: Vec<Line>) -> Result<(), EventsError> {
        let mut fresh = Vec::with_capacity(batch.len());
        for line in batch {
            self.digest.update(&line.bytes);
            self.digest.update(b"\n");
            let told = match Told::read(&line.bytes) {
                Ok(told) => told,
                // Whoever wrote it was stopped in the middle.
                Err(NoEvent::Other(_)) if !line.whole => {
                    self.report.cut = true;
                    continue;
                }
                Err(cause) => {
                    return Err(EventsError::Line { line: line.number, cause: cause.to_string() });
                }
            };
            let hash: [u8; 32] = Sha256::digest(&line.bytes).into();
            match self.seen.insert(told.id, hash) {
                Some(before) if before != hash => return Err(EventsError::Altered(told.id)),
                Some(_) => one_more(&mut self.report.repeated),
                None => fresh.push((told, line.bytes)),
            }
        }
        let ids: Vec<_> = fresh.iter().map(|(told, _)| told.id).collect();
        let here: HashMap<_, _> =
            event::those(conn, &ids).await?.into_iter().map(|it| (it.id, it.bytes)).collect();
        let mut strangers = Vec::new();
        for (told, bytes) in fresh {
            one_more(&mut self.report.events);
            if self.last.is_some_and(|last| told.id < last) {
                one_more(&mut self.report.disordered);
            }
            self.last = self.last.max(Some(told.id));
            // A file that was written on after the restore has the new house's events too: those are here.
            if told.at < self.gap.restored_at {
                self.until = self.until.max(Some(told.at));
            }
            match here.get(&told.id) {
                Some(stored) if *stored != bytes => return Err(EventsError::Altered(told.id)),
                Some(_) => one_more(&mut self.report.known),
                None if is_older(told.at, self.gap.made_at) => one_more(&mut self.report.older),
                None => {
                    strangers.extend([told.actor.id.clone(), told.resource.id.clone()]);
                    self.sort_in(&told);
                }
            }
        }
        if self.report.known == 0 && !self.related {
            self.related = !names::of(conn, strangers.iter().map(String::as_str)).await?.is_empty();
        }
        Ok(())
    }

    fn sort_in(&mut self, told: &Told) {
        self.new.push((told.id, told.counter(), moves(told)));
        let (action, thing) = (&told.action, &told.resource.id);
        let report = &mut self.report;
        let narrowing = match judge(told) {
            Verdict::Both(narrowing, words) => {
                name(&mut report.lost, words, thing);
                narrowing
            }
            Verdict::Look => {
                let fields: Vec<_> = told.changed().collect();
                let what = if fields.is_empty() {
                    action.clone()
                } else {
                    format!("{action} ({})", fields.join(", "))
                };
                return name(&mut report.look, &what, thing);
            }
            Verdict::Narrows(narrowing) => narrowing,
            Verdict::Neutral => return,
            Verdict::Unknown => return name(&mut report.unknown, action, &told.id.to_string()),
            Verdict::Widens(words) => return name(&mut report.lost, words, thing),
        };
        self.steps.push(Step { event: told.id, action: action.clone(), thing: thing.clone(), narrowing });
    }

    async fn end(mut self, conn: &mut Conn, cut_out: Vec<String>) -> Result<Collected, EventsError> {
        if self.report.events == 0 {
            return Err(EventsError::Empty);
        }
        // With an event of ours, byte for byte, it is ours: each holds sixteen random bytes.
        if self.report.known == 0 && (!self.related || self.report.older > 0) {
            return Err(EventsError::Foreign);
        }
        self.new.sort_unstable();
        self.steps.sort_unstable_by_key(|step| step.event);
        self.report.missing = [cut_out, self.missing(conn).await?].concat();
        self.report.digest = hex::encode(self.digest.finalize());
        // Whatever the files say, the records are as of the backup at least.
        self.report.until = self.until.map_or(self.gap.made_at, |until| until.max(self.gap.made_at));
        Ok(Collected { steps: self.steps, report: self.report })
    }

    /// Where events are missing: between the backup's last one and the files, and where the change counter moved further
    /// than the events at hand account for.
    async fn missing(&self, conn: &mut Conn) -> Result<Vec<String>, EventsError> {
        let mut missing = Vec::new();
        let Some((first, ..)) = self.new.first() else { return Ok(missing) };
        // From here on the records' events are those of the restore.
        let restored = EventId::from_parts(self.gap.restored_at, 0);
        let last = event::last_before(conn, restored).await?;
        if let Some(last) = last.filter(|last| !self.seen.contains_key(&last.id)) {
            missing.push(format!(
                "the backup's last event, {} of {}, is not in the files: what happened between it and {first} of {} may be missing",
                last.id,
                shown(last.id),
                shown(*first)
            ));
        }
        // What the counter may be at most, by the events at hand.
        let (mut offset, mut moved, mut ahead) = (self.gap.counter, 0_i64, 0_usize);
        let mut before = "the backup".to_owned();
        for (id, counter, _) in &self.new {
            while let Some((next, _, by)) = self.new.get(ahead)
                && next.made_at() <= id.made_at().checked_add_signed(SKEW).unwrap_or(DateTime::<Utc>::MAX_UTC)
            {
                moved = moved.saturating_add(*by);
                ahead = ahead.saturating_add(1);
            }
            if let Some(found) = *counter {
                let base = *offset.get_or_insert(found);
                let short = found.saturating_sub(base).saturating_sub(moved);
                if short > 0 {
                    offset = Some(base.saturating_add(short));
                    missing.push(format!(
                        "between {before} and {id} of {} the change counter moved by {short} of which no event tells: \
                         something was taken away there that is not in the files",
                        shown(*id)
                    ));
                }
            }
            before = id.to_string();
            if missing.len() >= HOLES {
                break;
            }
        }
        Ok(missing)
    }
}

fn one_more(of: &mut u64) {
    *of = of.saturating_add(1);
}

fn is_older(at: DateTime<Utc>, made_at: DateTime<Utc>) -> bool {
    made_at.checked_sub_signed(SLACK).is_some_and(|before| at < before)
}

fn shown(id: EventId) -> String {
    id.made_at().to_rfc3339_opts(SecondsFormat::Secs, true)
}
