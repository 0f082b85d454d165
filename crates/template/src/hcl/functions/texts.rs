//! Functions of strings.

use super::Answer;
use super::MANY;
use super::Row;
use super::arguments::Arguments;
use super::arguments::texts;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("upper", "upper(TEXT)", 1, 1, |a| Ok(Value::text(a.text(0)?.to_uppercase()))),
    ("lower", "lower(TEXT)", 1, 1, |a| Ok(Value::text(a.text(0)?.to_lowercase()))),
    ("title", "title(TEXT)", 1, 1, |a| Ok(Value::text(title(&a.text(0)?)))),
    ("chomp", "chomp(TEXT)", 1, 1, |a| Ok(Value::text(a.text(0)?.trim_end_matches(['\r', '\n'])))),
    ("trimspace", "trimspace(TEXT)", 1, 1, |a| Ok(Value::text(a.text(0)?.trim()))),
    ("trim", "trim(TEXT, CHARACTERS)", 2, 2, |a| {
        let characters = a.text(1)?;
        Ok(Value::text(a.text(0)?.trim_matches(|char| characters.contains(char))))
    }),
    ("trimprefix", "trimprefix(TEXT, PREFIX)", 2, 2, |a| {
        let text = a.text(0)?;
        Ok(Value::text(text.strip_prefix(&a.text(1)?).unwrap_or(&text)))
    }),
    ("trimsuffix", "trimsuffix(TEXT, SUFFIX)", 2, 2, |a| {
        let text = a.text(0)?;
        Ok(Value::text(text.strip_suffix(&a.text(1)?).unwrap_or(&text)))
    }),
    ("startswith", "startswith(TEXT, PREFIX)", 2, 2, |a| Ok(Value::Boolean(a.text(0)?.starts_with(&a.text(1)?)))),
    ("endswith", "endswith(TEXT, SUFFIX)", 2, 2, |a| Ok(Value::Boolean(a.text(0)?.ends_with(&a.text(1)?)))),
    ("strcontains", "strcontains(TEXT, PART)", 2, 2, |a| Ok(Value::Boolean(a.text(0)?.contains(&a.text(1)?)))),
    ("strrev", "strrev(TEXT)", 1, 1, |a| Ok(Value::text(a.text(0)?.chars().rev().collect::<String>()))),
    ("substr", "substr(TEXT, START, LENGTH)", 3, 3, substr),
    ("indent", "indent(SPACES, TEXT)", 2, 2, |a| {
        Ok(Value::text(a.text(1)?.replace('\n', &format!("\n{}", " ".repeat(a.count(0)?.min(1000))))))
    }),
    ("join", "join(SEPARATOR, LIST, …)", 2, MANY, |a| {
        let lists = (1..a.len()).map(|index| a.texts(index)).collect::<Result<Vec<_>, _>>()?;
        Ok(Value::text(lists.concat().join(&a.text(0)?)))
    }),
    ("split", "split(SEPARATOR, TEXT)", 2, 2, |a| {
        let (separator, text) = (a.text(0)?, a.text(1)?);
        Ok(match separator.as_str() {
            "" => texts(text.chars()),
            separator => texts(text.split(separator)),
        })
    }),
    // Other than in Terraform, `/…/` is text as well; `regex_replace` is for patterns.
    ("replace", "replace(TEXT, OLD, NEW)", 3, 3, |a| Ok(Value::Text(a.text(0)?.replace(&a.text(1)?, &a.text(2)?)))),
];

fn title(text: &str) -> String {
    let mut is_start = true;
    text.chars()
        .flat_map(|char| {
            let upper = is_start && char.is_lowercase();
            // Go's notion: an apostrophe ends a word.
            is_start =
                if char.is_ascii() { !char.is_ascii_alphanumeric() && char != '_' } else { char.is_whitespace() };
            if upper { char.to_uppercase().collect::<Vec<_>>() } else { vec![char] }
        })
        .collect()
}

/// A negative start counts from the end, a length of -1 means all.
fn substr(arguments: &Arguments<'_>) -> Answer {
    let (text, start, length) = (arguments.text(0)?, arguments.integer(1)?, arguments.integer(2)?);
    let chars: Vec<char> = text.chars().collect();
    let start = usize::try_from(start)
        .unwrap_or_else(|_| chars.len().saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Value::text(chars.into_iter().skip(start).take(length).collect::<String>()))
}
