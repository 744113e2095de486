//! What a running server costs, as the kernel counts it.

use std::{fs, time::Duration};

use anyhow::Context as _;

use crate::{Result, node::Node};

/// What the kernel counts CPU in, for programs of every architecture that we know (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A server's process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(u32);

impl Process {
    pub(super) fn of(node: &Node) -> Self {
        Self(node.id())
    }

    /// CPU that all its threads have had, the kernel's for them with it.
    pub(super) fn cpu(self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // A program's name may hold anything; what follows it is numbers but for the first.
        let (_, fields) = stat.rsplit_once(')').context("a line of stat")?;
        let ticks: Vec<u32> =
            fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(TICK * ticks.iter().sum::<u32>())
    }

    /// Bytes of memory that are present now.
    pub(super) fn resident(self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// Bytes that were present at once, at most, since [`Process::forget_peak`].
    pub(super) fn peak(self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// From now on its peak is what is present now.
    pub(super) fn forget_peak(self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.0);
        fs::write(&file, "5").context(file)
    }

    fn status(self, field: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no such line")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

/// As people read it.
pub(super) fn mebibytes(bytes: u64) -> String {
    let tenths = ((bytes & 0xF_FFFF) * 10) >> 20;
    format!("{}.{tenths} MiB", bytes >> 20)
}
