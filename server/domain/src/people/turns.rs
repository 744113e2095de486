//! Who looks after the rows that strangers leave. Looking at how many there are takes as long as there are many of them; were
//! each of them to do it, a flood would cost most when it is highest.

use std::sync::atomic::{AtomicU32, Ordering};

/// Of so many that begin on a node one looks, the first before all; as many stand beyond a bound at most, on each node.
pub(super) const TURN: u32 = 256;

/// Turns at the two kinds of rows that anybody leaves.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(super) ceremonies: Turn,
    pub(super) terminals: Turn,
}

#[derive(Debug, Default)]
pub(super) struct Turn(AtomicU32);

impl Turn {
    /// Whether whoever asks looks, and removes what is too much.
    pub(super) fn take(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(TURN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_so_many_looks() {
        let turn = Turn::default();
        let looking: Vec<_> = (0..=2 * TURN).filter(|_| turn.take()).collect();
        assert_eq!(looking, [0, TURN, 2 * TURN]);
    }
}
