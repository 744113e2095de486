//! Remembering ahead: what may be asked about is in memory before it is.
//!
//! A node that has just started, or has forgotten everything, would ask the store about each value once more. This reads
//! them in pages, newest first, as many as there is room for, and leaves the store time for others between two pages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keywarden_store::keys as rows;

use super::memory::VALUES;
use crate::{Domain, Fault};

/// Values in a page.
const PAGE: i64 = if cfg!(test) { 2 } else { 1_000 };
/// Pause between two pages, as a multiple of the time that one took.
const REST: u32 = 1;

impl Domain {
    /// Remembers values that can be shown with effect, if everything was forgotten since the last time; says how many. A
    /// job calls it every second.
    pub async fn warm_keys(&self) -> Result<u64, Fault> {
        let memory = self.key_memory();
        self.counter().await?; // the first reading forgets everything
        if !memory.was_cold() {
            return Ok(0);
        }
        let began = Instant::now();
        let warmed = self.remember_living().await;
        if let Ok(values) = warmed {
            let took_ms = began.elapsed().as_millis();
            tracing::info!(values, took_ms, "values of keys are in memory");
        }
        if warmed.is_err() {
            memory.stay_cold();
        }
        warmed
    }

    async fn remember_living(&self) -> Result<u64, Fault> {
        let memory = self.key_memory();
        let (mut last, mut count) = (None, 0_u64);
        loop {
            let began = Instant::now();
            let epoch = memory.epoch();
            let mut conn = self.store().read().await?;
            let page = rows::living(&mut conn, last, PAGE).await?;
            drop(conn);
            let Some(end) = page.last().map(|value| value.value_id) else { return Ok(count) };
            let mut read = Vec::with_capacity(page.len());
            for value in page {
                // A value that cannot be remembered is one that fsck tells of: it must not hold up all the rest.
                if let Ok(id) = value.public_id.parse()
                    && let Ok(known) = memory.known(value)
                {
                    read.push((id, Arc::new(known)));
                }
            }
            let remembered = read.len();
            // What was forgotten while this page was read is read again with the page.
            if memory.remember(epoch, read) {
                last = Some(end);
                count = count.saturating_add(remembered as u64);
            }
            if memory.remembered().saturating_add(usize::try_from(PAGE).unwrap_or(0)) > VALUES {
                return Ok(count);
            }
            tokio::time::sleep(began.elapsed().min(Duration::from_secs(1)).saturating_mul(REST)).await;
        }
    }
}
