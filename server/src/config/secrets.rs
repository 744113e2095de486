use keywarden_domain::secrets::LONGEST_VALUE;

use super::{error::ConfigError, source::Values};

/// What secrets may be.
#[derive(Debug, Clone, Copy)]
pub struct Secrets {
    /// The longest value, in bytes.
    pub max_value: usize,
}

impl Secrets {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let max_value: usize = values.parse("secrets.max_value")?;
        if max_value == 0 || max_value > LONGEST_VALUE {
            return Err(values.refuse("secrets.max_value", format!("choose between 1 and {LONGEST_VALUE}")));
        }
        Ok(Self { max_value })
    }
}
