//! Python's virtual environment with botocore and moto, made from `tests/requirements.txt`.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Stdio;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The virtual environment. A missing one fails the test: skipped tests prove nothing.
pub(crate) fn path() -> PathBuf {
    let venv = root().join("target/venv");
    assert!(
        venv.join("bin/python").exists(),
        "{} is missing: run `make venv` (tests/requirements.txt into target/venv)",
        venv.display()
    );
    venv
}

/// A script of `tests/clients` that answers a line with a line, and ends with its standard input: so it cannot outlive
/// the test, whatever becomes of that.
pub(crate) struct Script {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Script {
    #[expect(clippy::disallowed_methods, reason = "this crate stands below ovenbird-disk")]
    pub(crate) fn start(name: &str) -> Self {
        let mut child = std::process::Command::new(path().join("bin/python"))
            .arg(root().join("tests/clients").join(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Self { child, input, output: BufReader::new(output.unwrap()) }
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.read_line()
    }

    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the script ended; its complaint is above");
        line
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
