//! Messages, from the event to whoever is told, on both engines.

mod carried;
mod channels;
mod told;

use std::collections::BTreeSet;

use keywarden_model::{ChannelId, ChannelKind, DeliveryState, MessageKind, Role};
use keywarden_store::count::number;
use keywarden_store::sql;

use super::tray::Answer;
use super::*;
use crate::cast::{House, Player, both_engines};
use crate::{Action, Refused};

const HOOK: &str = "https://hooks.example.com/in/s3cr3t-path";
const OTHER: &str = "https://other.example.com/in";

fn new(owner: ChannelOwner, kind: ChannelKind, to: &str, kinds: &[MessageKind]) -> NewChannel {
    NewChannel {
        owner,
        name: "Duty".parse().unwrap(),
        target: Target::parse(kind, to).unwrap(),
        kinds: Kinds::these(kinds.iter().copied()),
    }
}

/// A webhook of the organization's that listens to everything.
async fn hook(house: &House, who: &Player, to: &str) -> MadeChannel {
    let new = new(ChannelOwner::Organization, ChannelKind::Webhook, to, &[]);
    house.domain.create_channel(&who.op(), new).await.unwrap()
}

/// Says whom new messages concern, as the job does.
async fn route(house: &House) -> u64 {
    house.domain.route_messages(&house.domain.system_op("route-messages")).await.unwrap()
}

/// Makes one attempt at all that is due, as the job does; how many there were.
async fn attempt(house: &House) -> usize {
    let op = house.domain.system_op("deliver-messages");
    let claimed = house.domain.claim_deliveries(&op, &BTreeSet::new(), 64).await.unwrap();
    for one in &claimed {
        house.domain.deliver(&op, one).await.unwrap();
    }
    claimed.len()
}

async fn rows(house: &House, table: &'static str) -> i64 {
    number(sql(table), &mut house.store.read().await.unwrap()).await.unwrap()
}

const MESSAGES: &str = "SELECT count(*) AS number FROM messages";

async fn of(house: &House, who: &Player, channel: ChannelId) -> Vec<Delivery> {
    let query = DeliveryQuery { channel: Some(channel), limit: 50, ..DeliveryQuery::default() };
    house.domain.deliveries(&who.op(), &query).await.unwrap().deliveries
}
