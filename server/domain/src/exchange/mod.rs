//! Signing in without a static secret: a workload shows a token that its platform signed (RFC 8693) and gets a service
//! token for a quarter of an hour.
//!
//! A token is read, then found to be of an issuer that somebody trusts, then proven by that issuer's keys, then judged
//! by its times, then compared with the rules: in this order, so that a stranger costs no request to anybody outside.
//!
//! **Invariants:** where keys come from is said by a rule or by the issuer that a rule names, never by the token: `jku`,
//! `x5u` and `jwk` are refused. Only the algorithms of [`Algorithm`] exist. Whoever is refused learns nothing of why;
//! whoever keeps the rule does, if the signature was good.

mod algorithm;
mod fetch;
mod issue;
mod judge;
mod key_set;
mod key_sets;
mod presented;
mod refused;
#[cfg(any(test, feature = "cast"))]
pub mod shelf;
#[cfg(test)]
mod tests;

pub use fetch::{Fetch, FetchError};
pub use issue::{EXCHANGED_LASTS, Exchange, ExchangeError, Exchanged};
pub use judge::Why;
pub(crate) use judge::shape;
pub(crate) use key_set::KeySet;
pub use key_set::KeySetError;
pub(crate) use key_sets::KeySets;
pub(crate) use refused::{Keeping, open_claims};
