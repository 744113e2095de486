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

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use super::Failure;
use crate::client::{Access, Client, Files, Place, VARIABLES, Value, Variable, Which, named};

/// Values that are asked for at once.
const AT_ONCE: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    /// The project's slug
    #[arg(long, short)]
    project: String,
    /// The environment's slug
    #[arg(long, short)]
    environment: String,
    /// Only the secrets of this folder; variables are named after what stands behind it
    #[arg(long)]
    folder: Option<String>,
    /// Only this variable; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let client = Client::new(&arguments.access)?;
    let place = Place { project: arguments.project, environment: arguments.environment };
    let folder = arguments.folder.as_deref().map(|folder| folder.trim_matches('/'));
    let listed = client.list(&place, folder).await?;
    let enabled = |it: &crate::client::Listed| it.current.as_ref().is_some_and(|at| at.state == "enabled");
    let paths: Vec<_> = listed.into_iter().filter(enabled).map(|it| it.path).collect();
    let wanted = chosen(named(&paths, folder)?, &arguments.only)?;
    let values: Vec<(Variable, Value)> = stream::iter(wanted)
        .map(|variable| async {
            let value = client.read(&place, &variable.path, &Which::default()).await?;
            Ok::<_, Failure>((variable, value))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;

    let mut command = command(arguments.command)?;
    let mut files = None;
    for (variable, value) in &values {
        command.env(&variable.name, text(variable, value, &mut files)?);
    }
    drop(values);
    let mut child = command.spawn().map_err(Failure::io("start the program"))?;
    // The program has its own copy; ours need not last as long.
    drop(command);
    let status = wait(&mut child).await?;
    drop(files);
    Ok(ended(status))
}

/// The variables that are wanted; a name that nothing has is a mistake.
fn chosen(all: Vec<Variable>, only: &[String]) -> Result<Vec<Variable>, Failure> {
    if let Some(name) = only.iter().find(|name| !all.iter().any(|it| it.name == **name)) {
        return Err(Failure::NoSuchVariable(name.clone()));
    }
    Ok(all.into_iter().filter(|it| only.is_empty() || only.contains(&it.name)).collect())
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

/// Waits for the program, and hands on what it should know of.
async fn wait(child: &mut Child) -> Result<ExitStatus, Failure> {
    let streams: Result<Vec<_>, _> = SIGNALS.into_iter().map(arriving).collect();
    let mut signals = stream::select_all(streams.map_err(Failure::io("listen for signals"))?);
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
