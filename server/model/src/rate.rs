//! How often a key may be used.

use serde::{Deserialize, Deserializer, Serialize};

/// At most `limit` verifications in each window of `window_seconds`, over up to six nodes within 10 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RateLimit {
    /// Verifications in a window: 1 to 10 000 000.
    pub limit: u32,
    /// The window: 1 second to 1 day.
    pub window_seconds: u32,
}

/// Why two numbers are not a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use a limit of 1 to 10,000,000 in a window of 1 to 86,400 seconds")]
pub struct RateLimitError;

impl RateLimit {
    /// Checks both bounds.
    pub fn new(limit: u32, window_seconds: u32) -> Result<Self, RateLimitError> {
        let fits = (1..=10_000_000).contains(&limit) && (1..=86_400).contains(&window_seconds);
        fits.then_some(Self { limit, window_seconds }).ok_or(RateLimitError)
    }
}

impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            limit: u32,
            window_seconds: u32,
        }
        let raw = Raw::deserialize(d)?;
        Self::new(raw.limit, raw.window_seconds).map_err(serde::de::Error::custom)
    }
}
