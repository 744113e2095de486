//! Who may do what: Cedar policies over facts, decided anew for every use-case.
//!
//! # How to
//! * *Add an action*: one row in [`action`]'s table: its words, name, the kind of thing it is done to, what it is, and
//!   who may. The schema's action declarations are made from that table, so that neither can know an action the other
//!   doesn't; `builtin.cedar` speaks of the groups in it. The matrix snapshot shows what the row means: read its diff.
//! * *Ask*: `Domain::authorize`, or `Domain::change` which asks for you. A change of somebody (a person, team or
//!   workload) is decided knowing which roles they hold; that is read here, nobody need bring it.
//! * *List*: [`Reach`] of the action that views one thing is the scope of the list. Lists have no action of their own.
//! * *Explain*: an [`Explainer`] asks the policies in force, built in and written, about many at once, and what each of them
//!   came to. It knows none of them.
//! * *Ask about many*: [`alike`] says which people and which things no policy tells apart, so that one of each is asked for all.
//! * *Give a role*, also with an invitation or a new workload: ask for [`Action::to_grant`] besides.
//!
//! * *Let people write policies*: [`check`] reads a text, [`InForce`] holds those that decide, sliced, and a [`Gate`] asks them
//!   beside the built-in ones. What a text may look at is in `written/vocabulary.rs` and the schema; a new attribute belongs
//!   into both once `entities.rs` or `circumstances.rs` loads it for every decision, or `facts.rs` where a policy asks for it.
//!
//! * *Reason about all questions at once*: [`comparison`] puts what decides before and after a change into two sets of Cedar
//!   policies for each request environment; `whole.rs` and `possible.rs` say what is in them and what is taken for granted.
//!
//! # How it answers
//! A stranger who may not see the thing gets *not found*, whoever may see it gets *forbidden* with the verb, and a person
//! who may do it gets *step up* if their passkey was shown too long ago. Setup, invitations and recovery links are not
//! decided here: the link is its own proof, and jobs act on the house's account. What was not found is asked about like
//! anything else, as something in no project (`Resource::lies_nowhere`), so that it takes as long as what is somebody else's.
//!
//! **Invariants:** default deny; an error in any policy that is asked denies, also if it was a guard's. Free text
//! is in no entity's id (S-04): those are typed ids, so that no name can be taken for another thing or a role (S-02). The only free
//! text that policies compare is a tag's value, and it is a value there: nothing reads it as Cedar. Guards
//! (`forbid`) hold against owners too, and over everything that people write.

mod action;
mod alike;
mod circumstances;
mod clock;
mod comparison;
mod considered;
mod entities;
mod explain;
mod facts;
mod gate;
mod in_force;
mod judge;
#[cfg(any(test, feature = "cast"))]
pub mod measured;
mod memory;
mod permit;
mod possible;
mod principal;
mod reach;
mod resource;
mod rules;
mod shape;
mod target;
mod whole;
mod words;
mod written;

pub use action::{Action, Kind, Nature};
#[cfg(test)]
use alike::SeenThing;
pub(crate) use alike::{Brought, Literals};
pub use circumstances::{Circumstances, SignInMethod};
pub(crate) use clock::shown as shown_in;
pub use clock::{zone, zones};
pub(crate) use comparison::{Change, Comparison, Touched};
pub use considered::{CameTo, Considered, Missing};
pub(crate) use explain::{Explainer, Named};
pub use explain::{Ground, Part};
pub use facts::{Asks, Facts};
pub(crate) use gate::{Gate, load};
pub use in_force::InForce;
pub(crate) use in_force::{Deciding, scope};
pub use judge::ASSERTION_AGE;
pub use permit::Permit;
#[cfg(test)]
pub(crate) use possible::Mentioned;
pub use principal::{Principal, Who};
pub use reach::Reach;
pub(crate) use reach::specimen;
pub(crate) use resource::{NOBODY, NOWHERE};
pub use resource::{Owner, Resource};
pub use rules::{Decision, Rules, schema_text};
pub(crate) use shape::Shape;
pub use target::Target;
pub use words::{Word, words};
pub(crate) use written::bounded;
pub use written::{Checked, LONGEST, PolicyScope, TextError, check};

#[cfg(test)]
mod tests;
