//! Which provisioners and post-processors of a build are for which of its sources.

use super::each::each;
use crate::go::Fault;
use crate::hcl::body;
use crate::hcl::config::Block;
use crate::hcl::eval::Eval;
use crate::hcl::schema;
use crate::hcl::values::Values;
use crate::nearest::did_you_mean;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// Which blocks are for a build.
pub(super) struct Selection<'a> {
    pub(super) values: &'a Values<'a>,
    /// `amazon-ebs.web`
    pub(super) own: &'a str,
    /// The sources of the whole `build`.
    pub(super) known: &'a [String],
    /// Their names alone: `web`.
    pub(super) names: &'a [&'a str],
}

impl Selection<'_> {
    /// The post-processors of a `post-processors`.
    pub(super) fn sequence(&self, eval: &Eval<'_>, block: &Block) -> Vec<Option<Node>> {
        schema::check(self.values, "`post-processors`", &block.body, &[], &["post-processor", "dynamic"]);
        if let Some(label) = block.labels.first() {
            self.values.report(Fault::new(&label.span, "`post-processors` has no label"));
        }
        let mut sequence = Vec::new();
        each(eval, &block.body, &["post-processor"], &mut |eval, kind, block| {
            if kind == "post-processor" {
                sequence.push(self.member(eval, block));
            }
        });
        sequence
    }

    /// The options of a labelled block, if it is for this build.
    pub(super) fn member(&self, eval: &Eval<'_>, block: &Block) -> Option<Node> {
        let [label] = block.labels.as_slice() else {
            let message = format!("`{}` needs a type: {} \"shell\" {{ … }}", block.kind, block.kind);
            self.values.report(Fault::new(&block.kind_span, message));
            return None;
        };
        let mut node = body::object(eval, block);
        node.span = label.span.clone();
        let only = take(&mut node, "only").map(|node| self.names(&node)).unwrap_or_default();
        let except = take(&mut node, "except").map(|node| self.names(&node)).unwrap_or_default();
        if !only.is_empty() && !except.is_empty() {
            self.values.report(Fault::new(&label.span, "either `only` or `except` may be there, not both"));
        }
        let is_named = |names: &[String]| names.iter().any(|name| name == self.own);
        let is_for_it = (only.is_empty() || is_named(&only)) && !is_named(&except);
        self.overrides(&mut node);
        if block.kind != "post-processor" {
            // It is shown by Packer while it runs, and means nothing else.
            take(&mut node, "name");
        }
        let kind = Node { span: label.span.clone(), value: Value::text(&label.text) };
        if let Value::Object(members) = &mut node.value {
            members.push(Member { key: "type".to_owned(), key_span: label.span.clone(), node: kind });
        }
        is_for_it.then_some(node)
    }

    /// Names of sources; one that the build does not use is noted, since it may be switched off for a while.
    fn names(&self, node: &Node) -> Vec<String> {
        let Value::Array(elements) = &node.value else {
            self.values
                .report(Fault::new(&node.span, format!("this must be a list of sources, it is {}", node.kind())));
            return Vec::new();
        };
        let mut names = Vec::new();
        for element in elements {
            let name = element.to_text().unwrap_or_default();
            let plain = name.strip_prefix("source.").unwrap_or(&name);
            if plain != name && self.known.iter().any(|known| known == plain) {
                let note = format!("as in Packer, it names no source; write `{plain}`");
                self.values.findings.note(&element.span, &name, &note);
            } else if !self.known.contains(&name) {
                let near = did_you_mean(&name, self.known.iter().map(String::as_str));
                let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                self.values.findings.note(&element.span, &name, &format!("the build has no such source{near}"));
            }
            names.push(name);
        }
        names
    }

    /// Drops the overrides of sources that the build does not use; they may be switched off for a while.
    fn overrides(&self, node: &mut Node) {
        let Value::Object(members) = &mut node.value else { return };
        for member in members.iter_mut().filter(|member| member.key == "override") {
            let Value::Object(overrides) = &mut member.node.value else { continue };
            for one in overrides.iter().filter(|one| !matches!(one.node.value, Value::Object(_))) {
                let message = format!("an override must be an object of options, this is {}", one.node.kind());
                self.values.report(Fault::new(&one.node.span, message));
            }
            overrides.retain(|one| {
                let is_known = self.names.contains(&one.key.as_str());
                if !is_known {
                    let near = did_you_mean(&one.key, self.names.iter().copied());
                    let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                    self.values.findings.note(&one.key_span, &one.key, &format!("the build has no such source{near}"));
                }
                is_known
            });
        }
    }
}

/// Takes a member out of an object.
fn take(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Object(members) = &mut node.value else { return None };
    let index = members.iter().position(|member| member.key == key)?;
    Some(members.remove(index).node)
}
