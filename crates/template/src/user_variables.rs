//! A template's user variables, worked out when they are asked for.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::context::Context;
use crate::deferred::Deferred;
use crate::fault::TemplateError;
use crate::fields::Findings;
use crate::fields::UNDECLARED;
use crate::go;
use crate::nearest::nearest;
use crate::place::Source;
use crate::place::Span;
use crate::recipe::Note;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;
use crate::variables::By;
use crate::variables::Given;
use crate::variables::Variables;
use crate::variables::scalar;

/// A variable may need others through this many steps, as in Packer.
const MAX_STEPS: usize = 100;

/// The user variables of one template.
pub(crate) struct UserVariables<'a> {
    context: &'a Context,
    given: &'a Variables,
    declared: &'a [Member],
    /// The names of `sensitive-variables`.
    sensitive: &'a [Node],
    findings: &'a Findings,
    uuids: &'a Cell<u64>,
    states: RefCell<BTreeMap<String, State>>,
}

#[derive(Clone)]
enum State {
    Open,
    Known(String),
    Failed,
}

impl<'a> UserVariables<'a> {
    pub(crate) fn new(
        declared: &'a [Member],
        sensitive: &'a [Node],
        given: &'a Variables,
        context: &'a Context,
        findings: &'a Findings,
        uuids: &'a Cell<u64>,
    ) -> Self {
        Self { context, given, declared, sensitive, findings, uuids, states: RefCell::default() }
    }

    /// The value of a variable.
    pub(crate) fn find(&self, name: &str) -> Found {
        match self.state(name) {
            Some(State::Known(value)) => Found::Value(value),
            Some(State::Failed) => Found::Failed,
            Some(State::Open) => Found::Circle,
            None => Found::Missing(self.nearest(name)),
        }
    }

    /// A variable's text as it stands where it was given, or declared.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        let declared = || self.declared.iter().find(|member| member.key == name).map(|member| &member.node);
        self.given.find(name).map(|given| &given.node).or_else(declared).and_then(scalar)
    }

    /// What is probably meant by a name that is no variable's.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let names = self.declared.iter().map(|member| member.key.as_str()).chain(self.given.names());
        nearest(name, names).map(ToOwned::to_owned)
    }

    /// Works out every declared variable, and gives all that are known. What was given and is of no use is noted.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        for member in self.declared {
            self.state(&member.key);
        }
        for name in self.given.argument_names().filter(|name| !self.states.borrow().contains_key(*name)) {
            let near = self.nearest_declared(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let place = Source::new(&format!("-var {name}"), "").place(0);
            let text = format!("the template has no variable `{name}`{near}");
            self.note(Note { place, option: name.to_owned(), text, only_direct: false });
        }
        let known = |(name, state): (&String, &State)| match state {
            State::Known(value) => Some((name.clone(), value.clone())),
            State::Open | State::Failed => None,
        };
        self.states.borrow().iter().filter_map(known).collect()
    }

    fn note(&self, note: Note) {
        self.findings.notes.borrow_mut().push(note);
    }

    fn nearest_declared(&self, name: &str) -> Option<&str> {
        nearest(name, self.declared.iter().map(|member| member.key.as_str()))
    }

    fn state(&self, name: &str) -> Option<State> {
        if let Some(state) = self.states.borrow().get(name) {
            return Some(state.clone());
        }
        let declared = self.declared.iter().find(|member| member.key == name);
        let given = match (self.given.find(name), declared) {
            // Packer reads a `null` of a -var-file as an empty text.
            (Some(given), _) if matches!(given.node.value, Value::Null) => {
                return self.set(name, State::Known(String::new()));
            }
            (Some(given), _) => given.clone(),
            (None, Some(member)) => self.default(member),
            (None, None) => return None,
        };
        let Some(text) = self.text(&given) else { return self.set(name, State::Failed) };
        let steps = self.states.borrow().values().filter(|state| matches!(state, State::Open)).count();
        if steps > MAX_STEPS {
            return Some(State::Open);
        }
        self.set(name, State::Open);
        let state = self.render(&text, &given).map_or(State::Failed, State::Known);
        self.set(name, state)
    }

    fn set(&self, name: &str, state: State) -> Option<State> {
        self.states.borrow_mut().insert(name.to_owned(), state.clone());
        Some(state)
    }

    /// The default of a declaration.
    fn default(&self, member: &Member) -> Given {
        let (source, _) = self.findings.source.find(&member.node.span);
        let mut node = member.node.clone();
        if matches!(node.value, Value::Null) {
            // What lacks a value is pointed at by its name.
            node.span = member.key_span.clone();
        }
        Given { name: member.key.clone(), node, source, by: By::File }
    }

    /// A value as a string; `None` if it is no scalar, which is reported.
    fn text(&self, given: &Given) -> Option<String> {
        let text = scalar(&given.node);
        if text.is_none() {
            let span = given.node.span.clone();
            let error = if matches!(given.node.value, Value::Null) {
                let help = format!("give it with -var {}=… or in a -var-file", given.name);
                let message = format!("the variable `{}` needs a value", given.name);
                self.error(given, span, message).with_help(Some(help))
            } else {
                let kind = given.node.kind();
                let message = format!("the variable `{}` is {kind}, but values of variables are strings", given.name);
                self.error(given, span, message)
            };
            self.findings.errors.borrow_mut().push(error);
        }
        text
    }

    /// What is wrong with a value; the line of a sensitive one is not shown.
    fn error(&self, given: &Given, span: Span, message: String) -> TemplateError {
        let error = TemplateError::new(&given.source, span, message);
        let is_it = |node: &Node| matches!(&node.value, Value::Text(name) if *name == given.name);
        if self.sensitive.iter().any(is_it) { error.without_line() } else { error }
    }

    fn render(&self, text: &str, given: &Given) -> Option<String> {
        let user = |name: &str| self.find(name);
        let scope = Scope {
            context: self.context,
            user: &user,
            build: None,
            position: Position::Variable,
            further: &[],
            uuids: self.uuids,
        };
        let folded = go::parse(text).and_then(|parts| {
            for (name, span) in go::undeclared(&parts, &scope) {
                let place = given.source.place(given.span(&span).start);
                self.note(Note { place, option: name, text: UNDECLARED.to_owned(), only_direct: false });
            }
            go::fold(parts, &scope)
        });
        match folded {
            Ok(parts) => Deferred::new(parts).find_literal().map(ToOwned::to_owned),
            Err(fault) if fault.was_reported() => None,
            Err(fault) => {
                let error = self.error(given, given.span(&fault.span), fault.message).with_help(fault.help);
                self.findings.errors.borrow_mut().push(error);
                None
            }
        }
    }
}
