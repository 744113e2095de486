//! Hands: what reaches out to other systems, behind the traits that domain defines.
//!
//! # How to
//! To reach something new: a trait in the domain that says what is wanted, a file here that does it. Who goes out to the
//! network goes through [`Web`], or checks addresses by [`Networks`] as it does.
//!
//! A program outside is run as [`Cvc5`] runs the solver: named by a setting, without our variables, with limits, and ended by who
//! started it.
//!
//! **Invariant:** nothing outside decides where we connect to: a name is resolved, its addresses are judged, and the
//! connection goes to the judged address. No redirect is followed; size and time are bounded.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

mod carrier;
mod cvc5;
mod mail;
mod networks;
mod web;

pub use carrier::Carrier;
pub use cvc5::Cvc5;
pub use mail::{MailSecurity, MailServer, Mailer, MailerError};
pub use networks::Networks;
pub use web::{Web, WebError};
