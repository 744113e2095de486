//! What serves once, and of which the store keeps a keyed hash: values in links, and codes beside them.

use keywarden_model::KeyringKeyId;
use keywarden_vault::token::{self, Kind};
use keywarden_vault::{Keyring, Purpose, SecretString};

use crate::{Domain, Fault};

/// A fresh value, with what its row holds of it.
pub(crate) struct Drawn {
    /// The whole value: `kwt_invite_…`.
    pub(crate) value: SecretString,
    /// The part that finds the row.
    pub(crate) public_id: String,
    /// The keyring's key of the tag.
    pub(crate) mac_key_id: String,
    /// The tag.
    pub(crate) mac: [u8; 32],
}

impl Domain {
    /// Draws a value with this label in it, under a key that every node can prove it by.
    pub(crate) async fn draw_one_time(&self, label: &str) -> Result<Drawn, Fault> {
        let key = self.shared_key(Purpose::OneTimeMac).await?;
        let label = label.parse().map_err(|_| Fault::Unexpected("a link's label".into()))?;
        let drawn = self.env().with_rng(|rng| token::generate(Kind::OneTime, &label, rng));
        let parsed =
            token::parse(drawn.value.expose()).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let mac = tag(self.keyring(), key, parsed.material())?;
        let (public_id, mac_key_id) = (drawn.id.to_string(), key.to_string());
        Ok(Drawn { value: drawn.value, public_id, mac_key_id, mac })
    }
}

/// The tag of `material` under this key.
pub(crate) fn tag(keyring: &Keyring, key: KeyringKeyId, material: &[u8]) -> Result<[u8; 32], Fault> {
    keyring.mac_under(Purpose::OneTimeMac, key, material)?.ok_or(Fault::KeyAway(key))
}

/// Whether `material` is what this tag was taken over; costs the same where there is no tag. What was tagged under a key that
/// this node does not have yet is put off: nobody is told that it is wrong.
pub(crate) fn proves(keyring: &Keyring, material: &[u8], tag: Option<(&str, &[u8])>) -> Result<bool, Fault> {
    let read = tag.and_then(|(key, mac)| Some((key.parse().ok()?, mac.try_into().ok()?)));
    let (key, mac) = read.unwrap_or((KeyringKeyId::NIL, [0; 32]));
    let proven = keyring.verify_mac(Purpose::OneTimeMac, key, material, &mac)?;
    if read.is_some() && !keyring.holds(Purpose::OneTimeMac, key)? {
        return Err(Fault::KeyAway(key));
    }
    Ok(proven)
}
