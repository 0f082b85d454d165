//! Functions of instants.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

use super::Answer;
use super::Row;
use super::arguments::Arguments;
use crate::duration;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("formatdate", "formatdate(FORMAT, INSTANT)", 2, 2, |a| {
        format(&a.text(0)?, &Instant::read(&a.text(1)?)?).map(Value::Text)
    }),
    ("timeadd", "timeadd(INSTANT, DURATION)", 2, 2, timeadd),
    ("unix_timestamp_parse", "unix_timestamp_parse(SECONDS)", 1, 1, |a| {
        let at = Timestamp::from_second(a.integer(0)?).map_err(|error| error.to_string())?;
        let instant = Instant { at, offset: Offset::UTC };
        Ok(parts(&instant, ("rfc3339", Value::Text(instant.shown()))))
    }),
    ("rfc3339_parse", "rfc3339_parse(INSTANT)", 1, 1, |a| {
        let instant = Instant::read(&a.text(0)?)?;
        Ok(parts(&instant, ("unix", Value::integer(i128::from(instant.at.as_second())))))
    }),
];

/// An instant, and the offset from UTC that it was written with and is shown with. (RFC 3339)
struct Instant {
    at: Timestamp,
    offset: Offset,
}

impl Instant {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no instant, such as 2026-11-24T12:00:00Z or 2026-11-24T14:00:00+02:00");
        let at = text.parse().map_err(|_| wrong())?;
        let pieces = Pieces::parse(text).map_err(|_| wrong())?;
        let offset = pieces.to_numeric_offset().ok_or_else(wrong)?;
        Ok(Self { at, offset })
    }

    fn local(&self) -> DateTime {
        self.offset.to_datetime(self.at)
    }

    /// The offset, with `between` its hours and minutes; `zero` for UTC.
    fn offset(&self, between: &str, zero: &str) -> String {
        let minutes = self.offset.seconds() / 60;
        if minutes == 0 {
            return zero.to_owned();
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}{between}{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }

    fn shown(&self) -> String {
        self.local().strftime("%Y-%m-%dT%H:%M:%S").to_string() + &self.offset(":", "Z")
    }
}

/// An instant as `timestamp()` writes it.
pub(super) fn shown(at: Timestamp) -> String {
    Instant { at, offset: Offset::UTC }.shown()
}

fn timeadd(arguments: &Arguments<'_>) -> Answer {
    let (start, text) = (Instant::read(&arguments.text(0)?)?, arguments.text(1)?);
    let (sign, size) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let size = duration::parse(size).ok_or_else(|| format!("`{text}` is no duration, such as 72h or -30m"))?;
    let size = SignedDuration::try_from(size).map_err(|error| error.to_string())?;
    let at = start.at.checked_add(size * sign).map_err(|error| error.to_string())?;
    Ok(Value::Text(Instant { at, ..start }.shown()))
}

/// The letters of `formatdate`; text stands in quotes. Other than in Go's layouts, letters say what they mean.
fn format(form: &str, instant: &Instant) -> Result<String, String> {
    let time = instant.local();
    let mut text = String::new();
    let mut chars = form.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\'' && chars.next_if_eq(&'\'').is_some() {
            text.push('\'');
            continue;
        }
        if char == '\'' {
            loop {
                match chars.next() {
                    Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
                    Some('\'') => break,
                    Some(char) => text.push(char),
                    None => return Err("a quote in the format is not closed".to_owned()),
                }
            }
            continue;
        }
        if !char.is_ascii_alphabetic() {
            text.push(char);
            continue;
        }
        let mut letters = char.to_string();
        while let Some(same) = chars.next_if_eq(&char) {
            letters.push(same);
        }
        let offset = match letters.as_str() {
            "ZZZZZ" => Some((":", "+00:00")),
            "ZZZZ" => Some(("", "+0000")),
            "ZZZ" => Some(("", "UTC")),
            "Z" => Some((":", "Z")),
            _ => None,
        };
        if let Some((between, zero)) = offset {
            text.push_str(&instant.offset(between, zero));
            continue;
        }
        let conversion = match letters.as_str() {
            "YYYY" => "%Y",
            "YY" => "%y",
            "MMMM" => "%B",
            "MMM" => "%b",
            "MM" => "%m",
            "M" => "%-m",
            "DD" => "%d",
            "D" => "%-d",
            "EEEE" => "%A",
            "EEE" => "%a",
            "hh" => "%H",
            "h" => "%-H",
            "HH" => "%I",
            "H" => "%-I",
            "AA" => "%p",
            "aa" => "%P",
            "mm" => "%M",
            "m" => "%-M",
            "ss" => "%S",
            "s" => "%-S",
            other => return Err(format!("the format has no `{other}`; text stands in quotes: 'at'")),
        };
        text.push_str(&time.strftime(conversion).to_string());
    }
    Ok(text)
}

/// The parts of an instant, and one that only the function asked for has.
fn parts(instant: &Instant, own: (&str, Value)) -> Value {
    let time = instant.local();
    let week = time.date().iso_week_date();
    let numbers = [
        ("year", i128::from(time.year())),
        ("year_day", i128::from(time.day_of_year())),
        ("month", i128::from(time.month())),
        ("day", i128::from(time.day())),
        ("weekday", i128::from(time.weekday().to_sunday_zero_offset())),
        ("hour", i128::from(time.hour())),
        ("minute", i128::from(time.minute())),
        ("second", i128::from(time.second())),
        ("iso_year", i128::from(week.year())),
        ("iso_week", i128::from(week.week())),
    ];
    let texts = [("month_name", time.strftime("%B").to_string()), ("weekday_name", time.strftime("%A").to_string())];
    let numbers = numbers.into_iter().map(|(name, number)| (name, Value::integer(number)));
    let texts = texts.into_iter().map(|(name, text)| (name, Value::Text(text)));
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    Value::object(numbers.chain(texts).chain([own]).map(named))
}
