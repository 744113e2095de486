//! One run of the solver's program.
//!
//! `prlimit`, of util-linux, sets its limits and becomes it: only a process that is nobody's yet can be given limits by whoever may
//! not raise them, as root may not in most containers.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Where a bare name is looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The longest answer, in bytes. A model names what a request needs.
const LONGEST: u64 = 8 * 1024 * 1024;
/// The most memory that it may ask for, in bytes.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// Nobody, on every Linux.
const NOBODY: u32 = 65_534;
/// What `prlimit` ends with where it cannot become the program.
const NOT_RUN: [i32; 2] = [126, 127];

/// The program, by its name or path.
#[derive(Debug, Clone)]
pub(super) struct Program(PathBuf);

impl Program {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs it once with `script` on its standard input; what it wrote on its standard output. It is killed when this is dropped, and
    /// after twice `limit` of processor time, should this process be gone.
    pub(super) async fn run(&self, arguments: &[&str], script: &[u8], limit: Duration) -> io::Result<String> {
        let seconds = limit.as_secs().saturating_mul(2).max(1);
        let mut command = Command::new("prlimit");
        command
            .args([format!("--as={MEMORY}"), format!("--cpu={seconds}")])
            .args(["--core=0", "--fsize=0"])
            .arg(&self.0)
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command.spawn().map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => io::Error::other("`prlimit`, of util-linux, is not installed"),
            _ => cause,
        })?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let write = async move {
            // One that does not read to the end has an answer all the same, or none.
            stdin.write_all(script).await.ok();
            stdin.shutdown().await.ok();
        };
        let mut said = Vec::new();
        let mut stdout = stdout.take(LONGEST.saturating_add(1));
        {
            let read = stdout.read_to_end(&mut said);
            tokio::pin!(write, read);
            let mut is_writing = true;
            loop {
                tokio::select! {
                    () = &mut write, if is_writing => is_writing = false,
                    ended = &mut read => break ended?,
                }
            }
        };
        if u64::try_from(said.len()).is_ok_and(|length| length > LONGEST) {
            return Err(io::Error::other("its answer is too long"));
        }
        let status = child.wait().await?;
        if status.code().is_some_and(|it| NOT_RUN.contains(&it)) {
            return Err(io::Error::other("there is no such program, or nobody may run it"));
        }
        if status.code().is_none() {
            return Err(io::Error::other("it was killed"));
        }
        String::from_utf8(said).map_err(|_| io::Error::other("its answer is no text"))
    }
}
