//! Randomness that can be had again: `OVENBIRD_TEST_SEED` is the number that the failed test printed.

use std::cell::Cell;

/// SplitMix64.
#[derive(Clone)]
pub struct Random(Cell<u64>);

impl Random {
    pub fn new() -> Self {
        let given =
            std::env::var("OVENBIRD_TEST_SEED").ok().map(|text| text.parse().expect("OVENBIRD_TEST_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).expect("randomness");
            u64::from_ne_bytes(bytes)
        });
        println!("OVENBIRD_TEST_SEED={seed}");
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut mixed = self.0.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `from..to`.
    pub fn between(&self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.next() as f64 / u64::MAX as f64)
    }

    pub fn bytes(&self, count: usize) -> Vec<u8> {
        (0..count / 8).flat_map(|_| self.next().to_ne_bytes()).collect()
    }
}
