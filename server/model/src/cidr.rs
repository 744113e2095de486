//! Address ranges a key may be used from.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
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
        // An IPv4 caller is also the IPv6 one that it is mapped to: `::/0` means everyone.
        let mapped = match address {
            IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
            IpAddr::V6(_) => address,
        };
        self.0.is_empty() || self.0.iter().any(|net| net.contains(&address) || net.contains(&mapped))
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
            Some(v4) => Ipv4Net::new(v4, v6.prefix_len().saturating_sub(96)).map_or(net, IpNet::V4),
            None => net,
        },
        IpNet::V4(_) | IpNet::V6(_) => net,
    }
}

impl<'de> Deserialize<'de> for AllowedCidrs {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(Vec::<String>::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

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

    #[test]
    fn a_range_that_holds_the_mapped_addresses_lets_ipv4_callers_in() {
        let everyone = AllowedCidrs::parse(["::/0"]).unwrap();
        let mapped = AllowedCidrs::parse(["::ffff:0:0/80"]);
        for caller in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"] {
            assert!(everyone.allow(caller.parse().unwrap()), "{caller}");
        }
        assert!(mapped.is_err(), "it has bits outside its mask");
        let low = AllowedCidrs::parse(["::/80"]).unwrap();
        assert!(low.allow("192.0.2.1".parse().unwrap()));
        assert!(!low.allow("2001:db8::1".parse().unwrap()));
        assert!(!AllowedCidrs::parse(["2001:db8::/32"]).unwrap().allow("192.0.2.1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn ipv6_membership_is_the_mask_comparison(addr: u128, net: u128, near: bool, len in 0u8..=128) {
            let mask = if len == 0 { 0 } else { u128::MAX << (128 - len) };
            let base = Ipv6Addr::from(net & mask);
            // A random address is in hardly any range: half of them share the range's first bits.
            let addr = if near { (net & mask) | (addr & !mask) } else { addr };
            let list = AllowedCidrs::parse([format!("{base}/{len}")]).unwrap();
            prop_assert_eq!(list.allow(Ipv6Addr::from(addr).into()), addr & mask == net & mask);
        }

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
