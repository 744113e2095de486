//! What lies sealed in each channel opens under its person's key or the house's.

use keywarden_store::channels;

use super::{Findings, PAGE};
use crate::{Domain, Fault};

impl Domain {
    pub(super) async fn check_channels(&self, findings: &mut Findings) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let page = channels::along(&mut self.store().read().await?, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.to_string();
            for row in &page {
                findings.opened = findings.opened.saturating_add(1);
                if let Err(cause) = self.open_channel(row).await {
                    findings.found("channel-sealed", row.id, format!("does not open: {cause}"));
                }
            }
        }
    }
}
