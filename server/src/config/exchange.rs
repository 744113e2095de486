use std::path::PathBuf;

use ipnet::IpNet;

use super::{
    error::ConfigError,
    source::Values,
    value::{List, Network},
};

/// How issuers of other tokens are reached.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Networks beside the public ones.
    pub networks: Vec<IpNet>,
    /// Certificates beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Exchange {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let networks: Option<List<Network>> = values.optional("exchange.networks")?;
        let networks = networks.map(|list| list.0.into_iter().map(|network| network.0).collect());
        Ok(Self { networks: networks.unwrap_or_default(), ca_file: values.optional("exchange.ca_file")? })
    }
}
