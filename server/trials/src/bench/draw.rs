//! Which keys a load asks about.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How keys are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Each as often as any other: the worst for every cache.
    Uniform,
    /// The k-th most wanted one 1/k as often as the first, as services are used: Zipf's law with exponent 1.
    Zipf,
}

/// `draws` indices below `count`, the same every time.
pub fn draws(draw: Draw, count: usize, draws: usize) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    match draw {
        Draw::Uniform => (0..draws).map(|_| random.random_range(0..count)).collect(),
        Draw::Zipf => {
            let mut total = 0.0;
            let reached: Vec<f64> = (1..=u32::try_from(count).unwrap_or(u32::MAX))
                .map(|rank| {
                    total += 1.0 / f64::from(rank);
                    total
                })
                .collect();
            (0..draws)
                .map(|_| {
                    let at = random.random::<f64>() * total;
                    reached.partition_point(|sum| *sum <= at).min(count.saturating_sub(1))
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_wants_the_first_twice_as_often_as_the_second() {
        let drawn = draws(Draw::Zipf, 1_000, 200_000);
        let often = |index| drawn.iter().filter(|drawn| **drawn == index).count();
        let ratio = f64::from(u32::try_from(often(0)).unwrap()) / f64::from(u32::try_from(often(1)).unwrap());
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
        assert!(drawn.iter().all(|index| *index < 1_000));
    }

    #[test]
    fn uniform_wants_all_alike() {
        let drawn = draws(Draw::Uniform, 10, 100_000);
        let often: Vec<usize> =
            (0..10).map(|index| drawn.iter().filter(|it| **it == index).count()).collect();
        assert!(often.iter().all(|count| (9_500..10_500).contains(count)), "{often:?}");
    }
}
