//! How long decisions take: a program of the domain's own measures, for a decision has no address to ask at.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::table::Table;
use crate::Result;

/// The slowest hundredth of the evaluations takes at most this, in microseconds.
const P99: f64 = 50.0;
/// The whole call with a thousand policies costs at most so many times what it costs with a hundred.
const GROWTH: f64 = 1.5;

/// Who can do something to a thing is said within this, in microseconds.
const WHO_CAN: f64 = 2e6;

/// How long something took, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Took {
    per_second: f64,
    mean: f64,
    p50: f64,
    p99: f64,
}

/// A house that was measured.
#[derive(Debug, Clone)]
struct Measured {
    /// `named`: most policies name somebody and a place; `fitting`: all fit every question.
    sort: String,
    policies: u64,
    principals: u64,
    things: u64,
    allowed: u64,
    evaluated: Took,
    authorized: Took,
    first: Took,
}

/// A house that was asked the other way round: who can, and what somebody can.
#[derive(Debug, Clone)]
struct Reverse {
    policies: u64,
    principals: u64,
    things: u64,
    most: u64,
    who_can: Took,
    held: Took,
}

/// What the program says.
#[derive(Debug, Clone, Default)]
struct Said {
    houses: Vec<Measured>,
    reverse: Vec<Reverse>,
}

/// Runs it, and tells and judges what it says.
pub fn measure(program: &Path, table: &mut Table) -> Result<()> {
    let ran = Command::new(program).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ran = ran.with_context(|| program.display().to_string())?;
    ensure!(ran.status.success(), "{}: {}", program.display(), ran.status);
    let said = Said::read(&String::from_utf8(ran.stdout)?)?;
    tell(&said.houses, table)?;
    ensure!(!said.reverse.is_empty(), "nobody was asked who can");
    for it in &said.reverse {
        tell_reverse(it, table);
    }
    Ok(())
}

/// A line of what it says.
struct Line(Value);

impl Line {
    fn number(&self, name: &str) -> Result<u64> {
        self.0.get(name).and_then(Value::as_u64).with_context(|| format!("no {name} in {}", self.0))
    }

    fn took(&self, name: &str) -> Result<Took> {
        let figure = |figure: &str| {
            let told = self.0.get(name).and_then(|it| it.get(figure)).and_then(Value::as_f64);
            told.with_context(|| format!("no {figure} of {name} in {}", self.0))
        };
        Ok(Took {
            per_second: figure("per_second")?,
            mean: figure("mean")?,
            p50: figure("p50")?,
            p99: figure("p99")?,
        })
    }
}

impl Said {
    fn read(text: &str) -> Result<Self> {
        let mut said = Self::default();
        for line in text.lines() {
            let line = Line(serde_json::from_str(line).with_context(|| format!("what is this? {line}"))?);
            let sort = line.0.get("sort").and_then(Value::as_str).context("no sort")?.to_owned();
            if sort == "reverse" {
                said.reverse.push(Reverse {
                    policies: line.number("policies")?,
                    principals: line.number("principals")?,
                    things: line.number("things")?,
                    most: line.number("most")?,
                    who_can: line.took("who_can")?,
                    held: line.took("held")?,
                });
                continue;
            }
            said.houses.push(Measured {
                sort,
                policies: line.number("policies")?,
                principals: line.number("principals")?,
                things: line.number("things")?,
                allowed: line.number("allowed")?,
                evaluated: line.took("evaluated")?,
                authorized: line.took("authorized")?,
                first: line.took("first")?,
            });
        }
        Ok(said)
    }
}

fn tell_reverse(it: &Reverse, table: &mut Table) {
    let told = |what: &str| {
        format!("{} principals, {} things, {} policies, {what}", it.principals, it.things, it.policies)
    };
    let seconds = |took: Took| format!("p50 {:.3} s, p99 {:.3} s", took.p50 / 1e6, took.p99 / 1e6);
    let value = format!("{} people (p99 at most {:.0}): {}", it.most, WHO_CAN / 1e6, seconds(it.who_can));
    table.judge(&told("who can read one"), &value, it.who_can.p99 <= WHO_CAN);
    table.tell(&told("what somebody can"), &seconds(it.held));
}

