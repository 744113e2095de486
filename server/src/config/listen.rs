use std::net::SocketAddr;

use ipnet::IpNet;

use super::{
    error::ConfigError,
    source::Values,
    value::{List, Network},
};

/// Where the server listens, and who may speak for others.
#[derive(Debug, Clone)]
pub struct Listen {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub trusted_proxies: Vec<IpNet>,
}

impl Listen {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let proxies: Option<List<Network>> = values.optional("trusted_proxies")?;
        Ok(Self {
            address: values.parse("listen")?,
            metrics: values.optional("metrics_listen")?,
            trusted_proxies: proxies
                .map(|list| list.0.into_iter().map(|network| network.0).collect())
                .unwrap_or_default(),
        })
    }
}
