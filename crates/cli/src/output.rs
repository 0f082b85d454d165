//! Every byte that the program writes. Standard output carries data alone; all else goes to standard error.

use std::io::Write as _;

use owo_colors::OwoColorize as _;
use serde::Serialize;

/// Where commands write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Is standard output for programs?
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// May progress be shown to a person?
    pub(crate) fn has_progress(self) -> bool {
        !self.quiet && !self.json
    }

    /// The command's answer, or an event of it: one line of JSON on standard output.
    pub(crate) fn data(self, data: &impl Serialize) {
        let text = serde_json::to_string(data)
            .unwrap_or_else(|error| format!("{{\"event\":\"error\",\"error\":\"{error}\"}}"));
        self.print(&text);
    }

    /// The command's answer for a person, on standard output.
    pub(crate) fn print(self, text: &str) {
        // A reader that went away is no failure of ours.
        drop(writeln!(anstream::stdout(), "{text}"));
    }

    /// A line for a person on standard error.
    pub(crate) fn line(self, text: &str) {
        drop(writeln!(anstream::stderr(), "{text}"));
    }

    /// A line that may be left out with `--quiet`.
    pub(crate) fn note(self, text: &str) {
        if self.has_progress() {
            self.line(&text.dimmed().to_string());
        }
    }

    pub(crate) fn error(self, text: &str) {
        self.line(&format!("{} {text}", "error:".red().bold()));
    }

    pub(crate) fn hint(self, text: &str) {
        self.line(&format!("{} {text}", "hint:".cyan().bold()));
    }
}
