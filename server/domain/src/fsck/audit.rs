//! Every event's bytes are canonical JSON and say what its columns say; its personal parts open and match its hashes.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use keywarden_model::time::from_micros;
use keywarden_store::fsck::{self, EventColumns, Personal};
use keywarden_vault::DerivingKey;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Findings, PAGE, members, roles};
use crate::audit::{PERSONAL, VERSION, base64, personal_context};
use crate::{Domain, Fault};

/// Subjects whose keys are at hand at once.
const KEYS: usize = 10_000;

/// What became of each subject's key: there, erased, or why it does not open.
#[derive(Default)]
struct Keys(BTreeMap<String, Result<Option<DerivingKey>, String>>);

impl Keys {
    async fn of(
        &mut self,
        domain: &Domain,
        subject: &str,
    ) -> Result<Result<Option<&DerivingKey>, String>, Fault> {
        if !self.0.contains_key(subject) {
            if self.0.len() >= KEYS {
                self.0.clear();
            }
            let found = match domain.subject_key_if_there(subject).await {
                Ok(key) => Ok(key),
                Err(Fault::Store(error)) => return Err(error.into()),
                Err(fault) => Err(fault.to_string()),
            };
            self.0.insert(subject.to_owned(), found);
        }
        Ok(match self.0.get(subject) {
            Some(Ok(key)) => Ok(key.as_ref()),
            Some(Err(says)) => Err(says.clone()),
            None => Ok(None),
        })
    }
}

impl Domain {
    pub(super) async fn check_events(&self, unsealed: bool, findings: &mut Findings) -> Result<(), Fault> {
        let mut after = String::new();
        let mut keys = Keys::default();
        let (mut roles, mut members) = (roles::Told::default(), members::Told::default());
        loop {
            let mut conn = self.store().read().await?;
            let page = fsck::events(&mut conn, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            let mut parts: BTreeMap<String, Vec<Personal>> = BTreeMap::new();
            if unsealed {
                for part in fsck::personal(&mut conn, &after, &last.id).await? {
                    parts.entry(part.event_id.clone()).or_default().push(part);
                }
            }
            drop(conn);
            after.clone_from(&last.id);
            for row in page {
                findings.events = findings.events.saturating_add(1);
                match canonical(&row) {
                    Err(says) => findings.found("event-bytes", &row.id, says),
                    Ok(event) => {
                        roles.note(&row, &event);
                        members.note(&row, &event);
                        if let Some(column) = differing(&row, &event) {
                            let says = format!("says another `{column}` in its bytes than in its column");
                            findings.found("event-column", &row.id, says);
                        }
                        if unsealed {
                            let parts = parts.remove(&row.id).unwrap_or_default();
                            self.check_personal(&row.id, &event, &parts, &mut keys, findings).await?;
                        }
                    }
                }
            }
        }
        self.check_roles(&roles, findings).await?;
        self.check_members(&members, findings).await
    }

    async fn check_personal(
        &self,
        id: &str,
        event: &Value,
        parts: &[Personal],
        keys: &mut Keys,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        let Ok(event_id) = id.parse() else { return Ok(()) }; // told as a differing column
        let hashed = event.get("personal").and_then(Value::as_object).cloned().unwrap_or_default();
        for part in parts {
            let says = match keys.of(self, &part.subject_id).await? {
                Ok(Some(key)) => {
                    findings.opened = findings.opened.saturating_add(1);
                    let context = personal_context(event_id, &part.subject_id);
                    compare(key, &context, &part.sealed, hashed.get(&part.subject_id)).err()
                }
                Ok(None) => None, // erased: hashes alone are left
                Err(says) => Some(says),
            };
            if let Some(says) = says {
                findings.found("event-personal", format!("{id} {}", part.subject_id), says);
            }
        }
        for subject in hashed.keys().filter(|subject| !parts.iter().any(|part| part.subject_id == **subject))
        {
            if matches!(keys.of(self, subject).await?, Ok(Some(_))) {
                let says = "has hashes of a personal part that is not there";
                findings.found("event-personal", format!("{id} {subject}"), says);
            }
        }
        Ok(())
    }
}

fn canonical(row: &EventColumns) -> Result<Value, String> {
    let event: Value = serde_json::from_slice(&row.bytes).map_err(|cause| format!("is not JSON: {cause}"))?;
    let again = serde_jcs::to_vec(&event).map_err(|cause| format!("has no canonical form: {cause}"))?;
    if again != row.bytes {
        return Err("is not in its canonical form (RFC 8785)".into());
    }
    Ok(event)
}

/// The first column that the bytes contradict.
fn differing(row: &EventColumns, event: &Value) -> Option<&'static str> {
    let at = from_micros(row.at).to_rfc3339_opts(SecondsFormat::Micros, true);
    let said: [(&'static str, &str, Option<&str>); 11] = [
        ("id", "/id", Some(&row.id)),
        ("at", "/at", Some(&at)),
        ("action", "/action", Some(&row.action)),
        ("outcome", "/outcome", Some(&row.outcome)),
        ("actor_kind", "/actor/kind", Some(&row.actor_kind)),
        ("actor_id", "/actor/id", Some(&row.actor_id)),
        ("resource_kind", "/resource/kind", Some(&row.resource_kind)),
        ("resource_id", "/resource/id", Some(&row.resource_id)),
        ("project_id", "/resource/project", row.project_id.as_deref()),
        ("request_id", "/request", Some(&row.request_id)),
        ("session_id", "/actor/session", row.session_id.as_deref()),
    ];
    let version = event.get("v").and_then(Value::as_u64);
    if version != Some(VERSION.into()) {
        return Some("version");
    }
    said.into_iter()
        .find(|(_, pointer, column)| event.pointer(pointer).and_then(Value::as_str) != *column)
        .map(|(name, ..)| name)
}

/// Opens a personal part and compares each field with the event's salted hash of it.
fn compare(key: &DerivingKey, context: &[u8], sealed: &[u8], hashed: Option<&Value>) -> Result<(), String> {
    let opened = key.open(PERSONAL, context, sealed).map_err(|cause| format!("does not open: {cause}"))?;
    let fields: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(opened.expose()).map_err(|_| "holds no fields".to_owned())?;
    let hashes: BTreeMap<String, String> =
        hashed.and_then(|it| serde_json::from_value(it.clone()).ok()).unwrap_or_default();
    if fields.keys().ne(hashes.keys()) {
        return Err("has other fields than the event has hashes".into());
    }
    for (field, parts) in &fields {
        let (Some(salt), Some(value)) = (parts.get("salt"), parts.get("value")) else {
            return Err(format!("has no salt or value in `{field}`"));
        };
        let salt = base64_bytes(salt).ok_or_else(|| format!("has a malformed salt in `{field}`"))?;
        let digest = Sha256::new().chain_update(salt).chain_update(value).finalize();
        if hashes.get(field) != Some(&base64(&digest)) {
            return Err(format!("differs from the event's hash in `{field}`"));
        }
    }
    Ok(())
}

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    use ::base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).ok()
}
