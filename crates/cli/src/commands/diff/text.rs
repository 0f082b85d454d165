//! A comparison for a terminal: the summary first, then what people look for.

use ovenbird_bake::Looked;
use ovenbird_core::diff::FileRow;
use ovenbird_core::diff::Movement;
use ovenbird_core::diff::PackageRow;
use owo_colors::OwoColorize as _;

use super::Comparison;
use super::words;
use crate::output::Output;

/// Lines of a part, unless all are wanted.
const MOST: usize = 30;

/// Prints the comparison; with `all`, every line of it.
pub(super) fn show(output: Output, comparison: &Comparison, all: bool) {
    let named = |looked: &Looked| format!("{} ({})", looked.name, looked.image);
    output.print(&format!("{}  →  {}", named(&comparison.before).bold(), named(&comparison.after).bold()));
    if comparison.diff.is_empty() {
        output.print("the images hold the same: every file, package, unit, user and group");
        return;
    }
    output.print("");
    summary(output, comparison);
    let diff = &comparison.diff;
    let packages: Vec<String> = diff.package_rows().iter().map(package_line).collect();
    part(output, "packages", &packages, all);
    part(output, "units", &words::lines(&diff.units, words::unit), all);
    part(output, "users", &words::lines(&diff.users, words::user), all);
    part(output, "groups", &words::lines(&diff.groups, words::group), all);
    part(output, "release", &words::lines(&diff.release, String::clone), all);
    let files = diff.file_rows();
    let hidden = if all { 0 } else { files.iter().filter(|row| row.with_package).count() };
    let shown: Vec<&FileRow<'_>> = files.iter().filter(|row| all || !row.with_package).collect();
    for group in shown.chunk_by(|one, other| one.class == other.class) {
        let lines: Vec<String> = group.iter().map(|row| file_line(row)).collect();
        part(output, &format!("files: {}", group[0].class), &lines, all);
    }
    if hidden > 0 {
        output.print(
            &format!("\n{hidden} files came with the packages above; --all lists them too").dimmed().to_string(),
        );
    }
}

fn summary(output: Output, comparison: &Comparison) {
    let summary = &comparison.summary;
    let files: Vec<String> = summary.files.iter().map(|(class, tally)| format!("{class} {tally}")).collect();
    let lines = [
        ("packages", words::packages(summary)),
        ("files", files.join(" · ")),
        ("units", summary.units.to_string()),
        ("users", summary.users.to_string()),
        ("groups", summary.groups.to_string()),
        ("size", words::sizes(summary.size_before, summary.size_after)),
    ];
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        output.print(&format!("  {name:<10}{text}"));
    }
}

fn part(output: Output, title: &str, lines: &[String], all: bool) {
    if lines.is_empty() {
        return;
    }
    output.print(&format!("\n{}", title.bold()));
    let shown = if all || lines.len() <= MOST { lines.len() } else { MOST };
    lines[..shown].iter().for_each(|line| output.print(&coloured(line)));
    if shown < lines.len() {
        output.print(&format!("  and {} more; --all lists them", lines.len() - shown).dimmed().to_string());
    }
}

fn coloured(line: &str) -> String {
    match line.trim_start().chars().next() {
        Some('+') => line.green().to_string(),
        Some('-' | '↓') => line.red().to_string(),
        _ => line.to_owned(),
    }
}

fn package_line(row: &PackageRow<'_>) -> String {
    let (before, after) = (row.before.unwrap_or_default(), row.after.unwrap_or_default());
    match row.movement {
        Movement::Added => format!("  + {} {after}", row.name),
        Movement::Removed => format!("  - {} {before}", row.name),
        Movement::Upgraded => format!("  ↑ {} {before} → {after}", row.name),
        Movement::Downgraded => format!("  ↓ {} {before} → {after} (downgraded)", row.name),
        Movement::Changed => format!("  ~ {} {after} of another build", row.name),
    }
}

/// `  ~ /etc/motd  mode 0644 → 0600`
pub(crate) fn file_line(row: &FileRow<'_>) -> String {
    let what = words::file_changes(row).join(", ");
    let what = if what.is_empty() { what } else { format!("  {what}") };
    // A name in an image may hold what moves a terminal's cursor.
    format!("  {} {}{what}", row.sign, words::printable(row.path))
}
