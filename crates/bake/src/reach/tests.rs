use std::path::Path;

use fs_err as fs;
use proptest::prelude::*;

use super::*;

fn reach(playbook: &Playbook) -> Result<Reach, ReachError> {
    super::reach(playbook, &Config::read(&playbook.directory, &playbook.env)?)
}

/// A project from paths and contents.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        put(dir.path(), path, content);
    }
    dir
}

fn put(root: &Path, path: &str, content: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("made");
    fs::write(file, content).expect("written");
}

fn of(dir: &tempfile::TempDir, file: &str) -> Reach {
    let mut playbook = Playbook::new(file, dir.path());
    playbook.env = vec![("ANSIBLE_ROLES_PATH".to_owned(), dir.path().join("shared").display().to_string())];
    reach(&playbook).expect("a reach")
}

fn names(dir: &tempfile::TempDir, file: &str) -> Vec<String> {
    of(dir, file).files.into_keys().filter(|name| !name.starts_with('/')).collect()
}

/// The repository's own example.
fn example(file: &str) -> Playbook {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut playbook = Playbook::new(file, repository.join("examples"));
    playbook.collections = vec![repository.join("ansible")];
    playbook.env = vec![("OVENBIRD_AGENT".to_owned(), env!("CARGO").to_owned())];
    playbook
}

#[test]
fn the_common_play_of_the_example_does_not_reach_the_service() {
    let common = reach(&example("common.yml")).expect("a reach");
    assert!(common.files.contains_key("common.yml") && common.files.contains_key("ansible.cfg"));
    assert!(common.files.contains_key("ansible_collections/ovenbird/base/roles/logging/tasks/main.yml"));
    assert!(!common.files.keys().any(|name| name.starts_with("web/")), "{:#?}", common.files);
    for name in
        ["ansible_collections/ovenbird/base/roles/agent/templates/ovenbird-agent.service.j2", "env OVENBIRD_AGENT"]
    {
        assert!(common.files.contains_key(name), "{name}: {:#?}", common.files.keys());
    }
    assert!(!common.files.keys().any(|name| name.contains("roles/boot")), "{:#?}", common.files);
    assert_eq!(common.unseen, Vec::<String>::new());
}

#[test]
fn the_services_play_reaches_its_role_and_its_boot_play() {
    let web = reach(&example("web/web.yml")).expect("a reach");
    for name in [
        "web/roles/web/files/after-provisioning.conf",
        "web/boot/templates/index.html.j2",
        "web/metadata.json",
        "ansible_collections/ovenbird/base/roles/boot/defaults/main.yml",
    ] {
        assert!(web.files.contains_key(name), "{name}: {:#?}", web.files.keys());
    }
    assert!(!web.files.contains_key("common.yml"));
}

#[test]
fn a_program_that_the_environment_names_makes_nothing_else_count_and_a_text_does() {
    let dir = project(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - copy: {src: \"{{ lookup('env', 'NAMED') }}\", dest: /usr/bin/named}\n",
        ),
        ("unrelated.txt", "x"),
        ("text", "#!/bin/sh\n"),
    ]);
    fs_err::write(dir.path().join("program"), [0x7f, b'E', b'L', b'F', 0xff]).expect("written");
    let reached = |value: &str| {
        let mut playbook = Playbook::new("site.yml", dir.path());
        playbook.env = vec![("NAMED".to_owned(), value.to_owned())];
        reach(&playbook).expect("a reach").files
    };
    let absolute = |name: &str| dir.path().join(name).display().to_string();
    let program = reached(&absolute("program"));
    assert!(program.contains_key("env NAMED") && !program.contains_key("unrelated.txt"), "{program:#?}");
    for unsure in [absolute("text"), absolute("missing"), absolute(""), "program".to_owned()] {
        assert!(reached(&unsure).contains_key("unrelated.txt"), "{unsure}");
    }
}

#[test]
fn follows_every_way_to_another_file() {
    let dir = project(&[
        (
            "site.yml",
            "- import_playbook: other.yml\n- hosts: all\n  vars_files: [secret.yml]\n  roles: [one]\n  tasks:\n    - import_tasks: t.yml\n",
        ),
        (
            "other.yml",
            "- hosts: all\n  tasks:\n    - ansible.builtin.include_role: {name: three}\n    - copy: src=old.txt dest=/x\n",
        ),
        ("files/old.txt", "x"),
        ("secret.yml", "a: !vault |\n  $ANSIBLE_VAULT\n"),
        (
            "t.yml",
            "- script: run.sh --now\n- block:\n    - include_vars: more.yml\n  rescue:\n    - debug: msg=\"{{ lookup('file', 'note.txt') }}\"\n",
        ),
        ("scripts/unused.sh", ""),
        ("run.sh", ""),
        ("vars/more.yml", "a: 1"),
        ("note.txt", "x"),
        ("group_vars/all/x.yml", "a: 1"),
        ("library/mine.py", "x"),
        ("roles/one/meta/main.yml", "dependencies:\n  - role: two\n"),
        (
            "roles/two/tasks/main.yml",
            "- template: src=a.j2 dest=/a\n- unarchive: {src: /x.tgz, dest: /x, remote_src: true}\n",
        ),
        ("roles/two/templates/a.j2", "{% include 'b.j2' %}"),
        ("roles/two/templates/b.j2", "x"),
        ("shared/three/tasks/main.yml", "- copy: {src: dir/, dest: /d}\n"),
        ("shared/three/files/dir/deep/x", "x"),
        ("roles/unused/tasks/main.yml", "[]"),
        ("unused.yml", "a: 1"),
    ]);
    let wanted = [
        "files/old.txt",
        "group_vars/all/x.yml",
        "library/mine.py",
        "note.txt",
        "other.yml",
        "roles/one/meta/main.yml",
        "roles/two/tasks/main.yml",
        "roles/two/templates/a.j2",
        "roles/two/templates/b.j2",
        "run.sh",
        "secret.yml",
        "shared/three/files/dir/deep/x",
        "shared/three/tasks/main.yml",
        "site.yml",
        "t.yml",
        "vars/more.yml",
    ];
    assert_eq!(names(&dir, "site.yml"), wanted);
}

