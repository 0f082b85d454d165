//! Reads the options of one object, as leniently as Packer does, and reports what is wrong at its spot.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::deferred::Deferred;
use crate::duration;
use crate::fault::TemplateError;
use crate::go;
use crate::go::Fault;
use crate::go::Part;
use crate::hcl::is_placeholder;
use crate::place::Sources;
use crate::place::Span;
use crate::recipe::Note;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;
use crate::variables;

/// What is noted of a user variable that is used and not declared.
pub(crate) const UNDECLARED: &str = "there is no such variable; it is empty";

/// What was found while reading: everything is read before anything is reported.
pub(crate) struct Findings {
    pub(crate) source: Sources,
    pub(crate) errors: RefCell<Vec<TemplateError>>,
    pub(crate) notes: RefCell<Vec<Note>>,
}

impl Findings {
    pub(crate) fn new(source: impl Into<Sources>) -> Self {
        Self { source: source.into(), errors: RefCell::default(), notes: RefCell::default() }
    }

    pub(crate) fn error(&self, span: &Span, message: impl Into<String>, help: Option<String>) {
        self.errors.borrow_mut().push(self.error_at(span, message).with_help(help));
    }

    /// What is wrong at `span`, not reported yet.
    pub(crate) fn error_at(&self, span: &Span, message: impl Into<String>) -> TemplateError {
        let (source, span) = self.source.find(span);
        TemplateError::new(&source, span, message)
    }

    pub(crate) fn note(&self, span: &Span, option: &str, text: &str) {
        self.push_note(span, option, text, false);
    }

    /// A note that counts for direct bakes only.
    pub(crate) fn note_of_direct(&self, span: &Span, option: &str, text: &str) {
        self.push_note(span, option, text, true);
    }

    fn push_note(&self, span: &Span, option: &str, text: &str, only_direct: bool) {
        let place = self.source.place(span.start);
        let note = Note { place, option: option.to_owned(), text: text.to_owned(), only_direct };
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Reports what is wrong with the template string in `node`.
    fn fault(&self, node: &Node, fault: Fault) {
        if !fault.was_reported() {
            self.error(&node.inner_span(&self.source.text(&node.span), &fault.span), fault.message, fault.help);
        }
    }
}

/// The options of one object. Each reader gives `None` (or nothing) both when the option is not there and when it is
/// wrong; what is wrong has been reported then.
pub(crate) struct Fields<'a> {
    /// Whose options they are, for messages: `amazon-ebs`.
    pub(crate) owner: &'a str,
    /// Where something that is missing is missing.
    pub(crate) span: Span,
    pub(crate) members: Vec<&'a Member>,
    pub(crate) findings: &'a Findings,
    pub(crate) scope: Scope<'a>,
}

impl<'a> Fields<'a> {
    /// The options of `node`, which must be an object.
    pub(crate) fn of(owner: &'a str, node: &'a Node, findings: &'a Findings, scope: Scope<'a>) -> Option<Self> {
        let Value::Object(members) = &node.value else {
            if node.is_wholly_unknown() {
                return None;
            }
            findings.error(&node.span, format!("{owner} must be an object, this is {}", node.kind()), None);
            return None;
        };
        // The opening brace alone: carets under a whole object would hide the spot.
        let span = node.span.start..node.span.start + 1;
        Some(Self { owner, span, members: members.iter().collect(), findings, scope })
    }

    /// The same options under another name.
    pub(crate) fn called(&self, owner: &'a str) -> Self {
        Self { owner, span: self.span.clone(), members: self.members.clone(), ..*self }
    }

    /// The options of an object within this one.
    fn inner(&self, owner: &'a str, node: &'a Node) -> Option<Self> {
        Self::of(owner, node, self.findings, self.scope)
    }

