//! Works out expressions. (github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md)
//!
//! This stands here and not in a library since every value keeps its place, functions ask the bake's surroundings, and `try`
//! and `can` decide which of their arguments are worked out.

use hcl_edit::Span as _;
use hcl_edit::expr::Conditional;
use hcl_edit::expr::Expression;
use hcl_edit::expr::ForExpr;
use hcl_edit::expr::FuncCall;
use hcl_edit::expr::Object;
use hcl_edit::expr::ObjectKey;

use super::config::Written;
use super::config::shifted;
use super::functions;
use super::operators;
use super::syntax;
use super::values::Values;
use crate::go::Fault;
use crate::place::Span;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// Where an expression stands: what it may ask for.
#[derive(Clone, Copy)]
pub(crate) struct Eval<'a> {
    /// The configuration's values; `None`: literals only.
    pub(crate) values: Option<&'a Values<'a>>,
    /// Names of `for` expressions, of `dynamic` blocks, and of `templatefile`.
    pub(crate) frame: Option<&'a Frame<'a>>,
    /// The build that it belongs to.
    pub(crate) build: Option<&'a BuildNames>,
    /// Whether it is the default of a variable: the only place of `env`.
    pub(crate) is_default: bool,
    /// Where the text that its spans count in starts; `None`: all of it stands at this place.
    pub(crate) base: Base<'a>,
}

/// What spans of an expression mean.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
    /// They count from here.
    Start(usize),
    /// The text is no part of the template; this is where the template asks for it.
    Within(&'a Span),
    /// As `Within`, and the text is a file of `templatefile`.
    File(&'a Span),
}

/// A name of the innermost surroundings.
pub(crate) struct Frame<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Node,
    pub(crate) outer: Option<&'a Self>,
}

/// Names that `source` and `build` stand for.
#[derive(Clone, Debug)]
pub(crate) struct BuildNames {
    /// `source.name`
    pub(crate) source: String,
    /// `source.type`
    pub(crate) kind: String,
    /// `build.name`
    pub(crate) build: String,
    /// Whether it is the source itself, where a build's values are asked for by Go's templates alone.
    pub(crate) is_source: bool,
}

pub(crate) type Worked = Result<Node, Fault>;

impl<'a> Eval<'a> {
    /// Literals only, in a text that starts at `start`.
    pub(crate) fn literals(start: usize) -> Self {
        Self { values: None, frame: None, build: None, is_default: false, base: Base::Start(start) }
    }

    /// The value of an attribute.
    pub(crate) fn written(&self, written: &Written) -> Worked {
        match written {
            Written::Native { expression, start } => Eval { base: Base::Start(*start), ..*self }.expression(expression),
            Written::Json(node) => self.json(node),
        }
    }

    pub(crate) fn span(&self, span: Option<Span>) -> Span {
        match self.base {
            Base::Start(start) => shifted(span, start),
            Base::Within(place) | Base::File(place) => place.clone(),
        }
    }

    /// The value of an expression.
    pub(crate) fn expression(&self, expression: &Expression) -> Worked {
        let span = self.span(expression.span());
        match self.values {
            Some(values) => values.deeper(&span, || self.worked(expression, &span)),
            None => self.worked(expression, &span),
        }
    }

