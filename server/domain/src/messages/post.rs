//! A message as a post: a CloudEvent that is signed as Standard Webhooks has it, or JSON that Slack takes.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_model::MessageId;
use keywarden_model::time::from_micros;
use keywarden_store::messages::Row;
use keywarden_vault::{SecretString, WebhookSecret};
use serde_json::{Value, json};

use super::carry::HookPost;
use super::words::Words;

/// What is told without the project that it is about: it may be hidden from whoever reads it. The request leads there.
const NOWHERE: [&str; 3] = ["access.deny", "access.edit", "access.expire"];

/// The message as a CloudEvent 1.0, in structured mode.
pub(super) fn cloud_event(
    message: &Row,
    words: &Words,
    names: &BTreeMap<String, String>,
    origin: &str,
) -> Vec<u8> {
    let named = |kind: &str, id: &str| json!({ "kind": kind, "id": id, "name": names.get(id) });
    let project = message.project_id.as_deref().filter(|_| !NOWHERE.contains(&message.event.as_str()));
    let facts: Value = serde_json::from_str(&message.facts).unwrap_or_default();
    let event = json!({
        "specversion": "1.0",
        "id": message.id,
        "source": origin,
        "type": format!("dev.keywarden.{}.v1", message.event),
        "subject": message.resource_id,
        "time": from_micros(message.at).to_rfc3339_opts(SecondsFormat::Micros, true),
        "datacontenttype": "application/json",
        "data": {
            "kind": message.kind,
            "event": message.event_id,
            "actor": named(&message.actor_kind, &message.actor_id),
            "resource": named(&message.resource_kind, &message.resource_id),
            "project": project,
            "facts": facts,
            "title": words.subject,
            "text": words.sentences.join(" "),
            "url": words.url,
        },
    });
    event.to_string().into_bytes()
}

/// The body with its signature by each secret; `None` where one of them is none.
pub(super) fn signed(
    id: MessageId,
    body: Vec<u8>,
    url: SecretString,
    secrets: &[SecretString],
    now: DateTime<Utc>,
) -> Option<HookPost> {
    let (id, timestamp) = (id.to_string(), now.timestamp());
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        signatures.push(WebhookSecret::parse(secret.expose()).ok()?.sign(&id, timestamp, &body));
    }
    if signatures.is_empty() {
        return None;
    }
    let headers = vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ];
    Some(HookPost { url, headers, content_type: "application/cloudevents+json", body })
}

/// JSON for Slack's incoming webhooks.
pub(super) fn slack(words: &Words, url: SecretString) -> HookPost {
    let said = words.sentences.iter().map(|it| slack_text(it)).collect::<Vec<_>>().join("\n");
    let text = format!("*{}*\n{said}\n<{}|Open it in Keywarden>", slack_text(&words.subject), words.url);
    let body = json!({ "text": text }).to_string().into_bytes();
    HookPost { url, headers: Vec::new(), content_type: "application/json", body }
}

/// As Slack wants text that is nothing else: no link, no mention of everybody.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thing_is_called_mentions_nobody_in_slack() {
        let words = Words {
            subject: "The API key <!channel> expires".into(),
            sentences: vec!["<https://evil.example|look> & *bold*".into()],
            url: "https://keys.example.com/keys/key_1".into(),
        };
        let post = slack(&words, SecretString::new("https://hooks.example".into()));
        let body: Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!(
            body["text"],
            "*The API key &lt;!channel&gt; expires*\n&lt;https://evil.example|look&gt; &amp; *bold*\n\
             <https://keys.example.com/keys/key_1|Open it in Keywarden>"
        );
    }
}
