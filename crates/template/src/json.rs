//! Strict JSON in which every value knows its place.

use jsonc_parser::CollectOptions;
use jsonc_parser::ParseOptions;
use jsonc_parser::ast;
use jsonc_parser::common::Range;

use crate::fault::TemplateError;
use crate::place::Source;
use crate::place::Span;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// Reads `source` as JSON without comments, trailing commas or any other leniency. A key that is there twice would silently win over
/// the first in Packer; here it is an error.
pub(crate) fn parse(source: &Source) -> Result<Node, TemplateError> {
    read(source, Repeated::Refused)
}

/// Reads a value that no one wrote for this bake, in which the last of the values of a key wins, as in Go.
pub(crate) fn decode(source: &Source) -> Result<Node, TemplateError> {
    read(source, Repeated::LastWins)
}

/// What becomes of a key that is there twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Refused,
    LastWins,
}

fn read(source: &Source, repeated: Repeated) -> Result<Node, TemplateError> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = jsonc_parser::parse_to_ast(source.text(), &CollectOptions::default(), &strict).map_err(|error| {
        let message = format!("this is no valid JSON: {}", lower_first(&error.kind().to_string()));
        TemplateError::new(source, span(error.range()), message).with_help(advice(error.kind()))
    })?;
    let Some(value) = parsed.value else {
        return Err(TemplateError::new(source, 0..0, "the file is empty")
            .with_help(Some("a template is a JSON object".to_owned())));
    };
    node(value, source, repeated)
}

/// What stands between the quotes of a JSON string; `<`, `>` and `&` are escaped, as Go does it.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => escaped.push(char),
        }
    }
    escaped
}

fn advice(kind: &jsonc_parser::errors::ParseErrorKind) -> Option<String> {
    use jsonc_parser::errors::ParseErrorKind as Kind;
    let advice = match kind {
        Kind::CommentsNotAllowed => "the only comments of a JSON template are keys that begin with `_`",
        Kind::TrailingCommasNotAllowed => "remove the comma",
        Kind::SingleQuotedStringsNotAllowed => "use double quotes",
        _ => return None,
    };
    Some(advice.to_owned())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn span(range: Range) -> Span {
    range.start..range.end
}

fn node(value: ast::Value<'_>, source: &Source, repeated: Repeated) -> Result<Node, TemplateError> {
    let (range, value) = match value {
        ast::Value::NullKeyword(null) => (null.range, Value::Null),
        ast::Value::BooleanLit(lit) => (lit.range, Value::Boolean(lit.value)),
        ast::Value::NumberLit(lit) => (lit.range, Value::Number(lit.value.to_owned())),
        ast::Value::StringLit(lit) => (lit.range, Value::Text(lit.value.into_owned())),
        ast::Value::Array(array) => {
            let elements = array.elements.into_iter().map(|element| node(element, source, repeated));
            (array.range, Value::Array(elements.collect::<Result<_, _>>()?))
        }
        ast::Value::Object(object) => (object.range, Value::Object(members(object.properties, source, repeated)?)),
    };
    Ok(Node { span: span(range), value })
}

fn members(
    properties: Vec<ast::ObjectProp<'_>>,
    source: &Source,
    repeated: Repeated,
) -> Result<Vec<Member>, TemplateError> {
    let mut members: Vec<Member> = Vec::with_capacity(properties.len());
    for property in properties {
        let key_span = span(match &property.name {
            ast::ObjectPropName::String(lit) => lit.range,
            ast::ObjectPropName::Word(lit) => lit.range,
        });
        let key = property.name.into_string();
        if repeated == Repeated::LastWins {
            members.retain(|member| member.key != key);
        } else if !key.starts_with('_') && members.iter().any(|member| member.key == key) {
            let help = "keep one of them; Packer refuses it too".to_owned();
            return Err(TemplateError::new(source, key_span, format!("`{key}` is there twice")).with_help(Some(help)));
        }
        members.push(Member { key, key_span, node: node(property.value, source, repeated)? });
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_found_behind_escapes() {
        let source = Source::new("t", r#" "a\"b\u00e9c\ud83d\ude00d é!" "#);
        let node = parse(&source).expect("valid");
        let Value::Text(value) = &node.value else { panic!("a string") };
        assert_eq!(value, "a\"béc😀d é!");
        for part in ["a", "b", "c", "d", "é!", "!"] {
            let start = value.find(part).expect("part");
            let start = if part == "é!" { value.rfind(part).expect("part") } else { start };
            let span = node.inner_span(&source.text()[node.span.clone()], &(start..start + part.len()));
            assert_eq!(&source.text()[span], part);
        }
    }

    #[test]
    fn only_strict_json_is_read() {
        for text in
            ["{a: 1}", "{'a': 1}", "[1,]", "[1 2]", "// c\n1", "0x10", "+1", ".5", "NaN", "", "{} {}", "[", "\"a"]
        {
            assert!(parse(&Source::new("t", text)).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&Source::new("t", &deep)).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in r#"[\[\]{}",:a0-9.\\u \n\-é]{0,60}|.{0,60}"#) {
            let source = Source::new("t", &text);
            if let Err(error) = parse(&source) {
                let _ = crate::fault::TemplateErrors::new(vec![error]).to_string();
            }
        }

        #[test]
        fn inner_spans_lie_within(value in ".{0,20}", start in 0_usize..40, len in 0_usize..40) {
            let escaped: String = value.chars().map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                c if u32::from(c) < 0x20 => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            }).collect();
            let source = Source::new("t", &format!("\"{escaped}\""));
            let node = parse(&source).expect("valid");
            let span = node.inner_span(&source.text()[node.span.clone()], &(start..start + len));
            prop_assert!(span.start <= span.end && span.end <= source.text().len());
        }
    }
}
