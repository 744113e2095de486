//! One `keywarden serve`, and commands beside it.

use std::{
    fs::{self, File},
    io::{self, Read},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    Result,
    client::Client,
    strace::{Trace, Tracing},
};

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(5);

/// How a server is to be started.
#[derive(Debug, Clone)]
pub struct Plan {
    pub binary: PathBuf,
    /// Everything of this node lies in here.
    pub folder: PathBuf,
    /// `KEYWARDEN_…` beside those that every node gets.
    pub variables: Vec<(String, String)>,
    /// Where what it asks of the kernel is told.
    pub tracing: Option<Tracing>,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    port: u16,
    started: Instant,
    /// From `exec` to the first `ready`.
    pub start_took: Duration,
}

impl Plan {
    pub fn new(binary: &Path, folder: PathBuf) -> Self {
        Self { binary: binary.to_path_buf(), folder, variables: Vec::new(), tracing: None }
    }

    #[must_use]
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.variables.push((variable.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn traced(self, tracing: Tracing) -> Self {
        Self { tracing: Some(tracing), ..self }
    }

    fn command(&self, arguments: &[&str], port: u16) -> Command {
        let mut command = match &self.tracing {
            Some(tracing) => tracing.command(&self.binary),
            None => Command::new(&self.binary),
        };
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("KEYWARDEN_DATA_DIR", self.folder.join("data"))
            .env("KEYWARDEN_LISTEN", format!("127.0.0.1:{port}"))
            .env("KEYWARDEN_LOG_FORMAT", "json")
            .env("KEYWARDEN_LIMITS_CONNECTIONS_PER_ADDRESS", "4096")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it is ready. What it logs is added to `server.log` in its folder.
    pub async fn start(&self) -> Result<Node> {
        self.start_as("serve").await
    }

    /// The same for another command that serves.
    pub async fn start_as(&self, what: &str) -> Result<Node> {
        let mut node = self.begin(what)?;
        match node.becomes_ready().await? {
            None => Ok(node),
            Some(ended) => bail!("the server ended with {ended}; see {}", self.log().display()),
        }
    }

    /// The same, without waiting.
    pub fn begin(&self, what: &str) -> Result<Node> {
        fs::create_dir_all(&self.folder)?;
        let port = free_port()?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.command(&[what], port);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("start {}", self.binary.display()))?;
        Ok(Node { child, port, started, start_took: Duration::ZERO })
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Runs a command of the same binary on the same settings and gives what it printed; its failure is one here.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        good(arguments, self.ask(arguments)?)
    }

    /// As [`Plan::run`], of a command that may take so long.
    pub fn run_within(&self, patience: Duration, arguments: &[&str]) -> Result<String> {
        good(arguments, self.ask_as(arguments, patience)?.1)
    }

    /// The same under strace, which writes to `to`; and what it told.
    pub fn run_traced(&self, arguments: &[&str], to: PathBuf) -> Result<(String, Trace)> {
        let (output, trace) = self.ask_traced(arguments, &Tracing::to(to))?;
        Ok((good(arguments, output)?, trace))
    }

    /// As [`Plan::ask`], under strace.
    pub fn ask_traced(&self, arguments: &[&str], tracing: &Tracing) -> Result<(Output, Trace)> {
        let (id, output) = self.clone().traced(tracing.clone()).ask_as(arguments, PATIENCE)?;
        Ok((output, tracing.read(id)?))
    }
}

fn good(arguments: &[&str], output: Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "`keywarden {}`: {said}{told}", arguments.join(" "));
    Ok(said)
}

impl Plan {
    /// Runs a command and gives all that came of it; one that does not end is killed and is an error.
    pub fn ask(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.ask_as(arguments, PATIENCE)?.1)
    }

    /// The same, with the number that its process had.
    fn ask_as(&self, arguments: &[&str], patience: Duration) -> Result<(u32, Output)> {
        let mut command = self.command(arguments, 0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Who says more than a pipe holds waits for a reader.
        let (said, told) = (heard(child.stdout.take()), heard(child.stderr.take()));
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > patience {
                child.kill()?;
                child.wait()?;
                bail!("`keywarden {}` did not end", arguments.join(" "));
            }
            std::thread::sleep(LOOK);
        };
        let whole = |heard: JoinHandle<io::Result<Vec<u8>>>| -> Result<Vec<u8>> {
            Ok(heard.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??)
        };
        Ok((child.id(), Output { status, stdout: whole(said)?, stderr: whole(told)? }))
    }
}

/// All that comes out of a pipe, in a thread of its own.
fn heard(from: Option<impl Read + Send + 'static>) -> JoinHandle<io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.map(|mut from| from.read_to_end(&mut bytes)).transpose()?;
        Ok(bytes)
    })
}

impl Node {
    /// Waits until it is ready, or has ended: with what.
    pub async fn becomes_ready(&mut self) -> Result<Option<ExitStatus>> {
        let began = Instant::now();
        while !self.is_ready().await {
            if let Some(ended) = self.child.try_wait()? {
                return Ok(Some(ended));
            }
            ensure!(began.elapsed() < PATIENCE, "the server at {} is not ready", self.url());
            tokio::time::sleep(LOOK).await;
        }
        self.start_took = self.started.elapsed();
        Ok(None)
    }

    /// Whether it says so.
    pub async fn is_ready(&self) -> bool {
        let asked = Client::new(self.url(), None).get("/readyz").await;
        asked.is_ok_and(|answer| answer.status == StatusCode::OK)
    }

    /// Waits until it has ended by itself.
    pub async fn ends(&mut self) -> Result<ExitStatus> {
        let ended = self.ends_within(PATIENCE).await?;
        ended.with_context(|| format!("the server at {} does not end", self.url()))
    }

    /// With what it has ended by itself, if it does within this.
    pub async fn ends_within(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            if let Some(ended) = self.child.try_wait()? {
                return Ok(Some(ended));
            }
            if began.elapsed() >= patience {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn client(&self, token: &str) -> Client {
        Client::new(self.url(), Some(token))
    }

    /// A caller who shows nothing.
    pub fn stranger(&self) -> Client {
        Client::new(self.url(), None)
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in good order.
    pub fn stop(mut self) -> Result<()> {
        kill(self.pid()?, Signal::SIGTERM)?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended} after SIGTERM");
        Ok(())
    }

    pub fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    /// Bytes of memory that are its own and present.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS line")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
