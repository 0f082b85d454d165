//! Strings with `${…}` and `%{…}` in them.

use hcl_edit::template::Directive;
use hcl_edit::template::Element;
use hcl_edit::template::ForDirective;
use hcl_edit::template::IfDirective;
use hcl_edit::template::Strip;
use hcl_edit::template::Template;

use super::eval::Eval;
use super::eval::Frame;
use super::eval::Worked;
use crate::go::Fault;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

impl Eval<'_> {
    /// The value of a template: a string, but a template of one interpolation alone has that one's value.
    pub(crate) fn template(&self, template: &Template, span: &Span) -> Worked {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.expression(&only.expr).map(|node| node.at(span));
        }
        let mut text = String::new();
        self.elements(template, Strip::None, Strip::None, &mut text)?;
        Ok(Node { span: span.clone(), value: Value::Text(text) })
    }

    /// `before` and `after` are the strip marks of what the template stands within.
    fn elements(&self, template: &Template, before: Strip, after: Strip, text: &mut String) -> Result<(), Fault> {
        let elements: Vec<&Element> = template.iter().collect();
        for (index, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(literal) => {
                    let previous = index.checked_sub(1).and_then(|index| elements.get(index));
                    let follows = previous.map_or(before, |element| outer_strip(element));
                    let precedes = elements.get(index + 1).map_or(after, |element| outer_strip(element));
                    text.push_str(stripped(literal.value(), follows.strip_end(), precedes.strip_start()));
                }
                Element::Interpolation(interpolation) => {
                    let node = self.expression(&interpolation.expr)?;
                    let part = node.to_text().ok_or_else(|| {
                        Fault::new(&node.span, format!("{} cannot be part of a string", node.kind()))
                            .with_help(Some("join() and jsonencode() make strings".to_owned()))
                    })?;
                    text.push_str(&part);
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => self.if_directive(directive, text)?,
                    Directive::For(directive) => self.for_directive(directive, text)?,
                },
            }
        }
        Ok(())
    }

    fn if_directive(&self, directive: &IfDirective, text: &mut String) -> Result<(), Fault> {
        let end = directive.endif_expr.strip;
        let otherwise = directive.else_expr.as_ref();
        if self.condition(&directive.if_expr.cond_expr)? {
            let end = otherwise.map_or(end, |otherwise| otherwise.strip);
            return self.elements(&directive.if_expr.template, directive.if_expr.strip, end, text);
        }
        otherwise.map_or(Ok(()), |otherwise| self.elements(&otherwise.template, otherwise.strip, end, text))
    }

    fn for_directive(&self, directive: &ForDirective, text: &mut String) -> Result<(), Fault> {
        let head = &directive.for_expr;
        for (key, value) in self.entries(&head.collection_expr)? {
            let name = head.key_var.as_ref().map_or("", |name| name.as_str());
            let outer = Frame { name, value: key, outer: self.frame };
            let frame = Frame { name: head.value_var.as_str(), value, outer: Some(&outer) };
            let inner = Eval { frame: Some(&frame), ..*self };
            inner.elements(&head.template, head.strip, directive.endfor_expr.strip, text)?;
        }
        Ok(())
    }
}

/// What an element's outer marks strip from its neighbours.
fn outer_strip(element: &Element) -> Strip {
    let of = |start: bool, end: bool| match (start, end) {
        (true, true) => Strip::Both,
        (true, false) => Strip::Start,
        (false, true) => Strip::End,
        (false, false) => Strip::None,
    };
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => {
                of(directive.if_expr.strip.strip_start(), directive.endif_expr.strip.strip_end())
            }
            Directive::For(directive) => {
                of(directive.for_expr.strip.strip_start(), directive.endfor_expr.strip.strip_end())
            }
        },
    }
}

/// A literal without the blanks at its start and end, up to the first line's end, which goes too.
fn stripped(literal: &str, start: bool, end: bool) -> &str {
    let is_blank = |char: char| char.is_whitespace() && char != '\r' && char != '\n';
    let mut text = literal;
    if start {
        text = text.trim_start_matches(is_blank);
        text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
    }
    if end {
        text = text.trim_end_matches(is_blank);
        text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
    }
    text
}
