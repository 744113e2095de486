//! Trials: what is done to a running Keywarden from outside, as its users, its faults and its load do it.
//!
//! Nothing of ours is imported. A trial knows the binary's command line, its HTTP API and `keywarden fsck`, no more;
//! so it can be pointed at any build, and cannot agree with a mistake that it shares.
//!
//! To add a fault: a file in `faults/` with a function that does one round, and a line in `bin/faults.rs`.

#![allow(clippy::arithmetic_side_effects, reason = "it counts what it measured, and serves nobody")]

pub mod bench;
pub mod client;
pub mod cluster;
pub mod database;
pub mod faults;
pub mod house;
pub mod node;
pub mod progress;
pub mod proxy;
pub mod strace;

/// Why a trial ended early.
pub type Result<T, E = anyhow::Error> = std::result::Result<T, E>;
