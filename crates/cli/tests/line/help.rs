//! `--help` of every command, so that no option comes or goes unseen, and completions.

use std::collections::BTreeSet;

use super::assert_is;
use crate::support::Home;
use crate::support::repository;

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let section = help
        .split_once("\nCommands:\n")
        .map(|(_, rest)| rest.split("\n\n").next().unwrap_or_default())
        .unwrap_or_default();
    let names = section.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command, such as `["local", "up"]`, with its help.
fn all(home: &Home) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(command) = open.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = home.run(words).ok().stdout;
        open.extend(listed(&help).into_iter().map(|name| [&command[..], &[name]].concat()));
        found.push((command, help));
    }
    found
}

#[test]
fn help_is_as_documented() {
    let home = Home::new();
    let commands = all(&home);
    assert!(commands.len() > 15, "the help texts list too few commands: {commands:?}");
    let mut names = BTreeSet::new();
    for (command, help) in commands {
        let name = [&["help".to_owned()], &command[..]].concat().join("-");
        assert_is(&name, &help);
        names.insert(format!("{name}.snap"));
    }
    let folder = fs_err::read_dir(repository().join("crates/cli/tests/snapshots")).expect("the snapshots").flatten();
    let kept: BTreeSet<String> = folder
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("help") && name.ends_with(".snap"))
        .collect();
    assert_eq!(kept, names, "a command that went left its help behind");
}

#[test]
fn completions_know_every_command() {
    let home = Home::new();
    let commands = all(&home);
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(["completions", shell]).ok().stdout;
        for (command, _) in &commands {
            assert!(command.iter().all(|word| script.contains(word)), "{shell}: {command:?}");
        }
    }
    let script = home.run(["completions", "bash"]).ok().stdout;
    home.write("script", format!("{script}\nCOMP_WORDS=(ovenbird local do); COMP_CWORD=2; _ovenbird ovenbird do local; echo ${{COMPREPLY[@]}}"));
    assert_eq!(home.tool("bash").arg("script").run().expect("it runs").text(), "down");
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(Home::new().run(["--version"]).ok().text(), format!("ovenbird {}", env!("CARGO_PKG_VERSION")));
}
