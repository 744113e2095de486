//! The house itself: builds, mounts, runs. No rules, no SQL.
//!
//! To add a route: write it in its door's crate; only what belongs to no door (health, metrics, reports) lives here, and
//! `http/router.rs` is the contents page of both. To add a command: a file in `commands/`. To add a setting: a row in
//! `config/setting.rs`.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

mod client;
mod commands;
pub mod config;
mod custody;
mod data_dir;
mod http;
mod keeper;
mod listen;
mod logs;
mod operator;
mod runs_as;
mod seals;
mod setup_link;
mod wire;

pub use commands::run;
