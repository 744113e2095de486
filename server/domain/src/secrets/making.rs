//! How a version came to be: by which door, from which value, and why, as its event tells it.

use chrono::TimeDelta;
use keywarden_model::{EventId, SecretId};
use keywarden_store::event::{self, Filter, Found};
use keywarden_store::{Conn, secrets as rows};
use serde_json::Value;

use super::deliveries::{DeliveryWay, said};
use super::secret::{Address, Secret, Version, find};
use crate::audit::Event;
use crate::{Action, Domain, Op, Refused, Resource};

/// The actions that make versions.
const MAKING: &str = "secret.create,secret.put,secret.rotate-data-key";
/// Events that are looked at in one go.
const PAGE: u32 = 50;

/// How a version came to be.
#[derive(Debug)]
pub struct Making {
    /// By which door: [`DeliveryWay::Client`], [`DeliveryWay::Console`] or [`DeliveryWay::Program`]. What a program is called
    /// is told with the record alone.
    pub way: DeliveryWay,
    /// Why, where its maker said so and is not erased.
    pub reason: Option<String>,
    /// Whose value it has, if not one that was sent.
    pub origin: Option<Origin>,
    /// For those who may read the record of its project.
    pub record: Option<MakingRecord>,
}

/// Where the value of a version comes from.
#[derive(Debug)]
pub enum Origin {
    /// From this version of its own secret, with other fields.
    Edited(i64),
    /// From a version of another secret; `None` if the caller may not see that one, or it is purged.
    Promoted(Option<(Box<Secret>, i64)>),
    /// From this version of its own secret, under a new data key.
    Rotated(i64),
}

/// What the record has of it.
#[derive(Debug)]
pub struct MakingRecord {
    /// The event.
    pub event: EventId,
    /// The maker's address.
    pub address: Option<String>,
    /// What the maker's program called itself.
    pub agent: Option<String>,
}

impl Domain {
    /// A version of a secret that the caller may see, and how it came to be.
    pub async fn secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<(Version, Option<Making>), Refused> {
        let secret = self.secret(op, &Address::Id(id)).await?.secret;
        let mut conn = self.store().read().await?;
        let row = rows::version(&mut conn, id, number).await?.ok_or(Refused::NotFound)?;
        drop(conn);
        let version = Version::from_row(row, secret.deletion.is_some())?;
        let making = self.secret_version_making(op, &secret, &version).await?;
        Ok((version, making))
    }

    /// How a version of a secret that the caller may see came to be; `None` if the record does not have it.
    pub async fn secret_version_making(
        &self,
        op: &Op,
        secret: &Secret,
        version: &Version,
    ) -> Result<Option<Making>, Refused> {
        let _permit = self.authorize(op, Action::ViewSecret, &secret.resource()).await?;
        let mut conn = self.store().read().await?;
        let row = event_of(&mut conn, secret.id, version).await?;
        drop(conn);
        let Some(event) = self.told(op, row.into_iter().collect()).await?.pop() else { return Ok(None) };
        let may_audit = self.would(op, Action::ReadAudit, &Resource::Project(secret.project)).await?;
        let text = |field: &str| said(&event, field).map(str::to_owned);
        let way = match DeliveryWay::door(&event) {
            DeliveryWay::Program(_) if !may_audit => DeliveryWay::Program(None),
            way => way,
        };
        let record = may_audit.then(|| MakingRecord {
            event: event.id,
            address: text("address"),
            agent: text("agent"),
        });
        Ok(Some(Making { way, reason: text("reason"), origin: self.origin(op, &event).await?, record }))
    }

    async fn origin(&self, op: &Op, event: &Event) -> Result<Option<Origin>, Refused> {
        let number = |name: &str| fact(event, name).and_then(Value::as_i64);
        if let Some(version) = number("edited_version") {
            return Ok(Some(Origin::Edited(version)));
        }
        if let Some(version) = number("from_version") {
            let from = fact(event, "from").and_then(Value::as_str).and_then(|id| id.parse().ok());
            let seen = match from {
                Some(id) => self.if_seen(op, id).await?,
                None => None,
            };
            return Ok(Some(Origin::Promoted(seen.map(|secret| (Box::new(secret), version)))));
        }
        let rotated = event.action == Action::RotateDataKey.name();
        let before = event.canonical.pointer("/changes/current/from").and_then(Value::as_i64);
        Ok(before.filter(|_| rotated).map(Origin::Rotated))
    }

    /// A secret, if it is there and the caller may see it.
    async fn if_seen(&self, op: &Op, id: SecretId) -> Result<Option<Secret>, Refused> {
        let mut conn = self.store().read().await?;
        let found = find(&mut conn, &Address::Id(id)).await?;
        drop(conn);
        let Some(secret) = found.map(Secret::from_row).transpose()? else { return Ok(None) };
        let may = self.would(op, Action::ViewSecret, &secret.resource()).await?;
        Ok(may.then_some(secret))
    }
}

/// The event that made a version: of its secret, of its instant, and by its id. Many versions may have one instant, where a
/// clock stands still; all of them are gone through.
async fn event_of(conn: &mut Conn, secret: SecretId, version: &Version) -> Result<Option<Found>, Refused> {
    let mut filter = Filter {
        action: Some(MAKING.to_owned()),
        resource: Some(secret.to_string()),
        since: Some(version.created_at),
        until: version.created_at.checked_add_signed(TimeDelta::microseconds(1)),
        ..Filter::default()
    };
    let id = version.id.to_string();
    loop {
        let rows = event::list(conn, &filter, PAGE).await?;
        let last = rows.last().filter(|_| rows.len() == PAGE as usize).map(|row| row.id);
        if let Some(row) = rows.into_iter().find(|row| names(row, &id)) {
            return Ok(Some(row));
        }
        if last.is_none() {
            return Ok(None);
        }
        filter.before = last;
    }
}

/// Whether an event tells of this version.
fn names(row: &Found, version: &str) -> bool {
    let canonical = serde_json::from_slice::<Value>(&row.bytes);
    canonical.is_ok_and(|it| it.pointer("/facts/version_id").and_then(Value::as_str) == Some(version))
}

fn fact<'a>(event: &'a Event, name: &str) -> Option<&'a Value> {
    event.canonical.get("facts")?.get(name)
}
