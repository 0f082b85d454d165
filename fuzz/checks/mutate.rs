//! Changed seeds, the same in every run: a fuzzer without coverage, for the test command.

/// Tries a check on every seed and on `rounds` changed seeds. `OVENBIRD_FUZZ_ROUNDS` asks for more.
pub(crate) fn run(check: impl Fn(&[u8]), seeds: &[&[u8]], words: &[&str], rounds: u32) {
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| check(seed));
    let asked = std::env::var("OVENBIRD_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..asked.unwrap_or(rounds) {
        let mut data = seeds[dice.below(seeds.len())].to_vec();
        for _ in 0..=dice.below(4) {
            change(&mut data, seeds, words, &mut dice);
        }
        check(&data);
    }
}

fn change(data: &mut Vec<u8>, seeds: &[&[u8]], words: &[&str], dice: &mut Dice) {
    let start = dice.below(data.len() + 1);
    let end = (start + dice.below(24)).min(data.len());
    match dice.below(6) {
        0 => drop(data.drain(start..end)),
        1 => drop(data.splice(start..end, words[dice.below(words.len())].bytes())),
        2 => data.insert(start, u8::try_from(dice.below(256)).unwrap_or_default()),
        3 => data[start..end].iter_mut().take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
        4 => {
            let copy = data[start..end].to_vec();
            let at = dice.below(data.len() + 1);
            drop(data.splice(at..at, copy));
        }
        _ => {
            let other = seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            let until = (from + dice.below(64)).min(other.len());
            drop(data.splice(start..end, other[from..until].iter().copied()));
        }
    }
}

/// Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or_default()
    }
}
