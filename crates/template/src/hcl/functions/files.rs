//! Functions of files, which the caller reads. Relative paths count from the folder of the template, as in Packer.

use data_encoding::BASE64;

use super::Answer;
use super::arguments::Arguments;
use super::arguments::texts;
use super::hashes;
use crate::hcl::eval::Base;
use crate::hcl::eval::Eval;
use crate::hcl::eval::Frame;
use crate::hcl::syntax;
use crate::hcl::values::Values;
use crate::place::Span;
use crate::tree::Member;
use crate::tree::Value;

/// `None`: it is no such function.
pub(super) fn call(eval: &Eval<'_>, values: &Values<'_>, arguments: &Arguments<'_>, span: &Span) -> Option<Answer> {
    let name = arguments.name;
    Some(match name {
        "file" => read_text(values, arguments).map(Value::Text),
        "filebase64" => read(values, arguments).map(|bytes| Value::Text(BASE64.encode(&bytes))),
        "fileexists" => path(values, arguments).map(|path| Value::Boolean(values.outside.files.is_file(&path))),
        "fileset" => fileset(values, arguments),
        "templatefile" => templatefile(eval, values, arguments, span),
        "basename" => arguments.text(0).map(|path| Value::text(base_name(&path))),
        "dirname" => arguments.text(0).map(|path| Value::text(folder(&path))),
        "abspath" => path(values, arguments).map(|path| Value::Text(clean(&path))),
        "pathexpand" => arguments.text(0).map(|path| Value::Text(expanded(&path, values))),
        _ => {
            let digest = name.strip_prefix("file")?;
            hashes::of(digest, &[])?;
            read(values, arguments).map(|bytes| hashes::of(digest, &bytes).map_or(Value::Null, Value::Text))
        }
    })
}

fn path(values: &Values<'_>, arguments: &Arguments<'_>) -> Result<String, String> {
    let path = expanded(&arguments.text(0)?, values);
    Ok(if path.starts_with('/') { path } else { format!("{}/{path}", values.context.template_dir) })
}

fn expanded(path: &str, values: &Values<'_>) -> String {
    let home = values.context.environment.get("HOME").map_or("", String::as_str);
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => path.to_owned(),
    }
}

fn read(values: &Values<'_>, arguments: &Arguments<'_>) -> Result<Vec<u8>, String> {
    values.outside.files.read(&path(values, arguments)?)
}

fn read_text(values: &Values<'_>, arguments: &Arguments<'_>) -> Result<String, String> {
    let path = path(values, arguments)?;
    String::from_utf8(values.outside.files.read(&path)?)
        .map_err(|_| format!("{path} is no text; filebase64 reads other files"))
}

/// A file as a template over the members of an object.
fn templatefile(eval: &Eval<'_>, values: &Values<'_>, arguments: &Arguments<'_>, span: &Span) -> Answer {
    if arguments.len() != 2 {
        return Err("`templatefile` is called as `templatefile(PATH, OBJECT)`".to_owned());
    }
    // As in Packer: a file that includes itself would never end.
    if matches!(eval.base, Base::File(_)) {
        return Err(
            "a file of `templatefile` cannot call `templatefile`; give it the text of the other one as a value"
                .to_owned(),
        );
    }
    let text = read_text(values, arguments)?;
    let file = arguments.text(0)?;
    let template = syntax::template(&text).map_err(|invalid| {
        let line = text.get(..invalid.offset).map_or(0, |before| before.matches('\n').count()) + 1;
        format!("{file}:{line}: this is no valid template: {}", invalid.message)
    })?;
    let members = arguments.object(1)?;
    with_frames(&Eval { base: Base::File(span), frame: None, ..*eval }, &members, &|inner| {
        inner.template(&template, span).map(|node| node.value).map_err(|fault| match fault.was_reported() {
            true => format!("{file} needs a value that is wrong"),
            false => format!("{file}: {}", fault.message),
        })
    })
}

fn with_frames(eval: &Eval<'_>, members: &[&Member], then: &dyn Fn(&Eval<'_>) -> Answer) -> Answer {
    match members.split_first() {
        None => then(eval),
        Some((first, rest)) => {
            let frame = Frame { name: &first.key, value: first.node.clone(), outer: eval.frame };
            with_frames(&Eval { frame: Some(&frame), ..*eval }, rest, then)
        }
    }
}

fn fileset(values: &Values<'_>, arguments: &Arguments<'_>) -> Answer {
    let pattern = arguments.text(1)?;
    let regex = regex::Regex::new(&as_regex(&pattern)).map_err(|_| format!("`{pattern}` is no pattern of files"))?;
    let found = values.outside.files.list(&path(values, arguments)?)?;
    Ok(texts(found.into_iter().filter(|file| regex.is_match(file))))
}

/// `*`, `?`, `**`, `[…]` and `{a,b}` as a regular expression.
fn as_regex(pattern: &str) -> String {
    let mut regex = "^".to_owned();
    let mut chars = pattern.chars().peekable();
    let mut braces = 0_usize;
    while let Some(char) = chars.next() {
        match char {
            '*' if chars.next_if_eq(&'*').is_some() => {
                regex.push_str(if chars.next_if_eq(&'/').is_some() { "(?:.*/)?" } else { ".*" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '[' | ']' => regex.push(char),
            char => regex.push_str(&regex::escape(&char.to_string())),
        }
    }
    regex + "$"
}

fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }
}

/// A path without `.` and `..`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}
