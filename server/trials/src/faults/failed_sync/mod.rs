//! The disk fails to sync. strace lets one sync fail with EIO, as a failing disk does; the next ones succeed, as Linux
//! has it, which counts as written what it gave up.

pub mod files;
mod judge;
pub mod postgres;
pub mod sqlite;

/// What is not proven where nothing can be traced.
pub(crate) const WHAT: &str = "a failed sync loses nothing that was acknowledged";
