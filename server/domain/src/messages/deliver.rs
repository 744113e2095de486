//! Carrying out: one attempt, and what comes of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{ChannelKind, MessageId};
use keywarden_store::deliveries::{self, Ended, Row};
use keywarden_store::{Written, channels, messages, names};
use tokio::time::timeout;

use super::carry::CarryError;
use super::claim::Claimed;
use super::letter;
use super::post;
use super::seal::Inside;
use super::words::Words;
use crate::audit::Record;
use crate::{Domain, Fault, Op, Refused};

/// An attempt that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(20);
/// How long after an attempt the next one is made, in seconds: as Standard Webhooks has it, over three days.
const PAUSES: [i64; 11] =
    [5, 30, 2 * 60, 10 * 60, 30 * 60, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600, 24 * 3_600];
/// The longest words of an error that are kept, in characters.
const ERROR: usize = 500;

impl Domain {
    /// Makes one attempt, and notes what it came to.
    pub async fn deliver(&self, op: &Op, claimed: &Claimed) -> Result<(), Fault> {
        let mut conn = self.store().read().await?;
        let Some(row) = deliveries::find(&mut conn, claimed.id).await? else { return Ok(()) };
        drop(conn);
        let attempt = timeout(LONGEST, self.attempt(&row)).await;
        let went = match attempt {
            // It would come back for ever, and others wait behind it.
            Ok(Err(Fault::Damaged(what))) => {
                tracing::error!(what, delivery = %row.id, "a delivery cannot be made");
                Err(CarryError::for_good("its channel or its message cannot be read"))
            }
            Ok(went) => went?,
            Err(_) => Err(CarryError::passing(format!("no answer within {} seconds", LONGEST.as_secs()))),
        };
        // The clock went on meanwhile.
        let now = self.env().now();
        let ended = match went {
            Ok(()) => Ended::Delivered,
            Err(error) => after(row.attempts, &error, now, self.env().bytes()),
        };
        self.note_attempt(op, &row, claimed, ended, now).await
    }

    async fn attempt(&self, row: &Row) -> Result<Result<(), CarryError>, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("deliveries {}: {what}", row.id));
        let mut conn = self.store().read().await?;
        // Deleted since it was claimed: so is the delivery.
        let Some(channel) = channels::find(&mut conn, row.channel_id).await? else { return Ok(Ok(())) };
        let message = messages::find(&mut conn, row.message_id).await?.ok_or_else(|| damaged("message"))?;
        let ids = [&message.resource_id, &message.actor_id].into_iter().chain(message.project_id.as_ref());
        let names = names::of(&mut conn, ids.map(String::as_str)).await?;
        drop(conn);
        let kind: ChannelKind = channel.kind.parse().map_err(|_| damaged("kind"))?;
        let Some(inside) = self.open_channel(&channel).await? else {
            return Ok(Err(CarryError::for_good("its person was erased")));
        };
        let words = Words::of(&message, &names, &self.settings().origin);
        let carry = &self.settings().carry;
        Ok(match kind {
            ChannelKind::Mail => match letter::write(&message, &words, inside.to.expose()) {
                Some(letter) => carry.mail(&letter).await,
                None => Err(CarryError::for_good("its address is none")),
            },
            ChannelKind::Slack => carry.post(&post::slack(&words, inside.to)).await,
            ChannelKind::Webhook => {
                let now = self.env().now();
                let Inside { to, mut secrets } = inside;
                if channel.old_until.is_none_or(|until| from_micros(until) <= now) {
                    secrets.truncate(1);
                }
                let body = post::cloud_event(&message, &words, &names, &self.settings().origin);
                match post::signed(message.id, body, to, &secrets, now) {
                    Some(post) => carry.post(&post).await,
                    None => Err(CarryError::for_good("its secret is none")),
                }
            }
        })
    }

    /// Bookkeeping, and an event where it is given up.
    async fn note_attempt(
        &self,
        op: &Op,
        row: &Row,
        claimed: &Claimed,
        ended: Ended,
        now: DateTime<Utc>,
    ) -> Result<(), Fault> {
        let (id, claim) = (claimed.id, claimed.claim.clone());
        if !matches!(ended, Ended::Dead(_)) {
            let noted = self.store().write_silently("what came of an attempt", move |tx| {
                let (claim, ended) = (claim.clone(), ended.clone());
                Box::pin(async move { deliveries::end(tx, id, &claim, &ended, now).await })
            });
            noted.await.map_err(crate::tokens::silent)?;
            return Ok(());
        }
        let (channel, message, attempts) = (row.channel_id, row.message_id, row.attempts.saturating_add(1));
        let gave_up = self.change_unasked(op, "a delivery is given up", &[], move |tx, record| {
            let (claim, ended) = (claim.clone(), ended.clone());
            Box::pin(async move {
                if !deliveries::end(tx, id, &claim, &ended, now).await? {
                    return Err(Refused::NotFound); // somebody else's turn by now
                }
                given_up(&record, (channel, message), attempts)
            })
        });
        match gave_up.await {
            Ok(()) | Err(Refused::NotFound) => Ok(()),
            Err(Refused::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::Unexpected(other.to_string())),
        }
    }
}

fn given_up(
    record: &Record,
    (channel, message): (keywarden_model::ChannelId, MessageId),
    attempts: i64,
) -> Result<Written<()>, Refused> {
    let event = record
        .event("delivery.give-up", "channel", channel)
        .fact("message", message)
        .fact("attempts", attempts)
        .failed("not-taken");
    Ok(Written::new((), event.finish()?))
}

/// What a failed attempt comes to. `made` is how many there were before it; `random` is what keeps many from coming back at
/// the same moment: up to a fifth is added.
fn after(made: i64, error: &CarryError, now: DateTime<Utc>, random: [u8; 2]) -> Ended {
    let says: String = error.says.chars().take(ERROR).collect();
    let pause = usize::try_from(made).ok().and_then(|made| PAUSES.get(made).copied());
    match pause.filter(|_| !error.for_good) {
        None => Ended::Dead(says),
        Some(seconds) => {
            let share = i64::from(u16::from_be_bytes(random)); // of 65 536
            let more = seconds.saturating_mul(1_000).saturating_mul(share) / (5 << 16);
            let pause = TimeDelta::milliseconds(seconds.saturating_mul(1_000).saturating_add(more));
            Ended::Later(says, later(now, pause))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_than_the_one_before_until_nobody_tries_any_more() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let error = CarryError::passing("503");
        let pause = |made, random| match after(made, &error, now, random) {
            Ended::Later(says, due) => {
                assert_eq!(says, "503");
                due.signed_duration_since(now).num_seconds()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((pause(0, [0, 0]), pause(0, [255, 255])), (5, 5));
        assert_eq!((pause(5, [0, 0]), pause(5, [255, 255])), (3_600, 4_319));
        let total: i64 = (0..11).map(|made| pause(made, [0, 0])).sum();
        assert!(total > 2 * 86_400, "{total}");
        assert!(matches!(after(11, &error, now, [0, 0]), Ended::Dead(_)));
        assert!(
            matches!(after(0, &CarryError::for_good("550"), now, [0, 0]), Ended::Dead(says) if says == "550")
        );
    }
}
