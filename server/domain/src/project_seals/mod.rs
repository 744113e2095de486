//! Seals of projects (customer-managed keys): a project may name one that the operator offers, and its keys are then wrapped
//! by that seal beneath the keyring's envelope.
//!
//! Whoever has the token decides whether the project's values can be opened: with it away they cannot, by anybody, once the
//! grace is over. API keys are hashed under the keyring alone and go on; so do all other projects.
//!
//! Naming, changing and taking away a seal wraps every generation of the project's keys anew, and nothing else: what is asked
//! of seals happens first, then one transaction puts all keys in their places or none. Who dies in between changed nothing,
//! and asks again.
//!
//! **Backups** carry a project's key as it is stored: whoever restores one needs the house's recovery key and the project's own
//! token.

mod fetch;
mod name;
mod offer;
mod show;

pub use name::{NameSealError, NamedSeal};
pub use offer::{OfferError, OfferedNow, WithdrawError};
pub use show::{At, OfferedSeal, OwnSeal, ProjectSealView};

#[cfg(test)]
mod tests;
