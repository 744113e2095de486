//! How long things live in an environment.

/// Shortest and longest life that may be set as a limit.
const LIFETIME: std::ops::RangeInclusive<i64> = 60..=10 * 366 * DAY;
/// Longest overlap.
const OVERLAP: std::ops::RangeInclusive<i64> = 0..=90 * DAY;
const DAY: i64 = 24 * 60 * 60;

/// How long keys of an environment may live, and how long an old value works after a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    max_lifetime_seconds: Option<i64>,
    overlap_seconds: i64,
}

/// Why two numbers are not the terms of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The longest life is too short or too long.
    #[error("use a longest life of one minute to ten years, or none")]
    Lifetime,
    /// The overlap is negative or too long.
    #[error("use an overlap of 0 seconds to 90 days")]
    Overlap,
}

impl Terms {
    /// Checks both; `None` for the overlap is 24 hours.
    pub fn new(max_lifetime_seconds: Option<i64>, overlap_seconds: Option<i64>) -> Result<Self, TermsError> {
        if max_lifetime_seconds.is_some_and(|it| !LIFETIME.contains(&it)) {
            return Err(TermsError::Lifetime);
        }
        let overlap_seconds = overlap_seconds.unwrap_or(DAY);
        if !OVERLAP.contains(&overlap_seconds) {
            return Err(TermsError::Overlap);
        }
        Ok(Self { max_lifetime_seconds, overlap_seconds })
    }

    /// The longest that a key may live, in seconds.
    pub fn max_lifetime_seconds(self) -> Option<i64> {
        self.max_lifetime_seconds
    }

    /// The default overlap, in seconds.
    pub fn overlap_seconds(self) -> i64 {
        self.overlap_seconds
    }
}

/// No longest life, and an overlap of 24 hours.
impl Default for Terms {
    fn default() -> Self {
        Self { max_lifetime_seconds: None, overlap_seconds: DAY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_numbers_are_no_terms() {
        for wrong in [0, -1, 59, i64::MIN, i64::MAX, *LIFETIME.end() + 1] {
            assert_eq!(Terms::new(Some(wrong), None), Err(TermsError::Lifetime), "{wrong}");
        }
        for wrong in [-1, i64::MIN, i64::MAX, *OVERLAP.end() + 1] {
            assert_eq!(Terms::new(None, Some(wrong)), Err(TermsError::Overlap), "{wrong}");
        }
        assert_eq!(Terms::new(None, None), Ok(Terms::default()));
        assert_eq!(Terms::new(Some(60), Some(0)).unwrap().overlap_seconds(), 0);
    }
}
