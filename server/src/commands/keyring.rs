//! `keywarden keyring`

use std::io::Write;

use clap::Subcommand;
use http::Method;
use keywarden_vault::Purpose;

use super::Failure;
use crate::{
    config::Config,
    operator::{self, Rotate, Rotated},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a new key for a purpose: it serves new values, the old one goes on to verify
    Rotate {
        /// `api-key-mac`, `fingerprint`, `idempotency`, `one-time`, `personal`, `project-key`, `secret-fingerprint`,
        /// `service-token-mac` or `session`
        purpose: Purpose,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let What::Rotate { purpose } = arguments.what;
    let wanted = Rotate { purpose: purpose.name().to_owned() };
    let socket = config.operator_socket();
    let rotated: Rotated = operator::call(&socket, Method::POST, "/keyring", Some(&wanted)).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "`{}` serves new values for `{purpose}`", rotated.key)
        .and_then(|()| match &rotated.rewrap {
            Some(rewrap) => writeln!(
                out,
                "projects' keys are brought under it; see how far it is with `keywarden rewrap status {rewrap}`"
            ),
            None => Ok(()),
        })
        .and_then(|()| {
            rotated.lacking.iter().try_for_each(|seal| {
                writeln!(out, "`{seal}` does not wrap it yet: run `keywarden seal add` for it again")
            })
        })
        .map_err(Failure::io("print"))
}
