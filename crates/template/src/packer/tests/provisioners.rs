//! Provisioners besides `ansible`.

use super::*;
use crate::provisioner::Direction;
use crate::provisioner::Origin;
use crate::provisioner::Script;
use crate::provisioner::Shell;

/// A template with these provisioners.
fn with(provisioners: &str) -> Recipe {
    recipe(&template_of(provisioners))
}

fn template_of(provisioners: &str) -> String {
    format!(
        r#"{{"builders": [{{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"}}], "provisioners": [{provisioners}]}}"#
    )
}

fn shell(recipe: &Recipe) -> &Shell {
    match &recipe.builds[0].provisioners[0].kind {
        ProvisionerKind::Shell(shell) => shell,
        other => panic!("{other}"),
    }
}

fn image() -> SourceAmi {
    SourceAmi { id: "ami-1".to_owned(), ..SourceAmi::default() }
}

#[test]
fn shell_has_packers_defaults() {
    let inline = r#""inline": ["echo {{build `SourceAMI`}}", "true"]"#;
    let recipe = with(&format!(r#"{{"type": "shell", {inline}, "start_retry_timeout": "0s"}}"#));
    let shell = shell(&recipe);
    let Script::Inline { lines, shebang } = &shell.script else { panic!("inline") };
    assert_eq!(lines[0].render(&image()).as_deref(), Ok("echo ami-1"));
    assert_eq!(shebang, "/bin/sh -e");
    let further = BTreeMap::from([("Vars", "A='b' "), ("Path", "/tmp/s.sh")]);
    let command = shell.execute_command.render_with(&image(), &further);
    assert_eq!(command.as_deref(), Ok("chmod +x /tmp/s.sh; A='b'  /tmp/s.sh"));
    assert_eq!((shell.remote_folder.as_str(), shell.start_retry_timeout), ("/tmp", Duration::from_secs(300)));
    assert_eq!((shell.valid_exit_codes.as_slice(), shell.env_var_format.as_str()), (&[0][..], "%s='%s' "));
    assert_eq!(recipe.builds[0].provisioners[0].kind.to_string(), "shell `true`, …");
}

#[test]
fn shell_takes_all_of_its_options() {
    let recipe = with(
        r#"{"type": "shell", "scripts": "a.sh,b.sh", "environment_vars": ["A=1", "B=x={{.SourceAMI}}", "C="], "env": {"A": "2"},
            "execute_command": "sudo -E {{ .Vars }} sh '{{.Path | upper}}'", "use_env_var_file": true, "expect_disconnect": "true",
            "pause_after": "5s", "skip_clean": true, "valid_exit_codes": [0, "3"], "remote_path": "/x", "binary": true,
            "start_retry_timeout": "1m"}"#,
    );
    let shell = shell(&recipe);
    assert_eq!(shell.script, Script::Files(vec![Deferred::literal("a.sh"), Deferred::literal("b.sh")]));
    let environment: Vec<(&str, String)> =
        shell.environment.iter().map(|(name, value)| (name.as_str(), value.render(&image()).expect("known"))).collect();
    assert_eq!(environment, [("B", "x=ami-1".to_owned()), ("C", String::new()), ("A", "2".to_owned())]);
    let further = BTreeMap::from([("Vars", "A=b"), ("Path", "/x")]);
    assert_eq!(shell.execute_command.render_with(&image(), &further).as_deref(), Ok("sudo -E A=b sh '/X'"));
    assert_eq!((shell.expect_disconnect, shell.skip_clean, shell.binary), (true, true, true));
    assert_eq!(shell.start_retry_timeout, Duration::from_secs(60));
    let notes: Vec<String> = recipe.notes.iter().map(ToString::to_string).collect();
    let launched = "a direct bake launches no instance, so this changes nothing";
    for (note, option) in notes.iter().zip(["expect_disconnect", "start_retry_timeout"]) {
        assert!(note.ends_with(&format!("{option}: {launched}")), "{note}");
    }
    assert_eq!(notes.len(), 2);
    assert_eq!(shell.valid_exit_codes, [0, 3]);
    assert_eq!(shell.env_var_format, "export %s='%s'\n");
    let title = recipe.builds[0].provisioners[0].kind.to_string();
    assert_eq!(title, "shell a.sh, b.sh");
}

#[test]
fn the_other_kinds_are_read() {
    let recipe = with(
        r#"{"type": "file", "source": "a", "sources": ["b"], "destination": "/etc/", "direction": "upload"},
           {"type": "file", "content": "{{.SourceAMI}}", "destination": "/etc/base"},
           {"type": "file", "source": "/var/log/x", "destination": "x", "direction": "download"},
           {"type": "shell-local", "command": "make", "only_on": ["linux"]},
           {"type": "ansible-local", "playbook_files": ["a.yml", "b.yml"], "clean_staging_directory": true},
           {"type": "breakpoint", "note": "look", "disable": true},
           {"type": "sleep", "duration": "1m30s"}"#,
    );
    let kinds: Vec<&ProvisionerKind> =
        recipe.builds[0].provisioners.iter().map(|provisioner| &provisioner.kind).collect();
    let titles: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    assert_eq!(
        titles,
        [
            "file a, b to /etc/",
            "file a text to /etc/base",
            "file /var/log/x to x",
            "shell-local `make`",
            "ansible-local a.yml, b.yml",
            "breakpoint",
            "sleep 90s"
        ]
    );
    let ProvisionerKind::File(text) = kinds[1] else { panic!("a file") };
    let Origin::Content(content) = &text.from else { panic!("a text") };
    assert_eq!(content.render(&image()).as_deref(), Ok("ami-1"));
    let ProvisionerKind::File(back) = kinds[2] else { panic!("a file") };
    assert_eq!(back.direction, Direction::Download);
    let ProvisionerKind::ShellLocal(local) = kinds[3] else { panic!("shell-local") };
    let further = BTreeMap::from([("Vars", ""), ("Script", "/tmp/s")]);
    let command: Vec<String> =
        local.execute_command.iter().map(|part| part.render_with(&image(), &further).expect("known")).collect();
    assert_eq!(command, ["/bin/sh", "-c", " /tmp/s"]);
}

#[test]
fn a_cleanup_and_post_processors_of_this_machine_are_read() {
    let recipe = recipe(
        r#"{"builders": [{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"}],
            "error-cleanup-provisioner": {"type": "shell-local", "inline": ["echo failed"]},
            "post-processors": [{"type": "shell-local", "inline": ["echo {{build `ID`}}"]}]}"#,
    );
    let cleanup = recipe.builds[0].error_cleanup.as_ref().map(|cleanup| cleanup.kind.to_string());
    assert_eq!(cleanup.as_deref(), Some("shell-local `echo failed`"));
    assert!(matches!(&recipe.post_processors[0][0].kind, PostProcessorKind::ShellLocal(_)));
}

