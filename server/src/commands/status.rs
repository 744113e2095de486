//! `keywarden status`

use std::io::Write;

use http::Method;

use super::Failure;
use crate::{
    config::Config,
    operator::{self, Status},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let status: Status =
        operator::call(&config.operator_socket(), Method::GET, "/status", None::<&()>).await?;
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        serde_json::to_writer(&mut out, &status).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        let why = status.why.map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(
            out,
            "{}{why}\n{} on {}, {}, process {}, since {}",
            status.condition,
            status.public_url,
            status.listen,
            status.engine,
            status.process,
            status.started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        )
    };
    written.map_err(Failure::io("print"))
}
