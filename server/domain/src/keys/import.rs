//! Taking in values that callers already hold, so that a company can move in without changing its callers.
//!
//! Such a value has no public part to be found by: a keyed fingerprint of its SHA-256 stands in. Its hash is taken over
//! the SHA-256 too, so that a list of digests is enough to move in. It works until its last day; a rotation gives the
//! key a value of our own, and callers leave over the drain board.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyValueId};
use keywarden_store::keys::{self as rows, ValueInsert};
use keywarden_store::{StoreError, Written};
use keywarden_vault::token::PublicId;
use keywarden_vault::{Keyring, Purpose, Sealed, SecretString};
use sha2::{Digest, Sha256};

use super::issue::{NewKey, insert_key, told};
use super::terms::{TermError, Terms, latest_expiry};
use crate::refused::carries_refused;
use crate::standards::InForce;
use crate::{Action, Domain, Fault, Op, Refused, Resource, owner};

/// Shorter values can be guessed from their SHA-256.
const SHORTEST: usize = 16;
/// Longer ones are no keys.
const LONGEST: usize = 512;
/// Fewer distinct characters than this are no secret.
const DISTINCT: usize = 8;

/// What is known of the value.
#[derive(Debug)]
pub enum ImportedValue {
    /// Its SHA-256 in 64 hexadecimal digits.
    Sha256(String),
    /// The value itself.
    Value(SecretString),
}

/// A key that callers already hold.
#[derive(Debug)]
pub struct ImportKey {
    /// What the key is; its expiry is that of the key, beyond the imported value's last day.
    pub key: NewKey,
    /// Its value.
    pub value: ImportedValue,
    /// When the imported value stops: by then its callers must have left.
    pub last_day: DateTime<Utc>,
}

/// Why nothing was taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Keywarden keeps this value already, for this key or another.
    #[error("this value is known already")]
    Known,
    /// The last day is over, or after the key's expiry.
    #[error("the last day must lie ahead, and not after the key's expiry")]
    LastDay,
    /// Not 64 hexadecimal digits.
    #[error("a SHA-256 has 64 hexadecimal digits")]
    Malformed,
    /// Nobody was named, and the team `operators` cannot be made because another one has its name.
    #[error("name an owner: a team or a person")]
    NoOwner,
    /// It looks like a value of Keywarden's own.
    #[error("this looks like a value that Keywarden makes: it cannot be imported")]
    Ours,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The terms do not stand.
    #[error(transparent)]
    Terms(#[from] TermError),
    /// It could be guessed.
    #[error("a value needs {SHORTEST} to {LONGEST} visible ASCII characters, {DISTINCT} of them different")]
    Weak,
}
carries_refused!(ImportError);

/// How an imported value is found and proven.
pub(super) struct Fingerprints {
    /// Under each key of the purpose, newest first.
    pub(super) ids: Vec<PublicId>,
    /// What the tag is taken over.
    pub(super) material: Vec<u8>,
}

