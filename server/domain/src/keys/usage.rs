//! What the meter counted: written every few seconds, told in summary once a minute, read for charts.

use std::collections::BTreeMap;
use std::slice;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{ApiKeyId, VerifyCode, time::earlier};
use keywarden_store::keys as rows;
use keywarden_store::keys::usage::{self, Uses};
use keywarden_store::{StoreError, Written};

use super::meter::{CALLERS, Told};
use crate::audit::Fact;
use crate::decisions::Who;
use crate::tokens::silent;
use crate::{Action, Domain, Fault, Op, Refused};

/// Rows that one run of the job writes, and somewhat more.
const ENOUGH: usize = 8_192;
/// Rows in one write.
const BATCH: usize = 1_024;
/// The longest span of a chart: as long as uses are kept.
const LONGEST: TimeDelta = TimeDelta::days(400);
/// Verdicts that one event tells of.
const TOLD: usize = 200;

/// The step of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// UTC days.
    Day,
    /// Hours.
    Hour,
}

/// Uses within one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsagePoint {
    /// When the step begins.
    pub at: DateTime<Utc>,
    /// Found valid.
    pub valid: u64,
    /// Refused for any reason.
    pub refused: u64,
}

impl Domain {
    /// Writes what was used since the last flush, and tags that were made again; says how many rows. What cannot be
    /// written is kept for the next time. A batch whose commit failed without saying whether it took effect may be counted
    /// twice: uses are a measure, not a record.
    pub async fn flush_usage(&self) -> Result<u64, Fault> {
        self.flush_uses(usize::MAX).await
    }

    /// The same for about [`ENOUGH`] rows; the rest goes on counting in memory and has its turn next. A job calls it every
    /// five seconds: where very many values are in use at once, writing must not take the time that answering needs.
    pub async fn flush_some_usage(&self) -> Result<u64, Fault> {
        self.flush_uses(ENOUGH).await
    }

    async fn flush_uses(&self, enough: usize) -> Result<u64, Fault> {
        self.flush_moves().await?;
        let memory = self.key_memory();
        let (fresh, mut lost) = memory.meter.take(enough);
        let all = memory.kept.with(fresh);
        let mut unwritten: Vec<Uses> = Vec::new();
        let mut away = None;
        for batch in all.chunks(BATCH) {
            if away.is_some() {
                unwritten.extend_from_slice(batch);
                continue;
            }
            match self.write_uses(batch).await {
                Ok(()) => {}
                Err(fault) if fault.is_passing() => {
                    unwritten.extend_from_slice(batch);
                    away = Some(fault);
                }
                // What the database will never take must not hold up all the rest.
                Err(_) => lost = lost.saturating_add(self.write_one_by_one(batch, &mut unwritten).await),
            }
        }
        lost = lost.saturating_add(memory.kept.keep(&unwritten));
        if lost > 0 {
            tracing::warn!(lost, "domain.flush_usage: uses that there was no room for, or that were refused");
        }
        away.map_or(Ok(all.len() as u64), Err)
    }

    /// How many uses were refused for good.
    async fn write_one_by_one(&self, batch: &[Uses], unwritten: &mut Vec<Uses>) -> u64 {
        let mut refused = 0_u64;
        for one in batch {
            match self.write_uses(slice::from_ref(one)).await {
                Ok(()) => {}
                Err(fault) if fault.is_passing() => unwritten.push(one.clone()),
                Err(fault) => {
                    tracing::error!(%fault, "domain.flush_usage: a row was refused");
                    refused = refused.saturating_add(one.uses.try_into().unwrap_or(0));
                }
            }
        }
        refused
    }

    async fn write_uses(&self, batch: &[Uses]) -> Result<(), Fault> {
        let batch = batch.to_vec();
        let wrote = self.store().write_silently("uses of keys", move |tx| {
            let batch = batch.clone();
            Box::pin(async move {
                usage::add(tx, &batch, CALLERS.into()).await?;
                let valid = batch.iter().filter(|uses| uses.outcome == VerifyCode::Valid.as_str());
                usage::note_uses(tx, valid).await?;
                Ok::<_, StoreError>(())
            })
        });
        wrote.await.map_err(silent)
    }

