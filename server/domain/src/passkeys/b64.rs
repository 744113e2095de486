//! Bytes in JSON as WebAuthn writes them: base64url without padding. For `#[serde(with = "b64")]`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serializer, de};

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(super) fn serialize<S: Serializer>(bytes: impl AsRef<[u8]>, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&encode(bytes))
}

pub(super) fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    let text = <std::borrow::Cow<'_, str>>::deserialize(d)?;
    let bytes = decode(&text).ok_or_else(|| de::Error::custom("not base64url"))?;
    T::try_from(bytes).map_err(|_| de::Error::custom("wrong length"))
}
