//! The command line. One file per command; each ends with one clear sentence and a documented exit code.

mod access;
mod approval;
mod audit;
mod backup;
#[cfg(feature = "bare")]
mod bare;
mod cache_key;
mod config;
mod copy;
mod doctor;
mod export;
mod flags;
mod fsck;
mod keyring;
mod login;
mod operator;
mod policy;
mod recovery_key;
mod restore;
mod rewrap;
mod run;
mod seal;
mod secret;
mod serve;
mod status;
mod wanted;

use std::{path::PathBuf, process::ExitCode};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{CommandFactory as _, Parser, Subcommand};
use keywarden_vault::seal::pkcs11::keep_memory_private;

use crate::{
    client::{ClientError, VariablesError},
    config::{Config, ConfigError, Given, Values},
    data_dir::{self, DataDirError},
    listen::{ListenError, TlsError},
    logs,
    operator::{LetterError, OperatorError},
};

/// The command that is the process of a PKCS#11 library.
pub(crate) const LIBRARY: &str = "pkcs11";

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  it failed, or a check of `doctor` did
  2  the command line or the configuration is wrong
  3  the data folder or the address is taken
  4  no server is running there
  5  not everything could be looked at
  6  the disk failed under the database

Settings are read from keywarden.toml, then KEYWARDEN_… variables, then flags; `keywarden config` shows them.";

