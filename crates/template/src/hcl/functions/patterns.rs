//! Functions of regular expressions, in Go's syntax. (github.com/google/re2/wiki/Syntax)

use regex::Captures;
use regex::Match;
use regex::Regex;

use super::Answer;
use super::Row;
use super::arguments::Arguments;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("regex_replace", "regex_replace(TEXT, PATTERN, NEW)", 3, 3, |a| {
        Ok(Value::text(compiled(&a.text(1)?)?.replace_all(&a.text(0)?, a.text(2)?.as_str())))
    }),
    ("regex", "regex(PATTERN, TEXT)", 2, 2, first),
    ("regexall", "regexall(PATTERN, TEXT)", 2, 2, |a| {
        let (pattern, text) = (compiled(&a.text(0)?)?, a.text(1)?);
        Ok(Value::list(pattern.captures_iter(&text).map(|found| captured(&pattern, &found))))
    }),
];

fn first(arguments: &Arguments<'_>) -> Answer {
    let (written, text) = (arguments.text(0)?, arguments.text(1)?);
    let pattern = compiled(&written)?;
    let found = pattern.captures(&text).ok_or_else(|| format!("`{written}` is not in `{text}`"))?;
    Ok(captured(&pattern, &found))
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translated(pattern)).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("`{pattern}` is no regular expression: {last}")
    })
}

/// The whole match; its groups where it has some, by name where they have names.
fn captured(pattern: &Regex, found: &Captures<'_>) -> Value {
    let value = |group: Option<Match<'_>>| group.map_or(Value::Null, |group| Value::text(group.as_str()));
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return Value::object(names.into_iter().map(|name| (name.to_owned(), value(found.name(name)))));
    }
    match pattern.captures_len() {
        1 => value(found.get(0)),
        _ => Value::list(found.iter().skip(1).map(value)),
    }
}

/// A pattern of Go's in the syntax of the crate `regex`, which has `\Q` not, classes within classes, and letters and digits of all
/// scripts where Go has those of ASCII.
fn translated(pattern: &str) -> String {
    let mut made = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        let behind = &rest[char.len_utf8()..];
        rest = match char {
            '\\' if behind.starts_with('Q') => quoted(&behind[1..], &mut made),
            '\\' => escape(behind, &mut made),
            '[' => class(behind, &mut made),
            '{' if !is_count(behind) => {
                made.push_str("\\{");
                behind
            }
            _ => {
                made.push(char);
                behind
            }
        };
    }
    made
}

/// `\Q…\E` is the text that it holds.
fn quoted<'a>(text: &'a str, made: &mut String) -> &'a str {
    let (literal, rest) = text.split_once("\\E").unwrap_or((text, ""));
    made.push_str(&regex::escape(literal));
    rest
}

fn escape<'a>(text: &'a str, made: &mut String) -> &'a str {
    let Some(char) = text.chars().next() else {
        made.push('\\');
        return text;
    };
    match char {
        'd' => made.push_str("[0-9]"),
        'D' => made.push_str("[^0-9]"),
        'w' => made.push_str("[0-9A-Za-z_]"),
        'W' => made.push_str("[^0-9A-Za-z_]"),
        's' => made.push_str(r"[\t\n\f\r ]"),
        'S' => made.push_str(r"[^\t\n\f\r ]"),
        'b' => made.push_str(r"(?-u:\b)"),
        '<' | '>' => made.push(char),
        char => made.extend(['\\', char]),
    }
    &text[char.len_utf8()..]
}

/// `[…]`, in which nothing but `\`, `]`, `^` at the start, `-` between two and `[:…:]` means anything.
fn class<'a>(text: &'a str, made: &mut String) -> &'a str {
    made.push('[');
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix('^') {
        made.push('^');
        rest = behind;
    }
    let mut is_first = true;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(']').filter(|_| !is_first) {
            made.push(']');
            return behind;
        }
        let is_set = ["[:", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S"].iter().any(|set| rest.starts_with(set));
        rest = member(rest, made);
        if let Some(end) = rest.strip_prefix('-').filter(|end| !is_set && !end.starts_with(']')) {
            made.push('-');
            rest = member(end, made);
        }
        is_first = false;
    }
    rest
}

/// One member of a class.
fn member<'a>(text: &'a str, made: &mut String) -> &'a str {
    if let Some((name, behind)) = text.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
        made.push_str(&format!("[:{name}:]"));
        return behind;
    }
    let Some(char) = text.chars().next() else { return text };
    let behind = &text[char.len_utf8()..];
    match char {
        '\\' => return escape(behind, made),
        '[' | ']' | '&' | '~' | '-' | '^' => made.extend(['\\', char]),
        _ => made.push(char),
    }
    behind
}

/// Whether `{` and what follows it counts: `{2}`, `{2,}`, `{2,3}`.
fn is_count(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((count, _)) = text.split_once('}') else { return false };
    let (least, most) = count.split_once(',').unwrap_or((count, count));
    is_number(least) && (most.is_empty() || is_number(most))
}

#[cfg(test)]
mod tests {
    use super::compiled;

    /// What Packer's `regex_replace` gives for `<$0>`.
    #[test]
    fn patterns_match_what_they_match_in_go() {
        for (pattern, text, marked) in [
            (r"\Qa.b[\E+", "a.b[[ axb", "<a.b[[> axb"),
            ("[[]", "a[b]", "a<[>b]"),
            ("[]x]", "a]x", "a<]><x>"),
            ("[^]x]", "a]x", "<a>]x"),
            (r"\d+", "12 ٣", "<12> ٣"),
            (r"\w", "aé_1", "<a>é<_><1>"),
            (r"[\w-]+", "a-é_1", "<a->é<_1>"),
            (r"[^\s]+", "a b\tc", "<a> <b>\t<c>"),
            (r"[\D]", "ab12", "<a><b>12"),
            ("[a&&b~~]", "a&b~", "<a><&><b><~>"),
            ("[a-z&&[^b]]", "ab]", "a<b]>"),
            ("[--/]", "a-./", "a<-><.></>"),
            (r"[\[\]]", "a[b]", "a<[>b<]>"),
            ("[[:alpha:]_]+", "ab_1", "<ab_>1"),
            ("[[:^digit:]]", "a1", "<a>1"),
            ("[[:alpha:][]", "a1é", "<a>1é"),
            ("[[:x]", "a[[:x", "a<[><[><:><x>"),
            ("{x}", "a{x}", "a<{x}>"),
            ("a{2}", "aaa{2}", "<aa>a{2}"),
            ("x{,2}", "x{,2}", "<x{,2}>"),
            ("a{1,x}", "a{1,x}", "<a{1,x}>"),
            (r"\<a\>", "<a>", "<<a>>"),
            (r"\bfoo\b", "éfoo foo", "é<foo> <foo>"),
            ("(?i)HE(l+)o", "Hello", "<Hello>"),
            (r"\pL+\.\-", "aé.-", "<aé.->"),
        ] {
            let pattern = compiled(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(pattern.replace_all(text, "<$0>"), marked, "{pattern}");
        }
        assert!(compiled("a(").is_err_and(|error| error.starts_with("`a(` is no regular expression: ")));
    }
}
