//! The command line. One file per command; each ends with one clear sentence and a documented exit code.

mod config;
mod doctor;
mod flags;
mod serve;
mod status;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    config::{Config, ConfigError, Given, Values},
    data_dir::{self, DataDirError},
    listen::{ListenError, TlsError},
    logs,
    operator::OperatorError,
};

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  it failed, or a check of `doctor` did
  2  the command line or the configuration is wrong
  3  the data folder or the address is taken
  4  no server is running there

Settings are read from keywarden.toml, then KEYWARDEN_… variables, then flags; `keywarden config` shows them.";

#[derive(Debug, Parser)]
#[command(name = "keywarden", version, about = "Self-hosted console for API keys", after_help = EXIT_CODES)]
struct Line {
    /// Configuration file; `keywarden.toml` in the working folder if there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: flags::Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is in force and where each value came from
    Config(config::Arguments),
    /// Check database, HSM, clock, disk, TLS and passkey origin, and say what to do
    Doctor(doctor::Arguments),
    /// Run the server
    Serve,
    /// Ask the running server how it is
    Status(status::Arguments),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("some checks failed; each line above says what to do")]
    Checks,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot {what}: {cause}")]
    Io { what: &'static str, cause: std::io::Error },
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Wire(#[from] crate::wire::WireError),
}

impl Failure {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { what, cause }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Listen(ListenError::Plain { .. }) | Self::Tls(_) => 2,
            Self::DataDir(_) | Self::Listen(ListenError::Bind { .. }) => 3,
            Self::Operator(OperatorError::NotRunning { .. }) => 4,
            Self::Checks | Self::Io { .. } | Self::Operator(_) | Self::Wire(_) => 1,
        }
    }
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    data_dir::keep_files_private();
    let line = Line::parse();
    match act(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("keywarden: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn act(line: Line) -> Result<(), Failure> {
    let given =
        Given { file: line.config, environment: std::env::vars_os().collect(), flags: line.flags.given };
    let values = Values::gather(&given)?;
    let config = Config::read(&values)?;
    logs::start(&config.log);
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::io("start the runtime"))?;
    match line.command {
        Command::Config(arguments) => config::run(&config, &values, &arguments),
        Command::Doctor(arguments) => runtime.block_on(doctor::run(&config, &arguments)),
        Command::Serve => runtime.block_on(serve::run(config)),
        Command::Status(arguments) => runtime.block_on(status::run(&config, &arguments)),
    }
}
