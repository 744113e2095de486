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
//! **A new key** in a seal is made first, then every project that names the seal is wrapped to it, in one transaction. Whoever dies
//! in between leaves a key that wraps nothing; the next rotation takes that one. The old key is destroyed by a step of its own:
//! copies of the records from before open by it alone.
//!
//! **Backups** carry a project's key as it is stored: whoever restores one needs the house's recovery key and the project's own
//! token.

mod fetch;
mod name;
mod offer;
mod rotate;
mod show;

pub use name::{NameSealError, NamedSeal};
pub use offer::{OfferError, OfferedNow, WithdrawError};
pub use rotate::{DestroyOfferedKeyError, OfferedKeys, RotateOfferedError, RotatedOffered};
pub use show::{At, OfferedSeal, OwnSeal, ProjectSealView};

#[cfg(test)]
mod tests;
