//! Why something was refused.

pub(crate) mod show;
