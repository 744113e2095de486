//! Cellar for secrets: everything that touches key bytes, and nothing else.
//!
//! # How to
//! * *Hold a secret*: [`SecretBytes`] or [`SecretString`]; it shows itself only to `expose()`.
//! * *Issue and read values* such as `kwk_live_…`: [`token::generate`], [`token::parse`]; before any text is
//!   logged or put into a title, [`mask`].
//! * *Store a proof of a value*: [`Keyring::mac`] gives the id of the key and a tag for the row;
//!   [`Keyring::verify_mac`] compares in constant time.
//! * *Store a secret*: [`Keyring::seal`] and [`Keyring::open`], with a context that names the row.
//! * *Store a version of a secret*: [`ProjectKey::seal_value`], under a data key of its own; the project's key itself is
//!   kept sealed under [`Purpose::ProjectKey`].
//! * *Seal under a key whose uses nobody counts*: [`DerivingKey`], a subject's for example, which is itself kept sealed under
//!   [`Purpose::Personal`].
//! * *Let a project have a seal of its own*: [`custody`], given to the keyring; [`KeyBody`] is a project's key under it.
//! * *Write a file for an offline [`recovery`] key*: [`backup::Writer`] and [`backup::Reader`]; the keyring's keys go
//!   into it by [`Keyring::wrap_for`] and come out by [`keyring::rewrap`].
//! * *Keep a client's last-known-good values*: [`CacheKey`], a key in a file and files sealed under it.
//! * *Keep a secret in a file of its own*: [`read_private`] and [`replace_beside`].
//! * *Sign what is sent to a webhook*: [`WebhookSecret`], which its receiver has too.
//! * *Add a purpose*: a variant and a name in [`Purpose`]; on its next start the caller finds it in
//!   [`Keyring::missing`] and generates its first key.
//! * *Add a kind of seal*: a file in [`seal`] that implements [`Seal`], and a variant of [`SealKind`].
//!
//! # A start
//! ```text
//! module = Module::load(path, launch)              one for each PKCS#11 library; a process of its own
//! seal   = SoftHsm::at(data)… | Pkcs11Seal | SoftwareSeal
//! for purpose in Keyring::missing(&records):       Keyring::generate(…) -> rows, stored by the caller
//! keyring.unseal(&records, &wraps, &seals)         again whenever it says the HSM was not there
//! every second: keyring.observe(&seals, now)       Unsealed -> Degraded -> Sealed, and back
//! ```
//!
//! **Invariants:** no clock is read and no randomness drawn here (both are arguments; the one exception is the
//! patience of a caller waiting for a PKCS#11 module). No SQL, no async: rows are plain structs that the
//! domain carries to and from the store, and calls to a seal block for at most [`seal::ANSWER_LIMIT`]. Nothing
//! is logged here; errors carry no secret. Secrets are wiped when dropped; what a CPU register, a stack slot
//! of a cipher or the PKCS#11 library's own heap holds is outside that promise.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

pub mod backup;
mod base62;
mod cache;
pub mod custody;
mod deriving;
pub mod envelope;
pub mod keyring;
#[cfg(test)]
mod known;
mod mac;
mod mask;
#[cfg(test)]
mod parsers;
mod project_key;
pub mod recovery;
pub mod seal;
mod secret;
pub mod token;
mod webhook;

pub use cache::{CacheError, CacheKey, CacheKeyError};
pub use custody::Custody;
pub use deriving::DerivingKey;
pub use envelope::OpenError;
pub use keyring::{
    KeyRecord, Keyring, KeyringState, Purpose, SealRecord, Sealed, SealedReason, SealingError, WrapRecord,
};
#[cfg(feature = "counted")]
pub use mac::macs;
pub use mask::mask;
pub use project_key::{BodyError, KeyBody, MAX_SEALS, ProjectKey, RewrapError, SealedValue, ValuePlace};
pub use seal::file::{read_private, replace_beside};
pub use seal::{KeyNumber, Protection, Seal, SealDescription, SealError, SealId, SealKind, wrapped_by};
pub use secret::{SecretBytes, SecretString};
pub use webhook::{WebhookSecret, WebhookSecretError};
