//! A PostgreSQL of a trial's own: it waits for its disk, which may be broken, or full.

use std::{
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tempfile::TempDir;
use url::Url;

use crate::{Result, database, node::free_port};

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(50);
/// What it says in its log when it gives itself up.
const PANIC: &str = "PANIC:";

/// A running cluster; ended and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    url: Url,
    #[expect(dead_code, reason = "it is removed with the cluster")]
    folder: TempDir,
    /// Its log of writes and its words lie beside, so that there is room for them.
    beside: TempDir,
}

impl Cluster {
    /// Whether its programs are there; if not, why.
    pub fn can_be_made() -> Result<(), String> {
        for program in ["initdb", "postgres", "psql"] {
            let tried = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            tried.map_err(|cause| {
                format!("`{program}` does not start ({cause}): `.ci/postgres run` finds it")
            })?;
        }
        Ok(())
    }

    /// Makes one and starts it.
    pub async fn make() -> Result<Self> {
        Self::make_in(folder().tempdir()?).await
    }

    /// Makes one whose records lie on this disk.
    pub async fn make_on(disk: &Path) -> Result<Self> {
        Self::make_in(folder().tempdir_in(disk)?).await
    }

    async fn make_in(folder: TempDir) -> Result<Self> {
        let beside = self::folder().tempdir()?;
        let (data, word) = (folder.path().join("data"), folder.path().join("password"));
        let password = format!("{:032x}", rand::random::<u128>());
        fs::write(&word, &password)?;
        if let Some(owner) = owner()? {
            for path in [folder.path(), beside.path(), &word] {
                chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
            }
        }
        let made = program("initdb", folder.path())?
            .args([
                "--username=keywarden",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg("--pgdata")
            .arg(&data)
            .arg("--pwfile")
            .arg(&word)
            .arg("--waldir")
            .arg(beside.path().join("log"))
            .output();
        let Output { status, stderr, .. } = made.context("run initdb")?;
        ensure!(status.success(), "initdb: {}", String::from_utf8_lossy(&stderr));
        let port = free_port()?;
        let log = File::create(beside.path().join("server.log"))?;
        let server = program("postgres", folder.path())?
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("start postgres")?;
        let url = format!("postgres://keywarden:{password}@127.0.0.1:{port}/postgres").parse()?;
        let cluster = Self { server, url, folder, beside };
        let began = Instant::now();
        while let Err(why) = database::ask(&cluster.url, "SELECT 1") {
            ensure!(began.elapsed() < PATIENCE, "PostgreSQL does not start: {why}: {}", cluster.log()?);
            tokio::time::sleep(LOOK).await;
        }
        Ok(cluster)
    }

    /// A superuser's.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How often it gave itself up.
    pub fn gave_up(&self) -> Result<u64> {
        Ok(u64::try_from(self.log()?.matches(PANIC).count())?)
    }

    fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.beside.path().join("server.log"))?)
    }
}

fn folder() -> tempfile::Builder<'static, 'static> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("keywarden-cluster-");
    folder
}

/// PostgreSQL does not run as root: whom it runs as then.
fn owner() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let owner = User::from_name("postgres")?.or(User::from_name("nobody")?);
    owner.context("a user that PostgreSQL can run as").map(Some)
}

fn program(name: &str, folder: &Path) -> Result<Command> {
    let mut command = Command::new(name);
    command.current_dir(folder);
    if let Some(owner) = owner()? {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
    Ok(command)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // At once, without waiting for who is connected.
        if let Ok(process) = i32::try_from(self.server.id()) {
            kill(Pid::from_raw(process), Signal::SIGINT).ok();
        }
        self.server.wait().ok();
    }
}
