//! `keywarden audit export`: the record, kept where the server is not.

mod kept;

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use http::StatusCode;

use super::{Failure, shown_at};
use crate::client::{Access, Client, ClientError};
use kept::Kept;

/// An event that took long to be written comes in behind younger ones: so far back is asked for again, at the beginning
/// and once a minute.
const DEEP: TimeDelta = TimeDelta::minutes(15);
const DEEP_EVERY: Duration = Duration::from_mins(1);
/// As far as is asked for each time.
const SHALLOW: TimeDelta = TimeDelta::seconds(10);
const EVERY: Duration = Duration::from_secs(1);
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the audit record to a file, an event in each line, byte for byte as it is stored, and marks between them that say how
    /// many stand before; goes on where the file ends.
    /// After a restore, `keywarden restore apply` takes away again what was revoked after the backup
    Export {
        /// Only events from this instant on, if the file is new: an instant as in `2027-01-31T00:00:00Z`
        #[arg(long, value_name = "INSTANT")]
        since: Option<DateTime<Utc>>,
        /// The file
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Go on: what happens is written within seconds, until this is stopped
        #[arg(long)]
        follow: bool,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { access, what: What::Export { since, to, follow } } = arguments;
    let mut file = Kept::open(&to, DEEP, since).map_err(Failure::io("keep the events"))?;
    if follow {
        return self::follow(&access, &mut file).await;
    }
    let added = pull(&Client::new(&access, "audit").await?, &mut file, DEEP).await?;
    let last = file.newest().map_or_else(String::new, |at| format!("; the last one is of {}", shown_at(at)));
    writeln!(std::io::stdout(), "{added} events added to {}{last}", to.display())
        .map_err(Failure::io("print"))
}

/// Until this program is stopped. A server that is away comes back; a token that ran out is got anew, once.
async fn follow(access: &Access, file: &mut Kept) -> Result<(), Failure> {
    let (mut client, mut is_fresh) = (Client::new(access, "audit").await?, true);
    let mut deep_at = None::<Instant>;
    let mut in_trouble = false;
    loop {
        let is_deep = deep_at.is_none_or(|at| at.elapsed() >= DEEP_EVERY);
        let began = Instant::now();
        let cause = match pull(&client, file, if is_deep { DEEP } else { SHALLOW }).await {
            Ok(_) => {
                if std::mem::take(&mut in_trouble) {
                    eprintln!("keywarden: the server answers again");
                }
                if is_deep {
                    deep_at = Some(began);
                }
                is_fresh = false;
                tokio::time::sleep(EVERY).await;
                continue;
            }
            Err(Failure::Client(cause)) if !is_final(&cause) || !is_fresh => cause,
            Err(failure) => return Err(failure),
        };
        if !std::mem::replace(&mut in_trouble, true) {
            eprintln!("keywarden: {cause}; trying again");
        }
        deep_at = None;
        if !is_final(&cause) {
            tokio::time::sleep(AFTER_TROUBLE).await;
        }
        match Client::new(access, "audit").await {
            Ok(anew) => (client, is_fresh) = (anew, true),
            Err(cause) if is_final(&cause) => return Err(cause.into()),
            Err(_) => tokio::time::sleep(AFTER_TROUBLE).await,
        }
    }
}

/// Whether asking again with the same access would be in vain.
fn is_final(cause: &ClientError) -> bool {
    matches!(
        cause,
        ClientError::Told {
            status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND,
            ..
        }
    )
}

/// What is new; how many events it were.
async fn pull(client: &Client, file: &mut Kept, back: TimeDelta) -> Result<u64, Failure> {
    let mut events = client.export(file.after(back)).await?;
    let mut added = 0_u64;
    let pulled = loop {
        match events.next().await {
            Ok(Some(event)) => {
                let new = file.add(&event).map_err(Failure::io("keep the events"))?;
                added = added.saturating_add(u64::from(new));
            }
            Ok(None) => break Ok(()),
            Err(cause) => break Err(cause),
        }
    };
    if added > 0 {
        file.settle().map_err(Failure::io("keep the events"))?;
    }
    pulled?;
    Ok(added)
}
