//! `decisions`: measures how long decisions take, and says it in lines of JSON. `make bench` runs it and judges.

use std::process::ExitCode;
use std::time::Duration;

use keywarden_domain::authz::measured::{self, Measured, MeasuredReverse, PRINCIPALS, THINGS, Took};
use serde_json::{Value, json};

/// Policies of the houses that are compared.
const SIZES: [usize; 3] = [10, 100, 1_000];
/// Turns that each house gets, and questions of each.
const ROUNDS: usize = 8;
const QUESTIONS: usize = 5_000;
/// Policies that all fit, and questions to them.
const FITTING: usize = 1_000;
const FEW: usize = 2_000;
/// Secrets and people about whom it is asked the other way round.
const REVERSE: u128 = 40;

fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
    else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        for one in measured::measure(&SIZES, ROUNDS, QUESTIONS).await {
            tell(&one, "named");
        }
        tell(&measured::measure_fitting(FITTING, FEW).await, "fitting");
        tell_reverse(&measured::measure_reverse(FITTING, REVERSE).await);
    });
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn tell(one: &Measured, sort: &str) {
    let told = json!({
        "sort": sort,
        "policies": one.policies,
        "principals": u64::try_from(PRINCIPALS).unwrap_or(u64::MAX),
        "things": u64::try_from(THINGS).unwrap_or(u64::MAX),
        "allowed": one.allowed,
        "evaluated": took(one.evaluated),
        "authorized": took(one.authorized),
        "first": took(one.first),
    });
    println!("{told}");
}

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn tell_reverse(one: &MeasuredReverse) {
    let told = json!({
        "sort": "reverse",
        "policies": one.policies,
        "principals": u64::try_from(PRINCIPALS).unwrap_or(u64::MAX),
        "things": u64::try_from(one.stored).unwrap_or(u64::MAX),
        "most": one.most,
        "who_can": took(one.who_can),
        "held": took(one.held),
    });
    println!("{told}");
}

fn took(it: Took) -> Value {
    let microseconds = |span: Duration| span.as_secs_f64() * 1e6;
    json!({
        "per_second": it.per_second,
        "mean": microseconds(it.mean),
        "p50": microseconds(it.p50),
        "p99": microseconds(it.p99),
    })
}
