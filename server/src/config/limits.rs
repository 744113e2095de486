use std::time::Duration;

use super::{error::ConfigError, source::Values, value::Span};

/// What one client, and all of them together, may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections: usize,
    pub connections_per_address: usize,
    /// Bytes.
    pub body: usize,
    pub request: Duration,
    pub drain: Duration,
}

/// What a request may take at most: less than the silence after which its connection is ended (`listen/accept.rs`).
pub(super) const LONGEST: Duration = Duration::from_mins(1);

impl Limits {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let count = |key, most: usize| -> Result<usize, ConfigError> {
            let count: usize = values.parse(key)?;
            if count == 0 || count > most {
                return Err(values.refuse(key, format!("choose between 1 and {most}")));
            }
            Ok(count)
        };
        let Span(request) = values.parse("limits.request")?;
        if request.is_zero() || request > LONGEST {
            return Err(
                values.refuse("limits.request", format!("choose between 1s and {}s", LONGEST.as_secs()))
            );
        }
        Ok(Self {
            connections: count("limits.connections", 1_000_000)?,
            connections_per_address: count("limits.connections_per_address", 1_000_000)?,
            body: count("limits.body", 64 << 20)?,
            request,
            drain: values.parse::<Span>("limits.drain")?.0,
        })
    }
}
