//! Filters: each must match, by any of its values; `*` and `?` are wildcards (EC2 user guide, "Filter your resources").

use ovenbird_aws::ec2::Filter;

use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;

/// Something that Describe calls filter.
pub(super) trait Filterable {
    /// The filters that it knows, tags aside.
    const FILTERS: &'static [&'static str];
    /// What `filter` looks at; several values match when one of them does.
    fn values_of(&self, filter: &str) -> Vec<String>;
    /// Its tags.
    fn tags(&self) -> &[Tag];
}

/// The items that every filter matches. Unknown filters are refused.
pub(super) fn select<T: Filterable>(items: Vec<T>, filters: &[Filter]) -> Answer<Vec<T>> {
    let names: Vec<&str> = filters.iter().map(|filter| filter.name.as_deref().unwrap_or_default()).collect();
    for (filter, name) in filters.iter().zip(&names) {
        let is_tag = *name == "tag-key" || name.strip_prefix("tag:").is_some_and(|key| !key.is_empty());
        if !is_tag && !T::FILTERS.contains(name) {
            return refuse("InvalidParameterValue", format!("The filter '{name}' is invalid"));
        }
        if filter.values.is_empty() {
            return refuse("InvalidParameterValue", format!("The filter '{name}' has no values"));
        }
    }
    let is_selected = |item: &T| filters.iter().zip(&names).all(|(filter, name)| matches(item, name, &filter.values));
    Ok(items.into_iter().filter(is_selected).collect())
}

fn matches<T: Filterable>(item: &T, name: &str, wanted: &[String]) -> bool {
    let fits = |value: &str| wanted.iter().any(|pattern| is_like(pattern, value));
    if name == "tag-key" {
        item.tags().iter().any(|(key, _)| fits(key))
    } else if let Some(wanted_key) = name.strip_prefix("tag:") {
        item.tags().iter().any(|(key, value)| key == wanted_key && fits(value))
    } else {
        item.values_of(name).iter().any(|value| fits(value))
    }
}

/// Does `text` fit a pattern in which `*` is any text, `?` any character, and a backslash takes the meaning away?
fn is_like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<Part> = parts(pattern);
    let text: Vec<char> = text.chars().collect();
    // The last `*` and where it was tried: the only place to come back to.
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some(Part::Any) => {
                star = Some((at, from));
                at += 1;
            }
            Some(Part::One) => (at, from) = (at + 1, from + 1),
            Some(Part::Is(letter)) if *letter == text[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((star_at, star_from)) => {
                    (at, from) = (star_at + 1, star_from + 1);
                    star = Some((star_at, star_from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    Any,
    One,
    Is(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut letters = pattern.chars();
    let mut parts = Vec::new();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Is(letters.next().unwrap_or('\\')),
            other => Part::Is(other),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbbc"),
            ("a*c", "ac"),
            ("?b*", "abc"),
            ("\\*", "*"),
            ("*-amd64-*", "debian-12-amd64-2026"),
        ] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("?", ""), ("a*c", "abcd"), ("\\*", "a"), ("A", "a"), ("*ab", "aab ")]
        {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_like_itself(text in ".{0,20}") {
            let pattern: String = text.chars().flat_map(|letter| ['\\', letter]).collect();
            prop_assert!(is_like(&pattern, &text));
            prop_assert!(is_like("*", &text));
        }

        #[test]
        fn agrees_with_the_plain_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => plain(rest, text) || (!text.is_empty() && plain(pattern, &text[1..])),
                    (Some((want, rest)), Some((have, tail))) => (*want == b'?' || want == have) && plain(rest, tail),
                    _ => false,
                }
            }
            prop_assert_eq!(is_like(&pattern, &text), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
