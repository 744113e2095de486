//! API keys and their values.
//!
//! A write begins with [`claim`]: that takes the key's row, so that what is read after it stays true until the commit.

mod change;
#[cfg(test)]
mod explain;
mod find;
pub mod list;
mod proven;
pub mod rates;
pub mod usage;
mod watch;

pub use change::{
    Attributes, Ended, KeyInsert, ValueInsert, claim, claim_version, compromise, destroy_value, ended_values,
    insert, insert_value, move_mac, revoke, revoke_value, stop_value, supersede, suspend, update,
};
pub use find::{
    KeyRow, Place, ValueRow, find, find_many, name_is_taken, owner_is_active, place, place_by_slugs,
    public_ids, value_by_public_id, values, values_of_many,
};
pub use proven::{Proven, living, proven, with_public_id};
pub use watch::{Expiring, StillUsed, expiring, still_used};
