//! An `ansible-playbook` that is started before it is needed: it loads Ansible, which takes a third of a second, while the bake is busy
//! with its disk, and then waits to be told to go on. From there on it is what would have been started then.

use std::io::PipeWriter;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_disk::tool::Started;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::find_program;

use super::Config;
use super::Playbook;
use super::called;
use crate::sandbox::BAKE_VARIABLE;

const EARLY: &str = concat!(include_str!("early/sources.py"), "\n\n", include_str!("early.py"));
/// What it waits for.
const GO: &[u8] = b"go\n";

/// A loaded Ansible that waits. Dropping it ends it.
pub(crate) struct Early {
    playbook: Playbook,
    work: PathBuf,
    gate: PipeWriter,
    process: Started,
}

impl Early {
    /// Starts one for the run of this playbook that comes next. What it learns of Ansible's sources is kept in the folder `sources`. `None`
    /// where the run is to be plain, or the program is no script of a Python, or does not start: whoever needs it starts it then, and
    /// is told why it fails.
    pub(crate) fn start(playbook: &Playbook, work: &Path, sources: &Path, bake: &str) -> Option<Self> {
        if playbook.plain {
            return None;
        }
        let script = find_program(&playbook.command)?;
        let interpreter = find_interpreter(&script)?;
        let config = Config::read(&playbook.directory, &playbook.env).ok()?;
        let (wait, gate) = std::io::pipe().ok()?;
        let program = Tool::new(interpreter.first()?)
            .args(interpreter.get(1..)?)
            .args(["-c", EARLY])
            .arg(sources)
            .arg(&script)
            .stdin_file(std::os::fd::OwnedFd::from(wait));
        let process = called(program, playbook, &config, work).env(BAKE_VARIABLE, bake).start().ok()?;
        Some(Self { playbook: playbook.clone(), work: work.to_owned(), gate, process })
    }

    /// Would this run be called in the same way?
    pub(crate) fn fits(&self, playbook: &Playbook, work: &Path) -> bool {
        self.playbook == *playbook && self.work == work
    }

    /// Lets it go on.
    pub(super) fn go(mut self) -> Started {
        // One that has ended reads nothing; what it said is heard by whoever follows it.
        _ = self.gate.write_all(GO);
        self.process
    }
}

/// The words that a script's first line calls a Python by.
fn find_interpreter(script: &Path) -> Option<Vec<String>> {
    use std::io::BufRead as _;
    let mut line = String::new();
    std::io::BufReader::new(fs_err::File::open(script).ok()?).read_line(&mut line).ok()?;
    let words: Vec<String> = line.strip_prefix("#!")?.split_whitespace().map(str::to_owned).collect();
    let is_python =
        |word: &String| Path::new(word).file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
    words.last().is_some_and(is_python).then_some(words)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;
    use std::time::UNIX_EPOCH;

    use ovenbird_disk::wait::wait_until;

    use super::super::inventory;
    use super::super::write_events_plugin;
    use super::*;

    const PLAY: &str = "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.command: {cmd: touch played}}]}]";

    /// A project with one play, for this machine.
    fn project(folder: &Path) -> (Playbook, PathBuf) {
        let work = folder.join("work");
        fs_err::create_dir(&work).expect("made");
        fs_err::write(folder.join("site.yml"), PLAY).expect("written");
        (Playbook::new("site.yml", folder), work)
    }

    #[test]
    fn it_goes_on_with_what_is_there_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let (playbook, work) = project(folder.path());
        let early = Early::start(&playbook, &work, &folder.path().join("sources"), "bake-1")
            .expect("ansible-playbook is a Python script");
        assert!(early.fits(&playbook, &work) && !early.fits(&Playbook::new("other.yml", folder.path()), &work));
        fs_err::write(inventory(&work), "default ansible_connection=local\n").expect("written");
        write_events_plugin(&work).expect("written");
        early.go().run_lines(|_| ()).expect("the play ran");
        assert!(folder.path().join("played").exists());
    }

    #[test]
    fn a_plain_run_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut playbook, work) = project(folder.path());
        playbook.plain = true;
        assert!(Early::start(&playbook, &work, &folder.path().join("sources"), "bake-1").is_none());
    }

    #[test]
    fn one_that_is_not_needed_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (playbook, work) = project(folder.path());
        let early = Early::start(&playbook, &work, &folder.path().join("sources"), "bake-1")
            .expect("ansible-playbook is a Python script");
        let temporary = || fs_err::read_dir(work.join("tmp")).map_or(0, Iterator::count);
        wait_until(Duration::from_secs(60), Duration::from_millis(10), || (temporary() > 0).then_some(()))
            .expect("Ansible makes its folder when it is loaded");
        drop(early);
        assert_eq!(temporary(), 0);
        assert!(!folder.path().join("played").exists());
    }

    /// What is slept, on a clock of its own: Ansible asks for a thousandth of a second each time.
    const PAUSES: &str = "
now, slept = [0.0], []
time.monotonic = lambda: now[0]
def sleep(seconds):
    slept.append(seconds)
    now[0] += seconds
time.sleep = sleep
pauses = Pauses()
while now[0] < 5:
    began = now[0]
    pauses.sleep(0.001)
    assert slept[-1] == max(0.001, min(began / 32, 0.02)), (began, slept[-1])
