//! WebAuthn ceremonies: registering a passkey, signing in without a user name, stepping up, and signing content.
//!
//! # How to
//! * *Once, at the start*: [`Passkeys::new`] from the public URL.
//! * *Begin*: `start_…` gives the options for the browser and a [`Ceremony`]; the caller seals [`Ceremony::to_bytes`]
//!   in a row.
//! * *Finish*: the caller **deletes the row first**, whatever comes of the answer, then hands the ceremony to the
//!   `finish_…` of the same kind. The ceremony is moved in: one ceremony, one attempt.
//! * *Keep*: [`PasskeyRecord::to_json`] in the passkey's row, also whenever [`Asserted::update`] holds a newer one
//!   (compare and swap by the row's version, or two answers at once could hide a counter that stood still).
//! * *Sign content*: [`Passkeys::start_approval`] and [`ApprovalProof`], which anybody can verify later without the
//!   store.
//!
//! # What holds
//! User presence and user verification always: an answer without them is refused, so no result carries a flag for
//! it. A credential is discoverable, belongs to the person it was made for, and keeps its nature (synced or bound to
//! one device) for life. The origin is compared byte for byte. A counter that does not rise is refused.
//!
//! No store, no HTTP. Time is an argument; the challenge's 32 random bytes are drawn by `webauthn-rs` itself, which
//! offers no way to hand them in.

mod approval;
mod assertion;
mod authenticator_data;
mod b64;
mod cbor;
mod ceremony;
mod client_data;
mod cose;
mod error;
mod ident;
mod options;
mod proof;
mod record;
mod registration;
mod relying;
mod sign_in;
#[cfg(any(test, feature = "cast"))]
pub mod soft;
mod step_up;
#[cfg(test)]
mod tests;

pub use webauthn_rs::prelude::Uuid;

pub use self::approval::Approved;
pub use self::assertion::Asserted;
pub use self::ceremony::{Ceremony, CeremonyKind};
pub use self::client_data::ANSWER_LIMIT;
pub use self::error::{PasskeyError, Remedy};
pub use self::ident::{CredentialId, LengthError, UserHandle};
pub use self::options::{CreationOptions, RequestOptions};
pub use self::proof::{ApprovalProof, ProofError};
pub use self::record::PasskeyRecord;
pub use self::registration::{Registered, Registrant, may_be_for};
pub use self::relying::{Passkeys, Relying, RelyingError};
pub use self::sign_in::{Claim, identify};
