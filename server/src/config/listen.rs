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
        let trusted_proxies: Vec<IpNet> =
            proxies.map(|list| list.0.into_iter().map(|network| network.0).collect()).unwrap_or_default();
        if let Some(all) = trusted_proxies.iter().find(|network| network.prefix_len() == 0) {
            let why = format!(
                "`{all}` is everybody, who could then choose the address that limits and events go by; name your proxies"
            );
            return Err(values.refuse("trusted_proxies", why));
        }
        Ok(Self {
            address: values.parse("listen")?,
            metrics: values.optional("metrics_listen")?,
            trusted_proxies,
        })
    }
}
