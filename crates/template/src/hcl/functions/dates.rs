//! Functions of instants.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::Answer;
use super::Row;
use super::arguments::Arguments;
use crate::duration;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("formatdate", "formatdate(FORMAT, INSTANT)", 2, 2, |a| {
        format(&a.text(0)?, instant(&a.text(1)?)?).map(Value::Text)
    }),
    ("timeadd", "timeadd(INSTANT, DURATION)", 2, 2, timeadd),
    ("unix_timestamp_parse", "unix_timestamp_parse(SECONDS)", 1, 1, |a| {
        Ok(parts(Timestamp::from_second(a.integer(0)?).map_err(|error| error.to_string())?))
    }),
    ("rfc3339_parse", "rfc3339_parse(INSTANT)", 1, 1, |a| Ok(parts(instant(&a.text(0)?)?))),
];

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("`{text}` is no instant, such as 2026-11-24T12:00:00Z"))
}

/// An instant as `timestamp()` writes it.
pub(super) fn shown(instant: Timestamp) -> String {
    Offset::UTC.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn timeadd(arguments: &Arguments<'_>) -> Answer {
    let (start, text) = (instant(&arguments.text(0)?)?, arguments.text(1)?);
    let (sign, size) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let size = duration::parse(size).ok_or_else(|| format!("`{text}` is no duration, such as 72h or -30m"))?;
    let size = SignedDuration::try_from(size).map_err(|error| error.to_string())?;
    start.checked_add(size * sign).map(|end| Value::Text(shown(end))).map_err(|error| error.to_string())
}

/// The letters of `formatdate`; text stands in quotes. Other than in Go's layouts, letters say what they mean.
fn format(form: &str, instant: Timestamp) -> Result<String, String> {
    let time = Offset::UTC.to_datetime(instant);
    let mut text = String::new();
    let mut chars = form.chars().peekable();
    while let Some(char) = chars.next() {
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
            "ZZZZZ" => "+00:00",
            "ZZZZ" => "+0000",
            "ZZZ" => "UTC",
            "Z" => "Z",
            other => return Err(format!("the format has no `{other}`; text stands in quotes: 'at'")),
        };
        text.push_str(&time.strftime(conversion).to_string());
    }
    Ok(text)
}

fn parts(instant: Timestamp) -> Value {
    let time = Offset::UTC.to_datetime(instant);
    let numbers = [
        ("year", i128::from(time.year())),
        ("month", i128::from(time.month())),
        ("day", i128::from(time.day())),
        ("hour", i128::from(time.hour())),
        ("minute", i128::from(time.minute())),
        ("second", i128::from(time.second())),
        ("unix", i128::from(instant.as_second())),
    ];
    let texts = [
        ("rfc3339", shown(instant)),
        ("month_name", time.strftime("%B").to_string()),
        ("weekday_name", time.strftime("%A").to_string()),
    ];
    let numbers = numbers.map(|(name, number)| (name.to_owned(), Value::integer(number)));
    Value::object(numbers.into_iter().chain(texts.map(|(name, text)| (name.to_owned(), Value::Text(text)))))
}
