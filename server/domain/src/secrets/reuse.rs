//! Reuse: which other secrets have a secret's value, and whether a new version has that of an earlier one.
//!
//! Told by keyed fingerprints, of values that nobody could guess, to whoever may read both secrets. To see them is not enough:
//! whoever knows one value, because they put it or may read it, would learn the other. By guess after guess that would be
//! [`Domain::check_fingerprint`] without its permission and its count. Who may read both learns what two readings would say,
//! so that nothing is counted here.
//!
//! The current value is opened in here, to know that it could not be guessed and for its fingerprints under every key of them:
//! a version keeps the one of its day. It goes to nobody, so that no reading is told. Whoever may put may read and see, so
//! that of a secret's own versions there is no further question.

use keywarden_model::SecretId;
use keywarden_store::Conn;
use keywarden_store::secrets::fingerprints;
use keywarden_vault::{Keyring, SecretBytes};

use super::held::{Held, tags};
use super::read::{Which, meant, open};
use super::secret::Address;
use super::value::NewValue;
use crate::keys::strong;
use crate::{Action, Domain, Fault, Op, Refused};

/// Bytes of the longest value that something is told of, with the end of its line.
const LONGEST: i64 = 514;

impl Domain {
    /// The other secrets that hold a secret's current value, or held it, as far as the caller may read them. None to whoever
    /// may only see the secret, of a value that could be guessed, of a template, and of a secret that is deleted or has
    /// nothing current.
    pub async fn secret_reuse(&self, op: &Op, id: SecretId) -> Result<Vec<Held>, Refused> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let _permit = self.authorize(op, Action::ViewSecret, &resource).await?;
        if !self.would(op, Action::ReadSecret, &resource).await? {
            return Ok(Vec::new());
        }
        let mut conn = self.store().read().await?;
        let (secret, version) = match meant(&mut conn, &resource, &Which::default()).await {
            Err(Refused::NotFound) => return Ok(Vec::new()),
            found => found?,
        };
        if version.template || version.size > LONGEST {
            return Ok(Vec::new());
        }
        let value = open(&mut conn, self.keyring(), &secret, &version).await?;
        drop(conn);
        let Some(value) = value.as_ref().and_then(telling) else { return Ok(Vec::new()) };
        let mut held = self.holding(op, value, Action::ReadSecret).await?;
        held.retain(|it| it.secret.id != id);
        Ok(held)
    }
}

/// The newest version of a secret that has this value and is not destroyed.
pub(super) async fn same_as(
    conn: &mut Conn,
    keyring: &Keyring,
    secret: SecretId,
    value: &NewValue,
) -> Result<Option<i64>, Fault> {
    if value.is_template() {
        return Ok(None);
    }
    let Some(value) = telling(value.bytes()) else { return Ok(None) };
    let tags: Vec<_> = tags(keyring, value)?.into_iter().map(|(_, tag)| tag).collect();
    Ok(fingerprints::newest_with(conn, secret, &tags).await?)
}

/// The value without its line's end, if it is one that nobody could guess.
fn telling(value: &SecretBytes) -> Option<&str> {
    std::str::from_utf8(value.expose()).ok().map(str::trim).filter(|it| strong(it))
}
