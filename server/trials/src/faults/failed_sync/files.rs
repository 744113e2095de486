//! What is asked of a file that is not the database's fails: of a backup, a key file, the memory of PINs that were tried. Or the
//! server is killed just at such a call.
//!
//! Must be so: the command says that it failed; no file has its name that was not written and synced, nothing is left of its
//! draft, and what had its name before is as it was; the server goes on. Where only the folder was not synced, the file may have
//! its name and is whole then; so may a backup whose draft could not be taken away. No PIN is tried whose try is not written
//! down. Once the disk does what it should, the same is done.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::WHAT;
use crate::{
    Result,
    faults::upkeep::{Recovery, fsck},
    house::{ENVIRONMENT, House, PROJECT},
    node::{Node, Plan},
    strace::{Fault, SYNCS, Tracing, can_trace, skipped},
};

/// A server that cannot be unsealed says so within this.
const SOON: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);
/// What is asked of a new file, and how it fails.
const FAILING: [(&str, Fault); 5] = [
    ("sync", Fault::Sync),
    ("open", Fault::Fails("openat", "ENOSPC")),
    ("write", Fault::Fails("write", "ENOSPC")),
    ("name", Fault::Fails("rename,linkat", "EIO")),
    ("unlink", Fault::Fails("unlink", "EIO")),
];
/// Where the server is killed.
const KILLING: [&str; 5] = ["openat", "write", SYNCS, "rename,linkat", "unlink"];

/// What the server's log says when a PIN is not tried.
const NOT_TRIED: &str = "cannot keep the record of refused PINs";

/// Does all of it once; whether it could.
pub async fn prove(binary: &Path, folder: &Path) -> Result<bool> {
    if let Err(why) = can_trace() {
        return skipped(WHAT, &why).map(|()| false);
    }
    for (name, fault) in FAILING {
        let told = || format!("a new file, {fault:?}");
        written(binary, &folder.join(format!("written-{name}")), fault).await.with_context(told)?;
        let told = || format!("the memory of PINs, {fault:?}");
        no_pin(binary, &folder.join(format!("pins-{name}")), fault).await.with_context(told)?;
    }
    killed(binary, &folder.join("killed")).await.context("killed")?;
    Ok(true)
}

/// A house with a key file and a secret, which makes files beside its database.
struct Desk {
    plan: Plan,
    house: House,
    recovery: Recovery,
    /// The key file, in a folder of its own.
    key: PathBuf,
    /// A folder for backups, and one that is not synced.
    out: PathBuf,
    shut: PathBuf,
}

impl Desk {
    async fn furnish(binary: &Path, folder: &Path) -> Result<Self> {
        let [keys, out, shut] = ["keys", "out", "shut"].map(|name| folder.join(name));
        for made in [&keys, &out, &shut] {
            fs::create_dir_all(made)?;
        }
        let key = keys.join("seal.key");
        let plan = Plan::new(binary, folder.to_path_buf())
            .with("KEYWARDEN_SEAL", "software")
            .with("KEYWARDEN_SEAL_KEY_FILE", text(&key)?);
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        let recovery = Recovery::arrange(&plan)?;
        node.client(&house.manager).put(&secret(), &json!({ "value": "whole" })).await?.good()?;
        node.stop()?;
        Ok(Self { plan, house, recovery, key, out, shut })
    }

    async fn reads(&self, node: &Node) -> Result<()> {
        let there = node.client(&self.house.manager).get(&secret()).await?.text("value")?;
        ensure!(there == "whole", "a value is `{there}`");
        Ok(())
    }
}

