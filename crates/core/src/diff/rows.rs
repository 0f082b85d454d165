//! A difference as people read it: which way a package went, what of a file changed, and how much of everything.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Change;
use super::Changes;
use super::ImageDiff;
use crate::contents::Class;
use crate::contents::Contents;
use crate::contents::File;
use crate::contents::class;
use crate::debian::compare_versions;

/// Which way a package went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// To an earlier version: what people must see first.
    Downgraded,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
    /// To a later version.
    Upgraded,
    /// The same version of another build: architecture, source or maintainer.
    Changed,
}

/// A package that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageRow<'a> {
    /// Its name.
    pub name: &'a str,
    /// Which way it went.
    pub movement: Movement,
    /// Its version in the first image.
    pub before: Option<&'a str>,
    /// Its version in the second image.
    pub after: Option<&'a str>,
}

/// What of a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// It was of another type.
    Kind,
    /// Its content, or a link's target.
    Content,
    /// Its permission bits.
    Mode,
    /// Its owner or group.
    Owner,
    /// Its extended attributes, such as file capabilities.
    Attributes,
    /// The package that it belongs to.
    Package,
}

/// A file that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRow<'a> {
    /// Its absolute path.
    pub path: &'a str,
    /// What it is for.
    pub class: Class,
    /// `+`, `-` or `~`.
    pub sign: char,
    /// What changed, where both images have it.
    pub aspects: Vec<Aspect>,
    /// The package that it belongs to, or belonged to.
    pub package: Option<&'a str>,
    /// That package changed too, and so says why.
    pub with_package: bool,
    /// What it was.
    pub before: Option<&'a File>,
    /// What it is.
    pub after: Option<&'a File>,
}

/// How many were added, removed and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Only in the second.
    pub added: usize,
    /// Only in the first.
    pub removed: usize,
    /// In both, and not the same.
    pub changed: usize,
}

/// How much of everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Packages by the way they went.
    pub packages: BTreeMap<Movement, usize>,
    /// Files by what they are for.
    pub files: BTreeMap<Class, Tally>,
    /// Units.
    pub units: Tally,
    /// Users.
    pub users: Tally,
    /// Groups.
    pub groups: Tally,
    /// Bytes of all plain files in the first.
    pub size_before: u64,
    /// Bytes of all plain files in the second.
    pub size_after: u64,
}

impl ImageDiff {
    /// The packages that are not the same: by movement, then by name.
    #[must_use]
    pub fn package_rows(&self) -> Vec<PackageRow<'_>> {
        let mut rows: Vec<_> = self
            .packages
            .iter()
            .map(|(name, change)| {
                let before = change.before().map(|package| package.version.as_str());
                let after = change.after().map(|package| package.version.as_str());
                PackageRow { name, movement: movement(before, after), before, after }
            })
            .collect();
        rows.sort_by_key(|row| (row.movement, row.name));
        rows
    }

    /// The files that are not the same: by what they are for, then by path.
    #[must_use]
    pub fn file_rows(&self) -> Vec<FileRow<'_>> {
        let mut rows: Vec<_> = self.files.iter().filter_map(|(path, change)| self.file_row(path, change)).collect();
        rows.sort_by_key(|row| (row.class, row.path));
        rows
    }

    fn file_row<'a>(&'a self, path: &'a str, change: &'a Change<File>) -> Option<FileRow<'a>> {
        let (before, after) = (change.before(), change.after());
        let file = after.or(before)?;
        let package =
            after.and_then(|file| file.package.as_deref()).or(before.and_then(|file| file.package.as_deref()));
        Some(FileRow {
            path,
            class: class(path, &file.entry),
            sign: change.sign(),
            aspects: before.zip(after).map(|(before, after)| aspects(before, after)).unwrap_or_default(),
            package,
            with_package: package.is_some_and(|package| self.packages.contains_key(package)),
            before,
            after,
        })
    }

    /// How much of everything, of the difference between `before` and `after`.
    #[must_use]
    pub fn summary(&self, before: &Contents, after: &Contents) -> Summary {
        let mut packages = BTreeMap::new();
        for row in self.package_rows() {
            *packages.entry(row.movement).or_default() += 1;
        }
        let mut files: BTreeMap<Class, Tally> = BTreeMap::new();
        for row in self.file_rows() {
            files.entry(row.class).or_default().count(row.sign);
        }
        Summary {
            packages,
            files,
            units: Tally::of(&self.units),
            users: Tally::of(&self.users),
            groups: Tally::of(&self.groups),
            size_before: before.size(),
            size_after: after.size(),
        }
    }
}

impl Tally {
    /// Counts the changes.
    #[must_use]
    pub fn of<T>(changes: &Changes<T>) -> Self {
        let mut tally = Self::default();
        changes.values().for_each(|change| tally.count(change.sign()));
        tally
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.added + self.removed + self.changed
    }

    /// Counts one more.
    pub fn count(&mut self, sign: char) {
        match sign {
            '+' => self.added += 1,
            '-' => self.removed += 1,
            _ => self.changed += 1,
        }
    }
}

fn movement(before: Option<&str>, after: Option<&str>) -> Movement {
    match (before, after) {
        (None, _) => Movement::Added,
        (_, None) => Movement::Removed,
        (Some(before), Some(after)) => match compare_versions(before, after) {
            Ordering::Less => Movement::Upgraded,
            Ordering::Equal => Movement::Changed,
            Ordering::Greater => Movement::Downgraded,
        },
    }
}

fn aspects(before: &File, after: &File) -> Vec<Aspect> {
    let (was, is) = (&before.entry, &after.entry);
    let all = [
        (Aspect::Kind, was.kind != is.kind),
        (Aspect::Content, was.content != is.content || was.size != is.size),
        (Aspect::Mode, was.mode != is.mode),
        (Aspect::Owner, (was.uid, was.gid) != (is.uid, is.gid)),
        (Aspect::Attributes, was.attributes != is.attributes),
        (Aspect::Package, before.package != after.package),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
}

impl fmt::Display for Movement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Downgraded => "downgraded",
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Upgraded => "upgraded",
            Self::Changed => "changed",
        })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "type",
            Self::Content => "content",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Attributes => "attributes",
            Self::Package => "package",
        })
    }
}

/// `+3 -1 ~2`; nothing where nothing changed.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [('+', self.added), ('-', self.removed), ('~', self.changed)];
        let told: Vec<String> =
            parts.iter().filter(|(_, count)| *count > 0).map(|(sign, count)| format!("{sign}{count}")).collect();
        f.write_str(&told.join(" "))
    }
}
