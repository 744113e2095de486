//! Projects' keys and the data keys under them.
//!
//! ```text
//! HSM key → keyring key (Purpose::ProjectKey) → project key → data key → the value of one version
//! ```
//! Each envelope names the key that sealed it, so that any of the four can be replaced without touching what lies below
//! the one that it wraps: a new project key wraps data keys anew, and no value is sealed again.
//!
//! Where a project names a seal of its own ([`crate::custody`]), what the keyring's envelope holds is not the project key's
//! bytes but a wrap of them by that seal: a [`KeyBody`] is either. The keyring's key can be rotated around it without the
//! seal, and the seal be changed without touching what the project key wrapped.
//!
//! **Invariants:** a data key seals one value and is never used again; whoever loses its wrapped form loses the value,
//! which is how a version is destroyed. Nonces are random, so a project key seals fewer than 2^32 data keys: whoever
//! keeps its row counts, see [`MAX_SEALS`]. What is opened belongs to the project, secret and version that it was sealed
//! for, or it does not open.

use std::fmt;

use keywarden_model::{ProjectId, ProjectKeyId, SecretId, SecretVersionId};
use rand::CryptoRng;

use crate::custody::{Custodian, Witness};
use crate::envelope::{EnvelopeKey, KEY_LEN, LengthError, OpenError, frame};
use crate::keyring::{Keyring, Purpose, SealingError, WrapError};
use crate::secret::SecretBytes;

/// The most data keys that one project key may wrap (NIST SP 800-38D, 8.3).
pub const MAX_SEALS: i64 = (1 << 32) - 1;

/// Begins the body of a key that a seal of its own wrapped; a bare key has [`KEY_LEN`] bytes, which no such body has.
const OWN: u8 = 1;

const DATA_KEY: &str = "data-key";
const VALUE: &str = "secret-value";

/// A project's key, in memory for as long as one operation takes.
pub struct ProjectKey {
    id: ProjectKeyId,
    project: ProjectId,
    envelope: EnvelopeKey,
}

/// What the keyring's envelope holds of a project's key: its bytes, or what the project's own seal made of them.
///
/// ```text
/// key (32)
/// 1 | n (2) | id of the seal (n bytes) | wrap      bound to the key's id, the project and the seal's id
/// ```
pub struct KeyBody(SecretBytes);

/// Why a project's key was not brought under another seal, or from under one.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It does not open: see whether its seal is away.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new seal did not wrap it.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValuePlace {
    /// The secret.
    pub secret: SecretId,
    /// The version.
    pub version: SecretVersionId,
}

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The data key, sealed under the project's key.
    pub wrapped_key: Vec<u8>,
    /// The value, sealed under the data key.
    pub ciphertext: Vec<u8>,
}

/// Why a key was not wrapped anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewrapError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It opened, and could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealingError),
}

impl From<LengthError> for RewrapError {
    fn from(error: LengthError) -> Self {
        Self::Seal(error.into())
    }
}

impl ProjectKey {
    /// Draws a key; gives it with what is to be stored of it.
    pub fn generate(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, Vec<u8>), SealingError> {
        let body = KeyBody(SecretBytes::random(KEY_LEN, rng));
        let sealed = body.seal(keyring, id, project, rng)?;
        Ok((Self { id, project, envelope: EnvelopeKey::new(&body.0)? }, sealed))
    }

