//! `keywarden login` and `keywarden logout`: a person at a terminal, let in by themselves in the console.

use std::process::{Command, Stdio};

use super::{Failure, shown_at};
use crate::client::{Access, Asked, Login};

/// What opens an address in the person's browser; the first one that is there.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    /// Open no browser, print the address only
    #[arg(long)]
    no_browser: bool,
    /// Keep the sign-in in the kernel's keyring of this user and not in a file: it is gone when the machine restarts, or when
    /// no process of the user is left
    #[arg(long)]
    keyring: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Out {
    #[command(flatten)]
    access: Access,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let login = Login::new(&arguments.access)?;
    let login = if arguments.keyring { login.in_keyring()? } else { login };
    let asked = login.ask().await?;
    let Asked { user_code, verification_uri, .. } = &asked;
    eprintln!("Open {verification_uri} and enter {user_code}; then let this terminal in with your passkey.");
    if !arguments.no_browser {
        open(asked.verification_uri_complete.as_deref().unwrap_or(verification_uri));
    }
    let until = login.wait(&asked).await?;
    eprintln!("This terminal is signed in until {}; `keywarden logout` ends it.", shown_at(until));
    Ok(())
}

pub(super) async fn out(arguments: Out) -> Result<(), Failure> {
    let was_in = Login::new(&arguments.access)?.out().await?;
    eprintln!("{}", if was_in { "This terminal is signed out." } else { "Nobody was signed in here." });
    Ok(())
}

/// Where there is a browser. Whoever has none reads the address.
fn open(address: &str) {
    // What a server says is an address only if it looks like one.
    if !["https://", "http://"].iter().any(|scheme| address.starts_with(scheme)) || !has_display() {
        return;
    }
    for opener in OPENERS {
        let mut command = Command::new(opener);
        command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.spawn().is_ok() {
            return;
        }
    }
}

/// Whether a window could come up. Where none can, an opener starts a browser in this terminal, which knows no passkeys.
#[expect(clippy::disallowed_methods, reason = "the session says what it has; that is no setting of ours")]
fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|it| !it.is_empty()))
}
