//! The house itself: its keyring and what wraps it, its clock, its nodes, and what they remember of refused PINs.
//!
//! What happens here before anybody could sign in is done by Keywarden itself ([`Domain::unseal`](crate::Domain::unseal)
//! makes the first keys); everything later is asked of the gate like any other change.

mod clock;
mod copy;
mod held;
pub(crate) mod key_end;
mod node;
mod old_keys;
mod pins;
pub(crate) mod records;
mod renew;
mod seal_keys;
mod seals;
mod status;
mod unseal;

pub(crate) use clock::Marking;
pub use clock::{CLOCK_ALARM, ClockError};
pub use copy::CopyFailed;
pub(crate) use held::{Missing, shared_key};
pub use key_end::KeyStays;
pub use node::Node;
pub use pins::{ForgetPinsError, PinMemory};
pub use seal_keys::{DestroySealKeyError, RotateSealError, RotatedSeal, SealKeys};
pub use seals::{AddSealError, Added, RemoveSealError, RotateError, Rotated};
pub use status::{KeyStatus, NodeStatus, SealStatus, System};
pub use unseal::UnsealFailed;
pub(crate) use unseal::cut_off;

/// What the system page speaks of.
pub use keywarden_vault::keyring::{MAX_USES, RENEW_AT};
pub use keywarden_vault::{KeyNumber, KeyringState, Protection, Purpose, SealId};

#[cfg(test)]
mod tests;
