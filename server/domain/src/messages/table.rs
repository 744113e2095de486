//! Which events are told, as what, and whom they concern. Pure: a name in, a row out.

use chrono::{DateTime, Utc};
use keywarden_model::MessageKind;
use keywarden_model::time::micros;
use serde_json::Value;

/// Whom an event concerns, beside the organization's channels that listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Those who could approve the request that it is about, as things are when it is told.
    Approvers,
    /// Whoever asked for the role that it is about, and whoever is to hold it.
    Askers,
    /// The one channel that the event is about.
    Channel,
    /// Whose the key is that it is about: a person, or everybody of a team.
    KeyOwner,
    /// Everybody who is an owner.
    Owners,
    /// The person that it is about: the event's thing, or its fact `user`.
    Person,
}

/// How an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// The event's name.
    event: &'static str,
    /// As what.
    pub(super) kind: MessageKind,
    /// Whom.
    pub(super) whom: &'static [Whom],
    /// Whether a notice is made of it. What happens to accounts writes its own, in words of its own.
    pub(super) bell: bool,
}

const fn told(event: &'static str, kind: MessageKind, whom: &'static [Whom]) -> Told {
    Told { event, kind, whom, bell: true }
}

/// What has written its notices already.
const fn noticed(event: &'static str, kind: MessageKind, whom: &'static [Whom]) -> Told {
    Told { event, kind, whom, bell: false }
}

const TABLE: [Told; 20] = [
    told("access.deny", MessageKind::Access, &[Whom::Askers]),
    told("access.edit", MessageKind::Access, &[Whom::Approvers]),
    told("access.end", MessageKind::Access, &[Whom::Askers]),
    told("access.expire", MessageKind::Access, &[Whom::Askers]),
    told("access.grant", MessageKind::Access, &[Whom::Askers]),
    told("access.request", MessageKind::Access, &[Whom::Approvers]),
    told("access.revoke", MessageKind::Access, &[Whom::Askers]),
    told("backup.drill-failed", MessageKind::Backup, &[Whom::Owners]),
    told("backup.failed", MessageKind::Backup, &[Whom::Owners]),
    noticed("channel.test", MessageKind::Test, &[Whom::Channel]),
    told("key.expires-soon", MessageKind::KeyExpiry, &[Whom::KeyOwner]),
    told("key.old-value-in-use", MessageKind::Rotation, &[Whom::KeyOwner]),
    noticed("passkey.add", MessageKind::Account, &[Whom::Person]),
    noticed("passkey.remove", MessageKind::Account, &[Whom::Person]),
    noticed("recovery-codes.renew", MessageKind::Account, &[Whom::Person]),
    noticed("recovery.use-code", MessageKind::Account, &[Whom::Person, Whom::Owners]),
    noticed("recovery.use-link", MessageKind::Account, &[Whom::Person, Whom::Owners]),
    told("refusals.count", MessageKind::Refusals, &[Whom::Owners]),
    told("seal.answers", MessageKind::Seal, &[Whom::Owners]),
    told("seal.silent", MessageKind::Seal, &[Whom::Owners]),
];

/// Fewer refusals in a minute are everyday.
const REFUSALS: i64 = 20;

/// The row of an event, if it is told.
pub(super) fn row(event: &str) -> Option<&'static Told> {
    TABLE.iter().find(|row| row.event == event)
}

/// Whether this one is worth telling, by its facts.
pub(super) fn is_worth_it(event: &str, facts: &Value) -> bool {
    event != "refusals.count" || number(facts, "times") >= REFUSALS
}

/// What must be told once only: the second time is the same thing.
pub(super) fn once(event: &str, resource: &str, at_hour: i64, facts: &Value) -> Option<String> {
    match event {
        // However often it is edited.
        "access.edit" => Some(format!("access-edit:{resource}:{at_hour}")),
        "backup.failed" => Some(format!("backup-failed:{}", at_hour.div_euclid(24))),
        "key.expires-soon" => {
            let at = instant(facts, "expires_at").map(micros).unwrap_or_default();
            Some(format!("expiry:{resource}:{at}:{}", number(facts, "days")))
        }
        "key.old-value-in-use" => {
            Some(format!("old-value:{}", facts.get("value").and_then(Value::as_str).unwrap_or(resource)))
        }
        "refusals.count" => Some(format!("refusals:{resource}:{at_hour}")),
        "seal.silent" => Some(format!("seal-silent:{at_hour}")),
        _ => None,
    }
}

/// An instant among an event's facts.
pub(super) fn instant(facts: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = facts.get(name)?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// A number among an event's facts.
pub(super) fn number(facts: &Value, name: &str) -> i64 {
    facts.get(name).and_then(Value::as_i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::EventKind;

    #[test]
    fn every_event_that_is_told_is_one_that_there_is() {
        for row in &TABLE {
            assert!(EventKind::named(row.event).is_some(), "{}", row.event);
        }
        assert!(TABLE.is_sorted_by_key(|row| row.event));
    }

    #[test]
    fn a_few_refusals_are_everyday_and_many_are_told_once_an_hour() {
        assert!(!is_worth_it("refusals.count", &json!({ "times": 19 })));
        assert!(is_worth_it("refusals.count", &json!({ "times": 20 })));
        assert!(is_worth_it("passkey.add", &json!({})));
        let once_at = |hour| once("refusals.count", "usr_1", hour, &json!({}));
        assert_eq!(once_at(5), once_at(5));
        assert_ne!(once_at(5), once_at(6));
        assert_eq!(once("passkey.add", "psk_1", 5, &json!({})), None);
    }
}
