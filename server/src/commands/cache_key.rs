//! `keywarden cache-key`: needs no server and no configuration.

use std::path::PathBuf;

use keywarden_vault::CacheKey;

use super::Failure;
use crate::wire;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The key's file; one that is there is left as it is
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (_, env) = wire::world()?;
    CacheKey::create(&arguments.to, &mut env.fork()).map_err(Failure::CacheKey)?;
    let to = arguments.to.display();
    eprintln!(
        "the cache key is in {to}: name it by --cache-key-file or KEYWARDEN_CACHE_KEY_FILE, and keep it apart from the cache"
    );
    Ok(())
}
