//! Address ranges a key may be used from.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, Serialize};

/// At most 64 CIDR ranges, IPv4 and IPv6. An IPv4-mapped IPv6 address or range means its IPv4 self (S-19).
/// An empty list allows every address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct AllowedCidrs(Vec<IpNet>);

/// Why a list is not a set of ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// Not an address nor a range.
    #[error("`{0}` is not an address range: write `10.0.0.0/8` or `2001:db8::/32`")]
    Malformed(String),
    /// Bits set outside the mask, so it is unclear what was meant.
    #[error("`{given}` has bits outside its mask: did you mean `{meant}`?")]
    HostBits {
        /// As written.
        given: String,
        /// The range that contains it.
        meant: String,
    },
    /// More than 64.
    #[error("use at most 64 address ranges")]
    TooMany,
}

impl AllowedCidrs {
    /// Parses ranges and single addresses; sorted, without duplicates.
    pub fn parse<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, CidrError> {
        let mut nets = Vec::new();
        for word in words {
            if nets.len() == 64 {
                return Err(CidrError::TooMany);
            }
            nets.push(parse_one(word.as_ref().trim())?);
        }
        nets.sort();
        nets.dedup();
        Ok(Self(nets))
    }

    /// Whether a caller at this address is let in.
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.is_empty() || self.0.iter().any(|net| net.contains(&address))
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    /// Whether every address is let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn parse_one(text: &str) -> Result<IpNet, CidrError> {
    let malformed = || CidrError::Malformed(text.chars().take(64).collect());
    let net: IpNet = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| malformed())?),
    };
    let net = canonical(net);
    if net.trunc() != net {
        return Err(CidrError::HostBits { given: text.to_owned(), meant: net.trunc().to_string() });
    }
    Ok(net)
}

fn canonical(net: IpNet) -> IpNet {
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(net, IpNet::V4),
            None => net,
        },
        // `::/0` must mean everyone; IPv4 callers are canonicalised to IPv4 before they are compared.
        IpNet::V6(v6) => {
            Ipv6Net::new(Ipv6Addr::from(u128::from(v6.addr())), v6.prefix_len()).map_or(net, IpNet::V6)
        }
        IpNet::V4(_) => net,
    }
}

impl<'de> Deserialize<'de> for AllowedCidrs {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(Vec::<String>::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mapped_addresses_are_their_ipv4_selves() {
        let list = AllowedCidrs::parse(["10.0.0.0/8"]).unwrap();
        assert!(list.allow("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!list.allow("::ffff:11.1.2.3".parse().unwrap()));
        let mapped = AllowedCidrs::parse(["::ffff:10.0.0.0/104"]).unwrap();
        assert_eq!(mapped, list);
    }

    #[test]
    fn unclear_ranges_are_refused_with_what_was_meant() {
        let error = AllowedCidrs::parse(["10.1.2.3/8"]).unwrap_err();
        assert_eq!(error.to_string(), "`10.1.2.3/8` has bits outside its mask: did you mean `10.0.0.0/8`?");
        for wrong in ["", "10.0.0.0/33", "010.0.0.1", "1.2.3", "0x7f000001", "::/129", "host"] {
            assert!(AllowedCidrs::parse([wrong]).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn membership_is_the_mask_comparison(addr: u32, net: u32, len in 0u8..=32) {
            let mask = if len == 0 { 0 } else { u32::MAX << (32 - len) };
            let base = std::net::Ipv4Addr::from(net & mask);
            let list = AllowedCidrs::parse([format!("{base}/{len}")]).unwrap();
            let inside = addr & mask == net & mask;
            prop_assert_eq!(list.allow(std::net::Ipv4Addr::from(addr).into()), inside);
            prop_assert_eq!(list.allow(std::net::Ipv4Addr::from(addr).to_ipv6_mapped().into()), inside);
        }
    }
}
