//! The faults, one file each: what is broken, and what must be so all the same.

pub mod books;
pub mod bounds;
mod crowd;
pub mod cut_off;
pub mod disk_full;
pub mod durable;
pub mod failed_sync;
pub mod hsm;
pub mod kill;
pub mod parsers;
pub mod restored;
pub mod rotations;
pub mod two_nodes;
pub mod upkeep;
