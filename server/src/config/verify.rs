use std::time::Duration;

use super::{error::ConfigError, source::Values, value::Span};

/// How verify behaves while the database is away.
#[derive(Debug, Clone, Copy)]
pub struct Verify {
    pub max_staleness: Duration,
}

impl Verify {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let Span(max_staleness) = values.parse("verify.max_staleness")?;
        if max_staleness > Duration::from_mins(1) {
            return Err(values.refuse("verify.max_staleness", "choose between 0s and 60s"));
        }
        Ok(Self { max_staleness })
    }
}
