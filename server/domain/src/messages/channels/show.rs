//! Looking at channels.

use keywarden_model::{ChannelId, DeliveryState};
use keywarden_store::{channels as rows, deliveries};

use super::{Channel, ChannelOwner, target};
use crate::{Domain, Fault, Op, Refused};

/// As many are listed at most: more are not made.
const ALL: u32 = 1_000;

/// A channel, where it leads, and how its deliveries stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownChannel {
    /// The channel.
    pub channel: Channel,
    /// The address of mail, or the host of a webhook. `None`: it cannot be opened any more.
    pub leads_to: Option<String>,
    /// How many deliveries wait.
    pub waiting: u64,
    /// How many are dead.
    pub dead: u64,
}

impl Domain {
    /// The organization's channels, or one's own; oldest first.
    pub async fn channels(&self, op: &Op, owner: ChannelOwner) -> Result<Vec<ShownChannel>, Refused> {
        let _seen = self.authorize(op, owner.view(), &owner.resource()).await?;
        let found = rows::of(&mut self.store().read().await.map_err(Fault::from)?, owner.user(), ALL).await?;
        let mut shown = Vec::with_capacity(found.len());
        for row in found {
            shown.push(self.shown_channel(&row).await?);
        }
        Ok(shown)
    }

    /// One of them.
    pub async fn channel(&self, op: &Op, id: ChannelId) -> Result<ShownChannel, Refused> {
        let (row, _) = self.channel_row(op, id).await?;
        self.shown_channel(&row).await
    }

    async fn shown_channel(&self, row: &rows::Row) -> Result<ShownChannel, Refused> {
        let channel = Channel::try_from(row)?;
        let inside = self.open_channel(row).await?;
        let leads_to = inside.map(|it| target::shown(channel.kind, it.to.expose()));
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut count = async |state: DeliveryState| {
            let counted = deliveries::count(&mut conn, row.id, state.as_str()).await?;
            Ok::<_, Refused>(u64::try_from(counted).unwrap_or_default())
        };
        let (waiting, dead) = (count(DeliveryState::Waiting).await?, count(DeliveryState::Dead).await?);
        Ok(ShownChannel { channel, leads_to, waiting, dead })
    }

    /// A channel, for whoever may see it; whoever may not is told that there is none.
    pub(in crate::messages) async fn channel_in_sight(
        &self,
        op: &Op,
        id: ChannelId,
    ) -> Result<Channel, Refused> {
        Ok(self.channel_row(op, id).await?.1)
    }

    pub(super) async fn channel_row(&self, op: &Op, id: ChannelId) -> Result<(rows::Row, Channel), Refused> {
        let found = rows::find(&mut self.store().read().await.map_err(Fault::from)?, id).await?;
        let row = found.ok_or(Refused::NotFound)?;
        let channel = Channel::try_from(&row)?;
        let owner = channel.owner;
        let seen = self.would(op, owner.view(), &owner.resource()).await?;
        if seen { Ok((row, channel)) } else { Err(Refused::NotFound) }
    }
}
