//! A template's user variables, worked out when they are asked for.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::context::Context;
use crate::deferred::Deferred;
use crate::fault::TemplateError;
use crate::fields::Findings;
use crate::go;
use crate::json::Member;
use crate::json::Value;
use crate::nearest::nearest;
use crate::place::Source;
use crate::recipe::Note;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::variables::Origin;
use crate::variables::Variables;
use crate::variables::not_scalar;
use crate::variables::scalar;

/// A variable may need others through this many steps, as in Packer.
const MAX_STEPS: usize = 100;

/// The user variables of one template.
pub(crate) struct UserVariables<'a> {
    context: &'a Context,
    given: &'a Variables,
    declared: &'a [Member],
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
        given: &'a Variables,
        context: &'a Context,
        findings: &'a Findings,
        uuids: &'a Cell<u64>,
    ) -> Self {
        Self { context, given, declared, findings, uuids, states: RefCell::default() }
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
            self.findings.notes.borrow_mut().push(Note { place, option: name.to_owned(), text });
        }
        let known = |(name, state): (&String, &State)| match state {
            State::Known(value) => Some((name.clone(), value.clone())),
            State::Open | State::Failed => None,
        };
        self.states.borrow().iter().filter_map(known).collect()
    }

    fn nearest_declared(&self, name: &str) -> Option<&str> {
        nearest(name, self.declared.iter().map(|member| member.key.as_str()))
    }

    fn state(&self, name: &str) -> Option<State> {
        if let Some(state) = self.states.borrow().get(name) {
            return Some(state.clone());
        }
        let declared = self.declared.iter().find(|member| member.key == name);
        let (text, origin) = match (self.given.find(name), declared) {
            (Some(given), _) => (given.value.clone(), given.origin.clone()),
            (None, Some(member)) => match self.default(member) {
                Some(text) => (text, Origin { source: self.findings.source.clone(), node: Some(member.node.clone()) }),
                None => return self.set(name, State::Failed),
            },
            (None, None) => return None,
        };
        let steps = self.states.borrow().values().filter(|state| matches!(state, State::Open)).count();
        if steps > MAX_STEPS {
            return Some(State::Open);
        }
        self.set(name, State::Open);
        let state = self.render(&text, &origin).map_or(State::Failed, State::Known);
        self.set(name, state)
    }

    fn set(&self, name: &str, state: State) -> Option<State> {
        self.states.borrow_mut().insert(name.to_owned(), state.clone());
        Some(state)
    }

    /// The default of a declaration; `None` if it has none or a wrong one, which is reported.
    fn default(&self, member: &Member) -> Option<String> {
        let default = scalar(&member.node);
        match (&member.node.value, &default) {
            (Value::Null, _) => {
                let help = format!("give it with -var {}=… or in a -var-file", member.key);
                self.findings.error(
                    &member.key_span,
                    format!("the variable `{}` needs a value", member.key),
                    Some(help),
                );
            }
            (_, None) => {
                let error = not_scalar(&self.findings.source, &member.key, &member.node);
                self.findings.errors.borrow_mut().push(error);
            }
            _ => {}
        }
        default
    }

    fn render(&self, text: &str, origin: &Origin) -> Option<String> {
        let user = |name: &str| self.find(name);
        let scope =
            Scope { context: self.context, user: &user, build: None, position: Position::Variable, uuids: self.uuids };
        match go::parse(text).and_then(|parts| go::fold(parts, &scope)) {
            Ok(parts) => Deferred::new(parts).find_literal().map(ToOwned::to_owned),
            Err(fault) if fault.was_reported() => None,
            Err(fault) => {
                let error =
                    TemplateError::new(&origin.source, origin.span(&fault.span), fault.message).with_help(fault.help);
                self.findings.errors.borrow_mut().push(error);
                None
            }
        }
    }
}