    async fn flush_moves(&self) -> Result<(), Fault> {
        let memory = self.key_memory();
        let mut moves = memory.take_moves();
        if moves.is_empty() {
            return Ok(());
        }
        // To a node that lacks the key, the value would be none. What is shown again is moved when all have it.
        let held = self.held().await?;
        moves.retain(|it| held.by_all_who_answer(it.to));
        if moves.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = moves.iter().map(|it| it.public_id.to_string()).collect();
        let wrote = self.store().write_silently("tags under the newest keyring key", move |tx| {
            let moves = moves.clone();
            Box::pin(async move {
                for it in &moves {
                    rows::move_mac(tx, it.value, it.from, it.to, it.mac).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        wrote.await.map_err(silent)?;
        memory.begin_forgetting();
        memory.forget(&ids);
        Ok(())
    }

    /// Tells in events what was verified since the last flush; says how many verifications. A job calls it every minute
    /// and when the node stops. What cannot be written is kept for the next time.
    pub async fn flush_verify_counts(&self) -> Result<u64, Fault> {
        let counts = self.key_memory().counts.take();
        if counts.is_empty() {
            return Ok(0);
        }
        let total = counts.values().sum();
        let mut told: Vec<(Told, u64)> = counts.into_iter().collect();
        told.sort_unstable();
        let op = self.system_op("flush-verify-counts");
        let events = told.clone();
        let wrote: Result<(), Refused> = self
            .change_unasked(&op, "verifications are told in summary", &[], move |_, record| {
                let told = events.clone();
                Box::pin(async move {
                    let mut written: Option<Written<()>> = None;
                    for part in told.chunks(TOLD) {
                        let event = record
                            .event("keys.verified", "organization", "organization")
                            .fact("times", part.iter().map(|(_, times)| times).sum::<u64>())
                            .fact("verdicts", Fact::list(part.iter().map(verdict)))
                            .finish()?;
                        written = Some(match written {
                            None => Written::new((), event),
                            Some(written) => written.and(event),
                        });
                    }
                    written.ok_or_else(|| Fault::Unexpected("no verification to tell of".into()).into())
                })
            })
            .await;
        if let Err(error) = wrote {
            for (it, times) in told {
                self.key_memory().counts.add(it, times);
            }
            return Err(match error {
                Refused::Fault(fault) => fault,
                other => Fault::Unexpected(other.to_string()),
            });
        }
        Ok(total)
    }

    /// How often a key was used from one moment to before another, a point for each step, quiet ones too.
    pub async fn key_usage(
        &self,
        op: &Op,
        id: ApiKeyId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        step: Step,
    ) -> Result<Vec<UsagePoint>, Refused> {
        let (resource, _) = self.key_as_resource(id).await?;
        let _permit = self.authorize(op, Action::ViewKey, &resource).await?;
        let hours = step.hours();
        let seconds = hours.saturating_mul(3_600);
        let from = from.max(earlier(until, LONGEST)).timestamp().div_euclid(seconds);
        let until = until.timestamp().div_euclid(seconds).saturating_add(1);
        let mut conn = self.store().read().await?;
        let (first, end) = (from.saturating_mul(hours), until.saturating_mul(hours));
        let found = usage::hours(&mut conn, id, first, end).await?;
        let mut points: BTreeMap<i64, (u64, u64)> = (from..until).map(|at| (at, (0, 0))).collect();
        for row in found {
            let uses = u64::try_from(row.uses).unwrap_or(0);
            let Some(point) = points.get_mut(&row.hour.div_euclid(hours)) else { continue };
            let count = if row.outcome == VerifyCode::Valid.as_str() { &mut point.0 } else { &mut point.1 };
            *count = count.saturating_add(uses);
        }
        let at = |step: i64| DateTime::from_timestamp(step.saturating_mul(seconds), 0).unwrap_or_default();
        Ok(points
            .into_iter()
            .map(|(step, (valid, refused))| UsagePoint { at: at(step), valid, refused })
            .collect())
    }
}

impl Step {
    fn hours(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Hour => 1,
        }
    }
}

fn verdict(((who, route, code), times): &(Told, u64)) -> Fact {
    let who = match who {
        Who::Nobody => Fact::word("nobody"),
        Who::Operator(None) => Fact::word("shell"),
        Who::Operator(Some(token)) => (*token).into(),
        Who::Person(id) => (*id).into(),
        Who::Workload(id) => (*id).into(),
    };
    Fact::list([who, Fact::word(route.as_str()), Fact::word(code.as_str()), (*times).into()])
}
