//! A command that has ended, and what may be expected of it.

use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::tool::Tool;
use serde_json::Value;

/// What a command did.
#[derive(Clone, Debug)]
pub struct Ran {
    command: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ran {
    /// Runs `tool` to its end, whatever that is, and says so in the test's output.
    pub fn of(command: &str, tool: Tool) -> Self {
        let began = Instant::now();
        let output = tool.accept(1..=255).run().unwrap_or_else(|error| panic!("{command}: {error:?}"));
        let took = began.elapsed();
        println!("{:6.1} s  [{}] {command}", took.as_secs_f64(), output.code);
        let stdout = String::from_utf8(output.stdout).expect("text");
        Self { command: command.to_owned(), code: output.code, stdout, stderr: output.stderr, took }
    }

    /// It must have ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.told());
        self
    }

    /// Its standard output must have this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no `{text}` in the output of {}", self.told());
        self
    }

    /// Its standard error must have this text.
    #[track_caller]
    pub fn warns(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no `{text}` in the errors of {}", self.told());
        self
    }

    /// Its standard output without the line's end.
    pub fn text(&self) -> &str {
        self.stdout.trim_end()
    }

    /// Every line of its standard output, each of which must be JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let read = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in `{line}` of {}", self.told()))
        };
        self.stdout.lines().map(read).collect()
    }

    /// Its answer: the last line of JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.events().pop().unwrap_or_else(|| panic!("no answer of {}", self.told()))
    }

    fn told(&self) -> String {
        format!(
            "`{}`, which ended with {}:\n--- output\n{}\n--- errors\n{}",
            self.command, self.code, self.stdout, self.stderr
        )
    }
}
