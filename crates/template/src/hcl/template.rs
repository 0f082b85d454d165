//! Strings with `${…}` and `%{…}` in them, whose `~` are done with when they are read.

use hcl_edit::template::Directive;
use hcl_edit::template::Element;
use hcl_edit::template::ForDirective;
use hcl_edit::template::IfDirective;
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
        self.elements(template, &mut text)?;
        Ok(Node { span: span.clone(), value: Value::Text(text) })
    }

    fn elements(&self, template: &Template, text: &mut String) -> Result<(), Fault> {
        for element in template {
            match element {
                Element::Literal(literal) => text.push_str(literal.value()),
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
        if self.condition(&directive.if_expr.cond_expr)? {
            return self.elements(&directive.if_expr.template, text);
        }
        directive.else_expr.as_ref().map_or(Ok(()), |otherwise| self.elements(&otherwise.template, text))
    }

    fn for_directive(&self, directive: &ForDirective, text: &mut String) -> Result<(), Fault> {
        let head = &directive.for_expr;
        for (key, value) in self.entries(&head.collection_expr)? {
            let name = head.key_var.as_ref().map_or("", |name| name.as_str());
            let outer = Frame { name, value: key, outer: self.frame };
            let frame = Frame { name: head.value_var.as_str(), value, outer: Some(&outer) };
            let inner = Eval { frame: Some(&frame), ..*self };
            inner.elements(&head.template, text)?;
        }
        Ok(())
    }
}
