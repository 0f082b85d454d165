//! The values of a configuration, worked out when they are asked for: variables, locals, data sources.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::config::Block;
use super::config::Written;
use super::data;
use super::data::Query;
use super::eval::Base;
use super::eval::Eval;
use super::eval::Worked;
use super::outside::Outside;
use crate::context::Context;
use crate::fields::Findings;
use crate::go::Fault;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

/// What `var`, `local` and `data` stand for.
pub(crate) struct Values<'a> {
    pub(crate) context: &'a Context,
    pub(crate) outside: &'a Outside<'a>,
    pub(crate) findings: &'a Findings,
    /// How many random values were made, so that no two are the same.
    pub(crate) uuids: &'a Cell<u64>,
    pub(super) variables: RefCell<BTreeMap<String, State>>,
    pub(super) locals: BTreeMap<String, Local<'a>>,
    pub(super) data: BTreeMap<(String, String), &'a Block>,
    /// Locals and data sources that were asked for.
    known: RefCell<BTreeMap<String, State>>,
    /// How many expressions are being worked out, each for the one before.
    depth: Cell<usize>,
    /// What must be asked of AWS before the configuration is known.
    pub(super) wanted: RefCell<BTreeSet<Query>>,
    /// Strings that must never be shown.
    pub(super) sensitive: RefCell<BTreeSet<String>>,
}

/// `name = expression` of `locals`, or a block `local`.
pub(super) struct Local<'a> {
    pub(super) written: &'a Written,
    pub(super) is_sensitive: bool,
}

#[derive(Clone)]
pub(super) enum State {
    /// It is being worked out.
    Open,
    Known(Node),
    /// What is wrong was reported.
    Failed,
}

/// The largest local or data source, in bytes of text. Each may be used many times in the next one: without a bound, a few lines that
/// double it fill any memory.
const LARGEST: usize = 1 << 20;

/// How deep expressions, and the locals that they need, may stand within each other, and how deep values may: each level takes some
/// of the stack. One expression alone, as hcl-edit bounds it, never gets there.
const DEEPEST: usize = 256;

fn small(node: Node, name: &str, span: &Span) -> Worked {
    let (size, depth) = measure(&node);
    let (message, help) = match (size > LARGEST, depth > DEEPEST) {
        (false, false) => return Ok(node),
        (true, _) => ("larger than 1 MiB".to_owned(), "large content belongs into a file that a provisioner uploads"),
        (_, true) => {
            (format!("nested more than {DEEPEST} levels deep"), "make it flatter, such as with concat() or merge()")
        }
    };
    let place = if node.span.is_empty() { span } else { &node.span };
    Err(Fault::new(place, format!("`{name}` is {message}")).with_help(Some(help.to_owned())))
}

/// Bytes of text, with some for what holds it; and how many levels there are.
fn measure(node: &Node) -> (usize, usize) {
    let within = |(size, depth), node| {
        let (more, below) = measure(node);
        (size + more, usize::max(depth, below))
    };
    let (held, depth) = match &node.value {
        Value::Text(text) | Value::Number(text) => (text.len(), 0),
        Value::Array(elements) | Value::Set(elements) => elements.iter().fold((0, 0), within),
        Value::Object(members) => {
            let keys = members.iter().map(|member| member.key.len()).sum();
            members.iter().map(|member| &member.node).fold((keys, 0), within)
        }
        Value::Boolean(_) | Value::Null => (0, 0),
    };
    (held + 16, depth + 1)
}

/// What only follows from something that was reported.
fn reported(span: &Span) -> Fault {
    Fault::new(span, "")
}

impl<'a> Values<'a> {
    pub(super) fn new(
        context: &'a Context,
        outside: &'a Outside<'a>,
        findings: &'a Findings,
        uuids: &'a Cell<u64>,
    ) -> Self {
        Self {
            context,
            outside,
            findings,
            uuids,
            variables: RefCell::default(),
            locals: BTreeMap::new(),
            data: BTreeMap::new(),
            known: RefCell::default(),
            depth: Cell::default(),
            wanted: RefCell::default(),
            sensitive: RefCell::default(),
        }
    }

