//! A server with many secrets, made once by the API and kept.
//!
//! They are imported, as many at once as a file may hold. What is so already stays as it is, so that a run which was
//! interrupted goes on where the last note of it says, and a batch that was imported and not noted comes to nothing.

use std::{fs, io::ErrorKind, path::PathBuf, time::Instant};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::fixture::{Fixture, SAY, name, say};
use crate::{
    Result,
    client::Client,
    house::{ENVIRONMENT, PROJECT, caller},
    node::{Node, Plan},
};

/// Secrets of one import, which lie in one folder.
pub const BATCH: usize = 1_000;
/// Imports at once: one is planned while the other is written.
const AT_ONCE: usize = 2;

/// Secrets, and who may read and put them.
#[derive(Debug)]
pub struct Stock {
    pub plan: Plan,
    pub count: usize,
    /// A service that reads the project's values.
    pub reader: String,
    /// One that does everything in the project.
    pub writer: String,
    /// Does everything.
    pub manager: String,
}

impl Stock {
    /// What lies in `plan`'s folder, and as many more secrets as are missing.
    pub async fn of(plan: Plan, count: usize) -> Result<Self> {
        let Fixture { plan, house, .. } = Fixture::of(plan, 0).await?;
        let node = plan.start().await?;
        let manager = node.client(&house.manager);
        let done = Done(plan.folder.join("secrets"));
        let from = done.read()?;
        if from < count {
            fill(&manager, &done, from, count).await?;
        }
        let reader = caller(&manager, "reader", Some(PROJECT)).await?;
        let writer = caller(&manager, "manager", Some(PROJECT)).await?;
        node.stop()?;
        Ok(Self { plan, count, reader, writer, manager: house.manager })
    }

    pub async fn start(&self) -> Result<(Node, Client)> {
        let node = self.plan.start().await?;
        let client = node.client(&self.manager);
        Ok((node, client))
    }

    /// The bytes that its records take while no server runs.
    pub fn bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.plan.folder.join("data"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("keywarden.db") {
                bytes += entry.metadata()?.len();
            }
        }
        Ok(bytes)
    }
}

/// How many secrets there are for certain.
struct Done(PathBuf);

impl Done {
    fn read(&self) -> Result<usize> {
        match fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().context("the note of the secrets is no number"),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    fn note(&self, count: usize) -> Result<()> {
        let draft = self.0.with_added_extension("draft");
        fs::write(&draft, count.to_string())?;
        Ok(fs::rename(draft, &self.0)?)
    }
}

async fn fill(manager: &Client, done: &Done, from: usize, to: usize) -> Result<()> {
    let (began, mut said) = (Instant::now(), Instant::now());
    let mut starts = (from - from % BATCH..to).step_by(BATCH).peekable();
    while starts.peek().is_some() {
        let some: Vec<_> =
            starts.by_ref().take(AT_ONCE).map(|start| (start, (start + BATCH).min(to))).collect();
        match some.as_slice() {
            [one, other] => {
                tokio::try_join!(import(manager, *one), import(manager, *other))?;
            }
            [one] => import(manager, *one).await?,
            _ => {}
        }
        let count = some.last().map_or(to, |(_, end)| *end);
        done.note(count)?;
        if said.elapsed() >= SAY {
            said = Instant::now();
            say("imported", "secrets", count, to, began.elapsed());
        }
    }
    say("imported", "secrets", to, to, began.elapsed());
    Ok(())
}

/// Imports the secrets of these numbers, at most [`BATCH`] of them, as one file.
pub async fn import(manager: &Client, (from, to): (usize, usize)) -> Result<()> {
    let file: Map<String, Value> = (from..to).map(|number| (path(number), value(number).into())).collect();
    let body = json!({ "format": "json", "content": Value::Object(file).to_string() });
    let at = format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/imports");
    let imported = manager.post(&at, &body).await?.good();
    imported.with_context(|| format!("the secrets {from} to {to}"))?;
    Ok(())
}

/// The path of a secret: a folder of a thousand, a word, a number.
pub fn path(number: usize) -> String {
    format!("{}/{}-{number:07}", folder(number), name(number))
}

pub fn folder(number: usize) -> String {
    format!("service-{:04}", number / BATCH)
}

/// The address of a secret's value.
pub fn address(path: &str) -> String {
    format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/{path}")
}

/// A value of 32 characters, another one for each number.
pub fn value(number: usize) -> String {
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    format!("{mixed:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_and_a_folder_without_a_note_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let done = Done(folder.path().join("secrets"));
        assert_eq!(done.read().unwrap(), 0);
        done.note(41_000).unwrap();
        assert_eq!(done.read().unwrap(), 41_000);
        fs::write(&done.0, "many").unwrap();
        assert!(done.read().is_err());
    }

    #[test]
    fn every_secret_has_its_own_path_and_value_and_a_thousand_share_a_folder() {
        let all: std::collections::BTreeSet<_> = (0..3_000).flat_map(|it| [path(it), value(it)]).collect();
        assert_eq!(all.len(), 6_000);
        assert!((0..3_000).all(|it| value(it).len() == 32));
        assert_eq!((0..3_000).map(folder).collect::<std::collections::BTreeSet<_>>().len(), 3);
    }
}