    /// The value of an option; `null` counts as not there.
    pub(crate) fn find(&self, name: &str) -> Option<&'a Node> {
        self.members
            .iter()
            .find(|member| member.key == name)
            .map(|member| &member.node)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    /// Whether an option depends on what is not known before AWS is asked: it may turn out to be right.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.find(name).is_some_and(Node::is_unknown)
    }

    /// Reports that an option is not there, or there and empty.
    pub(crate) fn missing(&self, name: &str, help: &str) {
        let (span, end) = match self.find(name) {
            Some(node) => (&node.span, ", and this is empty"),
            None => (&self.span, ""),
        };
        self.findings.error(span, format!("{} needs `{name}`{end}", self.owner), Some(help.to_owned()));
    }

    fn wrong(&self, name: &str, node: &Node, wanted: &str) {
        // It may turn out to be right.
        if node.is_wholly_unknown() {
            return;
        }
        self.findings.error(&node.span, format!("`{name}` must be {wanted}, this is {}", node.kind()), None);
    }

    fn fold(&self, node: &Node, text: &str, scope: &Scope<'_>) -> Option<Vec<Part>> {
        let folded = go::parse(text).and_then(|parts| {
            self.note_undeclared(node, &parts, scope);
            go::fold(parts, scope)
        });
        folded.map_err(|fault| self.findings.fault(node, fault)).ok()
    }

    fn note_undeclared(&self, node: &Node, parts: &[Part], scope: &Scope<'_>) {
        for (name, span) in go::undeclared(parts, scope) {
            let span = node.inner_span(&self.findings.source.text(&node.span), &span);
            self.findings.note(&span, &name, UNDECLARED);
        }
    }

    /// A scalar with its template worked out.
    pub(crate) fn scalar(&self, name: &str, node: &Node) -> Option<String> {
        match (&node.value, variables::scalar(node)) {
            (Value::Text(text), _) => {
                Deferred::new(self.fold(node, text, &self.scope)?).find_literal().map(ToOwned::to_owned)
            }
            (_, Some(text)) => Some(text),
            (_, None) => {
                self.wrong(name, node, "a string");
                None
            }
        }
    }

    fn later(&self, name: &str, node: &Node, further: &[&str]) -> Option<Deferred> {
        match &node.value {
            Value::Text(text) => self.fold(node, text, &self.scope.deferred_with(further)).map(Deferred::new),
            _ => self.scalar(name, node).map(|text| Deferred::literal(&text)),
        }
    }

    /// A string. An empty one counts as not there, as it does in Packer.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.find(name).and_then(|node| self.scalar(name, node)).filter(|text| !text.is_empty())
    }

    /// A string that must be there; `help` says what to write.
    pub(crate) fn required_text(&self, name: &str, help: &str) -> Option<String> {
        // What is there but wrong gives `None` here and has been reported.
        let text = self.find(name).map_or_else(|| Some(String::new()), |node| self.scalar(name, node))?;
        if text.is_empty() {
            self.missing(name, help);
            return None;
        }
        Some(text)
    }

    /// A string that is rendered later.
    pub(crate) fn deferred(&self, name: &str) -> Option<Deferred> {
        self.deferred_with(name, &[])
    }

    /// A string that is rendered later, with further values.
    pub(crate) fn deferred_with(&self, name: &str, further: &[&str]) -> Option<Deferred> {
        self.find(name).and_then(|node| self.later(name, node, further))
    }

    /// One of the strings that there are.
    pub(crate) fn one_of(&self, name: &str, known: &[&str]) -> Option<String> {
        let text = self.text(name).filter(|text| !is_placeholder(text))?;
        if known.contains(&text.as_str()) {
            return Some(text);
        }
        let span = self.find(name).map(|node| node.span.clone()).unwrap_or_default();
        let help = format!("there are {}", known.join(", "));
        self.findings.error(&span, format!("`{name}` cannot be `{text}`"), Some(help));
        None
    }

    /// A list of strings, or one string that is a list joined by commas.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let Some(node) = self.find(name) else { return Vec::new() };
        match &node.value {
            Value::Array(elements) => elements.iter().filter_map(|element| self.scalar(name, element)).collect(),
            Value::Object(_) => {
                self.wrong(name, node, "a list of strings");
                Vec::new()
            }
            _ => {
                let text = self.scalar(name, node).unwrap_or_default();
                text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
            }
        }
    }

    /// A list of strings that are rendered later.
    pub(crate) fn deferred_texts(&self, name: &str) -> Vec<Deferred> {
        self.deferred_texts_with(name, &[])
    }

    /// A list of strings that are rendered later, with further values.
    pub(crate) fn deferred_texts_with(&self, name: &str, further: &[&str]) -> Vec<Deferred> {
        let Some(node) = self.find(name) else { return Vec::new() };
        match &node.value {
            Value::Array(elements) => {
                elements.iter().filter_map(|element| self.later(name, element, further)).collect()
            }
            Value::Text(text) if text.contains("{{") => {
                self.later(name, node, further).map(|text| text.split(',')).unwrap_or_default()
            }
            _ => self.texts(name).iter().map(|text| Deferred::literal(text)).collect(),
        }
    }

    /// An object of strings that are rendered later. Keys are rendered at once.
    pub(crate) fn deferred_map(&self, name: &str) -> BTreeMap<String, Deferred> {
        self.map(name, |member| self.later(&member.key, &member.node, &[]))
    }

    /// An object whose values `read` reads.
    pub(crate) fn map<T>(&self, name: &str, read: impl Fn(&'a Member) -> Option<T>) -> BTreeMap<String, T> {
        let Some(node) = self.find(name) else { return BTreeMap::new() };
        let Value::Object(members) = &node.value else {
            self.wrong(name, node, "an object of strings");
            return BTreeMap::new();
        };
        let entry = |member: &'a Member| {
            let key = Node { span: member.key_span.clone(), value: Value::Text(member.key.clone()) };
            Some((self.scalar(&member.key, &key)?, read(member)?))
        };
        members.iter().filter_map(entry).collect()
    }

    /// A list of objects, or one object.
    pub(crate) fn objects(&self, name: &str, owner: &'a str) -> Vec<Self> {
        match self.find(name) {
            None => Vec::new(),
            Some(Node { value: Value::Array(elements), .. }) => {
                elements.iter().filter_map(|element| self.inner(owner, element)).collect()
            }
            Some(node) => self.inner(owner, node).into_iter().collect(),
        }
    }

    /// A boolean, or a string or number that stands for one (Go's `ParseBool`).
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        let node = self.find(name)?;
        let text = match node.value {
            Value::Boolean(value) => return Some(value),
            _ => self.scalar(name, node).filter(|text| !is_placeholder(text))?,
        };
        match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => {
                self.findings.error(&node.span, format!("`{name}` must be true or false, this is `{text}`"), None);
                None
            }
        }
    }

    /// A whole number that is not negative, or a string that holds one. An empty string counts as not there.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        let node = self.find(name)?;
        let text = self.scalar(name, node).filter(|text| !text.is_empty() && !is_placeholder(text))?;
        let number = text.parse();
        if number.is_err() {
            self.findings.error(&node.span, format!("`{name}` must be a whole number, this is `{text}`"), None);
        }
        number.ok()
    }

    /// A duration as Go writes it, such as `1m30s`.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        let node = self.find(name)?;
        let text = self.scalar(name, node).filter(|text| !text.is_empty() && !is_placeholder(text))?;
        let duration = duration::parse(&text);
        if duration.is_none() {
            let help = "write it as 30s, 5m or 1h30m".to_owned();
            self.findings.error(&node.span, format!("`{name}` must be a duration, this is `{text}`"), Some(help));
        }
        duration
    }

    /// Whether an option asks for anything: it is neither empty, nor false, nor zero. Templates often carry options whose
    /// user variable is empty.
    pub(crate) fn asks_for(&self, node: &Node) -> bool {
        match &node.value {
            Value::Null => false,
            Value::Boolean(value) => *value,
            Value::Array(elements) | Value::Set(elements) => !elements.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Number(number) => number != "0",
            Value::Text(text) => {
                let folded = go::parse(text).and_then(|parts| go::fold(parts, &self.scope.deferred_with(&[])));
                // What only a bake knows asks for something; so does what is wrong, which whoever reads it reports.
                folded.map(Deferred::new).ok().as_ref().and_then(Deferred::find_literal).is_none_or(is_yes)
            }
        }
    }
}

fn is_yes(text: &str) -> bool {
    !matches!(text, "" | "0" | "false")
}