    /// Expressions outside of builds.
    pub(super) fn eval(&'a self) -> Eval<'a> {
        Eval { values: Some(self), frame: None, build: None, is_default: false, base: Base::Start(0) }
    }

    /// Works an expression out that stands at `span`, one level deeper.
    pub(super) fn deeper(&self, span: &Span, work: impl FnOnce() -> Worked) -> Worked {
        let depth = self.depth.get();
        if depth == DEEPEST {
            let message = format!("the values that this needs are nested more than {DEEPEST} levels deep");
            return Err(Fault::new(span, message).with_help(Some(
                "take a chain of locals apart: write some of them out where they are needed".to_owned(),
            )));
        }
        self.depth.set(depth + 1);
        let worked = work();
        self.depth.set(depth);
        worked
    }

    pub(super) fn report(&self, fault: Fault) {
        if !fault.was_reported() {
            self.findings.error(&fault.span, fault.message, fault.help);
        }
    }

    /// As [`report`](Self::report), without the line.
    pub(super) fn report_unseen(&self, fault: Fault) {
        if !fault.was_reported() {
            let error = self.findings.error_at(&fault.span, fault.message).with_help(fault.help);
            self.findings.errors.borrow_mut().push(error.without_line());
        }
    }

    /// `var.name`, asked for at `span`.
    pub(super) fn variable(&self, name: &str, span: &Span) -> Worked {
        let variables = self.variables.borrow();
        match variables.get(name) {
            Some(State::Known(node)) => Ok(node.clone()),
            Some(State::Failed) => Err(reported(span)),
            Some(State::Open) => Err(Fault::new(span, format!("the variable `{name}` is not known here"))
                .with_help(Some("the default of a variable cannot ask for another one; use a local".to_owned()))),
            None => {
                let help = did_you_mean(name, variables.keys().map(String::as_str))
                    .or_else(|| Some(format!("declare it: variable \"{name}\" {{ type = string }}")));
                Err(Fault::new(span, format!("there is no variable `{name}`")).with_help(help))
            }
        }
    }

    /// `local.name`.
    pub(super) fn local(&'a self, name: &str, span: &Span) -> Worked {
        let Some(local) = self.locals.get(name) else {
            let help = did_you_mean(name, self.locals.keys().map(String::as_str));
            return Err(Fault::new(span, format!("there is no local `{name}`")).with_help(help));
        };
        self.once(&format!("local.{name}"), span, || {
            let node = self.eval().written(local.written)?;
            if local.is_sensitive {
                self.hide(&node);
            }
            Ok(node)
        })
    }

    /// `data.kind.name`.
    pub(super) fn data(&'a self, kind: &str, name: &str, span: &Span) -> Worked {
        let Some(block) = self.data.get(&(kind.to_owned(), name.to_owned())) else {
            let names: Vec<String> = self.data.keys().map(|(kind, name)| format!("data.{kind}.{name}")).collect();
            let wanted = format!("data.{kind}.{name}");
            let help = did_you_mean(&wanted, names.iter().map(String::as_str));
            return Err(Fault::new(span, format!("there is no data source `{wanted}`")).with_help(help));
        };
        self.once(&format!("data.{kind}.{name}"), span, || data::read(self, block))
    }

    /// Works a value out when it is first asked for. What is wrong with it is reported once, at its own place.
    fn once(&self, name: &str, span: &Span, work: impl FnOnce() -> Worked) -> Worked {
        let state = self.known.borrow().get(name).cloned();
        match state {
            Some(State::Known(node)) => return Ok(node),
            Some(State::Failed) => return Err(reported(span)),
            Some(State::Open) => {
                return Err(Fault::new(span, format!("`{name}` needs its own value")).with_help(Some(
                    "values that need each other can never be known; take one of them out".to_owned(),
                )));
            }
            None => {}
        }
        self.known.borrow_mut().insert(name.to_owned(), State::Open);
        let (state, answer) = match work().and_then(|node| small(node, name, span)) {
            Ok(node) => (State::Known(node.clone()), Ok(node)),
            Err(fault) => {
                self.report(fault);
                (State::Failed, Err(reported(span)))
            }
        };
        self.known.borrow_mut().insert(name.to_owned(), state);
        answer
    }

    /// Works out everything, so that what is wrong is found even where nothing asks for it.
    pub(super) fn work_out_all(&'a self) {
        for name in self.locals.keys() {
            drop(self.local(name, &(0..0)));
        }
        for (kind, name) in self.data.keys() {
            drop(self.data(kind, name, &(0..0)));
        }
    }

    /// Every string in `node` must never be shown.
    pub(super) fn hide(&self, node: &Node) {
        match &node.value {
            Value::Text(text) if !text.is_empty() => drop(self.sensitive.borrow_mut().insert(text.clone())),
            Value::Number(text) => drop(self.sensitive.borrow_mut().insert(text.clone())),
            Value::Array(elements) | Value::Set(elements) => elements.iter().for_each(|element| self.hide(element)),
            Value::Object(members) => members.iter().for_each(|member| self.hide(&member.node)),
            Value::Text(_) | Value::Boolean(_) | Value::Null => {}
        }
    }
}