assert slept[0] == 0.001 and slept[-1] == 0.02 and len(slept) < 500, len(slept)
now[0] += 0.01  # Something is done.
pauses.sleep(0.001)
assert slept[-1] == 0.001
pauses.sleep(0.05)
assert slept[-1] == 0.05
";

    #[test]
    fn pauses_grow_with_the_wait_and_begin_anew_after_it() {
        let classes = EARLY.split("folder, script = sys.argv[1:3]").next().expect("what is defined first");
        Tool::new("python3").args(["-c", &format!("{classes}{PAUSES}")]).run().expect("as asserted");
    }

    /// Packs modules as Ansible does, plainly and with what is known of their sources, and counts what is parsed.
    const PACKING: &str = "
from ansible.executor import module_common
folder, parses, compile_plainly = sys.argv[1], [], compile
def compile(text, *how):
    parses.append(how[-1] == ast.PyCF_ONLY_AST)
    return compile_plainly(text, *how)
def pack(module):
    with open(os.path.join(os.path.dirname(ansible.modules.__file__), module + '.py'), 'rb') as file:
        text, archive = file.read(), io.BytesIO()
    with zipfile.ZipFile(archive, 'w') as payload:
        module_common.recursive_finder(module, 'ansible.modules.' + module, text, payload)
        return {name: payload.read(name) for name in payload.namelist()}
import ansible.modules
modules = ['copy', 'apt', 'setup', 'systemd']
plain = [pack(module) for module in modules]
remember_sources(folder)
assert sum(map(len, plain)) > 100 and [pack(module) for module in modules] == plain
known = sys.modules['ovenbird_sources'].code()
expected = {hashlib.sha256(text).digest() for payload in plain for text in payload.values()}
assert all(marshal.loads(code).co_name == '<module>' for code in known.values())
assert len(expected - known.keys()) < 10, 'all but what Ansible writes itself'
print(sum(parses))
";

    #[test]
    fn no_source_is_parsed_twice_and_what_is_packed_is_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = find_program("ansible-playbook").expect("Ansible is installed");
        let interpreter = find_interpreter(&script).expect("it is a script of a Python");
        let classes = EARLY.split("folder, script = sys.argv[1:3]").next().expect("what is defined first");
        let pack = || -> usize {
            let program = format!("{classes}{PACKING}");
            let tool = Tool::new(&interpreter[0]).args(&interpreter[1..]).args(["-c", &program]).arg(folder.path());
            tool.run().expect("as asserted").text().trim().parse().expect("a count")
        };
        let parsed = pack();
        assert!(parsed > 50, "{parsed}");
        assert_eq!(pack(), 0);
        let version = the_only_entry(folder.path());
        let kept: Vec<_> = fs_err::read_dir(&version).expect("read").map(|entry| entry.expect("read").path()).collect();
        let size = |path: &PathBuf| fs_err::metadata(path).expect("there").len();
        for path in &kept {
            // As after a power cut.
            fs_err::OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|file| file.set_len(size(path) / 2))
                .expect("cut");
        }
        assert_eq!(pack(), parsed);
        // What others can write is not believed.
        let allow = |mode| fs_err::set_permissions(&version, Permissions::from_mode(mode)).expect("it is ours");
        allow(0o777);
        assert_eq!(pack(), parsed);
        allow(0o700);
        assert_eq!(pack(), 0);
        for number in 0..5000 {
            fs_err::write(version.join(number.to_string()), "").expect("written");
        }
        assert_eq!(pack(), parsed);
        assert_eq!(fs_err::read_dir(&version).expect("read").count(), kept.len());
        // A version that no bake has used for long is forgotten, and one that is used is not.
        let of_old = folder.path().join("of-old");
        fs_err::create_dir(&of_old).expect("made");
        fs_err::write(of_old.join("source"), "").expect("written");
        for version in [&of_old, &version] {
            fs_err::File::open(version).and_then(|folder| folder.set_modified(UNIX_EPOCH)).expect("it is ours");
        }
        assert_eq!(pack(), 0);
        assert_eq!(the_only_entry(folder.path()), version);
    }

    fn the_only_entry(folder: &Path) -> PathBuf {
        let mut entries = fs_err::read_dir(folder).expect("read").map(|entry| entry.expect("read").path());
        let only = entries.next().expect("an entry");
        assert!(entries.next().is_none());
        only
    }

    #[test]
    fn only_a_script_of_a_python_can_be_loaded_early() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("ansible-playbook");
        for (first, expected) in [
            ("#! /usr/bin/python3\n", Some(vec!["/usr/bin/python3"])),
            ("#!/usr/bin/env python3.11\n", Some(vec!["/usr/bin/env", "python3.11"])),
            ("#!/opt/venv/bin/python\n", Some(vec!["/opt/venv/bin/python"])),
            // An interpreter's argument changes how the script is run.
            ("#!/usr/bin/python3 -I\n", None),
            ("#!/bin/sh\n'''exec' /a/long/path/python \"$0\" \"$@\"\n", None),
            ("\u{7f}ELF", None),
        ] {
            fs_err::write(&script, first).expect("written");
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(find_interpreter(&script), expected, "{first}");
        }
    }
}
