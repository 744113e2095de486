//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Public addresses, and those of networks that the operator named.
#[derive(Debug, Clone, Default)]
pub struct Networks(Vec<IpNet>);

/// IPv4 networks that are nobody's public address (IANA's registry of special-purpose addresses).
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of IPv6 only what is handed out as global unicast, without the parts of it that lead elsewhere: Teredo and 6to4 carry
/// an IPv4 address, the rest is for documents and tests.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

impl Networks {
    /// Public addresses and these networks.
    pub fn and(named: Vec<IpNet>) -> Self {
        Self(named)
    }

    /// Whether this address may be connected to. An IPv4-mapped IPv6 address is its IPv4 self.
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address)) || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    let within = |(network, prefix): (IpAddr, u8)| {
        IpNet::new(network, prefix).is_ok_and(|network| network.contains(&address))
    };
    match address {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|(network, prefix)| within(((*network).into(), *prefix))),
        IpAddr::V6(_) => {
            within((GLOBAL_V6.0.into(), GLOBAL_V6.1))
                && !SPECIAL_V6.iter().any(|(network, prefix)| within(((*network).into(), *prefix)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(networks: &Networks, address: &str) -> bool {
        networks.allow(address.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_connected_to() {
        let networks = Networks::default();
        for public in ["140.82.112.3", "1.1.1.1", "2606:50c0:8000::153", "::ffff:140.82.112.3", "172.32.0.1"]
        {
            assert!(allow(&networks, public), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.192",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "100::1",
        ] {
            assert!(!allow(&networks, special), "{special}");
        }
    }

    #[test]
    fn a_network_that_was_named_is_allowed_and_its_neighbours_are_not() {
        let networks = Networks::and(vec!["10.96.0.0/12".parse().unwrap(), "fd00:1::/64".parse().unwrap()]);
        for named in ["10.96.0.1", "::ffff:10.96.0.1", "fd00:1::1", "1.1.1.1"] {
            assert!(allow(&networks, named), "{named}");
        }
        for other in ["10.95.255.255", "10.112.0.0", "fd00:2::1", "127.0.0.1"] {
            assert!(!allow(&networks, other), "{other}");
        }
    }
}