    /// Seals a stored key anew, under the keyring's newest key: what is to be stored in its place. The key itself, and
    /// whatever it wrapped, stays as it is.
    pub fn reseal(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        sealed: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, RewrapError> {
        let context = context(id, project);
        let secret = keyring.open(Purpose::ProjectKey, &context, sealed)?;
        Ok(keyring.seal(Purpose::ProjectKey, &context, secret.expose(), rng)?)
    }

    /// Opens what [`ProjectKey::generate`] gave to store, or what [`KeyBody::seal`] made. Of a key under a seal of the project
    /// it fails with [`OpenError::SealAway`] until the key is fetched.
    pub fn open(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        sealed: &[u8],
    ) -> Result<Self, OpenError> {
        let secret = bytes(keyring, id, project, sealed)?;
        let envelope = EnvelopeKey::new(&secret).map_err(|LengthError| OpenError::Malformed)?;
        Ok(Self { id, project, envelope })
    }

    /// Its id.
    pub fn id(&self) -> ProjectKeyId {
        self.id
    }

    /// Seals a value under a fresh data key.
    pub fn seal_value(
        &self,
        place: ValuePlace,
        value: &SecretBytes,
        rng: &mut dyn CryptoRng,
    ) -> Result<SealedValue, LengthError> {
        let bound = self.bound(place);
        let data_key = SecretBytes::random(KEY_LEN, rng);
        let wrapped_key =
            self.envelope.seal(&self.id.to_string(), DATA_KEY, &bound, data_key.expose(), rng)?;
        let ciphertext = EnvelopeKey::new(&data_key)?.seal(
            &place.version.to_string(),
            VALUE,
            &bound,
            value.expose(),
            rng,
        )?;
        Ok(SealedValue { wrapped_key, ciphertext })
    }

    /// Opens what [`ProjectKey::seal_value`] sealed for the same place.
    pub fn open_value(&self, place: ValuePlace, sealed: &SealedValue) -> Result<SecretBytes, OpenError> {
        let bound = self.bound(place);
        let data_key = self.envelope.open(DATA_KEY, &bound, &sealed.wrapped_key)?;
        let data_key = EnvelopeKey::new(&data_key).map_err(|LengthError| OpenError::Malformed)?;
        data_key.open(VALUE, &bound, &sealed.ciphertext)
    }

    /// Wraps a data key of this one under another key of the same project. The value under it is not touched.
    pub fn rewrap(
        &self,
        to: &Self,
        place: ValuePlace,
        wrapped_key: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, RewrapError> {
        let data_key = self.envelope.open(DATA_KEY, &self.bound(place), wrapped_key)?;
        let wrapped =
            to.envelope.seal(&to.id.to_string(), DATA_KEY, &to.bound(place), data_key.expose(), rng)?;
        Ok(wrapped)
    }

    /// What both envelopes are bound to, beside the version and algorithm in their headers. The project's key is not
    /// part of it: another one may wrap the data key later, and the value stays as it is.
    fn bound(&self, place: ValuePlace) -> Vec<u8> {
        frame(&[
            b"keywarden/secret/1",
            self.project.to_string().as_bytes(),
            place.secret.to_string().as_bytes(),
            place.version.to_string().as_bytes(),
        ])
    }
}

impl KeyBody {
    /// Draws a key and wraps it under a seal of the project. Blocks while the seal answers.
    pub fn draw(
        seal: &Custodian,
        id: ProjectKeyId,
        project: ProjectId,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, WrapError> {
        let secret = SecretBytes::random(KEY_LEN, rng);
        Ok(Self::wrapped(seal, &seal.wrap(id, project, &secret, rng)?))
    }

    /// Takes a stored key from under the seal that it has, if any, and wraps it under another one, if any. Blocks while the
    /// new seal answers; the key must be at hand.
    pub fn rewrap(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        sealed: &[u8],
        to: Option<&Custodian>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, BodyError> {
        let secret = bytes(keyring, id, project, sealed)?;
        Ok(match to {
            Some(seal) => Self::wrapped(seal, &seal.wrap(id, project, &secret, rng)?),
            None => Self(secret),
        })
    }

    /// What is to be stored, under the keyring's newest key.
    pub fn seal(
        &self,
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealingError> {
        keyring.seal(Purpose::ProjectKey, &context(id, project), self.0.expose(), rng)
    }

    /// The id of the seal that wrapped a stored key; `None` if the keyring alone holds it.
    pub fn seal_of(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        sealed: &[u8],
    ) -> Result<Option<String>, OpenError> {
        let body = keyring.open(Purpose::ProjectKey, &context(id, project), sealed)?;
        Ok(own(body.expose())?.map(|(seal, _)| seal.to_owned()))
    }

    /// What the project's own seal made of a stored key, for [`Custodian::prove`]; `None` if the keyring alone holds it.
    pub fn witness(
        keyring: &Keyring,
        id: ProjectKeyId,
        project: ProjectId,
        sealed: &[u8],
    ) -> Result<Option<Witness>, OpenError> {
        let body = keyring.open(Purpose::ProjectKey, &context(id, project), sealed)?;
        let witness = |(seal, wrap): (&str, &[u8])| Witness {
            seal: seal.to_owned(),
            key: id,
            project,
            wrap: wrap.to_vec(),
        };
        Ok(own(body.expose())?.map(witness))
    }

    fn wrapped(seal: &Custodian, wrap: &[u8]) -> Self {
        let id = seal.describe().id.as_str();
        let len = u16::try_from(id.len()).unwrap_or(u16::MAX);
        Self(SecretBytes::new([&[OWN][..], &len.to_be_bytes(), id.as_bytes(), wrap].concat()))
    }
}

impl fmt::Debug for KeyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBody")
    }
}

/// The seal's id and its wrap, unless the body is a bare key.
fn own(body: &[u8]) -> Result<Option<(&str, &[u8])>, OpenError> {
    let (&kind, rest) = match body {
        bare if bare.len() == KEY_LEN => return Ok(None),
        other => other.split_first().ok_or(OpenError::Malformed)?,
    };
    let (len, rest) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
    let (seal, wrap) =
        rest.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or(OpenError::Malformed)?;
    match std::str::from_utf8(seal) {
        Ok(seal) if kind == OWN => Ok(Some((seal, wrap))),
        _ => Err(OpenError::Malformed),
    }
}

/// The bytes of a stored key.
fn bytes(
    keyring: &Keyring,
    id: ProjectKeyId,
    project: ProjectId,
    sealed: &[u8],
) -> Result<SecretBytes, OpenError> {
    let body = keyring.open(Purpose::ProjectKey, &context(id, project), sealed)?;
    match own(body.expose())? {
        Some((seal, wrap)) => keyring.custody().key(seal, id, project, wrap),
        None => Ok(body),
    }
}

/// What a project's own seal binds a wrap to.
pub(crate) fn own_context(id: ProjectKeyId, project: ProjectId, seal: &str) -> Vec<u8> {
    frame(&[
        b"keywarden/project-key/1",
        project.to_string().as_bytes(),
        id.to_string().as_bytes(),
        seal.as_bytes(),
    ])
}

fn context(id: ProjectKeyId, project: ProjectId) -> Vec<u8> {
    format!("project_keys.sealed/{id}/{project}").into_bytes()
}

impl fmt::Debug for ProjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProjectKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use keywarden_model::TypedId;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::envelope::tests::refuses_every_change;

    fn id<I: TypedId>(n: u128) -> I {
        I::from_parts(DateTime::<Utc>::UNIX_EPOCH, n)
    }

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(1)
    }

    fn key_of(id: ProjectKeyId, project: ProjectId) -> ProjectKey {
        let envelope = EnvelopeKey::new(&SecretBytes::new(vec![7; KEY_LEN])).unwrap();
        ProjectKey { id, project, envelope }
    }

    fn key() -> ProjectKey {
        key_of(id(1), id(1))
    }

    fn place() -> ValuePlace {
        ValuePlace { secret: id(1), version: id(1) }
    }

    fn sealed() -> SealedValue {
        key().seal_value(place(), &SecretBytes::copy_of(b"hunter2\0\xff"), &mut rng()).unwrap()
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        assert_eq!(key().open_value(place(), &sealed()).unwrap().expose(), b"hunter2\0\xff");
        let elsewhere = [
            (key(), ValuePlace { secret: id(2), ..place() }),
            (key(), ValuePlace { version: id(2), ..place() }),
            (key_of(id(1), id(2)), place()),
        ];
        for (key, place) in elsewhere {
            let opened = key.open_value(place, &sealed());
            assert_eq!(opened.err(), Some(OpenError::AuthenticationFailed), "{key:?} {place:?}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_either_envelope_is_refused() {
        fn wrapped_key(it: &mut SealedValue) -> &mut Vec<u8> {
            &mut it.wrapped_key
        }
        fn ciphertext(it: &mut SealedValue) -> &mut Vec<u8> {
            &mut it.ciphertext
        }
        for part in [wrapped_key, ciphertext] {
            refuses_every_change(part(&mut sealed()), |changed| {
                let mut with = sealed();
                *part(&mut with) = changed.to_vec();
                key().open_value(place(), &with)
            });
        }
    }

    #[test]
    fn two_values_share_no_data_key_and_no_bytes() {
        let mut rng = rng();
        let mut seal = || key().seal_value(place(), &SecretBytes::copy_of(b"same"), &mut rng).unwrap();
        let (one, two) = (seal(), seal());
        assert_ne!(one.ciphertext, two.ciphertext);
        let mixed = SealedValue { wrapped_key: one.wrapped_key, ciphertext: two.ciphertext };
        assert_eq!(key().open_value(place(), &mixed).err(), Some(OpenError::AuthenticationFailed));
    }

    #[test]
    fn a_rewrapped_data_key_opens_the_same_value_under_the_new_key_alone() {
        let (old, new, stranger) = (key(), key_of(id(2), id(1)), key_of(id(2), id(2)));
        let before = sealed();
        let wrapped_key = old.rewrap(&new, place(), &before.wrapped_key, &mut rng()).unwrap();
        let after = SealedValue { wrapped_key, ciphertext: before.ciphertext.clone() };
        assert_eq!(crate::envelope::key_id(&after.wrapped_key).unwrap(), new.id().to_string());
        assert_eq!(new.open_value(place(), &after).unwrap().expose(), b"hunter2\0\xff");
        // Not in another place, not for another project, and not once a bit is another one.
        let elsewhere = ValuePlace { secret: id(2), ..place() };
        assert!(old.rewrap(&new, elsewhere, &before.wrapped_key, &mut rng()).is_err());
        assert!(stranger.open_value(place(), &after).is_err());
        let mut changed = before.wrapped_key;
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        let refused = old.rewrap(&new, place(), &changed, &mut rng());
        assert_eq!(refused, Err(RewrapError::Open(OpenError::AuthenticationFailed)));
    }

    #[test]
    fn a_rewrap_goes_from_one_algorithm_to_another_and_back_and_the_value_stays_as_it_is() {
        let by_second = |key: ProjectKey| ProjectKey { envelope: key.envelope.by_second(), ..key };
        let (old, new, newest) = (key(), by_second(key_of(id(2), id(1))), key_of(id(3), id(1)));
        let before = sealed();
        let mut stored = before.clone();
        for (from, to, algorithm) in [(&old, &new, 2), (&new, &newest, 1)] {
            let wrapped_key = from.rewrap(to, place(), &stored.wrapped_key, &mut rng()).unwrap();
            assert_eq!(crate::envelope::tests::algorithm(&wrapped_key), algorithm);
            assert_eq!(crate::envelope::key_id(&wrapped_key).unwrap(), to.id().to_string());
            stored = SealedValue { wrapped_key, ciphertext: before.ciphertext.clone() };
            assert_eq!(to.open_value(place(), &stored).unwrap().expose(), b"hunter2\0\xff");
            // What was not brought over yet opens as before.
            assert_eq!(old.open_value(place(), &before).unwrap().expose(), b"hunter2\0\xff");
            let mut confused = stored.clone();
            if let Some(byte) = confused.wrapped_key.get_mut(1) {
                *byte ^= 3;
            }
            assert_eq!(to.open_value(place(), &confused).err(), Some(OpenError::AuthenticationFailed));
        }
        // A new value under a key of the newer algorithm, too, and beside the old one.
        let value = new.seal_value(place(), &SecretBytes::copy_of(b"new"), &mut rng()).unwrap();
        assert_eq!(crate::envelope::tests::algorithm(&value.wrapped_key), 2);
        assert_eq!(new.open_value(place(), &value).unwrap().expose(), b"new");
    }

    #[test]
    fn an_envelope_names_the_key_that_sealed_it() {
        let sealed = sealed();
        assert_eq!(crate::envelope::key_id(&sealed.wrapped_key).unwrap(), key().id().to_string());
        assert_eq!(crate::envelope::key_id(&sealed.ciphertext).unwrap(), place().version.to_string());
    }
}
