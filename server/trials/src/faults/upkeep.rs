//! What an operator does meanwhile: the project's key is rotated, and everything under the old one rewrapped; backups are
//! made.
//!
//! Must be so: a backup that was told of opens, whole, with the recovery key; one whose making broke off is no file at its
//! name, or a whole one.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use serde_json::json;

use crate::{Result, client::Client, house::PROJECT, node::Plan};

/// How often the store is looked at until nothing was left out.
const LOOKS: u32 = 3;
/// What is said of a PIN whose last try was cut off, as whoever tried it was killed; and how long it rests then, and a bit.
const RESTS: &str = "the PIN is tried again";
const REST: Duration = Duration::from_secs(6);

/// Who can open the backups of a trial.
#[derive(Debug, Clone)]
pub struct Recovery {
    key: PathBuf,
}

impl Recovery {
    /// Makes a recovery key, and backups of the running server open with it.
    pub fn arrange(plan: &Plan) -> Result<Self> {
        let key = plan.folder.join("recovery.key");
        let recipient = plan.run(&["recovery-key", "create", "--to", text(&key)?])?;
        let file = plan.folder.join("recipient");
        std::fs::write(&file, recipient)?;
        plan.run(&["backup", "recipient", "add", "--name", "The trial's", text(&file)?])?;
        Ok(Self { key })
    }

    /// The file that opens them.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// Proves every byte of `backup`, and removes it.
    pub fn prove(&self, plan: &Plan, backup: &Path) -> Result<()> {
        plan.run(&["backup", "verify", text(backup)?, "--recovery-key", text(&self.key)?])
            .with_context(|| format!("the backup {}", backup.display()))?;
        std::fs::remove_file(backup)?;
        Ok(())
    }
}

/// Rotates the project's key again and again, until the server is gone; how often.
pub async fn rotate(client: &Client) -> Result<u64> {
    let mut rotated = 0;
    loop {
        match client.post(&format!("/api/v1/projects/{PROJECT}/key/rotate"), &json!({})).await {
            // No secret yet, or the last rewrap is still under way.
            Ok(answer) if answer.status == StatusCode::CONFLICT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(answer) => {
                answer.good()?;
                rotated += 1;
            }
            Err(_) => return Ok(rotated),
        }
    }
}

/// Makes one backup in a thread of its own; its file, if the command said that it is there.
pub fn back_up(plan: &Plan, round: u64) -> Result<(PathBuf, bool)> {
    let to = plan.folder.join(format!("round-{round}.kwb"));
    let told = plan.ask(&["backup", "--to", text(&to)?])?;
    ensure!(!told.status.success() || to.exists(), "a backup that was told of is not there");
    Ok((to, told.status.success()))
}

/// Looks at the whole store. Damage is told once and believed; a look that left something out, or that its token's library
/// did not let end in good order, says nothing of the store and is repeated.
pub(super) fn fsck(plan: &Plan) -> Result<()> {
    let mut last = String::new();
    for _ in 0..LOOKS {
        match plan.ask(&["fsck"]) {
            Ok(output) => {
                last = String::from_utf8_lossy(&output.stdout).into_owned();
                ensure!(!last.contains("damaged:"), "`keywarden fsck`: {last}");
                if output.status.success() && !last.contains("not looked at") {
                    return Ok(());
                }
                if last.contains(RESTS) {
                    std::thread::sleep(REST);
                }
            }
            Err(error) => last = error.to_string(),
        }
    }
    bail!("`keywarden fsck` could not look at everything in {LOOKS} attempts: {last}")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
