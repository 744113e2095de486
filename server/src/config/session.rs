use std::time::Duration;

use super::{error::ConfigError, source::Values, value::Span};

/// When sessions end. The defaults are NIST SP 800-63B-4's: AAL3 for owners, admins and auditors, AAL2 for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub idle: Duration,
    pub absolute: Duration,
    pub admin_idle: Duration,
    pub admin_absolute: Duration,
}

impl Session {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let span = |key| -> Result<Duration, ConfigError> {
            let Span(span) = values.parse(key)?;
            if span < Duration::from_mins(1) || span > Duration::from_hours(720) {
                return Err(values.refuse(key, "choose between 1m and 30d"));
            }
            Ok(span)
        };
        Ok(Self {
            idle: span("session.idle")?,
            absolute: span("session.absolute")?,
            admin_idle: span("session.admin_idle")?,
            admin_absolute: span("session.admin_absolute")?,
        })
    }
}
