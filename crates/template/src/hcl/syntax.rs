//! Reads HCL's own syntax, with the literal text of its templates as HCL has it.
//! (github.com/hashicorp/hcl/blob/main/hclsyntax/parser_template.go)
//!
//! hcl-edit reads a template level by level: it takes the indentation of a `<<-` from the outermost level alone, leaves escapes within
//! directives as they are, and leaves `~` to its caller. For HCL a template is one flat list of literals and sequences, in which
//! each line of a heredoc or of a file is a literal of its own, and `~` trims the literal next to it. So the literals are read here once
//! more, from the text that they stand for.

use hcl_edit::Span as _;
use hcl_edit::Spanned;
use hcl_edit::expr::Expression;
use hcl_edit::expr::Object;
use hcl_edit::expr::ObjectKey;
use hcl_edit::structure::Body;
use hcl_edit::template::Directive;
use hcl_edit::template::Element;
use hcl_edit::template::ForTemplateExpr;
use hcl_edit::template::HeredocTemplate;
use hcl_edit::template::StringTemplate;
use hcl_edit::template::Strip;
use hcl_edit::template::Template;
use hcl_edit::visit_mut;
use hcl_edit::visit_mut::VisitMut;

use crate::place::BYTE_ORDER_MARK;
use crate::place::floor;

/// Why a text is not HCL, and where in it.
#[derive(Clone, Debug)]
pub(super) struct Invalid {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// A file's text.
pub(super) fn body(text: &str) -> Result<Body, Invalid> {
    let mut body = hcl_edit::parser::parse_body(text).map_err(|error| invalid(text, &error))?;
    settle(text, |settling| settling.visit_body_mut(&mut body))?;
    Ok(body)
}

/// An expression's text.
pub(super) fn expression(text: &str) -> Result<Expression, Invalid> {
    let mut expression = hcl_edit::parser::parse_expr(text).map_err(|error| invalid(text, &error))?;
    settle(text, |settling| settling.visit_expr_mut(&mut expression))?;
    Ok(expression)
}

/// A template's text, such as that of a file of `templatefile`.
pub(super) fn template(text: &str) -> Result<Template, Invalid> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut template = hcl_edit::parser::parse_template(text).map_err(|error| invalid(text, &error))?;
    settle(text, |settling| {
        settling.template(&mut template, Form::Lines);
        settling.visit_template_mut(&mut template);
    })?;
    Ok(template)
}

fn invalid(text: &str, error: &hcl_edit::parser::Error) -> Invalid {
    Invalid { offset: floor(text, error.location().offset()), message: error.message().to_owned() }
}

fn settle(text: &str, visit: impl FnOnce(&mut Settling<'_>)) -> Result<(), Invalid> {
    let mut settling = Settling { text, wrong: None };
    visit(&mut settling);
    settling.wrong.map_or(Ok(()), Err)
}

/// How the literals of a template are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Between quotes, with escapes.
    Quoted,
    /// Line by line.
    Lines,
    /// Line by line, without the indentation that all lines have.
    Flush,
}

/// Gives the literals of each template their text.
struct Settling<'a> {
    text: &'a str,
    wrong: Option<Invalid>,
}

impl VisitMut for Settling<'_> {
    fn visit_string_template_mut(&mut self, node: &mut StringTemplate) {
        self.template(node, Form::Quoted);
        visit_mut::visit_string_template_mut(self, node);
    }

    fn visit_heredoc_template_mut(&mut self, node: &mut HeredocTemplate) {
        let is_flush = node.span().and_then(|span| self.text.get(span)).is_some_and(|text| text.starts_with("<<-"));
        self.template(&mut node.template, if is_flush { Form::Flush } else { Form::Lines });
        visit_mut::visit_heredoc_template_mut(self, node);
    }

    /// hcl-edit's own leaves out what the `for` goes through.
    fn visit_for_template_expr_mut(&mut self, node: &mut ForTemplateExpr) {
        self.visit_expr_mut(&mut node.collection_expr);
        visit_mut::visit_for_template_expr_mut(self, node);
    }

    /// hcl-edit's own leaves out the keys, which can be replaced only.
    fn visit_object_mut(&mut self, node: &mut Object) {
        visit_mut::visit_object_mut(self, node);
        let keys: Vec<ObjectKey> = node.iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            let mut settled = key.clone();
            if let ObjectKey::Expression(expression) = &mut settled {
                self.visit_expr_mut(expression);
            }
            if settled != key
                && let Some(value) = node.remove(&key)
            {
                node.insert(settled, value);
            }
        }
    }
}

impl Settling<'_> {
    fn template(&mut self, template: &mut Template, form: Form) {
        let mut pieces = Vec::new();
        flatten(template, &mut pieces);
        let mut tokens = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Sequence(strip) => tokens.push(Token::Sequence(*strip)),
                Piece::Literal(literal) => {
                    let written = literal.span().and_then(|span| self.text.get(span)).unwrap_or_default();
                    match lines(written, form) {
                        Ok(lines) => tokens.extend(lines.into_iter().map(|text| Token::Literal(index, text))),
                        Err(message) => {
                            let offset = literal.span().map_or(0, |span| span.start);
                            self.wrong.get_or_insert(Invalid { offset, message });
                        }
                    }
                }
            }
        }
        trim(&mut tokens);
        if form == Form::Flush {
            flush(&mut tokens);
        }
        put_back(pieces, &tokens);
    }
}

