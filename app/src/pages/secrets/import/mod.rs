//! Importing a file: chosen on one page, looked at on the next, done from there.

pub(super) mod done;
pub(super) mod kept;
pub(super) mod preview;
pub(super) mod upload;
mod words;

/// Where a file is chosen.
pub(super) const PATH: &str = "/secrets/import";
