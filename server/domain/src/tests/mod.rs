//! What holds for the house as a whole.

mod canary;
mod commits;
pub(crate) mod costs;
mod panics;
mod parsers;
