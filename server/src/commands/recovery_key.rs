//! `keywarden recovery-key create`: needs no server and no configuration.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use keywarden_vault::recovery::{KeptError, RecoveryKey, Shares, keep};

use super::Failure;
use crate::wire;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a new recovery key to a file and print its recipient, which `keywarden backup recipient add` takes
    Create {
        /// The key's file; of shares, each gets `.1`, `.2` … behind it
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// So many shares make the key again
        #[arg(long, requires = "shares")]
        threshold: Option<u8>,
        /// So many shares are written, and no key
        #[arg(long, requires = "threshold")]
        shares: Option<u8>,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let What::Create { to, threshold, shares } = &arguments.what;
    let (_, env) = wire::world()?;
    let mut rng = env.fork();
    let key = RecoveryKey::generate(&mut rng).ok_or(Failure::Usage("no recovery key could be made"))?;
    let id = key.recipient().id();
    let mut told = std::io::stderr().lock();
    match threshold.zip(*shares) {
        None => {
            let note = format!("Keywarden recovery key of {id}: opens its backups. Keep it where no server is.");
            keep(to, &note, &key.text())?;
            writeln!(told, "the recovery key is in {}; the recipient {id} is:", to.display())
        }
        Some((threshold, number)) => {
            let shares = Shares::of(&key, threshold, number, &mut rng).map_err(KeptError::from)?;
            for (share, number) in shares.iter().zip(1_u8..) {
                let note =
                    format!("Keywarden: share {number} of a recovery key of {id}; {threshold} make the key.");
                keep(&numbered(to, number), &note, &share.text())?;
            }
            let (first, last) = (numbered(to, 1), numbered(to, number));
            writeln!(
                told,
                "{threshold} of the {number} shares in {} to {} make the recovery key; the recipient {id} is:",
                first.display(),
                last.display()
            )
        }
    }
    .map_err(Failure::io("print"))?;
    writeln!(std::io::stdout(), "{}", key.recipient()).map_err(Failure::io("print"))
}

fn numbered(path: &Path, number: u8) -> PathBuf {
    path.with_added_extension(number.to_string())
}
