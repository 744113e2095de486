//! The program: its variables, its signals and its end.

use std::{
    ffi::{OsStr, OsString},
    io::IsTerminal as _,
    os::unix::{ffi::OsStrExt as _, process::ExitStatusExt as _},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use crate::{
    client::{Files, VARIABLES, Value, Variable},
    commands::{Failure, wanted::Values},
};

/// What is to be run.
#[derive(Debug)]
pub(super) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
}

/// A program that runs, and the files that it was given.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    _files: Option<Files>,
}

impl Program {
    pub(super) fn new(words: Vec<OsString>) -> Result<Self, Failure> {
        let mut words = words.into_iter();
        let name = words.next().ok_or(Failure::Usage("name a program after `--`"))?;
        Ok(Self { name, arguments: words.collect() })
    }

    /// Starts it, in this process's environment without what is Keywarden's own.
    pub(super) fn start(&self, values: &Values) -> Result<Running, Failure> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
        for name in VARIABLES {
            command.env_remove(name);
        }
        let mut files = None;
        for (variable, value) in values {
            give(&mut command, variable, value, &mut files)?;
        }
        let child = command.spawn().map_err(Failure::io("start the program"))?;
        Ok(Running { child, _files: files })
    }
}

/// A variable holds the value, or the path of a file that does. No variable can hold a NUL.
fn give(
    command: &mut Command,
    variable: &Variable,
    value: &Value,
    files: &mut Option<Files>,
) -> Result<(), Failure> {
    let bytes = value.bytes.expose();
    if !value.is_binary && !bytes.contains(&0) {
        command.env(&variable.name, OsStr::from_bytes(bytes));
        return Ok(());
    }
    let made = match files.take() {
        Some(files) => Ok(files),
        None => Files::new(),
    };
    let files = files.insert(made.map_err(Failure::io("keep a binary value"))?);
    command
        .env(&variable.name, files.put(&variable.name, bytes).map_err(Failure::io("keep a binary value"))?);
    Ok(())
}

impl Running {
    /// Waits for the program, and hands on what it should know of. May be given up at any moment.
    pub(super) async fn wait(&mut self, signals: &mut Signals) -> Result<ExitStatus, Failure> {
        loop {
            tokio::select! {
                status = self.child.wait() => return status.map_err(Failure::io("wait for the program")),
                Some(kind) = signals.next() => self.hears(signals, kind),
            }
        }
    }

    /// Ends the program so that another can start: it is asked to, and killed after `grace`. Its status, if this process
    /// was asked to end meanwhile: then no other is to start.
    pub(super) async fn stop(
        mut self,
        grace: Duration,
        signals: &mut Signals,
    ) -> Result<Option<ExitStatus>, Failure> {
        self.send(Signal::SIGTERM);
        let mut late = std::pin::pin!(sleep(grace));
        let (mut killed, mut ends) = (false, false);
        loop {
            tokio::select! {
                status = self.child.wait() => {
                    let status = status.map_err(Failure::io("wait for the program"))?;
                    return Ok(ends.then_some(status));
                }
                Some(kind) = signals.next() => {
                    ends |= matches!(kind, Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM)
                        || signals.at_terminal && kind == Signal::SIGHUP;
                    self.hears(signals, kind);
                }
                () = &mut late, if !killed => {
                    killed = true;
                    self.send(Signal::SIGKILL);
                }
            }
        }
    }

    fn hears(&self, signals: &Signals, kind: Signal) {
        // A terminal sends its own to the program as well: here they are only survived.
        if !(signals.at_terminal && matches!(kind, Signal::SIGINT | Signal::SIGQUIT)) {
            self.send(kind);
        }
    }

    fn send(&self, kind: Signal) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended just now.
            nix::sys::signal::kill(Pid::from_raw(id), kind).ok();
        }
    }
}

/// Signals that a program gets from whoever stops, reloads or asks it.
const SIGNALS: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

/// What this process is told.
pub(super) struct Signals {
    arriving: stream::SelectAll<stream::BoxStream<'static, Signal>>,
    at_terminal: bool,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        let streams: Result<Vec<_>, _> = SIGNALS.into_iter().map(arriving).collect();
        Ok(Self { arriving: stream::select_all(streams?), at_terminal: std::io::stdin().is_terminal() })
    }

    async fn next(&mut self) -> Option<Signal> {
        self.arriving.next().await
    }
}

fn arriving(kind: Signal) -> std::io::Result<stream::BoxStream<'static, Signal>> {
    let caught = signal(SignalKind::from_raw(kind as i32))?;
    let each = stream::unfold(caught, async |mut caught| caught.recv().await.map(|()| ((), caught)));
    Ok(each.map(move |()| kind).boxed())
}

/// As shells tell it: the code, or 128 and the signal.
pub(super) fn code(status: ExitStatus) -> ExitCode {
    let code =
        status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128))).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
