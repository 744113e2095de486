//! A server with many keys, made once by the API and kept.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use http::StatusCode;
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
/// How often it is told how far it is.
pub(super) const SAY: Duration = Duration::from_secs(15);
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
            Some(house) => files.renew(house, &plan, &node).await?,
            None => files.furnish(&plan, &node).await?,
        };
        let mut keys = files.keys()?;
        if keys.len() < count {
            make(&files, &node, &house, keys.len(), count).await?;
            keys = files.keys()?;
        }
        keys.truncate(count);
        // A key that is not good is told of sooner than one that is.
        for (_, value) in [keys.first(), keys.last()].into_iter().flatten() {
            let told = node.client(&house.verifier).verify(value).await?.good()?;
            let good = told.get("valid").and_then(Value::as_bool) == Some(true);
            ensure!(good, "remove {}: its keys are not good: {told}", plan.folder.display());
        }
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
        self.keep(House::furnish(plan, node.url()).await?)
    }

    /// Callers whose tokens have ended get others.
    async fn renew(&self, house: House, plan: &Plan, node: &Node) -> Result<House> {
        let asked = node.client(&house.manager).get("/api/v1/projects").await?;
        if asked.status != StatusCode::UNAUTHORIZED {
            return Ok(house);
        }
        self.keep(house.renewed(plan, node.url()).await?)
    }

    fn keep(&self, house: House) -> Result<House> {
        fs::write(&self.house, [house.team.as_str(), &house.manager, &house.verifier].join("\n"))?;
        Ok(house)
    }

    /// The keys so far, by their numbers. A last line that a power cut tore is taken away: its key is issued again.
    fn keys(&self) -> Result<Vec<(String, String)>> {
        let text = match fs::read_to_string(&self.keys) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            File::options().write(true).open(&self.keys)?.set_len(whole as u64)?;
        }
        text.lines()
            .take(text.matches('\n').count())
            .map(|line| {
                let (id, value) = line.split_once(' ').context("a line without a value")?;
                Ok((id.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

/// A key that was issued: its number, id and value.
type Issued = (usize, String, String);

async fn make(files: &Files, node: &Node, house: &House, from: usize, to: usize) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(from));
    let (made, arriving) = mpsc::channel::<Issued>(AT_ONCE * 4);
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
                made.send(issue(&client, &house, number).await?).await?;
            }
        });
    }
    drop(made);
    let count = keep(files, arriving, from, to).await?;
    while let Some(maker) = makers.join_next().await {
        maker??;
    }
    ensure!(count == to, "only {count} of {to} keys were made");
    Ok(())
}

/// Issues the key of a number. A run that was interrupted may have issued it and kept no value of it: its name is taken,
/// so this one gets another.
async fn issue(client: &Client, house: &House, number: usize) -> Result<Issued> {
    let body = |name: &str| {
        let mut body = house.key(name);
        if let Some(body) = body.as_object_mut() {
            body.insert("tags".into(), serde_json::json!([format!("shard={}", number % 64)]));
        }
        body
    };
    let plain = format!("{} {number:07}", name(number));
    let mut answer = client.post("/api/v1/keys", &body(&plain)).await?;
    if answer.status == StatusCode::CONFLICT {
        let other = format!("{plain} {:08x}", rand::random::<u32>());
        answer = client.post("/api/v1/keys", &body(&other)).await?;
    }
    let issued = answer.good()?;
    let text = |field: &str| issued.get(field).and_then(Value::as_str).map(str::to_owned);
    Ok((number, text("id").context("no id")?, text("key").context("no key")?))
}

/// Writes keys down in the order of their numbers, each as soon as all before it are there, so that the lines of the file
/// are always the first of them; how many there are.
async fn keep(files: &Files, mut arriving: mpsc::Receiver<Issued>, from: usize, to: usize) -> Result<usize> {
    let mut out = File::options().create(true).append(true).open(&files.keys)?;
    let (began, mut said, mut count) = (Instant::now(), Instant::now(), from);
    let mut early = BTreeMap::new();
    while let Some((number, id, value)) = arriving.recv().await {
        early.insert(number, (id, value));
        let mut lines = String::new();
        while let Some((id, value)) = early.remove(&count) {
            writeln!(lines, "{id} {value}")?;
            count += 1;
        }
        out.write_all(lines.as_bytes())?;
        if said.elapsed() >= SAY {
            said = Instant::now();
            say("issued", "keys", count, to, began.elapsed());
        }
    }
    say("issued", "keys", count, to, began.elapsed());
    Ok(count)
}

#[expect(clippy::print_stderr, reason = "it is what the person who waits reads")]
pub(super) fn say(did: &str, what: &str, count: usize, to: usize, took: Duration) {
    eprintln!("  {did} {count} of {to} {what}, {} s", took.as_secs());
}

/// Names, as people give them, again and again.
pub(super) fn name(number: usize) -> &'static str {
    const NAMES: [&str; 8] =
        ["checkout", "refunds", "ledger", "search", "mail", "import", "gateway", "reports"];
    NAMES.get(number % NAMES.len()).copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> (Vec<(String, String)>, String) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        fs::write(&files.keys, text).unwrap();
        (files.keys().unwrap(), fs::read_to_string(&files.keys).unwrap())
    }

    #[test]
    fn a_torn_last_line_is_taken_away_and_the_others_stay() {
        let (keys, left) = kept("key_1 kw_a\nkey_2 kw_b\nkey_3 kw");
        assert_eq!(keys, [("key_1".into(), "kw_a".into()), ("key_2".into(), "kw_b".into())]);
        assert_eq!(left, "key_1 kw_a\nkey_2 kw_b\n");
        let (keys, left) = kept("key_1");
        assert_eq!((keys.len(), left.as_str()), (0, ""));
    }

    #[tokio::test]
    async fn keys_that_arrive_in_any_order_are_kept_in_theirs_and_none_after_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        fs::write(&files.keys, "key_0 kw_0\n").unwrap();
        let (send, arriving) = mpsc::channel(8);
        for number in [2_usize, 1, 4] {
            send.send((number, format!("key_{number}"), format!("kw_{number}"))).await.unwrap();
        }
        drop(send);
        assert_eq!(keep(&files, arriving, 1, 5).await.unwrap(), 3);
        assert_eq!(fs::read_to_string(&files.keys).unwrap(), "key_0 kw_0\nkey_1 kw_1\nkey_2 kw_2\n");
    }
}