fn tell(houses: &[Measured], table: &mut Table) -> Result<()> {
    let mut named = Vec::new();
    for it in houses {
        let told = |what: &str| format!("{} policies, {what}", it.policies);
        if it.sort == "fitting" {
            table.tell(&told("all of which fit, evaluated"), &shown(it.evaluated));
            table.tell(&told("all of which fit, authorize"), &shown(it.authorized));
            continue;
        }
        if named.is_empty() {
            let asked = format!("{} principals, {} things", it.principals, it.things);
            table.tell("decisions, one after the other", &asked);
        }
        table.tell(&told("allowed, of a hundred"), &it.allowed.to_string());
        let value = format!("{} (p99 at most {P99:.0})", shown(it.evaluated));
        table.judge(&told("evaluated"), &value, it.evaluated.p99 < P99);
        table.tell(&told("authorize"), &shown(it.authorized));
        table.tell(&told("authorize, asked for the first time"), &shown(it.first));
        named.push(it);
    }
    let cost = |policies: u64| {
        let house = named.iter().find(|it| it.policies == policies);
        house.map(|it| it.authorized.mean).with_context(|| format!("{policies} policies were not measured"))
    };
    let growth = cost(1_000)? / cost(100)?;
    let what = format!("authorize, 1 000 policies to 100 (at most {GROWTH:.1})");
    table.judge(&what, &format!("{growth:.2}"), growth <= GROWTH);
    Ok(())
}

fn shown(took: Took) -> String {
    let Took { per_second, mean, p50, p99 } = took;
    format!("{per_second:.0} per second, mean {mean:.1} µs, p50 {p50:.1} µs, p99 {p99:.1} µs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sort: &str, policies: u64, mean: f64, p99: f64) -> String {
        let took = serde_json::json!({ "per_second": 1e6 / mean, "mean": mean, "p50": mean, "p99": p99 });
        let told = serde_json::json!({
            "sort": sort, "policies": policies, "principals": 10_000, "things": 1_000_000, "allowed": 40,
            "evaluated": took, "authorized": took, "first": took,
        });
        told.to_string()
    }

    fn told(lines: &[String]) -> Result<()> {
        let said = Said::read(&lines.join("\n"))?;
        let mut table = Table::default();
        tell(&said.houses, &mut table)?;
        for it in &said.reverse {
            tell_reverse(it, &mut table);
        }
        table.end()
    }

    #[test]
    fn a_bar_that_is_missed_is_told() {
        let good = [
            line("named", 100, 20.0, 49.0),
            line("named", 1_000, 30.0, 49.9),
            line("fitting", 1_000, 900.0, 990.0),
        ];
        assert!(told(&good).is_ok());
        let slow = told(&[line("named", 100, 20.0, 49.0), line("named", 1_000, 20.0, 50.0)]).unwrap_err();
        assert_eq!(slow.to_string(), "missed: 1000 policies, evaluated");
        let growing = told(&[line("named", 100, 20.0, 30.0), line("named", 1_000, 30.1, 40.0)]).unwrap_err();
        assert_eq!(growing.to_string(), "missed: authorize, 1 000 policies to 100 (at most 1.5)");
        assert!(told(&[line("named", 100, 20.0, 30.0)]).is_err(), "nothing to compare with");
        let took = |micros: f64| serde_json::json!({ "per_second": 1.0, "mean": micros, "p50": micros, "p99": micros });
        let reverse = |micros: f64| {
            let told = serde_json::json!({
                "sort": "reverse", "policies": 1_000, "principals": 10_000, "things": 10_000, "most": 90,
                "who_can": took(micros), "held": took(1e9),
            });
            [good.to_vec(), vec![told.to_string()]].concat()
        };
        assert!(told(&reverse(2e6)).is_ok());
        let slow = told(&reverse(2.1e6)).unwrap_err().to_string();
        assert_eq!(slow, "missed: 10000 principals, 10000 things, 1000 policies, who can read one");
        assert!(told(&["nonsense".to_owned()]).is_err());
    }
}
