//! Tokens into expressions.

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

/// Reads a template string.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, Fault> {
    let parts = lex(text)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => Ok(Part::Text(text)),
        Piece::Action(tokens, span) => action(&tokens, span).map(Part::Action),
    });
    parts.collect()
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
        let Kind::Word(name) = &token.kind else {
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
            Kind::Word(name) => Ok(Expression::Call { name: name.clone(), arguments: Vec::new(), span }),
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
