//! Taking deliveries in hand: one of each channel at a time, by one node at a time.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use keywarden_model::{ChannelId, DeliveryId, time::later};
use keywarden_store::deliveries;

use crate::tokens::silent;
use crate::{Domain, Fault, Op};

/// For how long a node has a delivery in hand: longer than an attempt takes. Where the node ends meanwhile, another one takes
/// it up then.
const HELD: TimeDelta = TimeDelta::minutes(2);
/// Channels that are looked at in one go.
const CHANNELS: u32 = 1_000;

/// A delivery that this node has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: DeliveryId,
    /// By which way.
    pub channel: ChannelId,
    /// What tells this turn from every other one.
    pub(super) claim: String,
}

impl Domain {
    /// Takes in hand what is due, the oldest of each channel; of those in `busy` nothing, and at most `most`.
    pub async fn claim_deliveries(
        &self,
        op: &Op,
        busy: &BTreeSet<ChannelId>,
        most: usize,
    ) -> Result<Vec<Claimed>, Fault> {
        let due = deliveries::due(&mut self.store().read().await?, op.now, CHANNELS).await?;
        let mut claimed = Vec::new();
        for next in due.into_iter().filter(|next| !busy.contains(&next.channel_id)).take(most) {
            let claim = hex::encode(self.env().bytes::<16>());
            let (id, word, turn) = (next.id, claim.clone(), (op.now, later(op.now, HELD)));
            let taken = self.store().write_silently("a delivery's turn", move |tx| {
                let word = word.clone();
                Box::pin(async move { deliveries::claim(tx, id, &word, turn).await })
            });
            if taken.await.map_err(silent)? {
                claimed.push(Claimed { id, channel: next.channel_id, claim });
            }
        }
        Ok(claimed)
    }
}
