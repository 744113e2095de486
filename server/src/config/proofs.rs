use std::path::PathBuf;

use super::{error::ConfigError, source::Values};

/// How policies are proven.
#[derive(Debug, Clone)]
pub struct Proofs {
    /// The solver's program, by its name or path; none: proofs are not run.
    pub cvc5: Option<PathBuf>,
}

impl Proofs {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let program: PathBuf = values.parse("proofs.cvc5")?;
        Ok(Self { cvc5: (program.as_os_str() != "off").then_some(program) })
    }
}
