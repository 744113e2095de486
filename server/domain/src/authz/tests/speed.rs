use std::time::{Duration, Instant};

use super::*;

/// The median of many decisions, entities built anew for each.
fn median(principal: &Principal, action: Action, target: &Target) -> Duration {
    let rules = Rules::builtin().unwrap();
    let mut times: Vec<_> = (0..2_000)
        .map(|_| {
            let start = Instant::now();
            assert!(rules.decide(principal, action, target, false).allowed);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn a_decision_takes_a_small_part_of_a_millisecond() {
    let few = holding(Role::Issuer, here());
    let mut many = few.clone();
    for n in 10..110 {
        give(&mut many, Role::Viewer, id(n));
    }
    let target = thing_in(Action::RotateKey, here());
    let (one, hundred) =
        (median(&few, Action::RotateKey, &target), median(&many, Action::RotateKey, &target));
    println!("a decision with one role: {one:?}, with a hundred and one: {hundred:?}");
    assert!(one < Duration::from_millis(1), "{one:?}");
    assert!(hundred < one * 2, "roles elsewhere cost little: {hundred:?}");
}