    fn worked(&self, expression: &Expression, span: &Span) -> Worked {
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Boolean(*value.value()),
            Expression::Number(number) => Value::Number(number.value().to_string()),
            Expression::String(text) => Value::text(text.value()),
            Expression::Array(array) => {
                Value::Array(array.iter().map(|element| self.expression(element)).collect::<Result<_, _>>()?)
            }
            Expression::Object(object) => Value::Object(self.object(object)?),
            Expression::StringTemplate(_) | Expression::HeredocTemplate(_) => {
                let Some(template) = expression.as_template() else { return Ok(Value::Null.into()) };
                return self.template(template, span).map(|node| node.at(span));
            }
            Expression::Parenthesis(inner) => return self.expression(inner.inner()),
            Expression::Variable(name) => {
                return self.traverse(expression, &[], span).map_err(|fault| {
                    let is_bare = !matches!(name.as_str(), "var" | "local" | "data") && fault.help.is_none();
                    let help = is_bare.then(|| format!("a string stands in quotes: \"{}\"", name.as_str()));
                    Fault { help: fault.help.clone().or(help), ..fault }
                });
            }
            Expression::Traversal(traversal) => return self.traverse(&traversal.expr, &traversal.operators, span),
            Expression::Conditional(conditional) => return self.conditional(conditional),
            Expression::FuncCall(call) => return self.call(call, span).map(|node| node.at(span)),
            Expression::UnaryOp(operation) => {
                operators::unary(*operation.operator.value(), &self.expression(&operation.expr)?)
                    .map_err(|message| Fault::new(span, message))?
            }
            Expression::BinaryOp(operation) => return operators::binary(self, operation, span),
            Expression::ForExpr(expression) => return self.for_expression(expression, span),
        };
        Ok(Node { span: span.clone(), value })
    }

    fn object(&self, object: &Object) -> Result<Vec<Member>, Fault> {
        let mut members: Vec<Member> = Vec::with_capacity(object.len());
        for (key, value) in object {
            let (key, key_span) = self.key(key)?;
            let node = self.expression(value.expr())?;
            // As in HCL, a key that is there twice has its last value.
            members.retain(|member| member.key != key);
            members.push(Member { key, key_span, node });
        }
        Ok(members)
    }

    fn key(&self, key: &ObjectKey) -> Result<(String, Span), Fault> {
        match key {
            ObjectKey::Ident(name) => Ok((name.as_str().to_owned(), self.span(name.span()))),
            ObjectKey::Expression(expression) => {
                let node = self.expression(expression)?;
                let text = node.to_text();
                text.map(|text| (text, node.span.clone()))
                    .ok_or_else(|| Fault::new(&node.span, format!("a key must be a string, this is {}", node.kind())))
            }
        }
    }

    /// A condition's value; what is not known yet is false.
    pub(crate) fn condition(&self, expression: &Expression) -> Result<bool, Fault> {
        Ok(self.decided(expression)?.unwrap_or(false))
    }

    /// A condition's value; `None`: it is not known before AWS is asked.
    fn decided(&self, expression: &Expression) -> Result<Option<bool>, Fault> {
        let node = self.expression(expression)?;
        match node.to_boolean() {
            None if node.is_unknown() => Ok(None),
            None => {
                let message = format!("a condition must be true or false, this is {}", node.kind());
                Err(Fault::new(&node.span, message))
            }
            decided => Ok(decided),
        }
    }

    fn conditional(&self, conditional: &Conditional) -> Worked {
        match self.decided(&conditional.cond_expr)? {
            Some(true) => self.expression(&conditional.true_expr),
            Some(false) => self.expression(&conditional.false_expr),
            None => Ok(Node { span: self.span(conditional.span()), value: Value::unknown() }),
        }
    }

    /// The entries of what a `for` goes through.
    pub(crate) fn entries(&self, expression: &Expression) -> Result<Vec<(Node, Node)>, Fault> {
        Ok(self.known_entries(expression)?.unwrap_or_default())
    }

    /// As [`entries`](Self::entries); `None`: they are not known before AWS is asked.
    fn known_entries(&self, expression: &Expression) -> Result<Option<Vec<(Node, Node)>>, Fault> {
        let node = self.expression(expression)?;
        match node.entries() {
            None if node.is_unknown() => Ok(None),
            None => {
                let message = format!("only lists and objects can be gone through, this is {}", node.kind());
                Err(Fault::new(&node.span, message))
            }
            entries => Ok(entries),
        }
    }

    fn for_expression(&self, expression: &ForExpr, span: &Span) -> Worked {
        let intro = &expression.intro;
        let unknown = || Node { span: span.clone(), value: Value::unknown() };
        let Some(entries) = self.known_entries(&intro.collection_expr)? else { return Ok(unknown()) };
        let mut elements = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        for (key, value) in entries {
            let name = intro.key_var.as_ref().map_or("", |name| name.as_str());
            let outer = Frame { name, value: key, outer: self.frame };
            let frame = Frame { name: intro.value_var.as_str(), value, outer: Some(&outer) };
            let inner = Eval { frame: Some(&frame), ..*self };
            match expression.cond.as_ref().map(|condition| inner.decided(&condition.expr)).transpose()? {
                Some(None) => return Ok(unknown()),
                Some(Some(false)) => continue,
                Some(Some(true)) | None => {}
            }
            let node = inner.expression(&expression.value_expr)?;
            match &expression.key_expr {
                None => elements.push(node),
                Some(key) => {
                    let key_node = inner.expression(key)?;
                    let wrong = || Fault::new(&key_node.span, "a key must be a string");
                    let key = key_node.to_text().ok_or_else(wrong)?;
                    put(&mut members, key, node, expression.grouping).map_err(|message| Fault::new(span, message))?;
                }
            }
        }
        let is_object = expression.key_expr.is_some();
        let value = if is_object { Value::Object(members) } else { Value::Array(elements) };
        Ok(Node { span: span.clone(), value }.at(span))
    }

    fn call(&self, call: &FuncCall, span: &Span) -> Worked {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            return Err(Fault::new(span, "functions have no namespace here"));
        }
        if self.values.is_none() {
            return Err(Fault::new(span, "no function can be called here: only literal values may stand here"));
        }
        let arguments: Vec<&Expression> = call.args.iter().collect();
        if let Some(worked) = functions::lazy(self, name, &arguments, span) {
            return worked;
        }
        let mut nodes = arguments.iter().map(|argument| self.expression(argument)).collect::<Result<Vec<_>, _>>()?;
        if call.args.expand_final()
            && let Some(last) = nodes.pop()
        {
            if last.is_wholly_unknown() {
                return Ok(Value::unknown().into());
            }
            let (Value::Array(elements) | Value::Set(elements)) = last.value else {
                return Err(Fault::new(
                    &last.span,
                    format!("only a list can be given as `…`, this is {}", last.kind()),
                ));
            };
            nodes.extend(elements);
        }
        functions::call(self, name, &nodes, span)
    }

    /// A value in JSON: strings are templates.
    fn json(&self, node: &Node) -> Worked {
        let value = match &node.value {
            Value::Text(text) if text.contains("${") || text.contains("%{") => {
                let template = syntax::template(text).map_err(|invalid| {
                    Fault::new(&node.span, format!("this is no valid HCL template: {}", invalid.message))
                })?;
                let within = Eval { base: Base::Within(&node.span), ..*self };
                return within.template(&template, &node.span);
            }
            Value::Array(elements) => {
                Value::Array(elements.iter().map(|element| self.json(element)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let member = |member: &Member| {
                    let key = Node { span: member.key_span.clone(), value: Value::text(&member.key) };
                    let key = self.json(&key)?.to_text().unwrap_or_default();
                    Ok(Member { key, key_span: member.key_span.clone(), node: self.json(&member.node)? })
                };
                Value::Object(members.iter().map(member).collect::<Result<_, Fault>>()?)
            }
            other => other.clone(),
        };
        Ok(Node { span: node.span.clone(), value })
    }
}

/// Puts a member into an object; with `grouping`, values of one key become a list.
fn put(members: &mut Vec<Member>, key: String, node: Node, grouping: bool) -> Result<(), String> {
    let known = members.iter_mut().find(|member| member.key == key);
    match (known, grouping) {
        (None, _) => {
            let value = if grouping { Node { span: node.span.clone(), value: Value::Array(vec![node]) } } else { node };
            members.push(Member { key, key_span: 0..0, node: value });
        }
        (Some(Member { node: Node { value: Value::Array(elements), .. }, .. }), true) => elements.push(node),
        (Some(_), _) => return Err(format!("two values have the key `{key}`; `…` behind the value would group them")),
    }
    Ok(())
}
