//! Messages: what the house tells people and other systems of itself, without being asked.
//!
//! A message is written in the transaction of the event that it tells of ([`outbox`]): one without the other is never there.
//! Which events tell whom is one table ([`table`]). A job then says of each message whom it concerns ([`route`]): a notice for
//! each person, which the bell counts, and a delivery for each channel that listens. Another job carries deliveries out
//! ([`deliver`]): never inside a request, each channel by itself, again and later where its receiver does not take it, and at
//! last not any more until somebody says so.
//!
//! # How to
//! To tell of one more event: a row in [`table`], words in [`words`] and in the console's texts. Whoever is concerned beyond
//! what [`table::Whom`] knows is named by the event's fact `told`, a list of people.
//!
//! # Who
//! The organization's channels are managed by owners and admins. Everybody has channels of their own, which carry what
//! concerns them and nothing else. Where a channel leads, and what signs, lies sealed under the key of its person or of the
//! house ([`seal`]).
//!
//! **Invariants:** nothing can be done from a message: it says what happened and where to look. It carries no secret, as
//! events do not. At least once: a receiver tells the same message by its id. Messages of a person's own channels are gone
//! with the person's key.

pub mod carry;
pub mod channels;
mod choices;
mod claim;
mod deliver;
mod deliveries;
mod letter;
mod notices;
mod outbox;
mod post;
mod route;
mod seal;
mod table;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "cast"))]
pub mod tray;
mod watch;
mod words;

pub use carry::{Carry, CarryError, HookPost, Letter, NoCarrier};
pub use channels::{
    Channel, ChannelEdit, ChannelError, ChannelOwner, Kinds, MadeChannel, NewChannel, OLD_SECRET,
    ShownChannel, Target, TargetError,
};
pub use choices::Choices;
pub use claim::Claimed;
pub use deliveries::{Delivery, DeliveryPage, DeliveryQuery};
pub use notices::NoticePage;
pub(crate) use outbox::write;
pub(crate) use watch::Watched;
