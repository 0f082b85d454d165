//! What a template string may use, where it stands.

use std::cell::Cell;

use crate::context::Context;

/// The surroundings of one template string.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) context: &'a Context,
    /// Looks up a user variable.
    pub(crate) user: &'a dyn Fn(&str) -> Found,
    /// Name and type of the builder; `None` outside of builds.
    pub(crate) build: Option<(&'a str, &'a str)>,
    pub(crate) position: Position,
    /// Values that may be used besides those of the source image, where these may.
    pub(crate) further: &'a [&'a str],
    /// How many uuids were made, so that no two are the same.
    pub(crate) uuids: &'a Cell<u64>,
}

impl<'a> Scope<'a> {
    /// The same surroundings, where values of the source image and these may be used.
    pub(crate) fn deferred_with(self, further: &'a [&'a str]) -> Self {
        Self { position: Position::Deferred, further, ..self }
    }

    /// The same surroundings, within a build.
    pub(crate) fn within<'b>(self, name: &'b str, kind: &'b str) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { build: Some((name, kind)), ..self }
    }
}

/// Where a template string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// In `variables`: the only place of `env`.
    Variable,
    /// In an option that must be known before the bake.
    Option,
    /// In an option that is rendered when the source image is known.
    Deferred,
}

/// What became of the look-up of a user variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Value(String),
    /// Its own template is wrong, which was reported already.
    Failed,
    /// It is being worked out: it needs itself.
    Circle,
    /// There is none; perhaps another one was meant.
    Missing(Option<String>),
    /// The template has variables of another kind.
    NotInHcl,
}
