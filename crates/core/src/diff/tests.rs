use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;
use crate::block::Digest;
use crate::contents::Class;
use crate::contents::Entry;
use crate::contents::Kind;

fn file(content: &str, mode: u32, package: Option<&str>) -> File {
    let entry = Entry {
        kind: Kind::File,
        mode,
        uid: 0,
        gid: 0,
        size: content.len() as u64,
        content: Some(Digest::of(content.as_bytes())),
        attributes: None,
    };
    File { entry, package: package.map(str::to_owned) }
}

fn package(version: &str) -> Package {
    Package { version: version.to_owned(), architecture: "amd64".to_owned(), ..Package::default() }
}

fn contents() -> impl Strategy<Value = Contents> {
    let name = || "[ab]{1,2}";
    let package = ("[0-2](-[12])?", prop::option::of("[mn]"))
        .prop_map(|(version, maintainer)| Package { maintainer, ..package(&version) });
    let kind = prop_oneof![Just(Kind::File), Just(Kind::Link), Just(Kind::Folder)];
    let file = (kind, 0o6u32..0o10, 0u32..2, "[xy]?", prop::option::of(name())).prop_map(
        |(kind, mode, uid, text, package)| {
            let made = file(&text, mode, package.as_deref());
            File { entry: Entry { kind, uid, ..made.entry }, ..made }
        },
    );
    let unit = prop_oneof![Just(UnitState::Enabled), Just(UnitState::Masked)];
    let user = (0u32..2, "[/x]").prop_map(|(uid, home)| User { uid, gid: uid, home, shell: String::new() });
    let group = (0u32..2, prop::collection::vec(name(), 0..2)).prop_map(|(gid, members)| Group { gid, members });
    let path = prop_oneof![Just("/etc/".to_owned()), Just("/usr/bin/".to_owned()), Just("/".to_owned())];
    let path = (path, name()).prop_map(|(folder, name)| folder + &name);
    (
        btree_map(name(), "[12]", 0..2),
        btree_map(name(), package, 0..4),
        btree_map(name(), unit, 0..3),
        btree_map(name(), user, 0..3),
        btree_map(name(), group, 0..3),
        btree_map(path, file, 0..6),
    )
        .prop_map(|(release, packages, units, users, groups, files)| Contents {
            version: contents::VERSION,
            release,
            packages,
            units,
            users,
            groups,
            files,
        })
}

proptest! {
    #[test]
    fn an_image_does_not_differ_from_itself(a in contents()) {
        prop_assert!(ImageDiff::between(&a, &a).is_empty());
    }

    #[test]
    fn is_empty_for_equal_images_alone(a in contents(), b in contents()) {
        prop_assert_eq!(ImageDiff::between(&a, &b).is_empty(), a == b);
    }

    #[test]
    fn the_other_way_round_is_mirrored(a in contents(), b in contents()) {
        prop_assert_eq!(ImageDiff::between(&a, &b).mirrored(), ImageDiff::between(&b, &a));
    }

    #[test]
    fn applied_to_the_first_it_gives_the_second(a in contents(), b in contents()) {
        prop_assert_eq!(ImageDiff::between(&a, &b).apply(&a), b);
    }

    #[test]
    fn every_change_has_a_row_and_says_what_changed(a in contents(), b in contents()) {
        let diff = ImageDiff::between(&a, &b);
        let (files, packages) = (diff.file_rows(), diff.package_rows());
        prop_assert_eq!(files.len(), diff.files.len());
        prop_assert_eq!(packages.len(), diff.packages.len());
        for row in files {
            prop_assert_eq!(row.sign == '~', !row.aspects.is_empty(), "{:?}", row);
        }
        let summary = diff.summary(&a, &b);
        prop_assert_eq!(summary.packages.values().sum::<usize>(), diff.packages.len());
        prop_assert_eq!(summary.files.values().map(Tally::total).sum::<usize>(), diff.files.len());
    }

    #[test]
    fn what_is_upgraded_one_way_is_downgraded_the_other(a in contents(), b in contents()) {
        let count = |diff: &ImageDiff, movement| diff.package_rows().iter().filter(|row| row.movement == movement).count();
        let (there, back) = (ImageDiff::between(&a, &b), ImageDiff::between(&b, &a));
        prop_assert_eq!(count(&there, Movement::Upgraded), count(&back, Movement::Downgraded));
        prop_assert_eq!(count(&there, Movement::Added), count(&back, Movement::Removed));
    }
}

#[test]
fn says_what_people_want_to_know() {
    let before = Contents {
        packages: [("nginx".to_owned(), package("1.22.1-9")), ("jq".to_owned(), package("1.6-2"))].into(),
        files: [
            ("/etc/motd".to_owned(), file("hello", 0o644, None)),
            ("/usr/sbin/nginx".to_owned(), file("old", 0o755, Some("nginx"))),
        ]
        .into(),
        ..Contents::default()
    };
    let after = Contents {
        packages: [("nginx".to_owned(), package("1.22.1-9+deb12u1"))].into(),
        files: [
            ("/etc/motd".to_owned(), file("hello", 0o600, None)),
            ("/usr/sbin/nginx".to_owned(), file("newer", 0o755, Some("nginx"))),
        ]
        .into(),
        ..Contents::default()
    };
    let diff = ImageDiff::between(&before, &after);
    let packages: Vec<_> = diff.package_rows().iter().map(|row| (row.name, row.movement)).collect();
    assert_eq!(packages, [("jq", Movement::Removed), ("nginx", Movement::Upgraded)]);
    let files: Vec<_> =
        diff.file_rows().into_iter().map(|row| (row.path, row.class, row.aspects, row.with_package)).collect();
    assert_eq!(
        files,
        [
            ("/etc/motd", Class::Configuration, vec![Aspect::Mode], false),
            ("/usr/sbin/nginx", Class::Program, vec![Aspect::Content], true),
        ]
    );
    let summary = diff.summary(&before, &after);
    assert_eq!((summary.size_before, summary.size_after), (8, 10));
    assert_eq!(summary.files[&Class::Program].to_string(), "~1");
}
