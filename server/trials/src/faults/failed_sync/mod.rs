//! The disk fails. strace lets one sync fail with EIO, as a failing disk does; the next ones succeed, as Linux
//! has it, which counts as written what it gave up. It lets other calls fail too, and kills at them.

pub mod files;
mod judge;
pub mod postgres;
pub mod sqlite;

/// What is not proven where nothing can be traced.
pub(crate) const WHAT: &str = "a failing disk loses nothing that was acknowledged";