#[test]
fn faults_have_their_sentence() {
    let cases = [
        (r#"{"type": "shell"}"#, "shell needs `inline`"),
        (r#"{"type": "shell", "inline": ["a"], "script": "b"}"#, "`inline` and `script` are both there"),
        (r#"{"type": "shell", "inline": ["a"], "environment_vars": ["b"]}"#, "must be a list of NAME=value"),
        (r#"{"type": "shell", "inline": ["a"], "valid_exit_codes": ["x"]}"#, "`valid_exit_codes` has `x`"),
        (r#"{"type": "shell", "inline": ["{{.Path}}"]}"#, "there is no value `Path` of a build"),
        (r#"{"type": "file", "source": "a"}"#, "file needs `destination`"),
        (r#"{"type": "file", "destination": "a"}"#, "file needs `source`"),
        (
            r#"{"type": "file", "source": "a", "content": "b", "destination": "c"}"#,
            "`content` and `source` are both there",
        ),
        (r#"{"type": "file", "source": "a", "destination": "c", "direction": "up"}"#, "`direction` cannot be `up`"),
        (r#"{"type": "shell-local", "command": "a", "only_on": ["beos"]}"#, "`only_on` has `beos`"),
        (r#"{"type": "ansible-local"}"#, "ansible-local needs `playbook_file`"),
        (r#"{"type": "sleep"}"#, "sleep needs `duration`"),
        (r#"{"type": "breakpoint", "notes": "x"}"#, "breakpoint has no option `notes`"),
    ];
    for (provisioner, sentence) in cases {
        let said = errors(&template_of(provisioner));
        assert!(said.contains(sentence), "{provisioner}: {said}");
    }
}

#[test]
fn one_command_may_wait_for_the_bake() {
    let recipe = with(r#"{"type": "shell-local", "command": "echo {{build `ID`}}"}"#);
    let ProvisionerKind::ShellLocal(shell) = &recipe.builds[0].provisioners[0].kind else { panic!("shell-local") };
    let Script::Inline { lines, .. } = &shell.script else { panic!("inline") };
    assert!(lines.len() == 1 && lines[0].find_literal().is_none());
    // What is not supported is refused once, whatever is in it.
    let text =
        template_of(r#"{"type": "ansible", "playbook_file": "p.yml", "inventory_file_template": "{{ .HostAlias }}"}"#);
    assert_eq!(errors(&text).matches("error:").count(), 1);
}

#[test]
fn who_counts_on_a_login_is_told_of_root() {
    let noted = |user: &str, provisioner: &str| {
        let text = format!(
            r#"{{"builders": [{{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web", "ssh_username": "{user}"}}],
                "provisioners": [{provisioner}]}}"#
        );
        recipe(&text).notes.iter().any(|note| note.option == "ssh_username" && note.only_direct)
    };
    let shell = r#"{"type": "shell", "inline": ["echo x >> ~/.profile"]}"#;
    assert!(noted("admin", shell) && !noted("root", shell));
    assert!(!noted("admin", r#"{"type": "ansible", "playbook_file": "p.yml"}"#));
}

#[test]
fn a_version_before_its_release_is_a_version() {
    let text = template_of("").replacen('{', r#"{"min_packer_version": "1.7.0-dev", "#, 1);
    assert_eq!(recipe(&text).builds.len(), 1);
}
