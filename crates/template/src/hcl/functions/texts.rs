//! Functions of strings.

use regex::Regex;

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
    ("regex_replace", "regex_replace(TEXT, PATTERN, NEW)", 3, 3, |a| {
        Ok(Value::text(compiled(&a.text(1)?)?.replace_all(&a.text(0)?, a.text(2)?.as_str())))
    }),
    ("regex", "regex(PATTERN, TEXT)", 2, 2, |a| {
        let (pattern, text) = (compiled(&a.text(0)?)?, a.text(1)?);
        let found = pattern.captures(&text).ok_or_else(|| format!("`{}` is not in `{text}`", pattern.as_str()))?;
        Ok(captured(&pattern, &found))
    }),
    ("regexall", "regexall(PATTERN, TEXT)", 2, 2, |a| {
        let (pattern, text) = (compiled(&a.text(0)?)?, a.text(1)?);
        Ok(Value::list(pattern.captures_iter(&text).map(|found| captured(&pattern, &found))))
    }),
];

fn title(text: &str) -> String {
    let mut is_start = true;
    text.chars()
        .flat_map(|char| {
            let upper = is_start && char.is_lowercase();
            is_start = !char.is_alphanumeric() && char != '\'' && char != '_';
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

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("`{pattern}` is no regular expression: {last}")
    })
}

/// The whole match; its groups where it has some, by name where they have names.
fn captured(pattern: &Regex, found: &regex::Captures<'_>) -> Value {
    let value = |group: Option<regex::Match<'_>>| group.map_or(Value::Null, |group| Value::text(group.as_str()));
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return Value::object(names.into_iter().map(|name| (name.to_owned(), value(found.name(name)))));
    }
    match pattern.captures_len() {
        1 => value(found.get(0)),
        _ => Value::list(found.iter().skip(1).map(value)),
    }
}
