//! What an answer costs in statements and MACs, counted: a difference tells a stranger what is there (S-09), on any machine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;

use crate::cast::{Engine, House};

/// What is shown in one class: so many that no single one is special.
pub(crate) const SHOWN: usize = 256;

/// Values that are shown, by what there is under them.
pub(crate) type Class = (&'static str, Vec<String>);

/// What showing the values of one class costs.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Of most of its values.
    pub(crate) statements: usize,
    /// Of each of them.
    pub(crate) macs: BTreeSet<u64>,
}

/// Counts statements, as sqlx tells of them.
#[derive(Default)]
pub(crate) struct Statements(pub(crate) AtomicUsize);

impl tracing::Subscriber for Statements {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> Interest {
        Interest::sometimes()
    }
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Shows all values, and counts. SQLite runs statements on a thread of its own, which tells nobody here: there they are none.
pub(crate) async fn costs(classes: &[Class], show: impl AsyncFn(&str, &str)) -> Vec<(&'static str, Cost)> {
    let counted = Arc::new(Statements::default());
    let mut costs = Vec::new();
    for (class, shown) in classes {
        let (mut statements, mut macs) = (Vec::new(), BTreeSet::new());
        for value in shown {
            let (computed, before) = (keywarden_vault::macs(), counted.0.load(Ordering::Relaxed));
            let _counting = tracing::subscriber::set_default(Arc::clone(&counted));
            show(class, value).await;
            macs.insert(keywarden_vault::macs() - computed);
            statements.push(counted.0.load(Ordering::Relaxed) - before);
        }
        // Some things are asked once in a second, whatever is shown: most values are shown in between.
        statements.sort_unstable();
        costs.push((*class, Cost { statements: statements[statements.len() / 2], macs }));
    }
    costs
}

/// Whether each value of each class takes as many statements and MACs as all the others.
pub(crate) async fn all_cost_the_same(house: &House, classes: &[Class], show: impl AsyncFn(&str, &str)) {
    let asked = costs(classes, show).await;
    let first = &asked[0].1;
    // This runtime has one thread, so every MAC is counted, and each value costs the same.
    assert!(first.macs.len() == 1 && !first.macs.contains(&0), "{asked:?}");
    let same = |cost: &Cost| (cost.statements, &cost.macs) == (first.statements, &first.macs);
    assert!(asked.iter().all(|(_, cost)| same(cost)), "{asked:?}");
    if house.store.engine() == Engine::Postgres {
        assert_eq!(first.statements, 1, "one statement each");
    }
}
