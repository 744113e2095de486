//! `keywarden operator`: what only the server's own shell may do.

use std::io::Write;

use clap::Subcommand;
use http::Method;
use keywarden_model::Role;

use super::Failure;
use crate::{
    config::{Config, Span},
    operator::{self, Link, Recover, Token, TokenWanted},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a link, good for 30 minutes, by which a person who lost every passkey gets back in
    Recover {
        /// The person's id or whole name
        person: String,
    },
    /// Print a fresh setup link, while nobody owns this Keywarden
    Setup,
    /// Print a service token that acts as the operator; at most an hour
    Token {
        /// `owner`, `admin` or `auditor`
        #[arg(long)]
        role: Role,
        /// How long it is good: `90s`, `15m`, `1h`
        #[arg(long, default_value = "15m")]
        ttl: Span,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let socket = config.operator_socket();
    let mut out = std::io::stdout().lock();
    match arguments.what {
        What::Recover { person } => {
            let link: Link =
                operator::call(&socket, Method::POST, "/recoveries", Some(&Recover { person })).await?;
            writeln!(out, "{}", link.url)
        }
        What::Setup => {
            let link: Link = operator::call(&socket, Method::POST, "/setup", None::<&()>).await?;
            writeln!(out, "{}", link.url)
        }
        What::Token { role, ttl } => {
            let wanted = TokenWanted { role, seconds: i64::try_from(ttl.0.as_secs()).unwrap_or(i64::MAX) };
            let made: Token = operator::call(&socket, Method::POST, "/tokens", Some(&wanted)).await?;
            writeln!(out, "{}", made.token)
        }
    }
    .map_err(Failure::io("print"))
}
