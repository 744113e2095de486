//! The link that lets the first owner in: to the terminal of whoever started the server by hand, else into a file that only
//! they can read. Never into a log.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    os::{
        fd::AsFd,
        unix::{fs::OpenOptionsExt, process::parent_id},
    },
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    people::{NewLink, SetupState},
};
use nix::unistd::{getpgrp, tcgetpgrp};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::http::Condition;

/// The file's name in the data folder.
pub(crate) const FILE: &str = "setup-link";
/// How often it is asked whether the link has been used.
const LOOK: Duration = Duration::from_secs(2);

/// Once the keys are there: makes the link unless somebody set the house up, and hands it over. If it is in the file at
/// `path` then, says until when it serves.
pub(crate) async fn offer(
    domain: Domain,
    mut condition: watch::Receiver<Condition>,
    path: PathBuf,
    stop: CancellationToken,
) -> Option<DateTime<Utc>> {
    let ready = condition.wait_for(|condition| matches!(condition, Condition::Ready));
    if !matches!(stop.run_until_cancelled(ready).await, Some(Ok(_))) {
        return None;
    }
    match domain.setup_state().await {
        Ok(SetupState::Done { .. }) => take_away(&path),
        Ok(SetupState::Waiting) => match domain.open_setup(&domain.system_op("setup")).await {
            Ok(link) => return hand_over(&link, &path),
            Err(cause) => {
                tracing::error!(%cause, "no setup link was made; `keywarden operator setup` makes one");
            }
        },
        Err(cause) => tracing::error!(%cause, "cannot see whether Keywarden is set up"),
    }
    None
}

/// Takes the file away once its link has been used, or serves no longer.
pub(crate) async fn until_over(
    domain: Domain,
    path: PathBuf,
    until: Option<DateTime<Utc>>,
    stop: CancellationToken,
) {
    let Some(until) = until else { return };
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        let used = matches!(domain.setup_state().await, Ok(SetupState::Done { .. }));
        let over = until <= domain.env().now();
        if over && !used {
            tracing::info!("the setup link was not used in time; `keywarden operator setup` makes another");
        }
        if over || used {
            return take_away(&path);
        }
    }
}

/// Whether this is the terminal of whoever started the server by hand and waits for it. A container's is not: its engine
/// writes what the first process prints there, or what the child of an init does, into a log.
fn at_hand(terminal: &(impl AsFd + IsTerminal)) -> bool {
    terminal.is_terminal()
        && process::id() != 1
        && parent_id() > 1
        && tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp())
}

fn hand_over(link: &NewLink, path: &Path) -> Option<DateTime<Utc>> {
    take_away(path);
    let mut terminal = io::stdout();
    if at_hand(&terminal) {
        let told = writeln!(
            terminal,
            "\nNobody owns this Keywarden yet. Within 30 minutes, open\n\n    {}\n\nand register a passkey.\n",
            link.url.expose()
        );
        if told.is_ok() {
            return None;
        }
    }
    let until = link.expires_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    match write(link, path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), until, "nobody owns this Keywarden yet: open the link in this file");
            Some(link.expires_at)
        }
        Err(cause) => {
            tracing::error!(path = %path.display(), %cause, "cannot write the setup link");
            None
        }
    }
}

/// Written beside and renamed, so that nobody reads half a link.
fn write(link: &NewLink, path: &Path) -> io::Result<()> {
    let draft = path.with_extension("draft");
    take_away(&draft);
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{}", link.url.expose()).and_then(|()| file.sync_all());
    // Nobody is told of a link in a draft.
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| take_away(&draft))
}

/// A link that was used, or that another start made, is of no use to anybody.
fn take_away(path: &Path) {
    if let Err(cause) = fs::remove_file(path)
        && cause.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %cause, "cannot take the old setup link away");
    }
}

#[cfg(test)]
mod tests {
    use keywarden_domain::cast::both_engines;
    use nix::pty::openpty;

    use super::*;

    #[tokio::test]
    async fn a_link_that_nobody_used_in_time_lies_around_no_longer() {
        both_engines(async |house| {
            let path = house.folder().join(FILE);
            let link = house.domain.open_setup(&house.domain.system_op("setup")).await.unwrap();
            write(&link, &path).unwrap();
            house.clock.advance(Duration::from_mins(30));
            let (domain, until) = (house.domain.clone(), Some(link.expires_at));
            until_over(domain, path.clone(), until, CancellationToken::new()).await;
            assert!(!path.exists());
        })
        .await;
    }

    #[test]
    fn a_terminal_that_is_nobodys_is_not_at_hand() {
        let pair = openpty(None, None).unwrap();
        assert!(pair.slave.is_terminal() && !at_hand(&pair.slave));
    }
}
