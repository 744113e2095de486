//! What is measured, one file each. Every figure of a table is of one run on one machine, and the ones that matter are
//! ratios: absolute ones tell of the machine.

pub mod bao;
pub mod decisions;
pub mod draw;
pub mod fixture;
pub mod lists;
pub mod secrets;
pub mod sizes;
pub mod stock;
pub mod table;
pub mod verify;
pub mod wrk;
