use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// One subscriber's network: an IPv6 caller has a whole /64 to himself.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Open connections per [`network`]. An entry lives as long as a connection of its network does.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressCount(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One counted connection.
#[derive(Debug)]
pub(super) struct Counted {
    count: AddressCount,
    network: IpAddr,
}

impl AddressCount {
    /// `None` when the address's network has `most` already.
    pub(super) fn enter(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let network = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_insert(0);
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Counted { count: self.clone(), network })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.count.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_so_many_and_leaves_nothing_behind() {
        let count = AddressCount::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let first = count.enter(address, 2).unwrap();
        let second = count.enter(address, 2).unwrap();
        assert!(count.enter(address, 2).is_none());
        assert!(count.enter(IpAddr::from([192, 0, 2, 2]), 2).is_some());
        drop(first);
        assert!(count.enter(address, 2).is_some());
        drop(second);
        assert!(count.0.lock().unwrap().is_empty());
    }
    #[test]
    fn an_ipv6_network_counts_as_one_address_and_the_next_network_as_another() {
        let count = AddressCount::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = count.enter(ip("2001:db8::1"), 1).unwrap();
        assert!(count.enter(ip("2001:db8::ffff:2"), 1).is_none());
        let next = count.enter(ip("2001:db8:0:1::1"), 1).unwrap();
        let mapped = count.enter(ip("::ffff:192.0.2.1"), 1).unwrap();
        assert!(count.enter(ip("192.0.2.1"), 1).is_none());
        drop((first, next, mapped));
        assert!(count.0.lock().unwrap().is_empty());
    }
}
