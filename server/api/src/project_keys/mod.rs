//! A project's key: seen, rotated.

pub(crate) mod rotate;
pub(crate) mod show;
