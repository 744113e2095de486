//! How far apart two moments are, in one unit. The server draws it, the browser keeps it fresh.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Units of a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 48 hours and more.
    Days,
    /// 90 minutes to 48 hours.
    Hours,
    /// 90 seconds to 90 minutes.
    Minutes,
    /// Less than five seconds.
    Now,
    /// Up to 90 seconds.
    Seconds,
}

/// A whole number of a unit, before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Whether the moment has passed.
    pub past: bool,
    /// The unit.
    pub unit: Unit,
    /// How many of it, cut: "in 2 h" is never less than two hours.
    pub count: u64,
}

impl Distance {
    /// From `now` to `at`, both in seconds since the epoch.
    pub fn between(at: i64, now: i64) -> Self {
        let seconds = at.abs_diff(now);
        let (unit, count) = match seconds {
            0..5 => (Unit::Now, seconds),
            5..90 => (Unit::Seconds, seconds),
            90..5400 => (Unit::Minutes, seconds / MINUTE),
            5400..172_800 => (Unit::Hours, seconds / HOUR),
            _ => (Unit::Days, seconds / DAY),
        };
        Self { past: at <= now, unit, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_cut_to_its_unit() {
        for (seconds, past, unit, count) in [
            (0, true, Unit::Now, 0),
            (4, false, Unit::Now, 4),
            (-5, true, Unit::Seconds, 5),
            (89, false, Unit::Seconds, 89),
            (90, false, Unit::Minutes, 1),
            (-5399, true, Unit::Minutes, 89),
            (5400, false, Unit::Hours, 1),
            (172_799, false, Unit::Hours, 47),
            (-172_800, true, Unit::Days, 2),
            (i64::MAX - 1_000, false, Unit::Days, 106_751_991_167_300),
        ] {
            assert_eq!(
                Distance::between(1_000 + seconds, 1_000),
                Distance { past, unit, count },
                "{seconds}"
            );
        }
    }
}
