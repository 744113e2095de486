use ipnet::IpNet;

use super::{
    error::ConfigError,
    source::Values,
    value::{List, Network},
};

/// How webhooks are reached.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Networks beside the public ones: everybody who has a channel may send messages there.
    pub networks: Vec<IpNet>,
}

impl Webhooks {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let networks: Option<List<Network>> = values.optional("webhooks.networks")?;
        let networks = networks.map(|list| list.0.into_iter().map(|network| network.0).collect());
        Ok(Self { networks: networks.unwrap_or_default() })
    }
}
