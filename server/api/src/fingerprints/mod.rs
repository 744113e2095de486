//! Fingerprints: whether a value that was found elsewhere is one of ours.

pub(crate) mod check;
