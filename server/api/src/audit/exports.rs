//! The exports that a server answers at one time: each holds a page of the record in memory, and reads on for as long as its
//! caller does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Exports that one person or workload may have under way on one server, however many tokens it has.
pub(super) const PER_CALLER: usize = 2;
/// Exports that one server has under way.
pub(super) const IN_ALL: usize = 8;

/// The exports of this server, by caller. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exports(Arc<Mutex<BTreeMap<String, usize>>>);

impl Exports {
    /// A place for one more, if there is one.
    pub(super) fn enter(&self, caller: String) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = open.get(&caller).copied().unwrap_or_default();
        if held >= PER_CALLER || open.values().sum::<usize>() >= IN_ALL {
            return None;
        }
        open.insert(caller.clone(), held.saturating_add(1));
        drop(open);
        Some(Place { exports: self.clone(), caller })
    }
}

/// An export's place; given back when it ends, however that is.
#[derive(Debug)]
pub(super) struct Place {
    exports: Exports,
    caller: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.exports.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = open.get_mut(&self.caller) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_and_a_server_have_so_many_exports_and_what_ends_makes_room() {
        let exports = Exports::default();
        let mut all: Vec<_> =
            (0..IN_ALL).map(|n| exports.enter(format!("c{}", n / PER_CALLER)).unwrap()).collect();
        assert!(exports.enter("late".into()).is_none(), "the server has enough");
        drop(all.pop());
        assert!(exports.enter("c0".into()).is_none(), "the caller has enough");
        drop(exports.enter("late".into()).unwrap());
        drop(all);
        assert!(exports.0.lock().unwrap().is_empty(), "what is over is forgotten");
    }
}