/// A part of a template, directives taken apart.
enum Piece<'a> {
    Literal(&'a mut Spanned<String>),
    Sequence(Strip),
}

/// A literal as HCL's scanner has it, with the index of its piece; or a sequence.
enum Token {
    Literal(usize, String),
    Sequence(Strip),
}

fn flatten<'a>(template: &'a mut Template, pieces: &mut Vec<Piece<'a>>) {
    for element in template.iter_mut() {
        match element {
            Element::Literal(literal) => pieces.push(Piece::Literal(literal)),
            Element::Interpolation(interpolation) => pieces.push(Piece::Sequence(interpolation.strip)),
            Element::Directive(directive) => match &mut **directive {
                Directive::If(directive) => {
                    pieces.push(Piece::Sequence(directive.if_expr.strip));
                    flatten(&mut directive.if_expr.template, pieces);
                    if let Some(otherwise) = &mut directive.else_expr {
                        pieces.push(Piece::Sequence(otherwise.strip));
                        flatten(&mut otherwise.template, pieces);
                    }
                    pieces.push(Piece::Sequence(directive.endif_expr.strip));
                }
                Directive::For(directive) => {
                    pieces.push(Piece::Sequence(directive.for_expr.strip));
                    flatten(&mut directive.for_expr.template, pieces);
                    pieces.push(Piece::Sequence(directive.endfor_expr.strip));
                }
            },
        }
    }
}

fn put_back(pieces: Vec<Piece<'_>>, tokens: &[Token]) {
    let mut tokens = tokens.iter().filter_map(|token| match token {
        Token::Literal(index, text) => Some((*index, text)),
        Token::Sequence(_) => None,
    });
    let mut next = tokens.next();
    for (index, piece) in pieces.into_iter().enumerate() {
        let Piece::Literal(literal) = piece else { continue };
        literal.as_mut().clear();
        while let Some((_, text)) = next.filter(|(owner, _)| *owner == index) {
            literal.as_mut().push_str(text);
            next = tokens.next();
        }
    }
}

/// The tokens of a literal.
fn lines(written: &str, form: Form) -> Result<Vec<String>, String> {
    let plain = |text: &str| text.replace("$${", "${").replace("%%{", "%{");
    match form {
        Form::Quoted => Ok(vec![unescaped(&plain(written))?]),
        Form::Lines | Form::Flush => Ok(written.split_inclusive('\n').map(plain).collect()),
    }
}

fn unescaped(written: &str) -> Result<String, String> {
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        text.push(match chars.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(same @ ('"' | '\\')) => same,
            Some('u') => character(&chars.by_ref().take(4).collect::<String>())?,
            Some('U') => character(&chars.by_ref().take(8).collect::<String>())?,
            other => {
                let escape: String = std::iter::once('\\').chain(other).collect();
                return Err(format!("there is no escape `{escape}`; a backslash is written `\\\\`"));
            }
        });
    }
    Ok(text)
}

fn character(digits: &str) -> Result<char, String> {
    let number = u32::from_str_radix(digits, 16).ok();
    number.and_then(char::from_u32).ok_or_else(|| format!("`{digits}` is no number of a character"))
}

/// What a `~` stands next to loses its blanks on that side, line ends among them.
fn trim(tokens: &mut [Token]) {
    for index in 0..tokens.len() {
        let Some(Token::Sequence(strip)) = tokens.get(index) else { continue };
        let (start, end) = (strip.strip_start(), strip.strip_end());
        if start && let Some(Token::Literal(_, text)) = index.checked_sub(1).and_then(|index| tokens.get_mut(index)) {
            text.truncate(text.trim_end().len());
        }
        if end && let Some(Token::Literal(_, text)) = tokens.get_mut(index + 1) {
            text.drain(..text.len() - text.trim_start().len());
        }
    }
}

/// Takes the least indentation of all lines from each of them. A line that begins with a sequence has none; one that is blank does not
/// count, and stays as it is.
fn flush(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut starts_line = true;
    let mut leading = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_start = std::mem::replace(&mut starts_line, false);
        let Token::Literal(_, text) = token else {
            least = if is_start { 0 } else { least };
            continue;
        };
        starts_line = text.ends_with('\n');
        if is_start && !(starts_line && text.trim().is_empty()) {
            least = least.min(text.chars().take_while(|char| char.is_whitespace()).count());
            leading.push(index);
        }
    }
    for index in leading {
        if let Some(Token::Literal(_, text)) = tokens.get_mut(index) {
            let indent = text.char_indices().nth(least).map_or(text.len(), |(offset, _)| offset);
            text.drain(..indent);
        }
    }
}
