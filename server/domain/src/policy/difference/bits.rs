//! A set of small numbers: places in a list of people.

/// Numbers, a bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn insert(&mut self, number: u32) {
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Those that are not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        let mut left: Vec<u64> = self.0.iter().zip(others).map(|(word, other)| word & !other).collect();
        let used = left.iter().rposition(|word| *word != 0).map_or(0, |at| at.saturating_add(1));
        left.truncate(used);
        Self(left)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether any is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().zip(0_u32..).flat_map(|(word, at)| {
            let first = at.saturating_mul(64);
            (0_u32..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| first.saturating_add(bit))
        })
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut bits = Self::default();
        numbers.into_iter().for_each(|it| bits.insert(it));
        bits
    }
}

fn place(number: u32) -> (usize, u64) {
    ((number / 64) as usize, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_once_and_in_order() {
        let mut bits: Bits = [130, 3, 64, 3, 63].into_iter().collect();
        assert_eq!((bits.count(), bits.iter().collect::<Vec<_>>()), (4, vec![3, 63, 64, 130]));
        bits.add(&[5, 700].into_iter().collect());
        assert_eq!(bits.iter().collect::<Vec<_>>(), [3, 5, 63, 64, 130, 700]);
        assert!(bits.has(700) && !bits.has(701) && !bits.has(70_000));
        assert_eq!(Bits::default().iter().count(), 0);
    }

    #[test]
    fn numbers_are_taken_from_others() {
        let bits: Bits = [3, 64, 700].into_iter().collect();
        let other: Bits = [64, 65].into_iter().collect();
        assert!(bits.meets(&other) && !bits.without(&other).meets(&other));
        assert_eq!(bits.without(&other), [3, 700].into_iter().collect());
        assert_eq!(other.without(&bits), [65].into_iter().collect());
        assert_eq!(bits.without(&[700].into_iter().collect()), [3, 64].into_iter().collect());
        assert!(bits.without(&bits).is_empty() && !bits.is_empty());
    }
}
