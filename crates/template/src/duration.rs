//! Go's durations. (Go's time.ParseDuration)

use std::time::Duration;

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads `1h15m30.5s`; a bare `0` needs no unit. `None` for anything else, and for negative durations.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() || nanos == 0 && rest.len() == text.len() {
        let number_length =
            rest.find(|char: char| !char.is_ascii_digit() && char != '.').filter(|length| *length > 0)?;
        let (number, tail) = rest.split_at(number_length);
        let unit_length = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(scaled(number, size)?)?;
        rest = tail;
    }
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// A decimal number times `size`, cut to a whole number.
fn scaled(number: &str, size: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More digits than nanoseconds in an hour add nothing.
    let fraction = &fraction[..fraction.len().min(13)];
    let parts: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_mul(size)?.checked_add(parts * size / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        let cases = [
            ("0", Some(0)),
            ("30s", Some(30_000_000_000)),
            ("1h15m30.5s", Some(4_530_500_000_000)),
            ("+5ms", Some(5_000_000)),
            (".5h", Some(1_800_000_000_000)),
            ("2us3µs", Some(5_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("1 s", None),
            ("1d", None),
            ("99999999999999999999h", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), nanos.map(Duration::from_nanos), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9.]{0,45}[hmsnu]{0,3}[0-9.hms+]{0,9}|.{0,20}") {
            let _ = parse(&text);
        }
    }
}
