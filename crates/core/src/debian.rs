//! Debian's order of package versions.
//!
//! Source: Debian Policy 5.6.12 (`[epoch:]upstream[-revision]`), as `dpkg --compare-versions` does it.

use std::cmp::Ordering;

/// Which of two versions is the later one. Two versions that are written differently may be equal, as `1.0` and `1.00`.
#[must_use]
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let (one_epoch, one) = split_epoch(one);
    let (other_epoch, other) = split_epoch(other);
    let (one_upstream, one_revision) = split_revision(one);
    let (other_upstream, other_revision) = split_revision(other);
    compare_numbers(one_epoch, other_epoch)
        .then_with(|| compare_parts(one_upstream, other_upstream))
        .then_with(|| compare_parts(one_revision, other_revision))
}

fn split_epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("0", version))
}

fn split_revision(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, "0"))
}

/// Turn about, the parts without digits are compared by [`weight`], the digits as numbers.
fn compare_parts(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    while !one.is_empty() || !other.is_empty() {
        let (one_text, one_rest) = split_at(one, |letter| letter.is_ascii_digit());
        let (other_text, other_rest) = split_at(other, |letter| letter.is_ascii_digit());
        let (one_number, one_rest) = split_at(one_rest, |letter| !letter.is_ascii_digit());
        let (other_number, other_rest) = split_at(other_rest, |letter| !letter.is_ascii_digit());
        let order = compare_texts(one_text, other_text).then_with(|| compare_numbers(one_number, other_number));
        if order != Ordering::Equal {
            return order;
        }
        (one, other) = (one_rest, other_rest);
    }
    Ordering::Equal
}

fn split_at(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn compare_texts(one: &str, other: &str) -> Ordering {
    let longest = one.len().max(other.len());
    let weights = |text: &str| {
        let known: Vec<u32> = text.bytes().map(weight).collect();
        (0..longest).map(|index| known.get(index).copied().unwrap_or(END)).collect::<Vec<_>>()
    };
    weights(one).cmp(&weights(other))
}

/// The end of a part: before every letter, after `~`.
const END: u32 = 1;

/// `~` sorts before the end, letters before all else.
fn weight(letter: u8) -> u32 {
    match letter {
        b'~' => 0,
        letter if letter.is_ascii_alphabetic() => END + u32::from(letter),
        letter => END + 0x100 + u32::from(letter),
    }
}

/// Numbers of any length; none is zero.
fn compare_numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_as_dpkg_does() {
        // Ascending; each was checked with `dpkg --compare-versions`.
        let ascending = [
            "0~rc1",
            "0",
            "1.0~beta1~svc1",
            "1.0~beta1",
            "1.0",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1+deb12u1",
            "1.0-2",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.0.1-1",
            "1.2",
            "1.10",
            "2.0-1~bpo12+1",
            "2.0-1",
            "1:0.1",
            "2:0",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare_versions(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (one, other) in [("1.0", "1.00"), ("0:1.0", "1.0"), ("1.0-0", "1.0"), ("1.", "1.0")] {
            assert_eq!(compare_versions(one, other), Ordering::Equal, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn is_an_order(a in VERSION, b in VERSION, c in VERSION) {
            prop_assert_eq!(compare_versions(&a, &a), Ordering::Equal);
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|one, other| compare_versions(one, other));
            prop_assert_ne!(compare_versions(sorted[0], sorted[2]), Ordering::Greater);
        }
    }

    const VERSION: &str = "([0-2]:)?[0-9]{1,3}([.+~a-z][0-9a-c~]{0,3}){0,3}(-[0-9a-z.~+]{1,4})?";
}
