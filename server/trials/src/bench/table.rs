//! The table: each figure on a line as soon as it is there, and whether it is what it must be.

use anyhow::bail;

use crate::Result;

/// What was told so far.
#[derive(Debug, Default)]
pub struct Table {
    missed: Vec<String>,
}

impl Table {
    /// A figure that stands for itself.
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    pub fn tell(&self, what: &str, figure: &str) {
        println!("{what:44} {figure}");
    }

    /// A figure with a bar, which `what` names.
    pub fn judge(&mut self, what: &str, figure: &str, holds: bool) {
        if holds {
            return self.tell(what, figure);
        }
        self.tell(what, &format!("{figure}  MISSED"));
        self.missed.push(what.trim().to_owned());
    }

    /// All is told: a failure where a bar was missed.
    pub fn end(self) -> Result<()> {
        if !self.missed.is_empty() {
            bail!("missed: {}", self.missed.join("; "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_is_missed_fails_the_table_at_its_end() {
        let mut table = Table::default();
        table.tell("memory", "7 MiB");
        table.judge("verify to bare (at least 0.70)", "0.71", true);
        assert!(Table::default().end().is_ok() && table.missed.is_empty());
        table.judge("  to OpenBao (at least 1)", "0.99", false);
        table.judge("many to few (at least 0.90)", "0.95", true);
        assert_eq!(table.end().unwrap_err().to_string(), "missed: to OpenBao (at least 1)");
    }
}