#[test]
fn a_name_with_a_variable_makes_everything_count() {
    for task in [
        "- copy: {src: \"{{ which }}.txt\", dest: /x}",
        "- include_tasks: \"{{ which }}.yml\"",
        "- include_role: {name: \"{{ which }}\"}",
        "- debug: {msg: \"{{ lookup('file', which) }}\"}",
        "- debug: {msg: x}\n  with_fileglob: ['*.pub']",
        "- copy: {src: \"{{ item }}\", dest: /x}\n  loop: \"{{ these }}\"",
        "- debug: {msg: 1}\n  x: 1\n  x: 2",
    ] {
        let text = format!("- hosts: all\n  tasks:\n    {}\n", task.replace('\n', "\n    "));
        let dir = project(&[("a.yml", &text), ("far/off.txt", ""), ("shared/other/tasks/main.yml", "[]")]);
        let reached = names(&dir, "a.yml");
        assert!(
            ["far/off.txt", "shared/other/tasks/main.yml"].iter().all(|name| reached.contains(&(*name).to_owned())),
            "{task}"
        );
    }
}

#[test]
fn a_literal_loop_is_no_variable() {
    let role = "- template: {src: \"{{ item.src }}.j2\", dest: \"{{ item.to }}\"}\n  loop:\n    - {src: a, to: /a}\n    - {src: b, to: /b}\n\
                - copy: {src: \"{{ role_path }}/extra/c\", dest: /c}\n";
    let dir = project(&[
        ("a.yml", "- hosts: all\n  roles: [r]\n"),
        ("roles/r/tasks/main.yml", role),
        ("roles/r/templates/a.j2", ""),
        ("roles/r/templates/b.j2", ""),
        ("roles/r/extra/c", ""),
        ("other/file", ""),
    ]);
    assert!(!names(&dir, "a.yml").contains(&"other/file".to_owned()));
}

#[test]
fn arguments_and_the_environment_are_inputs() {
    let dir = project(&[
        ("a.yml", "- hosts: all\n  vars: {x: \"{{ lookup('env', 'OVEN_A') }}\"}\n"),
        ("vars.json", "{}"),
        ("pass", "x"),
        ("inv/hosts", "default"),
        ("inv/group_vars/all.yml", "a: 1"),
    ]);
    let mut playbook = Playbook::new("a.yml", dir.path());
    playbook.env = [("OVEN_A", "1"), ("OVEN_B", "1")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    playbook.extra_arguments =
        ["-e", "@vars.json", "--vault-id=dev@pass", "-i", "inv/hosts"].map(ToOwned::to_owned).to_vec();
    let before = reach(&playbook).expect("a reach");
    for name in ["vars.json", "pass", "inv/hosts", "inv/group_vars/all.yml", "env OVEN_A"] {
        assert!(before.files.contains_key(name), "{name}");
    }
    assert!(!before.files.contains_key("env OVEN_B"));
    playbook.env[0].1 = "2".to_owned();
    assert_ne!(reach(&playbook).expect("a reach"), before);
}

#[test]
fn what_no_file_decides_is_said() {
    let dir = project(&[("a.yml", "- hosts: all\n  tasks:\n    - debug: msg={{ lookup('pipe', 'date') }}\n")]);
    assert_eq!(of(&dir, "a.yml").unseen, ["lookup `pipe` in a.yml"]);
}

#[test]
fn links_are_followed_but_not_in_circles_and_modes_count() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir =
        project(&[("a.yml", "- hosts: all\n  roles: [r]\n"), ("roles/r/tasks/main.yml", "[]"), ("elsewhere/x", "x")]);
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, dir.path().join(name)).expect("linked");
    link("../../elsewhere", "roles/r/files");
    link("..", "roles/r/up");
    link("nowhere", "roles/r/broken");
    let before = of(&dir, "a.yml");
    assert!(
        ["roles/r/files/x", "roles/r/broken"].iter().all(|name| before.files.contains_key(*name)),
        "{:#?}",
        before.files.keys()
    );
    fs::set_permissions(dir.path().join("elsewhere/x"), std::fs::Permissions::from_mode(0o755)).expect("changed");
    assert_ne!(of(&dir, "a.yml"), before);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-z{}%:'\"\\[\\]( )\\n.*/!&|>]{0,200}") {
        let dir = project(&[("a.yml", &text)]);
        let _ = of(&dir, "a.yml");
    }
}
