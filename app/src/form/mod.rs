//! What a browser posts, and how a refused form is drawn again with what was typed.
//!
//! A handler takes [`Fields`], checks them into an [`Errors`], and either does what was asked or draws its page
//! again with 422 and a [`Draft`] of both: `Form` hands the draft to its fields, each finds its value and error.

mod draft;
mod fields;
mod params;
#[cfg(test)]
mod parsers;
mod upload;
mod values;

pub use draft::{Draft, Errors};
pub use fields::{Fields, FieldsError, IDEMPOTENCY_KEY, Room};
pub use params::Params;
pub use upload::{Upload, Uploaded};
pub use values::{moment_value, parse_moment};
