//! A line of a text with carets under a span of it.

use std::fmt;

use crate::place::Source;
use crate::place::Span;
use crate::place::floor;

/// Characters of a line that are shown; a minified template is one line of thousands.
const WIDTH: usize = 100;
/// Characters shown before the span when a line is cut.
const LEAD: usize = 40;

/// Writes `-->` with the place alone, or the name of what has no text: a value of the command line, which may be a secret.
pub(crate) fn write_place(f: &mut fmt::Formatter<'_>, source: &Source, span: &Span) -> fmt::Result {
    if source.text().is_empty() {
        return writeln!(f, " --> {}", source.name());
    }
    writeln!(f, " --> {}", source.place(span.start))
}

/// Writes `-->` with the place, the line, and carets.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, source: &Source, span: &Span) -> fmt::Result {
    if source.text().is_empty() {
        return write_place(f, source, span);
    }
    let place = source.place(span.start);
    let line = source.text().lines().nth(place.line - 1).unwrap_or("");
    let column = place.column - 1;
    let marked = source.text()
        [floor(source.text(), span.start)..floor(source.text(), span.end).max(floor(source.text(), span.start))]
        .lines()
        .next()
        .map_or(0, |text| text.chars().count());

    let start = if line.chars().count() > WIDTH { column.saturating_sub(LEAD) } else { 0 };
    // A tab is as wide as the terminal wants; one space keeps the carets under the text.
    let shown: String =
        line.chars().skip(start).take(WIDTH).map(|char| if char.is_control() { ' ' } else { char }).collect();
    let carets = "^".repeat(marked.clamp(1, WIDTH - (column - start).min(WIDTH - 1)));

    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(f, "{margin}--> {place}")?;
    writeln!(f, "{margin} |")?;
    writeln!(f, "{number} | {shown}")?;
    writeln!(f, "{margin} | {}{carets}", " ".repeat(column - start))
}
