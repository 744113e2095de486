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
    /// Draws a value with this label in it.
    pub(crate) fn draw_one_time(&self, label: &str) -> Result<Drawn, Fault> {
        let label = label.parse().map_err(|_| Fault::Unexpected("a link's label".into()))?;
        let drawn = self.env().with_rng(|rng| token::generate(Kind::OneTime, &label, rng));
        let parsed =
            token::parse(drawn.value.expose()).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let (key, mac) = self.keyring().mac(Purpose::OneTimeMac, parsed.material())?;
        let (public_id, mac_key_id) = (drawn.id.to_string(), key.to_string());
        Ok(Drawn { value: drawn.value, public_id, mac_key_id, mac })
    }
}

/// Whether `material` is what this tag was taken over; costs the same where there is no tag.
pub(crate) fn proves(keyring: &Keyring, material: &[u8], tag: Option<(&str, &[u8])>) -> Result<bool, Fault> {
    let read = tag.and_then(|(key, mac)| Some((key.parse().ok()?, mac.try_into().ok()?)));
    let (key, mac) = read.unwrap_or((KeyringKeyId::NIL, [0; 32]));
    Ok(keyring.verify_mac(Purpose::OneTimeMac, key, material, &mac)?)
}
