//! A comparison as a page for people: one file that loads nothing, in light and dark, readable on a phone.
//!
//! What an image holds is text that somebody else wrote. `maud` escapes all of it, and the page's own policy lets no other
//! script run than the one whose digest it names.

use maud::DOCTYPE;
use maud::Markup;
use maud::PreEscaped;
use maud::html;
use ovenbird_bake::Looked;
use ovenbird_core::block::Digest;
use ovenbird_core::contents::Class;
use ovenbird_core::diff::Change;
use ovenbird_core::diff::Changes;
use ovenbird_core::diff::FileRow;
use ovenbird_core::diff::Movement;
use ovenbird_core::diff::PackageRow;
use ovenbird_core::diff::Tally;

use super::Comparison;
use super::words;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A class with more changes than this is folded at first.
const FOLDED: usize = 200;

/// The whole page.
pub(super) fn render(comparison: &Comparison) -> String {
    let Comparison { before, after, diff, .. } = comparison;
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'",
        Digest::of(SCRIPT.as_bytes()).base64()
    );
    let files = diff.file_rows();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (before.name) " → " (after.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { div {
                    h1 { "What changed" }
                    div.images { (image(before)) i aria-label="became" { "→" } (image(after)) }
                } }
                main {
                    (tiles(comparison))
                    @if diff.is_empty() {
                        p.none { "The images hold the same: every file, package, unit, user and group." }
                    } @else {
                        (tools())
                        (packages(&diff.package_rows()))
                        (changes("units", "Units of systemd", &diff.units, words::unit))
                        (changes("users", "Users", &diff.users, words::user))
                        (changes("groups", "Groups", &diff.groups, words::group))
                        (changes("release", "Distribution", &diff.release, String::clone))
                        @for class in Class::ALL { (class_of_files(class, &files)) }
                        p.none hidden { "Nothing fits." }
                    }
                }
                footer { "Written by ovenbird diff. Times of files are not compared; sizes are of all plain files." }
                @if !diff.is_empty() { script { (PreEscaped(SCRIPT)) } }
            }
        }
    };
    page.into_string()
}

fn image(looked: &Looked) -> Markup {
    let release = looked.contents.release.get("PRETTY_NAME");
    html! {
        div {
            b { (looked.name) }
            span.mono { (looked.image) }
            span {
                @if let Some(created) = looked.created { (created.strftime("%-d %B %Y, %H:%M UTC").to_string()) " · " }
                (words::size(looked.contents.size()))
                @if let Some(release) = release { " · " (release) }
            }
        }
    }
}

fn tiles(comparison: &Comparison) -> Markup {
    let summary = &comparison.summary;
    let packages = Tally::of(&comparison.diff.packages);
    let files = Tally::of(&comparison.diff.files);
    let growth = words::growth(summary.size_before, summary.size_after);
    let brought = comparison.diff.file_rows().iter().filter(|row| row.with_package).count();
    let brought = format!("{brought} with their packages");
    let size_note = format!("{} → {}", words::size(summary.size_before), words::size(summary.size_after));
    html! {
        div.tiles {
            (tile("packages", "Packages", &words::packages(summary), packages))
            (tile("files", "Files", &brought, files))
            (tile("units", "Units of systemd", "enabled or masked", summary.units))
            (tile("users", "Users", "in passwd", summary.users))
            div.tile { small { "Size" } strong { (growth) } small { (size_note) } }
        }
    }
}

fn tile(target: &str, title: &str, note: &str, tally: Tally) -> Markup {
    let inside = html! {
        small { (title) }
        strong { (tally.total()) }
        small { @if tally.total() == 0 { "the same" } @else { (note) } }
        div.bar aria-hidden="true" {
            @for (kind, count) in [("a", tally.added), ("r", tally.removed), ("c", tally.changed)] {
                @if count > 0 { i class=(kind) style=(format!("--n:{count}")) {} }
            }
        }
    };
    html! { @if tally.total() == 0 { div.tile { (inside) } } @else { a.tile href=(format!("#{target}")) { (inside) } } }
}

