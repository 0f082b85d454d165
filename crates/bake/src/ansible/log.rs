//! The log of a play: everything that Ansible said, with secrets masked.

use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

use super::event::Event;
use super::event::Parsed;

/// What a secret is replaced by.
const MASK: &str = "***";

/// Text that is shorter masks more than it hides: a secret `1` would blacken every line.
const SHORTEST_SECRET: usize = 4;

pub(super) struct Log {
    pub(super) path: PathBuf,
    file: fs::File,
    secrets: Vec<String>,
    /// The first write that failed; the play goes on meanwhile.
    failed: Option<io::Error>,
}

impl Log {
    pub(super) fn append(path: &Path, secrets: &[String]) -> io::Result<Self> {
        let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        let mut secrets: Vec<_> = secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET).cloned().collect();
        // In JSON a secret is written with its quotes and line ends escaped.
        let escaped = secrets.iter().filter_map(|secret| serde_json::to_string(secret).ok());
        let escaped: Vec<_> = escaped.map(|quoted| quoted[1..quoted.len() - 1].to_owned()).collect();
        secrets.extend(escaped);
        // A secret that is part of a longer one must not leave the rest of that one readable.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Ok(Self { path: path.to_owned(), file, secrets, failed: None })
    }

    pub(super) fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    pub(super) fn line(&mut self, text: &str) {
        let masked = self.mask(text);
        if let Err(error) = writeln!(self.file, "{masked}") {
            self.failed.get_or_insert(error);
        }
    }

    pub(super) fn event(&mut self, parsed: &Parsed) {
        match &parsed.event {
            Event::PlayStarted { name } => self.line(&format!("\nPLAY [{name}]")),
            Event::TaskStarted { task } => {
                let place = task.place.as_ref().map(ToString::to_string).unwrap_or_default();
                self.line(&format!("\nTASK [{task}] {place}"));
            }
            Event::TaskDone { status, seconds, .. } => {
                self.line(&format!("{} in {seconds:.1} s", format!("{status:?}").to_lowercase()));
            }
            Event::FastPath { .. } | Event::PlainAnsible { .. } => {}
            Event::NoHosts => self.line("no hosts matched"),
            Event::Stats(stats) => self.line(&format!("\n{stats:?}")),
        }
        if let Some(text) = parsed.result.as_ref().and_then(|result| serde_json::to_string_pretty(result).ok()) {
            self.line(&text);
        }
    }

    /// Tells whether all was written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.failed.take().map_or_else(|| self.file.flush(), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_secrets_also_inside_json_and_longer_ones() {
        let dir = tempfile::tempdir().expect("a folder");
        let secrets = ["hunter2", "hunter2-long", "with \"quotes\"", "1"].map(ToOwned::to_owned);
        let mut log = Log::append(&dir.path().join("log"), &secrets).expect("a log");
        log.line("x=hunter2 y=hunter2-long 1");
        log.line(&serde_json::json!({ "password": "with \"quotes\"" }).to_string());
        log.finish().expect("written");
        let text = fs::read_to_string(&log.path).expect("the log");
        assert_eq!(text, "x=*** y=*** 1\n{\"password\":\"***\"}\n");
    }
}
