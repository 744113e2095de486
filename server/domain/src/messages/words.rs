//! A message in words: one subject, a few sentences, and where to look. Names are taken as they are called today.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_store::messages::Row;
use serde_json::Value;

use super::table::{instant, number};

/// A message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// One line.
    pub(super) subject: String,
    /// One sentence each.
    pub(super) sentences: Vec<String>,
    /// The console's page about it.
    pub(super) url: String,
}

impl Words {
    /// Those of a message.
    pub(super) fn of(message: &Row, names: &BTreeMap<String, String>, origin: &str) -> Self {
        let facts: Value = serde_json::from_str(&message.facts).unwrap_or_default();
        let (subject, sentences, path) = said(message, &facts, names);
        let subject = one_line(&subject);
        Self {
            subject,
            sentences: sentences.iter().map(|it| one_line(it)).collect(),
            url: format!("{origin}{path}"),
        }
    }
}

/// Whoever reads a message has proven nothing.
const NOT_HERE: &str = "Open Keywarden to see it: nothing can be decided from here.";

type Said = (String, Vec<String>, String);

fn said(message: &Row, facts: &Value, names: &BTreeMap<String, String>) -> Said {
    let name = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let thing = name(&message.resource_id);
    let person = facts.get("user").and_then(Value::as_str).unwrap_or(&message.resource_id).to_owned();
    let at = moment(from_micros(message.at));
    let account = |what: &str| {
        let who = name(&person);
        let sentence = format!("{what} the account of {who} at {at}.");
        let check = "If nobody meant to do that, somebody else may be in the account: deactivate it and look at the record.";
        (
            format!("{what} the account of {who}"),
            vec![sentence, check.to_owned()],
            format!("/people/{person}"),
        )
    };
    let request = facts.get("request").and_then(Value::as_str).unwrap_or(&message.resource_id);
    let role = facts.get("role").and_then(Value::as_str).unwrap_or("a role");
    // Whoever was told no, or nothing, may not know that there is such a place: it is named to those alone who may answer, and to
    // those who held the role.
    let place = message.project_id.as_deref().map_or_else(|| "the organization".to_owned(), name);
    let access = |subject: String, sentence: String| {
        (subject, vec![sentence, NOT_HERE.to_owned()], format!("/access/requests/{request}"))
    };
    match message.event.as_str() {
        "access.deny" => access(
            "A request for access was denied".into(),
            format!("It was denied at {at}. What was said about it stands on its page."),
        ),
        "access.edit" => access(
            format!("A request for access in {place} was changed"),
            format!("It was changed at {at}. What was signed before counts no more, and it waits for your answer."),
        ),
        "access.end" => access(
            format!("The role that was asked for in {place} has ended"),
            format!("Its time was over at {at}."),
        ),
        "access.expire" => access(
            "Nobody answered a request for access".into(),
            format!("It was open until {at}. Ask again if the role is still needed."),
        ),
        "access.grant" => access(
            format!("A request for {role} in {place} was approved"),
            format!("The role is held until {}.", instant(facts, "ends_at").map(moment).unwrap_or_default()),
        ),
        "access.request" => access(
            format!("Somebody asks for {role} in {place}"),
            format!("It waits for your answer until {}.", instant(facts, "expires_at").map(moment).unwrap_or_default()),
        ),
        "access.revoke" => access(
            format!("The role that was asked for in {place} was taken back"),
            format!("It was taken back at {at}."),
        ),
        "passkey.add" => account("A passkey was added to"),
        "passkey.remove" => account("A passkey was removed from"),
        "recovery-codes.renew" => account("New recovery codes were made for"),
        "recovery.use-code" => account("A recovery code let somebody into"),
        "recovery.use-link" => account("A recovery link let somebody into"),
        "backup.drill-failed" => (
            "A drill of the newest backup failed".into(),
            vec![format!("The newest backup was restored for a look at {at}, and was not as it must be."), "Make another backup, and look at what the drill's report says.".into()],
            "/system".into(),
        ),
        "backup.failed" => (
            "A backup was not made".into(),
            vec![format!("The backup that was due at {at} was not made."), "It is tried again by itself; the server's log says why it failed.".into()],
            "/system".into(),
        ),
        "channel.test" => (
            // Whoever made it named it, and chose to whom it goes.
            "A test of a channel".into(),
            vec![format!("Somebody wanted to see at {at} whether this channel works. It does.")],
            "/notices".into(),
        ),
        "key.expires-soon" => {
            let expires = instant(facts, "expires_at").map(moment).unwrap_or_default();
            let within = match number(facts, "days") {
                1 => "within a day".to_owned(),
                days => format!("within {days} days"),
            };
            (
                format!("The API key {thing} expires {within}"),
                vec![format!("The API key {thing} stops working at {expires}."), "Rotate it or give it a later end while its callers still work.".into()],
                format!("/keys/{}", message.resource_id),
            )
        }
        "key.old-value-in-use" => (
            format!("The old value of the API key {thing} is still used"),
            vec![
                format!("The API key {thing} was rotated, and its old value was used within the last day. It stops at {}.", instant(facts, "stops_at").map(moment).unwrap_or_default()),
                "Move its callers to the new value, or let the old one work longer.".into(),
            ],
            format!("/keys/{}", message.resource_id),
        ),
        "refusals.count" => {
            let who = if message.resource_kind == "organization" { "strangers".to_owned() } else { thing };
            let times = number(facts, "times");
            (
                format!("{times} requests of {who} were refused"),
                vec![format!("Within a minute before {at}, {times} requests of {who} were refused."), "Somebody may be trying what they are not allowed, or a program may be set up wrong.".into()],
                "/audit?action=refusals.count".into(),
            )
        }
        "seal.answers" => (
            "The HSM answers again".into(),
            vec![format!("Since {at} a seal that unwraps the house's keys answers again.")],
            "/system".into(),
        ),
        "seal.silent" => (
            "The HSM does not answer".into(),
            vec![format!("No seal that unwraps the house's keys has answered since before {at}."), "The server works on for a while by what it holds in memory, and then refuses until one answers.".into()],
            "/system".into(),
        ),
        event => (
            format!("{event}: {thing}"),
            vec![format!("{event} was done to {thing} at {at}."), NOT_HERE.to_owned()],
            "/notices".into(),
        ),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%d %b %Y %H:%M UTC").to_string()
}

/// Names hold no line breaks, and no header would take one: this is for whatever else might ever hold some.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use keywarden_model::{MessageId, TypedId as _};

    use super::*;

    #[test]
    fn whatever_a_thing_is_called_its_subject_is_one_line() {
        let message = Row {
            id: MessageId::from_parts(DateTime::UNIX_EPOCH, 1),
            kind: "key-expiry".into(),
            event_id: "evt_1".into(),
            event: "key.expires-soon".into(),
            actor_kind: "system".into(),
            actor_id: "watch".into(),
            resource_kind: "key".into(),
            resource_id: "key_1".into(),
            project_id: None,
            facts: r#"{"days":7,"expires_at":"2027-01-15T08:00:00.000000Z"}"#.into(),
            at: 1_799_500_000_000_000,
        };
        let names =
            BTreeMap::from([("key_1".to_owned(), "pay\r\nBcc: mallory@example.com\u{2028}x".to_owned())]);
        let words = Words::of(&message, &names, "https://keys.example.com");
        assert_eq!(words.subject, "The API key pay  Bcc: mallory@example.com x expires within 7 days");
        assert_eq!(
            words.sentences[0],
            "The API key pay  Bcc: mallory@example.com x stops working at 15 Jan 2027 08:00 UTC."
        );
        assert_eq!(words.url, "https://keys.example.com/keys/key_1");
    }
}
