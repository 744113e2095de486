//! What came of applying events, in lines.

use std::{collections::BTreeMap, io::Write};

use keywarden_domain::backup::{EventsReport, Named};

use super::shown_at;

pub(super) fn print(out: &mut impl Write, report: &EventsReport) -> std::io::Result<()> {
    let until = shown_at(report.until);
    writeln!(
        out,
        "{} events read, {} of them are in the backup. SHA-256 {}",
        report.events, report.known, report.digest
    )?;
    for (number, what) in [
        (report.repeated, "lines told an event again"),
        (report.disordered, "events came after a younger one, and were put in order"),
        (
            report.older,
            "events are older than the backup and not in it, so of before an earlier restore: left alone",
        ),
    ] {
        if number > 0 {
            writeln!(out, "{number} {what}")?;
        }
    }
    if report.cut {
        writeln!(
            out,
            "a file ends within a line: whoever wrote it was stopped there, and that event is lost"
        )?;
    }
    table(out, "Taken away again:", &report.applied)?;
    table(out, "So already, or not here:", &report.done)?;
    table(out, "NOT taken away, see to it:", &report.kept)?;
    table(out, "May have taken something away, look at it:", &report.look)?;
    table(out, "Not known to this program, look at it:", &report.unknown)?;
    table(out, "Made or given after the backup, and not here:", &report.lost)?;
    if !report.missing.is_empty() {
        writeln!(out, "Events are missing:")?;
        report.missing.iter().try_for_each(|gap| writeln!(out, "  {gap}"))?;
    }
    if !report.complete {
        writeln!(out, "The events end at {until}, before the instant that they have to reach.")?;
    }
    if report.accepted {
        writeln!(out, "What was done after {until} is given up; the doors open.")
    } else {
        writeln!(
            out,
            "The records are as the events tell until {until}. `keywarden restore accept {until}` gives up what was done \
             later, and opens the doors."
        )
    }
}

fn table(out: &mut impl Write, title: &str, of: &BTreeMap<String, Named>) -> std::io::Result<()> {
    if of.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    for (what, named) in of {
        let cut = named.things.len() == Named::MOST && named.count > Named::MOST as u64;
        let more = if cut { ", …" } else { "" };
        writeln!(out, "  {} {what}: {}{more}", named.count, named.things.join(", "))?;
    }
    Ok(())
}
