//! To whom the value of a secret went lately, by which way, and in which version.

use chrono::{DateTime, Utc};
use keywarden_model::SecretId;
use keywarden_model::time::from_micros;
use keywarden_store::event;
use serde_json::Value;

use super::secret::Address;
use crate::audit::{Event, HOUSE};
use crate::{Action, Domain, Op, Refused, Resource};

/// Events of a secret that are looked through, the newest first.
const WINDOW: i64 = 2_000;
/// Readers that are told.
const MOST: i64 = 50;
/// What a value goes out by: with one's own role, and by a link.
const READINGS: [&str; 2] = ["secret.read", "secret.open-share"];

/// The last reading of each who read a secret lately.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// The newest first, at most 50, of the last 2 000 events of the secret.
    pub last: Vec<Delivery>,
    /// There may be others: 50 are told.
    pub more: bool,
    /// Where the secret has more events than that: when the oldest of those that were looked through was.
    pub since: Option<DateTime<Utc>>,
}

/// A reading that was not followed by another one of the same reader.
#[derive(Debug)]
pub struct Delivery {
    /// Its event, which names the reader.
    pub event: Event,
    /// The version that went out.
    pub version: i64,
    /// By which way.
    pub way: DeliveryWay,
}

/// How a value went out. What a program is called is its own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryWay {
    /// The client, by a command of this name: `run`.
    Client(String),
    /// Pages of the console.
    Console,
    /// A file of values.
    File,
    /// A link, opened once.
    Link,
    /// Pages of the console, and no value: the names of its fields alone.
    Names,
    /// The API, by a program that calls itself so.
    Program(Option<String>),
    /// Put into another environment.
    Promotion,
    /// Within the value of another secret, a template.
    Template,
}

impl Domain {
    /// Who read a secret lately, for those who may read the record of its project.
    pub async fn secret_deliveries(&self, op: &Op, id: SecretId) -> Result<Deliveries, Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let _seen = self.authorize(op, Action::ViewSecret, &resource).await?;
        let project = resource.project().ok_or(Refused::NotFound)?;
        let _permit = self.authorize(op, Action::ReadAudit, &Resource::Project(project)).await?;
        let mut conn = self.store().read().await?;
        let thing = id.to_string();
        let found = event::last_of_each(&mut conn, &thing, &READINGS, WINDOW, MOST).await?;
        let since = event::window_began(&mut conn, &thing, WINDOW).await?.map(from_micros);
        drop(conn);
        let more = i64::try_from(found.len()).is_ok_and(|found| found >= MOST);
        let events = self.told(op, found).await?;
        let last = events.into_iter().filter_map(|event| {
            let version = event.canonical.pointer("/facts/version").and_then(Value::as_i64)?;
            Some(Delivery { way: DeliveryWay::of(&event), version, event })
        });
        Ok(Deliveries { last: last.collect(), more, since })
    }
}

impl DeliveryWay {
    fn of(event: &Event) -> Self {
        let facts = event.canonical.get("facts");
        let fact = |name: &str| facts.and_then(|it| it.get(name));
        if event.action == "secret.open-share" {
            return Self::Link;
        }
        if fact("promoted_to").is_some() {
            return Self::Promotion;
        }
        if fact("for").is_some() {
            return Self::Template;
        }
        match fact("part").and_then(Value::as_str) {
            Some("file") => return Self::File,
            Some("names") => return Self::Names,
            _ => {}
        }
        Self::door(event)
    }

    /// By which door the actor came: the client, the console or the API.
    pub(super) fn door(event: &Event) -> Self {
        let is_person = event.actor.0 == "person";
        match said(event, "agent").map(|it| (it, command(it))) {
            Some((_, Some(command))) => Self::Client(command.to_owned()),
            Some((agent, None)) if is_person && agent.starts_with("Mozilla/") => Self::Console,
            None if is_person => Self::Console,
            agent => Self::Program(agent.map(|(agent, _)| agent.to_owned())),
        }
    }
}

/// What an event tells of its actor: the house keeps what is told of those whom it does not know.
pub(super) fn said<'a>(event: &'a Event, field: &str) -> Option<&'a str> {
    let told = event.personal.get(&event.actor.1).or_else(|| event.personal.get(HOUSE));
    told.and_then(|fields| fields.get(field)).map(String::as_str)
}

/// `run` of `keywarden/1.2.3 (run)`.
fn command(agent: &str) -> Option<&str> {
    let (program, command) = agent.split_once(" (")?;
    program.starts_with("keywarden/").then(|| command.strip_suffix(')')).flatten()
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn only_the_client_names_its_command() {
        assert_eq!(command("keywarden/1.2.3 (run)"), Some("run"));
        for other in ["keywarden/1.2.3", "curl/8.5.0", "Mozilla/5.0 (X11)", "keywarden/1.2.3 (run"] {
            assert_eq!(command(other), None, "{other}");
        }
    }
}