async fn written(binary: &Path, folder: &Path, fault: Fault) -> Result<()> {
    let desk = Desk::furnish(binary, folder).await?;
    let Desk { plan, key, out, shut, .. } = &desk;
    let (second, backup, nameless) = (folder.join("second.key"), out.join("a.kwb"), shut.join("b.kwb"));
    let draft = second.with_added_extension("new");
    let mut failing = vec![key.with_added_extension("new"), backup.with_added_extension("partial")];
    let drafts = failing.clone();
    if fault == Fault::Sync {
        failing.push(shut.clone());
    }
    let tracing = Tracing::to(folder.join("server.trace")).always(fault).only(failing.clone());
    let node = plan.clone().traced(tracing.clone()).start().await?;
    let before = fs::read(key)?;
    let commands = [
        vec!["seal", "rotate", "software:seal.key"],
        vec!["backup", "--to", text(&backup)?],
        vec!["backup", "--to", text(&nameless)?],
    ];
    let of_draft = commands.iter().take(failing.len());
    for command in of_draft {
        let told = plan.ask(command)?;
        ensure!(!told.status.success(), "`{}` says that all is well", command.join(" "));
    }
    // Whoever names the second key's file writes it: the shell, and not the server.
    let adding = ["seal", "add", "software", text(&second)?];
    let unsynced = Tracing::to(folder.join("add.trace")).always(fault).only(vec![draft.clone()]);
    let (told, trace) = plan.ask_traced(&adding, &unsynced)?;
    ensure!(!told.status.success(), "`{}` says that all is well", adding.join(" "));
    ensure!(!trace.failed.is_empty(), "nothing of {} failed: this proof proves nothing", draft.display());
    // What could not be taken away may still be there; a backup that has its name is whole.
    let gone = [&*drafts, &[draft, backup.clone(), second]].concat();
    for gone in gone.iter().filter(|_| fault != Fault::Fails("unlink", "EIO")) {
        ensure!(!gone.exists(), "{} was not made and is there", gone.display());
    }
    ensure!(fs::read(key)? == before, "the key file is another though the new one was not kept");
    desk.reads(&node).await?;
    let id = node.id();
    node.stop()?;
    let trace = tracing.read(id)?;
    for path in &failing {
        let of_it = |text: &str| path.to_str().is_some_and(|path| text.contains(path));
        let failed = trace.failed.iter().any(|call| of_it(&call.behind) || of_it(&call.text));
        ensure!(failed, "nothing of {} failed: this proof proves nothing", path.display());
    }
    for made in [&nameless, &backup].into_iter().filter(|made| made.exists()) {
        desk.recovery.prove(plan, made)?;
    }

    let node = plan.start().await?;
    for command in &commands {
        plan.run(command).context("with a disk that does what it should")?;
    }
    desk.recovery.prove(plan, &backup)?;
    desk.reads(&node).await?;
    node.stop()?;
    fsck(plan)
}

/// The server is killed while it makes a file: the old one is there, or the new one, and a backup that has its name is whole.
async fn killed(binary: &Path, folder: &Path) -> Result<()> {
    let desk = Desk::furnish(binary, folder).await?;
    let Desk { plan, key, out, .. } = &desk;
    let rotating = ["seal", "rotate", "software:seal.key"];
    for (number, calls) in KILLING.into_iter().enumerate() {
        let backup = out.join(format!("{number}.kwb"));
        let backing_up = ["backup", "--to", text(&backup)?];
        let drafts = [key.with_added_extension("new"), backup.with_added_extension("partial")];
        for command in [&rotating[..], &backing_up] {
            let done = async {
                let tracing = Tracing::to(folder.join("server.trace")).always(Fault::Kill(calls));
                let mut node = plan.clone().traced(tracing.only(drafts.to_vec())).start().await?;
                let told = plan.ask(command)?;
                ensure!(!told.status.success(), "it says that all is well");
                let ended =
                    node.ends_within(SOON).await?.context("nobody was killed: this proof proves nothing")?;
                ensure!(ended.code().is_none(), "it was to be killed and ended with {ended}");
                fsck(plan)?;
                let node = plan.start().await.context("the next start")?;
                desk.reads(&node).await?;
                if backup.exists() {
                    desk.recovery.prove(plan, &backup)?;
                }
                let told = plan.run(command).context("asked again")?;
                if let Some(newest) = told.strip_prefix("key ").and_then(|rest| rest.split(' ').next()) {
                    destroy_before(plan, newest.parse()?)?;
                }
                node.stop()
            };
            done.await.with_context(|| format!("at {calls}, `{}`", command.join(" ")))?;
        }
        desk.recovery.prove(plan, &backup)?;
    }
    fsck(plan)
}

/// A key file has room for some keys only.
fn destroy_before(plan: &Plan, newest: u32) -> Result<()> {
    for number in newest.saturating_sub(2).max(1)..newest {
        let told = plan.ask(&["seal", "destroy-key", "software:seal.key", &number.to_string()])?;
        let why = String::from_utf8_lossy(&told.stderr).into_owned();
        ensure!(told.status.success() || why.contains("no key"), "key {number} is not destroyed: {why}");
    }
    Ok(())
}

/// The embedded token's PIN is not tried while its try cannot be written down.
async fn no_pin(binary: &Path, folder: &Path, fault: Fault) -> Result<()> {
    let plan = Plan::new(binary, folder.to_path_buf());
    plan.start().await?.stop()?;
    let memory = folder.join("data/softhsm/pin-attempts");
    let untried = fs::read(&memory)?;
    let failing = vec![memory.with_added_extension("new")];
    let tracing = Tracing::to(folder.join("server.trace")).always(fault).only(failing);
    let node = plan.clone().traced(tracing).begin("serve")?;
    let began = Instant::now();
    while !fs::read_to_string(plan.log())?.contains(NOT_TRIED) {
        ensure!(began.elapsed() < SOON, "nobody is told why it is sealed; see {}", plan.log().display());
        tokio::time::sleep(LOOK).await;
    }
    ensure!(!node.is_ready().await, "it is ready though no PIN may be tried");
    ensure!(fs::read(&memory)? == untried, "the memory of PINs is another though the new one was not kept");
    node.stop()?;
    plan.start().await.context("with a disk that does what it should")?.stop()?;
    fsck(&plan)
}

fn secret() -> String {
    format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/there")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
