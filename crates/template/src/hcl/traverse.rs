//! References such as `var.name`, and what follows them: `.attribute`, `[index]`, `[*]`.

use hcl_edit::Decorated;
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::expr::TraversalOperator;

use super::eval::Eval;
use super::eval::Worked;
use super::late;
use crate::context::PACKER_VERSION;
use crate::go::BUILD_VALUES;
use crate::go::Fault;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

type Operators<'a> = [Decorated<TraversalOperator>];

impl Eval<'_> {
    /// The value of `root` with `operators` applied; `span` is that of the whole.
    pub(super) fn traverse(&self, root: &Expression, operators: &Operators<'_>, span: &Span) -> Worked {
        let Expression::Variable(name) = root else {
            let node = self.expression(root)?;
            return self.apply(node, operators, span).map(|node| node.at(span));
        };
        let (node, used) = self.reference(name.as_str(), operators, span)?;
        self.apply(node, operators.get(used..).unwrap_or(&[]), span).map(|node| node.at(span))
    }

    /// The value that a name stands for, and how many operators are part of its name.
    fn reference(&self, root: &str, operators: &Operators<'_>, span: &Span) -> Result<(Node, usize), Fault> {
        let frames = std::iter::successors(self.frame, |frame| frame.outer);
        if let Some(frame) = frames.into_iter().find(|frame| frame.name == root) {
            return Ok((frame.value.clone(), 0));
        }
        let name = |index: usize| operators.get(index).and_then(|operator| self.name(operator));
        let wrong = |form: &str| Fault::new(span, format!("`{root}` is used as `{form}`"));
        let Some(values) = self.values else {
            return Err(Fault::new(span, "only literal values may stand here")
                .with_help(Some("a variables file knows neither variables nor functions".to_owned())));
        };
        match root {
            "var" => {
                let name = name(0).ok_or_else(|| wrong("var.NAME"))?;
                Ok((values.variable(&name, span)?, 1))
            }
            "local" => {
                let name = name(0).ok_or_else(|| wrong("local.NAME"))?;
                Ok((values.local(&name, span)?, 1))
            }
            "data" => {
                let (Some(kind), Some(name)) = (name(0), name(1)) else { return Err(wrong("data.TYPE.NAME.VALUE")) };
                Ok((values.data(&kind, &name, span)?, 2))
            }
            "path" => match name(0).as_deref() {
                Some("root") => Ok((Value::text(&values.context.template_dir).into(), 1)),
                Some("cwd") => Ok((Value::text(&values.context.pwd).into(), 1)),
                _ => Err(wrong("path.root or path.cwd")),
            },
            "packer" => match name(0).as_deref() {
                Some("version") => Ok((Value::text(PACKER_VERSION).into(), 1)),
                Some("iterationID" | "versionFingerprint") => Ok((Value::text("").into(), 1)),
                _ => Err(wrong("packer.version")),
            },
            "source" => self.source(name(0).as_deref(), name(1).as_deref(), span),
            "build" => self.build_value(name(0).as_deref(), span),
            _ => {
                let help = did_you_mean(root, ["var", "local", "data", "path", "packer", "source", "build"]);
                Err(Fault::new(span, format!("there is nothing called `{root}`")).with_help(help))
            }
        }
    }

    /// `source.name` and `source.type` of a build; `source.TYPE.NAME` as a reference.
    fn source(&self, first: Option<&str>, second: Option<&str>, span: &Span) -> Result<(Node, usize), Fault> {
        match (first, second, self.build) {
            (Some("name"), _, Some(build)) => Ok((Value::text(&build.source).into(), 1)),
            (Some("type"), _, Some(build)) => Ok((Value::text(&build.kind).into(), 1)),
            (Some(kind), Some(name), _) => Ok((Value::text(format!("source.{kind}.{name}")).into(), 2)),
            _ => Err(Fault::new(span, "`source.name` and `source.type` are known within a build only")),
        }
    }

    /// `build.NAME`: known when the image is made, so it becomes the template string that asks for it.
    fn build_value(&self, name: Option<&str>, span: &Span) -> Result<(Node, usize), Fault> {
        let Some(build) = self.build.filter(|build| !build.is_source) else {
            let help = "a source asks for it by a template of Go: {{ .SourceAMI }}".to_owned();
            return Err(
                Fault::new(span, "`build` is known within provisioners and post-processors only").with_help(Some(help))
            );
        };
        match name {
            Some("name") => Ok((Value::text(&build.build).into(), 1)),
            Some(name) if BUILD_VALUES.contains(&name) => Ok((Value::text(late::text(name)).into(), 1)),
            name => {
                let name = name.unwrap_or_default();
                let help = did_you_mean(name, BUILD_VALUES)
                    .unwrap_or_else(|| format!("there are name, {}", BUILD_VALUES.join(", ")));
                Err(Fault::new(span, format!("there is no value `{name}` of a build")).with_help(Some(help)))
            }
        }
    }

    /// The name that `.name` or `["name"]` gives.
    fn name(&self, operator: &Decorated<TraversalOperator>) -> Option<String> {
        match operator.value() {
            TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
            TraversalOperator::Index(index) => self.expression(index).ok()?.to_text(),
            _ => None,
        }
    }

    fn apply(&self, node: Node, operators: &Operators<'_>, span: &Span) -> Worked {
        let Some((first, rest)) = operators.split_first() else { return Ok(node) };
        match first.value() {
            TraversalOperator::GetAttr(name) => {
                self.apply(attribute(node, name.as_str(), &self.span(first.span()))?, rest, span)
            }
            TraversalOperator::LegacyIndex(index) => {
                let index = Node::from(Value::Number(index.value().to_string()));
                self.apply(self.index(node, &index, span)?, rest, span)
            }
            TraversalOperator::Index(index) => {
                let index = self.expression(index)?;
                self.apply(self.index(node, &index, span)?, rest, span)
            }
            TraversalOperator::AttrSplat(_) => {
                let attributes = rest
                    .iter()
                    .take_while(|operator| matches!(operator.value(), TraversalOperator::GetAttr(_)))
                    .count();
                let (each, rest) = rest.split_at(attributes);
                self.apply(self.splat(node, each, span)?, rest, span)
            }
            TraversalOperator::FullSplat(_) => self.splat(node, rest, span),
        }
    }

    /// A list's elements with `each` applied; anything else counts as a list of one, and null as an empty list.
    fn splat(&self, node: Node, each: &Operators<'_>, span: &Span) -> Worked {
        if node.is_wholly_unknown() {
            return Ok(node);
        }
        let elements = match node.value {
            Value::Array(elements) | Value::Set(elements) => elements,
            Value::Null => Vec::new(),
            _ => vec![node],
        };
        let elements = elements.into_iter().map(|element| self.apply(element, each, span));
        Ok(Node { span: span.clone(), value: Value::Array(elements.collect::<Result<_, _>>()?) })
    }

    fn index(&self, node: Node, index: &Node, span: &Span) -> Worked {
        if index.is_unknown() {
            return Ok(Value::unknown().into());
        }
        if let Value::Set(_) = node.value {
            return Err(Fault::new(span, "the elements of a set have no index")
                .with_help(Some("`tolist()` makes a list of it".to_owned())));
        }
        let Value::Array(elements) = &node.value else {
            let key = index.to_text().unwrap_or_default();
            return attribute(node, &key, if index.span.is_empty() { span } else { &index.span });
        };
        let position = index.to_text().and_then(|text| text.parse::<usize>().ok());
        position.and_then(|position| elements.get(position)).cloned().ok_or_else(|| {
            let wanted = index.to_text().unwrap_or_default();
            let message = format!("there is no element {wanted}: the list has {}, counted from 0", elements.len());
            Fault::new(span, message)
        })
    }
}

fn attribute(node: Node, name: &str, span: &Span) -> Worked {
    if let Some(found) = node.member(name) {
        return Ok(found.clone());
    }
    match &node.value {
        Value::Text(_) if node.is_wholly_unknown() => Ok(node),
        Value::Object(members) => {
            let names = || members.iter().map(|member| member.key.as_str());
            let help = did_you_mean(name, names()).or_else(|| {
                (!members.is_empty()).then(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")))
            });
            Err(Fault::new(span, format!("there is no `{name}`")).with_help(help))
        }
        _ => Err(Fault::new(span, format!("`{name}` is asked of {}", node.kind()))),
    }
}
