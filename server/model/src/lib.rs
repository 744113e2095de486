//! Dictionary: the names, ids and value objects that every room of the house speaks.
//!
//! To add a word: make a file here, give it a constructor that returns `Result` (inside, values are
//! already right), `Display` for what people read, and serde for what machines read.
//!
//! **Invariant:** nothing here does IO, waits, reads a clock or draws randomness; the crate compiles to
//! wasm because islands use it. Secret values do not live here: they belong to `keywarden-vault`.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

pub mod access;
pub mod address;
pub mod cidr;
pub mod id;
pub mod key;
pub mod label;
pub mod message;
pub mod metadata;
pub mod name;
#[cfg(test)]
mod parsers;
pub mod policy;
pub mod problem;
pub mod rate;
pub mod role;
pub mod scope;
pub mod secret;
pub mod slug;
pub mod standard;
pub mod strict;
pub mod tag;
pub mod time;
pub mod trust;

pub use access::{AccessState, GrantEnd, PasskeyStrength, Ticket};
pub use address::{ClientAddress, KeptForStranger, OfSomebodyElse};
pub use cidr::AllowedCidrs;
pub use id::*;
pub use key::{KeyState, RevokeReason, VerifyCode};
pub use label::KeyLabel;
pub use message::{ChannelKind, DeliveryState, MailAddress, MessageKind};
pub use metadata::Metadata;
pub use name::{Description, Name, Reason};
pub use policy::{PolicyEffect, PolicyState};
pub use problem::ProblemKind;
pub use rate::RateLimit;
pub use role::{Role, RoleScope};
pub use scope::{Scope, Scopes};
pub use secret::{Alias, ContentType, Dialect, SecretKind, SecretLabel, SecretPath, VersionState};
pub use slug::Slug;
pub use standard::StandardRule;
pub use strict::Strict;
pub use tag::{Tag, Tags};
pub use trust::{Audience, ClaimRules, HttpsUrl};
