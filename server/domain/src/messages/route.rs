//! Whom a message concerns: a notice for each person, a delivery for each channel that listens.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{AccessRequestId, ChannelId, MessageKind, UserId};
use keywarden_store::messages::{self, Row};
use keywarden_store::people::{notices, users};
use keywarden_store::{Conn, StoreError, Tx, channels, deliveries, keys, teams};
use serde_json::Value;

use super::table::{self, Told, Whom};
use crate::tokens::silent;
use crate::{Domain, Env, Fault, Op};

/// Messages that one run goes through.
const MESSAGES: u32 = 200;
/// Channels that one message is given to at most, of the organization and of people.
const CHANNELS: u32 = 1_000;
/// Members of a team that are told of its keys at most.
const MEMBERS: u32 = 200;

impl Domain {
    /// Says of each new message whom it concerns, the oldest first; says how many there were. A job calls it each second, on
    /// any number of nodes. While a node of an older version may run, which reads no such notices, they wait.
    pub async fn route_messages(&self, op: &Op) -> Result<u64, Fault> {
        let mut conn = self.store().read().await?;
        let waiting = messages::to_route(&mut conn, MESSAGES).await?;
        if waiting.is_empty() || !messages::all_know(&mut conn).await? {
            return Ok(0);
        }
        drop(conn);
        let mut routed = 0_u64;
        for message in waiting {
            let (env, now) = (self.env().clone(), op.now);
            // A request that cannot be read concerns nobody, and what waits behind it is told all the same.
            let part = self.party(&message, now).await.unwrap_or_else(|cause| {
                tracing::error!(%cause, message = %message.id, "whom a request concerns cannot be found out");
                BTreeSet::new()
            });
            let part = Arc::new(part);
            let done = self.store().write_silently("whom a message concerns", move |tx| {
                let (message, env, part) = (message.clone(), env.clone(), Arc::clone(&part));
                Box::pin(async move { give(tx, &env, &message, &part, now).await })
            });
            if done.await.map_err(silent)? {
                routed = routed.saturating_add(1);
            }
        }
        Ok(routed)
    }
}

impl Domain {
    /// Those who have a part in the request for access that it is about: found before the transaction, for whoever could approve
    /// is found by asking of everybody.
    async fn party(&self, message: &Row, now: DateTime<Utc>) -> Result<BTreeSet<UserId>, Fault> {
        let whom = table::row(&message.event).map(|row| row.whom).unwrap_or_default();
        let facts: Value = serde_json::from_str(&message.facts).unwrap_or_default();
        let named = facts.get("request").and_then(Value::as_str).unwrap_or(&message.resource_id);
        let Ok(request) = named.parse::<AccessRequestId>() else { return Ok(BTreeSet::new()) };
        let mut part = BTreeSet::new();
        if whom.contains(&Whom::Approvers) {
            part.extend(self.access_approvers(request, now).await?);
        }
        if whom.contains(&Whom::Askers) {
            part.extend(self.access_askers(request).await?);
        }
        Ok(part)
    }
}

/// False where another node did. `part` is who has one in the request that it is about.
async fn give(
    tx: &mut Tx,
    env: &Env,
    message: &Row,
    part: &BTreeSet<UserId>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    if !messages::take(tx, message.id, now).await? {
        return Ok(false);
    }
    // An event that a newer version told, and this one does not know, concerns nobody here.
    let Some(row) = table::row(&message.event) else { return Ok(true) };
    let concerned = concerned(tx, row, message, part).await?;
    let told = unless_silent(tx, row.kind, concerned).await?;
    if row.bell {
        for user in &told {
            let notice = notices::Insert {
                id: env.id(now),
                user: *user,
                kind: row.kind.as_str(),
                about: *user,
                secret: None,
                message: Some(message.id),
            };
            notices::insert(tx, &notice, now).await?;
        }
    }
    for channel in listening(tx, row, message, &told).await? {
        deliveries::insert(tx, env.id(now), (message.id, channel), now).await?;
    }
    Ok(true)
}

/// The people whom it concerns.
async fn concerned(
    conn: &mut Conn,
    row: &Told,
    message: &Row,
    part: &BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>, StoreError> {
    let facts: Value = serde_json::from_str(&message.facts).unwrap_or_default();
    let mut people = BTreeSet::new();
    for whom in row.whom {
        match whom {
            Whom::Approvers | Whom::Askers => people.extend(part),
            Whom::Channel => {}
            Whom::KeyOwner => people.extend(owners_of(conn, &message.resource_id).await?),
            Whom::Owners => people.extend(users::owners(conn).await?),
            Whom::Person => {
                let named = facts.get("user").and_then(Value::as_str).unwrap_or(&message.resource_id);
                people.extend(named.parse::<UserId>());
            }
        }
    }
    active(conn, people).await
}

/// Whose a key is: a person, or everybody of a team.
async fn owners_of(conn: &mut Conn, key: &str) -> Result<Vec<UserId>, StoreError> {
    let Ok(id) = key.parse() else { return Ok(Vec::new()) };
    let Some(key) = keys::find(conn, id).await? else { return Ok(Vec::new()) };
    if let Ok(person) = key.owner_id.parse::<UserId>() {
        return Ok(vec![person]);
    }
    let Ok(team) = key.owner_id.parse() else { return Ok(Vec::new()) };
    Ok(teams::members(conn, team, MEMBERS).await?.into_iter().map(|it| it.user_id).collect())
}

/// Those who can sign in.
async fn active(conn: &mut Conn, people: BTreeSet<UserId>) -> Result<BTreeSet<UserId>, StoreError> {
    let mut active = BTreeSet::new();
    for user in people {
        if teams::is_active_person(conn, user).await? {
            active.insert(user);
        }
    }
    Ok(active)
}

/// Those who did not say that they do not want to know of such things. An owner is told of what endangers the house,
/// whatever they said before they were one.
async fn unless_silent(
    conn: &mut Conn,
    kind: MessageKind,
    people: BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>, StoreError> {
    let owners = if kind.is_security() { users::owners(conn).await? } else { Vec::new() };
    let mut told = BTreeSet::new();
    for user in people {
        if owners.contains(&user) || !messages::silenced(conn, user).await?.contains(kind.as_str()) {
            told.insert(user);
        }
    }
    Ok(told)
}

/// Channels of the organization that listen, and those of the people who are told.
async fn listening(
    conn: &mut Conn,
    row: &Told,
    message: &Row,
    told: &BTreeSet<UserId>,
) -> Result<Vec<ChannelId>, StoreError> {
    if row.whom.contains(&Whom::Channel) {
        let id = message.resource_id.parse::<ChannelId>();
        let found = match id {
            Ok(id) => channels::find(conn, id).await?,
            Err(_) => None,
        };
        return Ok(found.into_iter().map(|channel| channel.id).collect());
    }
    let people: Vec<UserId> = told.iter().copied().collect();
    let open = channels::open(conn, &people, CHANNELS).await?;
    let listens = |kinds: &str| kinds.is_empty() || kinds.split(',').any(|it| it == row.kind.as_str());
    Ok(open.into_iter().filter(|channel| listens(&channel.kinds)).map(|channel| channel.id).collect())
}
