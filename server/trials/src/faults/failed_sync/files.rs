//! The disk fails to sync a file that is not the database's: a backup, a key file, the memory of PINs that were tried.
//!
//! Must be so: the command says that it failed; no file has its name that was not synced, and what had it before is as it was;
//! the server goes on. Where only the folder failed, the file may have its name and is whole then. No PIN is tried whose try
//! is not written down. Once the disk does what it should, the same is done.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::WHAT;
use crate::{
    Result,
    faults::upkeep::{Recovery, fsck},
    house::{ENVIRONMENT, House, PROJECT},
    node::Plan,
    strace::{Tracing, can_trace, skipped},
};

/// A server that cannot be unsealed says so within this.
const SOON: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// What the server's log says when a PIN is not tried.
const NOT_TRIED: &str = "cannot keep the record of refused PINs";

/// Does all of it once; whether it could.
pub async fn prove(binary: &Path, folder: &Path) -> Result<bool> {
    if let Err(why) = can_trace() {
        return skipped(WHAT, &why).map(|()| false);
    }
    written(binary, &folder.join("written")).await?;
    no_pin(binary, &folder.join("pins")).await.context("the memory of PINs")?;
    Ok(true)
}

async fn written(binary: &Path, folder: &Path) -> Result<()> {
    let [keys, out, shut] = ["keys", "out", "shut"].map(|name| folder.join(name));
    for made in [&keys, &out, &shut] {
        fs::create_dir_all(made)?;
    }
    let (key, second) = (keys.join("seal.key"), folder.join("second.key"));
    let (backup, nameless) = (out.join("a.kwb"), shut.join("b.kwb"));
    let plan = Plan::new(binary, folder.to_path_buf())
        .with("KEYWARDEN_SEAL", "software")
        .with("KEYWARDEN_SEAL_KEY_FILE", text(&key)?);
    let node = plan.start().await?;
    let house = House::furnish(&plan, node.url()).await?;
    let recovery = Recovery::arrange(&plan)?;
    let secret = format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/there");
    node.client(&house.manager).put(&secret, &json!({ "value": "whole" })).await?.good()?;
    node.stop()?;

    let draft = second.with_added_extension("new");
    let failing = [key.with_added_extension("new"), backup.with_added_extension("partial"), shut];
    let tracing = Tracing::to(folder.join("server.trace")).failing_syncs_of(failing.to_vec());
    let node = plan.clone().traced(tracing.clone()).start().await?;
    let before = fs::read(&key)?;
    let commands = [
        vec!["backup", "--to", text(&backup)?],
        vec!["backup", "--to", text(&nameless)?],
        vec!["seal", "rotate", "software:seal.key"],
    ];
    for command in &commands {
        let told = plan.ask(command)?;
        ensure!(!told.status.success(), "`{}` says that all is well", command.join(" "));
    }
    // Whoever names the second key's file writes it: the shell, and not the server.
    let adding = ["seal", "add", "software", text(&second)?];
    let unsynced = Tracing::to(folder.join("add.trace")).failing_syncs_of(vec![draft.clone()]);
    let (told, trace) = plan.ask_traced(&adding, &unsynced)?;
    ensure!(!told.status.success(), "`{}` says that all is well", adding.join(" "));
    let failed = trace.failed.iter().any(|call| Path::new(&call.behind) == draft);
    ensure!(failed, "no sync of {} failed: this proof proves nothing", draft.display());
    for gone in failing.iter().take(2).chain([&draft, &backup, &second]) {
        ensure!(!gone.exists(), "{} was not synced and is there", gone.display());
    }
    ensure!(fs::read(&key)? == before, "the key file is another though the new one was not synced");
    let manager = node.client(&house.manager);
    ensure!(manager.get(&secret).await?.text("value")? == "whole", "a value is not what it was");
    let id = node.id();
    node.stop()?;
    let trace = tracing.read(id)?;
    for path in &failing {
        let failed = trace.failed.iter().any(|call| Path::new(&call.behind) == path);
        ensure!(failed, "no sync of {} failed: this proof proves nothing", path.display());
    }
    if nameless.exists() {
        recovery.prove(&plan, &nameless)?;
    }

    let node = plan.start().await?;
    for command in &commands {
        plan.run(command).context("with a disk that does what it should")?;
    }
    recovery.prove(&plan, &backup)?;
    ensure!(
        node.client(&house.manager).get(&secret).await?.text("value")? == "whole",
        "a value is not whole"
    );
    node.stop()?;
    fsck(&plan)
}

/// The embedded token's PIN is not tried while its try cannot be written down.
async fn no_pin(binary: &Path, folder: &Path) -> Result<()> {
    let plan = Plan::new(binary, folder.to_path_buf());
    plan.start().await?.stop()?;
    let memory = folder.join("data/softhsm/pin-attempts");
    let untried = fs::read(&memory)?;
    let failing = vec![memory.with_added_extension("new")];
    let tracing = Tracing::to(folder.join("server.trace")).failing_syncs_of(failing);
    let node = plan.clone().traced(tracing).begin("serve")?;
    let began = Instant::now();
    while !fs::read_to_string(plan.log())?.contains(NOT_TRIED) {
        ensure!(began.elapsed() < SOON, "nobody is told why it is sealed; see {}", plan.log().display());
        tokio::time::sleep(LOOK).await;
    }
    ensure!(!node.is_ready().await, "it is ready though no PIN may be tried");
    ensure!(fs::read(&memory)? == untried, "the memory of PINs is another though the new one was not synced");
    node.stop()?;
    plan.start().await.context("with a disk that does what it should")?.stop()?;
    fsck(&plan)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
