//! Tokens into expressions.

use std::vec::IntoIter;

use super::Expression;
use super::Fault;
use super::Literal;
use super::Part;
use super::lex::Kind;
use super::lex::Piece;
use super::lex::Token;
use super::lex::lex;
use crate::place::Span;

/// Parentheses may be nested this deep; people need two.
const MAX_DEPTH: usize = 32;

/// Words of Go's that are no functions.
const KEYWORDS: [&str; 10] = ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"];

/// What ends a branch of an `if`: `else`, with what follows it, or `end`.
struct Ending {
    is_else: bool,
    rest: Vec<Token>,
    span: Span,
}

/// Reads a template string.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, Fault> {
    let mut pieces = lex(text)?.into_iter();
    match parts(&mut pieces, 0)? {
        (parts, None) => Ok(parts),
        (_, Some(ending)) => Err(Fault::new(&ending.span, "no `if` stands before this")),
    }
}

/// Reads up to the end of the text, or of a branch.
fn parts(pieces: &mut IntoIter<Piece>, depth: usize) -> Result<(Vec<Part>, Option<Ending>), Fault> {
    let mut parts = Vec::new();
    while let Some(piece) = pieces.next() {
        let (mut tokens, span) = match piece {
            Piece::Text(text) => {
                parts.push(Part::Text(text));
                continue;
            }
            Piece::Action(tokens, span) => (tokens, span),
        };
        match keyword(&tokens) {
            Some("if") => parts.push(choice(&tokens[1..], span, pieces, depth)?),
            Some(word @ ("else" | "end")) => {
                let is_else = word == "else";
                return Ok((parts, Some(Ending { is_else, rest: tokens.split_off(1), span })));
            }
            _ => parts.push(Part::Action(action(&tokens, span)?)),
        }
    }
    Ok((parts, None))
}

fn keyword(tokens: &[Token]) -> Option<&str> {
    match tokens.first().map(|token| &token.kind) {
        Some(Kind::Word(word)) => Some(word),
        _ => None,
    }
}

/// Reads an `if` up to its `end`.
fn choice(condition: &[Token], span: Span, pieces: &mut IntoIter<Piece>, depth: usize) -> Result<Part, Fault> {
    if depth >= MAX_DEPTH {
        return Err(Fault::new(&span, "these `if` are nested too deep"));
    }
    let unclosed = Fault::new(&span, "this `if` has no `end`");
    let condition = action(condition, span)?;
    let (then, ending) = parts(pieces, depth + 1)?;
    let ending = ending.ok_or_else(|| unclosed.clone())?;
    let otherwise = match (ending.is_else, keyword(&ending.rest)) {
        (true, Some("if")) => vec![choice(&ending.rest[1..], ending.span, pieces, depth + 1)?],
        (true, None) if ending.rest.is_empty() => match parts(pieces, depth + 1)? {
            (otherwise, Some(last)) if !last.is_else && last.rest.is_empty() => otherwise,
            (_, Some(last)) => return Err(Fault::new(&last.span, "only `end` can stand here")),
            (_, None) => return Err(unclosed),
        },
        (false, None) if ending.rest.is_empty() => Vec::new(),
        _ => return Err(Fault::new(&ending.span, "only `else`, `else if …` or `end` can stand here")),
    };
    Ok(Part::Choice { condition, then, otherwise })
}

fn action(tokens: &[Token], span: Span) -> Result<Expression, Fault> {
    if tokens.is_empty() {
        return Err(Fault::new(&span, "nothing stands between these braces"));
    }
    let mut parser = Parser { tokens, position: 0, whole: span };
    let expression = parser.pipeline(0)?;
    match parser.tokens.get(parser.position) {
        None => Ok(expression),
        Some(token) => Err(Fault::new(&token.span, "this `)` closes nothing")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    position: usize,
    whole: Span,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.position).map(|token| &token.kind)
    }

    fn pipeline(&mut self, depth: usize) -> Result<Expression, Fault> {
        let mut value = self.command(None, depth)?;
        while self.peek() == Some(&Kind::Pipe) {
            self.position += 1;
            value = self.command(Some(value), depth)?;
        }
        Ok(value)
    }

    /// An operand, or a function with its arguments; `piped` is the last of them.
    fn command(&mut self, piped: Option<Expression>, depth: usize) -> Result<Expression, Fault> {
        let Some(token) = self.tokens.get(self.position) else {
            return Err(Fault::new(&self.whole, "a value or a function is missing here"));
        };
        let function = match &token.kind {
            Kind::Word(name) if constant(name).is_none() => Some(name),
            _ => None,
        };
        let Some(name) = function else {
            let value = self.operand(depth)?;
            return match (piped, self.tokens.get(self.position)) {
                (Some(_), _) => Err(Fault::new(&token.span, "only a function can follow `|`")),
                (None, Some(next)) if !matches!(next.kind, Kind::Pipe | Kind::Close) => {
                    Err(Fault::new(&token.span, "a value takes no arguments; a function must come first"))
                }
                (None, _) => Ok(value),
            };
        };
        if KEYWORDS.contains(&name.as_str()) {
            let help = "decide in a user variable, or with `only` and `except`".to_owned();
            return Err(
                Fault::new(&token.span, format!("`{name}` of Go templates is not supported")).with_help(Some(help))
            );
        }
        self.position += 1;
        let mut arguments = Vec::new();
        while !matches!(self.peek(), None | Some(Kind::Pipe | Kind::Close)) {
            arguments.push(self.operand(depth)?);
        }
        arguments.extend(piped);
        Ok(Expression::Call { name: name.clone(), arguments, span: token.span.clone() })
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, Fault> {
        let token = self.tokens.get(self.position).ok_or_else(|| Fault::new(&self.whole, "a value is missing here"))?;
        self.position += 1;
        let span = token.span.clone();
        match &token.kind {
            Kind::Text(text) => Ok(Expression::Literal(Literal::Text(text.clone()))),
            Kind::Integer(number) => Ok(Expression::Literal(Literal::Integer(*number))),
            Kind::Field(path) => Ok(Expression::Field { path: path.clone(), span }),
            Kind::Word(name) => Ok(constant(name).unwrap_or_else(|| Expression::Call {
                name: name.clone(),
                arguments: Vec::new(),
                span,
            })),
            Kind::Open if depth >= MAX_DEPTH => Err(Fault::new(&span, "these parentheses are nested too deep")),
            Kind::Open => {
                let value = self.pipeline(depth + 1)?;
                if self.peek() != Some(&Kind::Close) {
                    return Err(Fault::new(&span, "this `(` has no `)`"));
                }
                self.position += 1;
                Ok(value)
            }
            Kind::Close | Kind::Pipe => Err(Fault::new(&span, "a value or a function is missing before this")),
        }
    }
}

/// The words that are values.
fn constant(word: &str) -> Option<Expression> {
    let value = match word {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    Some(Expression::Literal(Literal::Boolean(value)))
}
