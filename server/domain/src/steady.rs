//! The machine's clock, kept from going back.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

use crate::env::{Clock, SystemClock};

/// A correction of the machine's clock that is waited out; one that is larger is a clock that was set wrongly.
const SLACK: TimeDelta = TimeDelta::seconds(30);

/// For so long the monotonic clock need not be asked beside the machine's.
const BASED: TimeDelta = TimeDelta::milliseconds(100);

/// A clock that never goes back, so that what has expired stays expired: where the machine's clock was set back, it
/// goes on by the monotonic clock.
pub struct SteadyClock<C = SystemClock> {
    machine: C,
    told: Mutex<Option<Told>>,
}

/// What the clock told last, and an earlier instant by both kinds of time.
#[derive(Debug, Clone, Copy)]
struct Told {
    last: DateTime<Utc>,
    base: (DateTime<Utc>, Instant),
}

impl<C: Clock> SteadyClock<C> {
    /// Steadies `machine`.
    pub fn new(machine: C) -> Self {
        Self { machine, told: Mutex::new(None) }
    }

    /// From now on it is at least `floor`: what somebody wrote down already.
    pub fn raise(&self, floor: DateTime<Utc>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.last < floor) {
            *told = Some(Told { last: floor, base: (floor, self.machine.monotonic()) });
        }
    }

    /// How far the machine's own clock is behind this one; nothing when it is right.
    pub fn behind(&self) -> TimeDelta {
        (self.now() - self.machine.now()).max(TimeDelta::zero())
    }
}

impl<C: Clock> Clock for SteadyClock<C> {
    fn now(&self) -> DateTime<Utc> {
        let machine = self.machine.now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match *told {
            Some(Told { last, base: (at, _) }) if machine >= last && machine - at < BASED => {
                machine // told anew below, by the same base
            }
            Some(Told { last, .. }) if machine < last && last - machine <= SLACK => return last,
            Some(Told { last, base: (at, then) }) if machine < last => {
                let passed = self.machine.monotonic().saturating_duration_since(then);
                let passed = TimeDelta::from_std(passed).unwrap_or_default();
                let now =
                    at.checked_add_signed(passed).map_or(at, keywarden_model::time::to_micros_precision);
                now.max(last)
            }
            _ => {
                *told = Some(Told { last: machine, base: (machine, self.machine.monotonic()) });
                return machine;
            }
        };
        if let Some(told) = &mut *told {
            told.last = now;
        }
        now
    }

    fn monotonic(&self) -> Instant {
        self.machine.monotonic()
    }
}

impl<C> fmt::Debug for SteadyClock<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SteadyClock")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A machine whose two kinds of time move apart.
    struct Machine {
        wall: Mutex<DateTime<Utc>>,
        tick: Mutex<Instant>,
    }

    impl Machine {
        fn new() -> Self {
            Self { wall: Mutex::new(at(0)), tick: Mutex::new(Instant::now()) }
        }

        fn set(&self, second: i64) {
            *self.wall.lock().unwrap() = at(second);
        }

        fn pass(&self, seconds: u64) {
            *self.tick.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    impl Clock for &Machine {
        fn now(&self) -> DateTime<Utc> {
            *self.wall.lock().unwrap()
        }
        fn monotonic(&self) -> Instant {
            *self.tick.lock().unwrap()
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    #[test]
    fn a_clock_that_was_set_back_goes_on_by_the_monotonic_one() {
        let machine = Machine::new();
        let clock = SteadyClock::new(&machine);
        machine.set(100);
        assert_eq!(clock.now(), at(100));
        machine.set(-3_500);
        machine.pass(10);
        assert_eq!(clock.now(), at(110));
        machine.pass(10);
        assert_eq!((clock.now(), clock.behind()), (at(120), TimeDelta::seconds(3_620)));
        machine.set(130);
        assert_eq!((clock.now(), clock.behind()), (at(130), TimeDelta::zero()));
    }

    #[test]
    fn a_small_correction_is_waited_out() {
        let machine = Machine::new();
        let clock = SteadyClock::new(&machine);
        machine.set(100);
        assert_eq!(clock.now(), at(100));
        machine.set(98);
        machine.pass(1);
        assert_eq!(clock.now(), at(100));
        machine.set(101);
        assert_eq!(clock.now(), at(101));
    }

    #[test]
    fn what_was_written_down_is_a_floor() {
        let machine = Machine::new();
        let clock = SteadyClock::new(&machine);
        clock.raise(at(20));
        clock.raise(at(10));
        assert_eq!(clock.now(), at(20));
    }
}