/// Shown by the script alone, since it does nothing without.
fn tools() -> Markup {
    html! {
        div.tools hidden {
            input type="search" placeholder="Search ( / )" aria-label="Search";
            @for (kind, name) in [("a", "added"), ("r", "removed"), ("c", "changed")] {
                label { input type="checkbox" name="kind" value=(kind) checked; (name) }
            }
            label { input type="checkbox" name="brought"; "with their packages" }
        }
    }
}

fn section(id: &str, title: &str, tally: Tally, rows: &Markup) -> Markup {
    html! {
        @if tally.total() > 0 {
            section id=(id) {
                details open[tally.total() <= FOLDED] {
                    summary { h2 { (title) } span { (tally) } }
                    table { (rows) }
                }
            }
        }
    }
}

fn packages(rows: &[PackageRow<'_>]) -> Markup {
    let mut tally = Tally::default();
    rows.iter().for_each(|row| tally.count(package_look(row.movement).1));
    let table = html! {
        @for row in rows {
            @let (kind, sign) = package_look(row.movement);
            tr class=(kind) data-kind=(kind_of(sign)) {
                td { span.k { (mark(row.movement)) } (words::printable(row.name)) }
                td { (package_word(row)) }
            }
        }
    };
    section("packages", "Packages", tally, &table)
}

/// How a row looks, and what it is counted as. Going back is as alarming as going.
fn package_look(movement: Movement) -> (&'static str, char) {
    match movement {
        Movement::Added => ("a", '+'),
        Movement::Removed => ("r", '-'),
        Movement::Downgraded => ("d", '~'),
        Movement::Upgraded | Movement::Changed => ("c", '~'),
    }
}

fn mark(movement: Movement) -> char {
    match movement {
        Movement::Added => '+',
        Movement::Removed => '−',
        Movement::Downgraded => '↓',
        Movement::Upgraded => '↑',
        Movement::Changed => '~',
    }
}

fn package_word(row: &PackageRow<'_>) -> String {
    match (row.before, row.after) {
        (Some(before), Some(after)) if before == after => format!("{after}, another build"),
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (before, after) => after.or(before).unwrap_or_default().to_owned(),
    }
}

fn changes<T>(id: &str, title: &str, changes: &Changes<T>, word: fn(&T) -> String) -> Markup {
    let row = |name: &str, change: &Change<T>| {
        let kind = kind_of(change.sign());
        html! {
            tr class=(kind) data-kind=(kind) {
                td { span.k { (change.sign()) } (words::printable(name)) }
                td { (words::told(change, word)) }
            }
        }
    };
    let rows = html! { @for (name, change) in changes { (row(name, change)) } };
    section(id, title, Tally::of(changes), &rows)
}

fn class_of_files(class: Class, files: &[FileRow<'_>]) -> Markup {
    let rows: Vec<&FileRow<'_>> = files.iter().filter(|row| row.class == class).collect();
    let mut tally = Tally::default();
    rows.iter().for_each(|row| tally.count(row.sign));
    let table = html! { @for row in &rows { (file(row)) } };
    // The first class that has files is where the tile leads.
    let is_first = files.first().is_some_and(|first| first.class == class);
    let id = if is_first { "files".to_owned() } else { format!("files-{class}") };
    section(&id, &format!("Files: {class}"), tally, &table)
}

fn file(row: &FileRow<'_>) -> Markup {
    let kind = kind_of(row.sign);
    let size = row.after.or(row.before).map(|file| file.entry.size).filter(|size| *size > 0 && row.sign != '~');
    html! {
        tr class=(kind) data-kind=(kind) data-brought[row.with_package] {
            td { span.k { (row.sign) } (words::printable(row.path)) }
            td {
                (words::file_changes(row).join(", ")) @if let Some(size) = size { (words::size(size)) }
                @if let Some(package) = row.package { span.with { (package) } }
            }
        }
    }
}

fn kind_of(sign: char) -> &'static str {
    match sign {
        '+' => "a",
        '-' => "r",
        _ => "c",
    }
}