#[derive(Debug, Parser)]
#[command(name = "keywarden", version, about = "Self-hosted console for API keys and secrets", after_help = EXIT_CODES)]
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
    /// Ask any server for a role for a while, wait until it is approved, give it back
    Access(access::Arguments),
    /// Check what was signed about a request for access; asks no server
    Approval(approval::Arguments),
    /// Keep the audit record of any server elsewhere
    Audit(audit::Arguments),
    /// Write everything to one encrypted file while the server runs; say to whom it is encrypted; look at such a file
    Backup(backup::Arguments),
    /// Serve nothing, quickly, for measurements to compare with
    #[cfg(feature = "bare")]
    #[command(hide = true)]
    Bare,
    /// Make the key under which `keywarden run --cache` keeps values
    CacheKey(cache_key::Arguments),
    /// Print what completes this command line in a shell
    Completions { shell: clap_complete::Shell },
    /// Show what is in force and where each value came from
    Config(config::Arguments),
    /// Carry everything to another, empty database
    Copy(copy::Arguments),
    /// Check database, HSM, clock, disk, TLS and passkey origin, and say what to do
    Doctor(doctor::Arguments),
    /// Print an environment's secrets as a file: dotenv, JSON, YAML or a Kubernetes Secret
    Export(export::Arguments),
    /// Look at the whole store and say what must not be so; reads only
    Fsck(fsck::Arguments),
    /// Change the keyring's keys
    Keyring(keyring::Arguments),
    /// Sign in as a person: shows a code to be approved in the console
    Login(login::Arguments),
    /// Sign out what `keywarden login` signed in
    Logout(login::Out),
    /// What only the server's own shell may do
    Operator(operator::Arguments),
    /// Keep policies of any server as a folder of Cedar files
    Policy(policy::Arguments),
    /// Make a key that opens backups; to be done, and kept, on another machine
    RecoveryKey(recovery_key::Arguments),
    /// Bring a backup back into an empty database
    Restore(restore::Arguments),
    /// Be the process that has a PKCS#11 library in it; the server starts it
    #[command(hide = true)]
    Pkcs11,
    /// Show, pause or resume rewraps: what lies under an old key comes under a new one
    Rewrap(rewrap::Arguments),
    /// Start a program with an environment's secrets in its variables
    Run(run::Arguments),
    /// Show, add or remove what wraps the keyring
    Seal(seal::Arguments),
    /// Get, put, list, import, label, delete, restore or destroy secrets of any server
    Secret(secret::Arguments),
    /// Run the server
    Serve(serve::Arguments),
    /// Ask the running server how it is
    Status(status::Arguments),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("nothing is proven: {0}")]
    Approval(#[from] keywarden_domain::access::EvidenceError),
    #[error(transparent)]
    Backup(#[from] keywarden_domain::backup::VerifyError),
    #[error("`{0}` is binary: only `--format k8s` can hold it, and `keywarden run`")]
    Binary(String),
    #[error("cache key: {0}")]
    CacheKey(keywarden_vault::recovery::KeptError),
    #[error("some checks failed; each line above says what to do")]
    Checks,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("nothing was carried over: {0}")]
    Copy(#[source] keywarden_domain::system::CopyFailed),
    #[error("{0} things must not be so; each line above names one")]
    Damaged(usize),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(
        "the disk failed to sync the database, and what was written last may not be on it: look at the disk and at what the \
         kernel says of it, then start again; whatever was acknowledged is there"
    )]
    Disk,
    #[error("the backup did not come back whole: each of the {0} lines above says what is wrong")]
    Drill(usize),
    #[error("no event was applied, or not all: {0}; nothing was given by it, and it can be done again")]
    Events(#[from] keywarden_domain::backup::EventsError),
    #[error("cannot {what}: {cause}")]
    Io { what: &'static str, cause: std::io::Error },
    #[error("{cause}; and the values kept in {} are of no use: {why}", path.display())]
    Kept { cause: ClientError, path: PathBuf, why: run::UselessError },
    #[error(transparent)]
    Letter(#[from] LetterError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    NoCacheKey(#[from] keywarden_vault::CacheKeyError),
    #[error("{variable} has no valid value: {cause}")]
    NoValue { variable: String, cause: ClientError },
    #[error("the role is not held: the request is {0}")]
    NotHeld(String),
    #[error("nothing was destroyed: type `{0}` to destroy it, or say --yes")]
    NotDestroyed(String),
    #[error(
        "{0} of the entries cannot be imported, so none was; each line above that says `refused` names one"
    )]
    NotImported(u32),
    #[error("{0} of the files hold no policy that could decide; each line above says where and why")]
    NoPolicies(usize),
    #[error("{}: {cause}", file.display())]
    NoTests { file: PathBuf, cause: String },
    #[error("{0} of the tests failed; each line above that says `fail` names one")]
    TestsFailed(usize),
    #[error("no secret would be the variable {0}; nothing was started")]
    NoSuchVariable(String),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error(
        "cannot open the operator's socket {}: {cause}; give KEYWARDEN_DATA_DIR a folder of this machine whose path is short \
         (a socket's may have 107 bytes)",
        path.display()
    )]
    OperatorDoor { path: PathBuf, cause: std::io::Error },
    #[error("recovery key: {0}")]
    RecoveryKey(#[from] keywarden_vault::recovery::KeptError),
    #[error("nothing was restored: {0}")]
    Restore(#[from] keywarden_domain::backup::RestoreError),
    #[error(transparent)]
    Seal(#[from] keywarden_vault::SealError),
    #[error(
        "the doors stay shut: the lines above say why; `keywarden restore accept {0}` opens them all the same"
    )]
    Shut(String),
    #[error("--to: {0}")]
    Target(String),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("not everything could be looked at; each of the {0} lines above that say so names what, and why")]
    Unseen(usize),
    #[error("{0}")]
    Usage(&'static str),
    #[error(transparent)]
    Variables(#[from] VariablesError),
    #[error(transparent)]
    Wire(#[from] crate::wire::WireError),
}

impl Failure {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { what, cause }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Client(
                ClientError::AwsSettings(_)
                | ClientError::NoToken
                | ClientError::NoVaultToken
                | ClientError::Plain(_)
                | ClientError::SignInOver(_)
                | ClientError::Scheme(_),
            )
            | Self::Config(_)
            | Self::Listen(ListenError::Plain { .. })
            | Self::NoCacheKey(_)
            | Self::Target(_)
            | Self::Tls(_)
            | Self::Usage(_) => 2,
            Self::DataDir(_) | Self::Listen(ListenError::Bind { .. }) => 3,
            Self::Operator(OperatorError::NotRunning { .. }) => 4,
            Self::Unseen(_) => 5,
            Self::Disk => 6,
            Self::Approval(_)
            | Self::Backup(_)
            | Self::Binary(_)
            | Self::CacheKey(_)
            | Self::Checks
            | Self::Client(_)
            | Self::Copy(_)
            | Self::Damaged(_)
            | Self::Drill(_)
            | Self::Events(_)
            | Self::Io { .. }
            | Self::Kept { .. }
            | Self::Letter(_)
            | Self::NoPolicies(_)
            | Self::NoTests { .. }
            | Self::TestsFailed(_)
            | Self::NoSuchVariable(_)
            | Self::NoValue { .. }
            | Self::NotDestroyed(_)
            | Self::NotHeld(_)
            | Self::NotImported(_)
            | Self::Operator(_)
            | Self::OperatorDoor { .. }
            | Self::RecoveryKey(_)
            | Self::Restore(_)
            | Self::Seal(_)
            | Self::Shut(_)
            | Self::Variables(_)
            | Self::Wire(_) => 1,
        }
    }
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    data_dir::keep_files_private();
    let line = Line::parse();
    match act(line) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("keywarden: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn act(line: Line) -> Result<ExitCode, Failure> {
    // The program of `keywarden run` inherits what its parent may, and says for itself what it shows of its memory.
    if !matches!(line.command, Command::Run(_)) {
        keep_memory_private().map_err(Failure::io("keep memory out of core dumps"))?;
    }
    match line.command {
        Command::Access(arguments) => runtime()?.block_on(access::run(arguments)).map(|()| ExitCode::SUCCESS),
        Command::Approval(arguments) => approval::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Audit(arguments) => runtime()?.block_on(audit::run(arguments)).map(|()| ExitCode::SUCCESS),
        Command::CacheKey(arguments) => cache_key::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Line::command(), "keywarden", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Export(arguments) => runtime()?.block_on(export::run(arguments)).map(|()| ExitCode::SUCCESS),
        Command::Login(arguments) => runtime()?.block_on(login::run(arguments)).map(|()| ExitCode::SUCCESS),
        Command::Logout(arguments) => runtime()?.block_on(login::out(arguments)).map(|()| ExitCode::SUCCESS),
        Command::Pkcs11 => {
            let ended = keywarden_vault::seal::pkcs11::serve_library();
            ended.map(|()| ExitCode::SUCCESS).map_err(Failure::io("serve a PKCS#11 library"))
        }
        Command::Policy(arguments) => runtime()?.block_on(policy::run(arguments)).map(|()| ExitCode::SUCCESS),
        Command::RecoveryKey(arguments) => recovery_key::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Run(arguments) => runtime()?.block_on(run::run(arguments)),
        Command::Secret(arguments) => runtime()?.block_on(secret::run(arguments)).map(|()| ExitCode::SUCCESS),
        _ => at_home(line).map(|()| ExitCode::SUCCESS),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(Failure::io("start the runtime"))
}

/// What is done with this machine's own configuration.
fn at_home(line: Line) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "from here settings come")]
    let given =
        Given { file: line.config, environment: std::env::vars_os().collect(), flags: line.flags.given };
    let values = Values::gather(&given)?;
    let config = Config::read(&values)?;
    logs::start(&config.log);
    let runtime = runtime()?;
    match line.command {
        Command::Backup(arguments) => runtime.block_on(backup::run(&config, arguments)),
        #[cfg(feature = "bare")]
        Command::Bare => runtime.block_on(bare::run(&config)),
        Command::Config(arguments) => config::run(&config, &values, &arguments),
        Command::Copy(arguments) => runtime.block_on(copy::run(&config, &arguments)),
        Command::Doctor(arguments) => runtime.block_on(doctor::run(&config, &arguments)),
        Command::Fsck(arguments) => runtime.block_on(fsck::run(&config, &arguments)),
        Command::Keyring(arguments) => runtime.block_on(keyring::run(&config, arguments)),
        Command::Operator(arguments) => runtime.block_on(operator::run(&config, arguments)),
        Command::Restore(arguments) => runtime.block_on(restore::run(&config, arguments)),
        Command::Rewrap(arguments) => runtime.block_on(rewrap::run(&config, arguments)),
        Command::Seal(arguments) => runtime.block_on(seal::run(&config, arguments)),
        // They need no configuration, and were done above.
        Command::Access(_)
        | Command::Approval(_)
        | Command::Audit(_)
        | Command::CacheKey(_)
        | Command::Completions { .. }
        | Command::Export(_)
        | Command::Login(_)
        | Command::Logout(_)
        | Command::Pkcs11
        | Command::Policy(_)
        | Command::RecoveryKey(_)
        | Command::Run(_)
        | Command::Secret(_) => Ok(()),
        Command::Serve(arguments) => runtime.block_on(serve::run(config, arguments)),
        Command::Status(arguments) => runtime.block_on(status::run(&config, &arguments)),
    }
}

/// How commands print a moment.
fn shown_at(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Line;

    #[test]
    fn the_line_and_each_of_its_commands_is_put_together_rightly() {
        Line::command().debug_assert();
    }
}
