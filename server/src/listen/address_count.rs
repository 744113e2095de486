use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Open connections per address. An entry lives as long as a connection of its address does.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressCount(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One counted connection.
#[derive(Debug)]
pub(super) struct Counted {
    count: AddressCount,
    address: IpAddr,
}

impl AddressCount {
    /// `None` when the address has `most` already.
    pub(super) fn enter(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Counted { count: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.count.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
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
}
