//! `keywarden status`

use std::io::Write;

use http::Method;

use super::{Failure, seal, shown_at};
use crate::{
    config::Config,
    operator::{self, Records, Status},
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
        print(&mut out, &status)
    };
    written.map_err(Failure::io("print"))
}

fn print(out: &mut impl Write, status: &Status) -> std::io::Result<()> {
    let why = status.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    writeln!(
        out,
        "{}{why}\n{} on {}, {}, process {}, since {}",
        status.condition,
        status.public_url,
        status.listen,
        status.engine,
        status.process,
        shown_at(status.started_at)
    )?;
    status.records.as_ref().map_or(Ok(()), |records| print_records(out, records))
}

fn print_records(out: &mut impl Write, records: &Records) -> std::io::Result<()> {
    let set_up = records.set_up_at.map_or("not set up yet".into(), |at| format!("set up {}", shown_at(at)));
    let fresh = match (records.counter, records.counter_age_ms) {
        (Some(counter), Some(age)) => format!("change counter {counter}, read {age} ms ago"),
        _ => "change counter not read yet".into(),
    };
    writeln!(out, "schema {}, {set_up}, {fresh}", records.schema)?;
    writeln!(out, "\nseals")?;
    seal::print(out, &records.seals)?;
    writeln!(out, "\nkeys")?;
    for key in &records.keys {
        let retired = key.retired_at.map(|at| format!(", retired {}", shown_at(at))).unwrap_or_default();
        let made = shown_at(key.created_at);
        writeln!(out, "{:18} {}  made {made}{retired}, {} envelopes", key.purpose, key.id, key.uses)?;
    }
    writeln!(out, "\nnodes")?;
    records.nodes.iter().try_for_each(|node| {
        let (since, seen) = (shown_at(node.started_at), shown_at(node.seen_at));
        writeln!(out, "{}  {} {}, since {since}, heard {seen}", node.name, node.version, node.condition)
    })
}
