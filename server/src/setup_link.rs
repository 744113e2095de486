//! The link that lets the first owner in: to the terminal of whoever started the server, else into a file that only they
//! can read. Never into a log.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use keywarden_domain::{
    Domain,
    people::{NewLink, SetupState},
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::http::Condition;

const FILE: &str = "setup-link";
/// How often it is asked whether the link has been used.
const LOOK: Duration = Duration::from_secs(2);

/// Once the keys are there: makes the link unless somebody set the house up, and hands it over.
pub(crate) async fn offer(
    domain: Domain,
    mut condition: watch::Receiver<Condition>,
    data_dir: PathBuf,
    stop: CancellationToken,
) {
    let ready = condition.wait_for(|condition| matches!(condition, Condition::Ready));
    if !matches!(stop.run_until_cancelled(ready).await, Some(Ok(_))) {
        return;
    }
    let path = data_dir.join(FILE);
    match domain.setup_state().await {
        Ok(SetupState::Done { .. }) => take_away(&path),
        Ok(SetupState::Waiting) => match domain.open_setup(&domain.system_op("setup")).await {
            Ok(link) => hand_over(&link, &path),
            Err(cause) => {
                tracing::error!(%cause, "no setup link was made; `keywarden operator setup` makes one");
            }
        },
        Err(cause) => tracing::error!(%cause, "cannot see whether Keywarden is set up"),
    }
}

/// Takes the file away once its link has been used.
pub(crate) async fn until_used(domain: Domain, data_dir: PathBuf, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        if matches!(domain.setup_state().await, Ok(SetupState::Done { .. })) {
            return take_away(&data_dir.join(FILE));
        }
    }
}

fn hand_over(link: &NewLink, path: &Path) {
    take_away(path);
    let mut terminal = io::stdout();
    if terminal.is_terminal() {
        let told = writeln!(
            terminal,
            "\nNobody owns this Keywarden yet. Within 30 minutes, open\n\n    {}\n\nand register a passkey.\n",
            link.url.expose()
        );
        if told.is_ok() {
            return;
        }
    }
    let until = link.expires_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    match write(link, path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), until, "nobody owns this Keywarden yet: open the link in this file");
        }
        Err(cause) => tracing::error!(path = %path.display(), %cause, "cannot write the setup link"),
    }
}

/// Written beside and renamed, so that nobody reads half a link.
fn write(link: &NewLink, path: &Path) -> io::Result<()> {
    let draft = path.with_extension("draft");
    take_away(&draft);
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", link.url.expose())?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// A link that was used, or that another start made, is of no use to anybody.
fn take_away(path: &Path) {
    if let Err(cause) = fs::remove_file(path)
        && cause.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %cause, "cannot take the old setup link away");
    }
}
