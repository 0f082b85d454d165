//! Text into pieces of text and tokens of actions.

use super::Fault;
use super::strings;
use crate::place::Span;

/// A piece of a template string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// The tokens of one `{{ … }}`, and its span with the braces.
    Action(Vec<Token>, Span),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    Field(Vec<String>),
    Text(String),
    Integer(i64),
    Pipe,
    Open,
    Close,
}

/// Splits `text` at its actions. Trim markers and comments are done with here.
pub(super) fn lex(text: &str) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut position = 0;
    let mut trims = false;
    loop {
        let start = text[position..].find("{{").map(|offset| position + offset);
        let mut plain = &text[position..start.unwrap_or(text.len())];
        if trims {
            plain = plain.trim_start_matches(is_space);
        }
        let Some(start) = start else {
            push_text(&mut pieces, plain);
            return Ok(pieces);
        };
        let inside = &text[start + 2..];
        let trims_before = inside.starts_with('-') && inside[1..].starts_with(is_space);
        push_text(&mut pieces, if trims_before { plain.trim_end_matches(is_space) } else { plain });

        let mut scanner = Scanner { text, position: start + 2 + usize::from(trims_before) };
        trims = scanner.comment_or_tokens(start, &mut pieces)?;
        position = scanner.position;
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn skip_spaces(&mut self) {
        self.position += self.rest().len() - self.rest().trim_start_matches(is_space).len();
    }

    /// Reads up to and past the `}}`; says whether it trims the text that follows.
    fn comment_or_tokens(&mut self, start: usize, pieces: &mut Vec<Piece>) -> Result<bool, Fault> {
        let mut tokens = Vec::new();
        self.skip_spaces();
        if self.rest().starts_with("/*") {
            let end =
                self.rest().find("*/").ok_or_else(|| Fault::new(&(start..start + 2), "this comment has no `*/`"))?;
            self.position += end + 2;
            self.skip_spaces();
            return self.take_close().ok_or_else(|| unclosed(start));
        }
        loop {
            let had_space = self.rest().starts_with(is_space);
            self.skip_spaces();
            let trims = self.rest().starts_with("-}}") && had_space;
            if let Some(closed) = if trims || self.rest().starts_with("}}") { self.take_close() } else { None } {
                pieces.push(Piece::Action(tokens, start..self.position));
                return Ok(closed);
            }
            tokens.push(self.token(start)?);
        }
    }

    fn take_close(&mut self) -> Option<bool> {
        let trims = self.rest().starts_with("-}}");
        let length = if trims { 3 } else { 2 };
        (trims || self.rest().starts_with("}}")).then(|| self.position += length)?;
        Some(trims)
    }

    fn token(&mut self, action: usize) -> Result<Token, Fault> {
        let start = self.position;
        let first = self.rest().chars().next().ok_or_else(|| unclosed(action))?;
        let kind = match first {
            '|' => self.take(1, Kind::Pipe),
            '(' => self.take(1, Kind::Open),
            ')' => self.take(1, Kind::Close),
            '"' | '`' => self.string(first)?,
            '.' => self.field()?,
            '-' | '0'..='9' => self.integer()?,
            first if is_word(first) => {
                let word = self.word();
                Kind::Word(word)
            }
            other => {
                let span = start..start + other.len_utf8();
                return Err(Fault::new(&span, format!("`{other}` has no meaning here")).with_help(advice(other)));
            }
        };
        Ok(Token { kind, span: start..self.position })
    }

    fn take(&mut self, length: usize, kind: Kind) -> Kind {
        self.position += length;
        kind
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let word = rest[..rest.find(|char| !is_word(char)).unwrap_or(rest.len())].to_owned();
        self.position += word.len();
        word
    }

    fn field(&mut self) -> Result<Kind, Fault> {
        let start = self.position;
        let mut path = Vec::new();
        while self.rest().starts_with('.') {
            self.position += 1;
            path.push(self.word());
        }
        if path.iter().any(String::is_empty) {
            return Err(Fault::new(&(start..self.position), "a name must follow the dot"));
        }
        Ok(Kind::Field(path))
    }

    fn integer(&mut self) -> Result<Kind, Fault> {
        let rest = self.rest();
        let ends = |(offset, char): (usize, char)| {
            (!char.is_ascii_alphanumeric() && offset > 0 && char != '.' && char != '_').then_some(offset)
        };
        let digits = rest[..rest.char_indices().find_map(ends).unwrap_or(rest.len())].to_owned();
        let span = self.position..self.position + digits.len();
        self.position = span.end;
        digits.parse().map(Kind::Integer).map_err(|_| Fault::new(&span, format!("`{digits}` is no whole number")))
    }

    fn string(&mut self, quote: char) -> Result<Kind, Fault> {
        let start = self.position;
        let rest = self.rest();
        let end = if quote == '`' { rest[1..].find('`').map(|end| end + 1) } else { strings::closing_quote(rest) };
        let end = end.ok_or_else(|| Fault::new(&(start..self.text.len()), "this string is not closed"))?;
        let inside = rest[1..end].to_owned();
        self.position = start + end + 1;
        if quote == '`' {
            return Ok(Kind::Text(inside));
        }
        strings::unquote(&inside).map(Kind::Text).map_err(|(offset, message)| {
            let at = start + 1 + offset;
            Fault::new(&(at..at + 1), message)
        })
    }
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

fn unclosed(start: usize) -> Fault {
    Fault::new(&(start..start + 2), "this `{{` has no `}}`")
        .with_help(Some("to write two braces as text, use {{`{{`}}".to_owned()))
}

fn advice(char: char) -> Option<String> {
    let advice = match char {
        '\'' => "write strings in back quotes or double quotes",
        '$' | ':' | '=' => "variables of Go templates are not supported; use user variables",
        _ => return None,
    };
    Some(advice.to_owned())
}
