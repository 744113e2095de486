//! A server with many keys, made once by the API and kept.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    Result,
    client::Client,
    house::House,
    node::{Node, Plan},
};

/// Requests at once while keys are made.
const AT_ONCE: usize = 32;
const SAY: Duration = Duration::from_secs(15);
/// What a server logs once it remembers the values of its keys.
const WARM: &str = "values of keys are in memory";
/// A server that takes longer to remember them has failed.
const LONGEST: Duration = Duration::from_mins(5);

/// Keys and who may ask about them.
#[derive(Debug)]
pub struct Fixture {
    pub plan: Plan,
    pub house: House,
    /// Every key's id and value.
    pub keys: Vec<(String, String)>,
}

impl Fixture {
    /// What lies in `plan`'s folder, and as many more keys as are missing.
    pub async fn of(plan: Plan, count: usize) -> Result<Self> {
        let files = Files::of(&plan.folder);
        let node = plan.start().await?;
        let house = match files.house()? {
            Some(house) => house,
            None => files.furnish(&plan, &node).await?,
        };
        let mut keys = files.keys()?;
        if keys.len() < count {
            make(&files, &node, &house, keys.len(), count).await?;
            keys = files.keys()?;
        }
        keys.truncate(count);
        node.stop()?;
        Ok(Self { plan, house, keys })
    }

    pub async fn start(&self) -> Result<(Node, Client)> {
        let node = self.plan.start().await?;
        let client = node.client(&self.house.manager);
        Ok((node, client))
    }

    /// A server that has read the values of its keys into memory, and how long after its start that was.
    pub async fn start_warm(&self) -> Result<(Node, Duration)> {
        let log = self.plan.log();
        let before = fs::metadata(&log).map_or(0, |log| log.len());
        let node = self.plan.start().await?;
        let began = Instant::now();
        loop {
            let mut said = String::new();
            let mut log = File::open(&log)?;
            log.seek(SeekFrom::Start(before))?;
            log.read_to_string(&mut said)?;
            if said.contains(WARM) {
                return Ok((node, began.elapsed()));
            }
            ensure!(
                began.elapsed() < LONGEST,
                "the server's memory is not warm; see {}",
                self.plan.log().display()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What is kept beside the records.
struct Files {
    house: PathBuf,
    keys: PathBuf,
}

impl Files {
    fn of(folder: &Path) -> Self {
        Self { house: folder.join("callers"), keys: folder.join("keys") }
    }

    fn house(&self) -> Result<Option<House>> {
        if !self.house.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&self.house)?;
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().context("a caller is missing");
        Ok(Some(House { team: next()?, manager: next()?, verifier: next()? }))
    }

    async fn furnish(&self, plan: &Plan, node: &Node) -> Result<House> {
        let house = House::furnish(plan, node.url()).await?;
        fs::write(&self.house, [house.team.as_str(), &house.manager, &house.verifier].join("\n"))?;
        Ok(house)
    }

    fn keys(&self) -> Result<Vec<(String, String)>> {
        if !self.keys.exists() {
            return Ok(Vec::new());
        }
        BufReader::new(File::open(&self.keys)?)
            .lines()
            .map(|line| {
                let line = line?;
                let (id, value) = line.split_once(' ').context("a line without a value")?;
                Ok((id.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

async fn make(files: &Files, node: &Node, house: &House, from: usize, to: usize) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(from));
    let (made, mut arriving) = mpsc::channel::<(String, String)>(AT_ONCE * 4);
    let mut makers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, made, house, client) =
            (Arc::clone(&next), made.clone(), house.clone(), node.client(&house.manager));
        makers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to {
                    return Ok::<_, anyhow::Error>(());
                }
                let mut body = house.key(&format!("{} {number:07}", name(number)));
                if let Some(body) = body.as_object_mut() {
                    body.insert("tags".into(), serde_json::json!([format!("shard={}", number % 64)]));
                }
                let issued = client.post("/api/v1/keys", &body).await?.good()?;
                let text = |field: &str| issued.get(field).and_then(Value::as_str).map(str::to_owned);
                let pair = (text("id").context("no id")?, text("key").context("no key")?);
                made.send(pair).await?;
            }
        });
    }
    drop(made);
    let mut out = BufWriter::new(File::options().create(true).append(true).open(&files.keys)?);
    let (began, mut said, mut count) = (Instant::now(), Instant::now(), from);
    while let Some((id, value)) = arriving.recv().await {
        writeln!(out, "{id} {value}")?;
        count += 1;
        if said.elapsed() >= SAY {
            said = Instant::now();
            say(count, to, began.elapsed());
        }
    }
    out.flush()?;
    while let Some(maker) = makers.join_next().await {
        maker??;
    }
    ensure!(count == to, "only {count} of {to} keys were made");
    say(count, to, began.elapsed());
    Ok(())
}

#[expect(clippy::print_stderr, reason = "it is what the person who waits reads")]
fn say(count: usize, to: usize, took: Duration) {
    eprintln!("  issued {count} of {to} keys, {} s", took.as_secs());
}

fn name(number: usize) -> &'static str {
    const NAMES: [&str; 8] =
        ["checkout", "refunds", "ledger", "search", "mail", "import", "gateway", "reports"];
    NAMES.get(number % NAMES.len()).copied().unwrap_or("other")
}
