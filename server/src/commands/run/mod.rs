//! `keywarden run`: starts a program with an environment's secrets in its variables.
//!
//! All values are read before anything is started: a program never runs with half of them. It gets the signals that this
//! process gets, and its exit code becomes ours. With `--watch` it is started anew when a value that it was given really is
//! another one; a value that expires without another one is said to, and stops the program where that was asked for. With
//! `--cache` it starts with the values of last time where the server is away.

mod cache;
mod program;
mod source;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use super::{
    Failure,
    wanted::{Values, Wanted},
};

use cache::CacheArguments;
use program::{Program, Signals};
use source::{OnExpiry, Source};

pub(super) use cache::UselessError;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// Start the program anew when a value that it was given changes
    #[arg(long)]
    watch: bool,
    /// How long the program may take to end before it is killed, when it is started anew
    #[arg(long, value_name = "SECONDS", default_value = "10", requires = "watch")]
    grace: u32,
    /// What becomes of the program when a value that it was given has expired and there is no valid one: it is started with
    /// valid values only, and started anew once there is one
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keep", requires = "watch")]
    on_expiry: OnExpiry,
    #[command(flatten)]
    cache: CacheArguments,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { wanted, watch, grace, on_expiry, cache, command } = arguments;
    let program = Program::new(command)?;
    let cache = cache.open(&wanted)?;
    let mut source = Source::new(wanted, cache, on_expiry);
    let mut values = source.first().await?;
    // Before the program is there: from its first moment on, what this process is told reaches it.
    let mut signals = Signals::listen().map_err(Failure::io("listen for signals"))?;
    if !watch {
        let mut running = program.start(&values)?;
        // The program has its own copy; ours need not last as long.
        drop((values, source));
        return Ok(program::code(running.wait(&mut signals).await?));
    }
    loop {
        let mut running = program.start(&values)?;
        let fresh = tokio::select! {
            status = running.wait(&mut signals) => return Ok(program::code(status?)),
            fresh = source.changed(&values) => fresh,
        };
        match &fresh {
            Ok(fresh) => eprintln!("keywarden: {}; the program is started anew", told(&values, fresh)),
            Err(_) => eprintln!("keywarden: a value is not valid any more; the program is stopped"),
        }
        if let Some(status) = running.stop(Duration::from_secs(grace.into()), &mut signals).await? {
            return Ok(program::code(status));
        }
        values = fresh?;
    }
}

/// Which variables are others: their names, never what they hold.
fn told(before: &Values, after: &Values) -> String {
    let only_of = |one: &Values, other: &Values| -> Vec<String> {
        one.iter().filter(|it| !source::has(other, it)).map(|(variable, _)| variable.name.clone()).collect()
    };
    let mut names = [only_of(after, before), only_of(before, after)].concat();
    names.sort();
    names.dedup();
    format!("{} changed", names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keywarden_vault::SecretBytes;

    use super::*;
    use crate::client::{Value, Variable};

    fn values(all: &[(&str, &str)]) -> Values {
        let of = |&(name, value): &(&str, &str)| {
            let value = Value { bytes: SecretBytes::copy_of(value.as_bytes()), is_binary: false, tag: None };
            (Variable { name: name.into(), path: name.to_lowercase() }, Arc::new(value))
        };
        all.iter().map(of).collect()
    }

    #[test]
    fn what_changed_is_told_by_its_name() {
        let before = values(&[("A", "1"), ("B", "2"), ("C", "3")]);
        let after = values(&[("A", "1"), ("B", "other"), ("D", "4")]);
        assert_eq!(told(&before, &after), "B, C, D changed");
        assert!(source::same(&before, &values(&[("A", "1"), ("B", "2"), ("C", "3")])));
        assert!(!source::same(&before, &after));
    }
}
