//! Words for the parts of a comparison, the same in the terminal and on the page.

use ovenbird_core::contents::File;
use ovenbird_core::contents::Group;
use ovenbird_core::contents::UnitState;
use ovenbird_core::contents::User;
use ovenbird_core::diff::Aspect;
use ovenbird_core::diff::Change;
use ovenbird_core::diff::Changes;
use ovenbird_core::diff::FileRow;
use ovenbird_core::diff::Summary;

/// `12 upgraded, 1 added`
pub(super) fn packages(summary: &Summary) -> String {
    let parts: Vec<String> = summary.packages.iter().map(|(movement, count)| format!("{count} {movement}")).collect();
    parts.join(", ")
}

/// `612.4 MiB → 615.0 MiB (+2.6 MiB)`
pub(super) fn sizes(before: u64, after: u64) -> String {
    format!("{} → {} ({})", size(before), size(after), growth(before, after))
}

/// `+2.6 MiB`, or `unchanged`.
pub(super) fn growth(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("−{}", size(before - after)),
        std::cmp::Ordering::Equal => "unchanged".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", size(after - before)),
    }
}

/// `2.6 MiB`
pub(super) fn size(bytes: u64) -> String {
    const STEP: f64 = 1024.0;
    let mut amount = bytes as f64;
    for unit in ["B", "KiB", "MiB"] {
        if amount < STEP {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= STEP;
    }
    format!("{amount:.1} GiB")
}

/// What of a file changed, with what it was and is.
pub(super) fn file_changes(row: &FileRow<'_>) -> Vec<String> {
    let Some((before, after)) = row.before.zip(row.after) else { return Vec::new() };
    row.aspects.iter().map(|aspect| file_change(*aspect, before, after)).collect()
}

fn file_change(aspect: Aspect, before: &File, after: &File) -> String {
    let (was, is) = (&before.entry, &after.entry);
    let package = |file: &File| file.package.clone().unwrap_or_else(|| "none".to_owned());
    match aspect {
        Aspect::Kind => format!("type {:?} → {:?}", was.kind, is.kind).to_lowercase(),
        Aspect::Content if was.size == is.size => "content".to_owned(),
        Aspect::Content => format!("content {} → {}", size(was.size), size(is.size)),
        Aspect::Mode => format!("mode {:04o} → {:04o}", was.mode, is.mode),
        Aspect::Owner => format!("owner {}:{} → {}:{}", was.uid, was.gid, is.uid, is.gid),
        Aspect::Attributes => "attributes".to_owned(),
        Aspect::Package => format!("package {} → {}", package(before), package(after)),
    }
}

/// `  + name  what it is`, a line for each change.
pub(super) fn lines<T>(changes: &Changes<T>, word: fn(&T) -> String) -> Vec<String> {
    let line = |(name, change): (&String, &Change<T>)| {
        format!("  {} {}  {}", change.sign(), printable(name), told(change, word))
    };
    changes.iter().map(line).collect()
}

/// What a thing is, or what it was and is.
pub(super) fn told<T>(change: &Change<T>, word: fn(&T) -> String) -> String {
    let text = match (change.before(), change.after()) {
        (Some(before), Some(after)) => format!("{} → {}", word(before), word(after)),
        (before, after) => before.or(after).map(word).unwrap_or_default(),
    };
    printable(&text)
}

pub(super) fn unit(state: &UnitState) -> String {
    match state {
        UnitState::Enabled => "enabled".to_owned(),
        UnitState::Masked => "masked".to_owned(),
    }
}

pub(super) fn user(user: &User) -> String {
    format!("{}:{} {} {}", user.uid, user.gid, user.home, user.shell)
}

pub(super) fn group(group: &Group) -> String {
    let members = if group.members.is_empty() { String::new() } else { format!(" {}", group.members.join(",")) };
    format!("{}{members}", group.gid)
}

/// The text without what would move a terminal's cursor or hide a part of it.
pub(super) fn printable(text: &str) -> String {
    let shown =
        |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 40), "5120.0 GiB");
        assert_eq!(sizes(1 << 20, 3 << 20), "1.0 MiB → 3.0 MiB (+2.0 MiB)");
        assert_eq!(growth(3, 3), "unchanged");
        assert_eq!(growth(3, 1), "−2 B");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(printable("/a\u{1b}[2J\nb"), "/a\\u{1b}[2J\\nb");
    }
}
