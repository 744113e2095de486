//! What holds for the house as a whole.

mod canary;
mod commits;
mod panics;
mod parsers;
