//! `keywarden config`

use std::io::Write;

use super::Failure;
use crate::config::{Config, Values, shown};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, values: &Values, arguments: &Arguments) -> Result<(), Failure> {
    let lines = shown(config, values);
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        serde_json::to_writer_pretty(&mut out, &lines).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        let width =
            |pick: fn(&crate::config::ShownSetting) -> usize| lines.iter().map(pick).max().unwrap_or(0);
        let (keys, texts) = (width(|line| line.key.len()), width(|line| line.value.chars().count()));
        lines.iter().try_for_each(|line| {
            writeln!(out, "{:keys$}  {:texts$}  {} ({})", line.key, line.value, line.origin, line.variable)
        })
    };
    written.map_err(Failure::io("print"))
}
