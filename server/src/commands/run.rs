//! `keywarden run`: starts a program with an environment's secrets in its variables.
//!
//! All values are read before anything is started: a program never runs with half of them. It gets the signals that this
//! process gets, and its exit code becomes ours.

use std::{
    ffi::OsString,
    io::IsTerminal as _,
    os::unix::{ffi::OsStringExt as _, process::ExitStatusExt as _},
    process::{ExitCode, ExitStatus},
};

use futures_util::{StreamExt as _, stream};
use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use super::{Failure, wanted::Wanted};
use crate::client::{Files, VARIABLES, Value, Variable};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let values = arguments.wanted.values().await?;
    let mut command = command(arguments.command)?;
    let mut files = None;
    for (variable, value) in &values {
        command.env(&variable.name, text(variable, value, &mut files)?);
    }
    drop(values);
    // Before the program is there: from its first moment on, what this process is told reaches it.
    let signals = signals().map_err(Failure::io("listen for signals"))?;
    let mut child = command.spawn().map_err(Failure::io("start the program"))?;
    // The program has its own copy; ours need not last as long.
    drop(command);
    let status = wait(&mut child, signals).await?;
    drop(files);
    Ok(ended(status))
}

/// The program, in this process's environment without what is Keywarden's own.
fn command(words: Vec<OsString>) -> Result<Command, Failure> {
    let mut words = words.into_iter();
    let program = words.next().ok_or(Failure::Usage("name a program after `--`"))?;
    let mut command = Command::new(program);
    command.args(words);
    for name in VARIABLES {
        command.env_remove(name);
    }
    Ok(command)
}

/// What a variable holds: the value, or the path of a file that does. No variable can hold a NUL.
fn text(variable: &Variable, value: &Value, files: &mut Option<Files>) -> Result<OsString, Failure> {
    let bytes = value.bytes.expose();
    if !value.is_binary && !bytes.contains(&0) {
        return Ok(OsString::from_vec(bytes.to_vec()));
    }
    let made = match files.take() {
        Some(files) => Ok(files),
        None => Files::new(),
    };
    let files = files.insert(made.map_err(Failure::io("keep a binary value"))?);
    Ok(files.put(&variable.name, bytes).map_err(Failure::io("keep a binary value"))?.into())
}

/// Signals that a program gets from whoever stops, reloads or asks it.
const SIGNALS: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

type Signals = stream::SelectAll<stream::BoxStream<'static, Signal>>;

fn signals() -> std::io::Result<Signals> {
    let streams: Result<Vec<_>, _> = SIGNALS.into_iter().map(arriving).collect();
    Ok(stream::select_all(streams?))
}

/// Waits for the program, and hands on what it should know of.
async fn wait(child: &mut Child, mut signals: Signals) -> Result<ExitStatus, Failure> {
    // A terminal sends its own to the program as well: here they are only survived.
    let at_terminal = std::io::stdin().is_terminal();
    loop {
        tokio::select! {
            status = child.wait() => return status.map_err(Failure::io("wait for the program")),
            Some(kind) = signals.next() => {
                let has_it = at_terminal && matches!(kind, Signal::SIGINT | Signal::SIGQUIT);
                let id = child.id().and_then(|id| i32::try_from(id).ok());
                if let Some(id) = id.filter(|_| !has_it) {
                    // It may have ended just now.
                    nix::sys::signal::kill(Pid::from_raw(id), kind).ok();
                }
            }
        }
    }
}

fn arriving(kind: Signal) -> std::io::Result<stream::BoxStream<'static, Signal>> {
    let caught = signal(SignalKind::from_raw(kind as i32))?;
    let each = stream::unfold(caught, async |mut caught| caught.recv().await.map(|()| ((), caught)));
    Ok(each.map(move |()| kind).boxed())
}

/// As shells tell it: the code, or 128 and the signal.
fn ended(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