/// Whether a text that was shown can be an imported value at all.
pub(super) fn may_be_imported(text: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

pub(super) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(super) fn fingerprints(keyring: &Keyring, digest: &[u8; 32]) -> Result<Fingerprints, Sealed> {
    // Bound to their use: these bytes are tags of nothing else.
    let material = [b"imported-api-key\0".as_slice(), digest].concat();
    let tags = keyring.macs(Purpose::Fingerprint, &material)?;
    Ok(Fingerprints { ids: tags.iter().map(|(_, tag)| PublicId::of_tag(tag)).collect(), material })
}

/// Whether nobody could guess it.
pub(crate) fn strong(text: &str) -> bool {
    let distinct = text.bytes().collect::<std::collections::BTreeSet<_>>().len();
    may_be_imported(text) && distinct >= DISTINCT
}

fn looks_like_ours(text: &str) -> bool {
    ["kwk_", "kws_", "kwt_"].iter().any(|prefix| text.starts_with(prefix))
}

impl ImportedValue {
    /// The value itself, taken over.
    pub fn value(text: String) -> Self {
        Self::Value(SecretString::new(text))
    }

    fn digest(&self) -> Result<[u8; 32], ImportError> {
        match self {
            Self::Sha256(text) => {
                let mut digest = [0; 32];
                hex::decode_to_slice(text.trim(), &mut digest).map_err(|_| ImportError::Malformed)?;
                Ok(digest)
            }
            Self::Value(value) if looks_like_ours(value.expose()) => Err(ImportError::Ours),
            Self::Value(value) if !strong(value.expose()) => Err(ImportError::Weak),
            Self::Value(value) => Ok(digest(value.expose())),
        }
    }
}

impl Domain {
    /// Takes in a key with a value that callers hold already.
    pub async fn import_key(&self, op: &Op, import: ImportKey) -> Result<ApiKeyId, ImportError> {
        let place = self.place(&import.key.place).await?;
        let resource = Resource::Environment { id: place.environment_id, project: place.project_id };
        // Whether a value is known is told only to who may import: so first the permit, in `change`.
        let digest = import.value.digest();
        let new = import.key;
        let owner = owner::named_or_asking(new.owner, &op.actor);
        let id: ApiKeyId = self.fresh(op);
        let value: KeyValueId = self.fresh(op);
        let (keyring, mac_key) = (Arc::clone(self.keyring()), self.shared_key(Purpose::ApiKeyMac).await?);
        // Found on every node, too: one that lacks the newest key looks for the tags that it can compute.
        let print_key = self.shared_key(Purpose::Fingerprint).await?;
        let (by, last_day) = (op.actor.id(), import.last_day);
        let prepared = Arc::new((new, digest));
        self.change(op, Action::ImportKey, &resource, &[], move |tx, record| {
            let (prepared, keyring, by) = (Arc::clone(&prepared), Arc::clone(&keyring), by.clone());
            let environment = place.environment_id;
            Box::pin(async move {
                let (new, digest) = &*prepared;
                let digest = match digest {
                    Ok(digest) => *digest,
                    Err(ImportError::Malformed) => return Err(ImportError::Malformed),
                    Err(ImportError::Ours) => return Err(ImportError::Ours),
                    Err(_) => return Err(ImportError::Weak),
                };
                let now = record.now();
                let place = rows::place(tx, environment).await?.ok_or(Refused::NotFound)?;
                if place.archived_at.is_some() {
                    return Err(ImportError::Archived);
                }
                let (owner, made) =
                    owner::settle(tx, &record, owner, id).await?.ok_or(ImportError::NoOwner)?;
                let held = InForce::of(tx, place.project_id, &place.slug, &place.label).await?;
                let longest = held.longest(place.max_lifetime_seconds);
                let expires_at = new.expires_at.or_else(|| latest_expiry(now, longest));
                let terms = Terms::of(new, owner, expires_at);
                terms.check_times(now, place.max_lifetime_seconds, now)?;
                held.hold_key(None, &terms.stand(now), now).map_err(TermError::Standard)?;
                if last_day <= now || terms.expires_at.is_some_and(|end| end < last_day) {
                    return Err(ImportError::LastDay);
                }
                terms.check_owner(tx).await??;
                let prints = fingerprints(&keyring, &digest).map_err(Fault::from)?;
                for public_id in &prints.ids {
                    if rows::value_by_public_id(tx, public_id.as_str()).await?.is_some() {
                        return Err(ImportError::Known);
                    }
                }
                let print = keyring.mac_under(Purpose::Fingerprint, print_key, &prints.material);
                let print = print.map_err(Fault::from)?.ok_or(Fault::KeyAway(print_key))?;
                let public_id = PublicId::of_tag(&print);
                insert_key(tx, id, &place, &terms, true, &record, &by).await??;
                let mac = keyring.mac_under(Purpose::ApiKeyMac, mac_key, &prints.material);
                let mac = mac.map_err(Fault::from)?.ok_or(Fault::KeyAway(mac_key))?;
                let row = ValueInsert {
                    id: value,
                    key: id,
                    public_id: public_id.as_str(),
                    label: "",
                    imported: true,
                    mac_key,
                    mac,
                    created_at: now,
                    created_by: &by,
                    stops_at: Some(last_day),
                };
                rows::insert_value(tx, &row).await.map_err(|error| match error {
                    StoreError::Conflict(_) => ImportError::Known,
                    other => other.into(),
                })?;
                let event = told(&record, Action::ImportKey, id, &terms)
                    .project(place.project_id)
                    .fact("environment", place.environment_id)
                    .fact("value", value)
                    .fact("last_day", last_day);
                Ok(Written::new(id, event.finish()?).and_all(made))
            })
        })
        .await
    }
}
