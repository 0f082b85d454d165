//! Tables of options: what becomes of each, and what is said of those that nobody knows.

use crate::fields::Fields;
use crate::nearest::did_you_mean;
use crate::tree::Member;

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It is part of the recipe.
    Honoured,
    /// It is part of the recipe, and counts where an instance is launched; a note says that a direct bake launches none.
    LaunchOnly,
    /// It may be there; the note says why it changes nothing.
    Noted(&'static str),
    /// It must not ask for anything; the text says what to use instead.
    Refused(&'static str),
    /// It may say what this variable of the environment says anyway, as templates with `{{env …}}` do; otherwise it is refused.
    SameAs(&'static str, &'static str),
}

/// What is said of an option that is [`Treatment::LaunchOnly`].
pub(crate) const LAUNCHED: &str = "a direct bake launches no instance, so this changes nothing";

/// Options that are treated alike.
pub(crate) type Row = (&'static [&'static str], Treatment);

/// Reports every option of `fields` that `table` notes, refuses or does not know. Keys that begin with `_` are comments.
pub(crate) fn check(fields: &Fields<'_>, table: &[Row]) {
    for member in fields.members.iter().filter(|member| !member.key.starts_with('_')) {
        let name = member.key.as_str();
        match table.iter().find(|(names, _)| names.contains(&name)) {
            Some((_, Treatment::Honoured)) => {}
            Some((_, Treatment::LaunchOnly)) => fields.findings.note_of_direct(&member.key_span, name, LAUNCHED),
            Some((_, Treatment::Noted(note))) => fields.findings.note(&member.key_span, name, note),
            Some((_, Treatment::Refused(instead))) => refuse(fields, member, instead),
            Some((_, Treatment::SameAs(variable, instead))) => {
                let given = fields.text(name);
                let is_same =
                    given.as_ref().is_some_and(|text| fields.scope.context.environment.get(*variable) == Some(text));
                if is_same {
                    fields.findings.note(
                        &member.key_span,
                        name,
                        &format!("{variable} says the same, and is what counts"),
                    );
                } else {
                    refuse(fields, member, instead);
                }
            }
            None => {
                let names = table.iter().flat_map(|(names, _)| names.iter().copied());
                let help = did_you_mean(name, names);
                fields.findings.error(&member.key_span, format!("{} has no option `{name}`", fields.owner), help);
            }
        }
    }
}

fn refuse(fields: &Fields<'_>, member: &Member, instead: &str) {
    if fields.asks_for(&member.node) {
        let message = format!("the option `{}` of {} is not supported", member.key, fields.owner);
        fields.findings.error(&member.key_span, message, Some(instead.to_owned()));
    }
}

#[cfg(test)]
mod page;
