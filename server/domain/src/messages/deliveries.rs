//! Looking after deliveries: what waits, what is dead, and trying again.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ChannelId, ChannelKind, DeliveryId, DeliveryState, MessageId, MessageKind};
use keywarden_store::{Written, channels, deliveries as rows};

use super::channels::ChannelOwner;
use crate::{Domain, Fault, Op, Refused};

/// Channels that somebody has at most.
const CHANNELS: u32 = 100;
/// Dead deliveries of a channel that are tried again in one go.
const AT_ONCE: u32 = 10_000;

/// One message on its way through one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it carries.
    pub message: MessageId,
    /// The kind of message.
    pub kind: MessageKind,
    /// The name of the event that it tells of.
    pub event: String,
    /// By which way: id, kind and name.
    pub channel: (ChannelId, ChannelKind, String),
    /// Where it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, while it waits.
    pub due_at: DateTime<Utc>,
    /// What the last attempt came to.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its receiver took it, or it was given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Only those of one's own channels; otherwise of the organization's.
    pub own: bool,
    /// Only of this channel, whosever it is.
    pub channel: Option<ChannelId>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only older ones than this.
    pub before: Option<DeliveryId>,
    /// At most so many: 1 to 200.
    pub limit: u32,
}

/// A page of deliveries, newest first, and where the next one begins.
#[derive(Debug)]
pub struct DeliveryPage {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Continue with those older than this.
    pub next: Option<DeliveryId>,
}

impl Domain {
    /// Deliveries of the organization's channels, of one's own, or of one channel.
    pub async fn deliveries(&self, op: &Op, query: &DeliveryQuery) -> Result<DeliveryPage, Refused> {
        let owner = match query.channel {
            Some(channel) => self.channel_in_sight(op, channel).await?.owner,
            None if query.own => ChannelOwner::Person(op.actor.person().ok_or(Refused::NotFound)?.id),
            None => ChannelOwner::Organization,
        };
        let _seen = self.authorize(op, owner.view(), &owner.resource()).await?;
        let limit = query.limit.clamp(1, 200);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let channels = match query.channel {
            Some(channel) => vec![channel],
            None => {
                let all = channels::of(&mut conn, owner.user(), CHANNELS).await?;
                all.into_iter().map(|channel| channel.id).collect()
            }
        };
        let filter =
            rows::Filter { channels, state: query.state.map(DeliveryState::as_str), before: query.before };
        let mut found = rows::list(&mut conn, &filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let deliveries = found.into_iter().map(Delivery::try_from).collect::<Result<Vec<_>, _>>()?;
        let next = deliveries.last().map(|it| it.id).filter(|_| more);
        Ok(DeliveryPage { deliveries, next })
    }

    /// Lets one that is dead be tried again, from the first attempt, with the same message id.
    pub async fn retry_delivery(&self, op: &Op, id: DeliveryId) -> Result<(), Refused> {
        let row = rows::find(&mut self.store().read().await.map_err(Fault::from)?, id).await?;
        let row = row.ok_or(Refused::NotFound)?;
        let owner = self.channel_in_sight(op, row.channel_id).await?.owner;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            Box::pin(async move {
                let now = record.now();
                if !rows::revive(tx, id, now).await? {
                    return Err(Refused::NotFound);
                }
                let event = record
                    .event("delivery.retry", "channel", row.channel_id)
                    .fact("message", row.message_id)
                    .fact("deliveries", 1_u64);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Lets all that are dead of one channel be tried again. It is no failure that there is none.
    pub async fn retry_deliveries(&self, op: &Op, channel: ChannelId) -> Result<(), Refused> {
        let owner = self.channel_in_sight(op, channel).await?.owner;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            Box::pin(async move {
                let revived = rows::revive_all(tx, channel, record.now(), AT_ONCE).await?;
                let event = record.event("delivery.retry", "channel", channel).fact("deliveries", revived);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

impl TryFrom<rows::Row> for Delivery {
    type Error = Fault;
    fn try_from(row: rows::Row) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("deliveries {}: {what}", row.id));
        Ok(Self {
            id: row.id,
            message: row.message_id,
            kind: row.kind.parse().map_err(|_| damaged("kind"))?,
            channel: (
                row.channel_id,
                row.channel_kind.parse().map_err(|_| damaged("channel"))?,
                row.channel_name.clone(),
            ),
            state: row.state.parse().map_err(|_| damaged("state"))?,
            event: row.event,
            attempts: row.attempts,
            due_at: from_micros(row.due_at),
            error: row.error,
            created_at: from_micros(row.created_at),
            ended_at: row.ended_at.map(from_micros),
        })
    }
}
