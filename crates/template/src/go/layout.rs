//! Go's time layouts, which spell the format as the time `Mon Jan 2 15:04:05 MST 2006` would look. (Go's time/format.go)

use jiff::Timestamp;
use jiff::civil::DateTime;

/// Go's `time.RFC3339`, the default of `isotime`.
pub(super) const RFC_3339: &str = "2006-01-02T15:04:05Z07:00";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Every fixed element; a longer one stands before those that it begins with.
const ELEMENTS: [&str; 33] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "__2",
    "_2",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "1",
    "2",
    "3",
    "4",
    "5",
    "PM",
    "pm",
    "-070000",
    "-07:00:00",
    "-0700",
    "-07:00",
    "-07",
    "Z070000",
    "Z07:00:00",
    "Z0700",
    "Z07:00",
    "Z07",
];

/// Writes `instant` in UTC as `layout` shows.
pub(super) fn format(instant: Timestamp, layout: &str) -> String {
    let time = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let mut text = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((written, length)) = find_fraction(rest, time) {
            text.push_str(&written);
            rest = &rest[length..];
        } else if let Some(element) = find_element(rest) {
            text.push_str(&written(element, time));
            rest = &rest[element.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// The element at the start of `rest`.
fn find_element(rest: &str) -> Option<&'static str> {
    // `_2006` is an underscore and a year, not `_2` and `006`.
    if rest.starts_with("_2006") {
        return None;
    }
    let found = ELEMENTS.into_iter().find(|element| rest.starts_with(element))?;
    // `Jan` in `Janet` and `Mon` in `Month` are words; Go looks at the next letter.
    let goes_on = rest[found.len()..].starts_with(|next: char| next.is_ascii_lowercase());
    (!(matches!(found, "Jan" | "Mon") && goes_on)).then_some(found)
}

fn written(element: &str, time: DateTime) -> String {
    let month = MONTHS[usize::try_from(time.month() - 1).unwrap_or_default()];
    let weekday = WEEKDAYS[usize::try_from(time.weekday().to_monday_zero_offset()).unwrap_or_default()];
    let half_day = if time.hour() % 12 == 0 { 12 } else { time.hour() % 12 };
    match element {
        "January" => month.to_owned(),
        "Jan" => month[..3].to_owned(),
        "Monday" => weekday.to_owned(),
        "Mon" => weekday[..3].to_owned(),
        "2006" => format!("{:04}", time.year()),
        "06" => format!("{:02}", time.year().rem_euclid(100)),
        "01" => format!("{:02}", time.month()),
        "1" => time.month().to_string(),
        "02" => format!("{:02}", time.day()),
        "_2" => format!("{:2}", time.day()),
        "2" => time.day().to_string(),
        "002" => format!("{:03}", time.day_of_year()),
        "__2" => format!("{:3}", time.day_of_year()),
        "15" => format!("{:02}", time.hour()),
        "03" => format!("{half_day:02}"),
        "3" => half_day.to_string(),
        "04" => format!("{:02}", time.minute()),
        "4" => time.minute().to_string(),
        "05" => format!("{:02}", time.second()),
        "5" => time.second().to_string(),
        "PM" => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "pm" => if time.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "MST" => "UTC".to_owned(),
        zone if zone.starts_with('Z') => "Z".to_owned(),
        zone => zone.replace('-', "+").replace('7', "0"),
    }
}

/// `.000` or `,999`: a point and a run of one of the digits 0 and 9 that ends there; with its length in the layout.
fn find_fraction(rest: &str, time: DateTime) -> Option<(String, usize)> {
    let digit = rest.strip_prefix(['.', ','])?.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let tail = rest[1..].trim_start_matches(digit);
    let count = rest.len() - 1 - tail.len();
    if tail.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{:09}", time.subsec_nanosecond());
    let shown: String = nanos.chars().chain(std::iter::repeat('0')).take(count.min(9)).collect();
    if digit == '0' {
        return Some((format!("{}{shown}", &rest[..1]), count + 1));
    }
    let trimmed = shown.trim_end_matches('0');
    let text = if trimmed.is_empty() { String::new() } else { format!("{}{trimmed}", &rest[..1]) };
    Some((text, count + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(instant: &str, layout: &str) -> String {
        format(instant.parse().expect("a test's own instant"), layout)
    }

    #[test]
    fn known_values() {
        let instant = "2026-11-22T23:20:40.120Z";
        let cases = [
            // Seen with packer 1.6.6 (packer.md 2.1).
            ("20060102-150405", "20261122-232040"),
            // The article's.
            ("2006-01-02 1504", "2026-11-22 2320"),
            (RFC_3339, "2026-11-22T23:20:40Z"),
            // Go's own layouts, from time/format.go.
            ("Mon Jan _2 15:04:05 2006", "Sun Nov 22 23:20:40 2026"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Sunday, 22-Nov-26 23:20:40 UTC"),
            ("Mon, 02 Jan 2006 15:04:05 -0700", "Sun, 22 Nov 2026 23:20:40 +0000"),
            ("3:04PM", "11:20PM"),
            ("Jan _2 15:04:05.000", "Nov 22 23:20:40.120"),
            ("05.999999", "40.12"),
            ("05,00", "40,12"),
            ("2006-01-02T15:04:05.999999999Z07:00", "2026-11-22T23:20:40.12Z"),
            ("002 __2", "326 326"),
            ("_2006 pm -07:00 Z0700", "_2026 pm +00:00 Z"),
            ("January Janet Month 1/2/06 3:4:5", "November Janet Month 11/22/26 11:20:40"),
        ];
        for (layout, expected) in cases {
            assert_eq!(at(instant, layout), expected, "{layout}");
        }
    }

    #[test]
    fn single_digits_and_midnight() {
        let instant = "0099-02-03T00:04:05Z";
        assert_eq!(
            at(instant, "2006 06 1 01 2 02 _2 3 03 15 4 5 PM 002 __2 Mon"),
            "0099 99 2 02 3 03  3 12 12 00 4 5 AM 034  34 Tue"
        );
        assert_eq!(at(instant, "05.999|.000|.9990"), "05|.000|.9990");
    }

    proptest! {
        #[test]
        fn text_without_elements_stays(text in "[a-df-il-oq-zA-IKLNOQ-Y :/é]{0,30}") {
            prop_assert_eq!(at("2026-11-22T23:20:40Z", &text), text);
        }

        #[test]
        fn never_panics(layout in "[0-9JanMoSTPpmZ_.,:+-]{0,30}|.{0,20}", second in -60_000_000_000_i64..250_000_000_000) {
            let _ = format(Timestamp::from_second(second).expect("in range"), &layout);
        }
    }
}
