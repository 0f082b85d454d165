use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

fn inputs() -> LayerInputs {
    LayerInputs {
        parent: ParentRef::Base { snapshot: "snap-1".to_owned(), content: "map".to_owned() },
        files: [("roles/web/tasks/main.yml".to_owned(), Digest::of(b"a"))].into(),
        options: [("extra_arguments".to_owned(), "[]".to_owned())].into(),
        tools: [("ansible-core".to_owned(), "2.14.18".to_owned())].into(),
        architecture: "x86_64".to_owned(),
        archive: Digest::of(b"InRelease"),
    }
}

#[test]
fn the_key_is_stable_between_versions_of_ovenbird() {
    // A changed key here means that every user's layers are baked again: bump the domain and say so in the release notes.
    assert_eq!(inputs().key().short(), "c354d423df9f");
}

#[test]
fn says_what_changed() {
    let mut new = inputs();
    new.parent = ParentRef::Base { snapshot: "snap-2".to_owned(), content: "map2".to_owned() };
    new.files.insert("roles/web/tasks/main.yml".to_owned(), Digest::of(b"b"));
    new.files.insert("roles/web/files/page.html".to_owned(), Digest::of(b"c"));
    new.options.clear();
    new.tools.insert("ansible-core".to_owned(), "2.15.1".to_owned());
    new.archive = Digest::of(b"newer");
    let said: Vec<String> = inputs().difference(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "base snap-1 -> base snap-2",
            "roles/web/files/page.html is new",
            "roles/web/tasks/main.yml changed",
            "option extra_arguments [] -> none",
            "ansible-core 2.14.18 -> 2.15.1",
            "the package archive has new content",
        ]
    );
}

#[test]
fn says_that_the_layer_below_changed() {
    let on = |seed: &[u8]| LayerInputs { parent: ParentRef::Layer(LayerKey(Digest::of(seed))), ..inputs() };
    let said = on(b"1").difference(&on(b"2"))[0].to_string();
    assert!(said.starts_with("the layer below changed ("), "{said}");
}

/// Few distinct texts, so that the same text turns up in different fields and field moves are really tried.
fn text() -> impl Strategy<Value = String> {
    "[ab]{0,2}"
}

prop_compose! {
    fn any_inputs()(
        parent in prop_oneof![
            (text(), text()).prop_map(|(snapshot, content)| ParentRef::Base { snapshot, content }),
            text().prop_map(|seed| ParentRef::Layer(LayerKey(Digest::of(seed.as_bytes())))),
        ],
        files in btree_map(text(), text().prop_map(|content| Digest::of(content.as_bytes())), 0..3),
        options in btree_map(text(), text(), 0..3),
        tools in btree_map(text(), text(), 0..3),
        architecture in text(),
        archive in text(),
    ) -> LayerInputs {
        LayerInputs { parent, files, options, tools, architecture, archive: Digest::of(archive.as_bytes()) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn different_inputs_have_different_keys(one in any_inputs(), two in any_inputs()) {
        prop_assert_eq!(one == two, one.key() == two.key());
        prop_assert_eq!(one == two, one.difference(&two).is_empty());
    }

    #[test]
    fn a_move_between_fields_changes_the_key(start in any_inputs(), name in text(), value in text()) {
        let mut one = start.clone();
        let mut two = start;
        one.options.insert(name.clone(), value.clone());
        two.tools.insert(name, value);
        prop_assert_eq!(one == two, one.key() == two.key());
    }

    #[test]
    fn a_key_survives_json(inputs in any_inputs()) {
        let text = serde_json::to_string(&inputs).expect("plain data");
        let read: LayerInputs = serde_json::from_str(&text).expect("own writing");
        prop_assert_eq!(read.key(), inputs.key());
    }

    #[test]
    fn hex_is_read_back(seed in any::<[u8; 32]>()) {
        let key = LayerKey(Digest(seed));
        prop_assert_eq!(LayerKey::from_hex(&key.hex()), Some(key));
    }
}
