//! Saying how it went: to the journal as it goes, and at the end to the console, a file, and a tag.

use std::io;
use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use ovenbird_aws::ec2;
use ovenbird_core::tags;
use serde::Deserialize;
use serde::Serialize;

use crate::api::Api;
use crate::fault::Failure;
use crate::fault::Phase;
use crate::files::write_whole;
use crate::settings::Root;
use crate::time::Deadline;

/// A tag's value may have 256 characters; this leaves room for the phase.
const TAG_SENTENCE: usize = 200;

/// How long credentials may be late (amazon-eks-ami#1970 saw two seconds).
const LATE: Duration = Duration::from_secs(3);

/// One line of progress for the journal.
pub fn say(text: &str) {
    say_raw(format!("ovenbird: {text}\n").as_bytes());
}

/// Output of another program for the journal.
pub fn say_raw(bytes: &[u8]) {
    // Nobody listening is no reason to fail a boot.
    _ = io::stderr().write_all(bytes);
}

/// How this boot went: `/run/ovenbird/result.json`, and what `status` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `ok` or `failed`.
    pub result: String,
    /// Where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it failed, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the same boot may succeed later by itself.
    #[serde(default)]
    pub retryable: bool,
    /// `i-…`, or `unknown` if the metadata service never answered.
    pub instance: String,
    /// How long it took.
    pub seconds: f64,
    /// When it ended.
    pub finished: Timestamp,
}

impl Report {
    /// The report of a boot that took `took`.
    #[must_use]
    pub fn new(result: &Result<(), Failure>, instance: &str, took: Duration, now: Timestamp) -> Self {
        let failure = result.as_ref().err();
        Self {
            result: if failure.is_some() { "failed" } else { "ok" }.to_owned(),
            phase: failure.map(|failure| failure.phase),
            reason: failure.map(|failure| failure.fault.sentence.clone()),
            retryable: failure.is_some_and(|failure| failure.fault.retryable),
            instance: instance.to_owned(),
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            finished: now,
        }
    }

    /// Whether the instance may serve.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.result == "ok"
    }

    /// The line that ends the console's output; `launch --wait` reads it where there is no tag.
    #[must_use]
    pub fn console_line(&self) -> String {
        match (&self.phase, &self.reason) {
            (Some(phase), Some(reason)) => {
                let reason = plain(reason);
                format!("ovenbird: result=failed phase={phase} instance={} reason=\"{reason}\"", self.instance)
            }
            _ => format!("ovenbird: result=ok instance={} seconds={:.1}", self.instance, self.seconds),
        }
    }

    /// The value of the tag `ovenbird:state`.
    #[must_use]
    pub fn tag(&self) -> String {
        match (&self.phase, &self.reason) {
            (Some(phase), Some(reason)) => {
                format!("failed: {phase}: {}", plain(reason).chars().take(TAG_SENTENCE).collect::<String>())
            }
            _ => "ok".to_owned(),
        }
    }

    /// Writes the file and, through `api`, the tag. Neither may fail a boot that went well, or hide why one did not.
    pub fn publish(&self, root: &Root, api: Option<&Api<'_>>, deadline: &Deadline) {
        if let Err(fault) = write_whole(&root.result(), &serde_json::to_vec(self).unwrap_or_default()) {
            say(&fault.sentence);
        }
        // A failure is worth waiting for credentials that are late; a success is not, and most such instances have no role at all.
        let patience = if self.is_ok() { Duration::ZERO } else { LATE };
        let Some(api) = api.filter(|api| api.has_role(&deadline.within(patience), deadline)) else { return };
        let request = ec2::CreateTagsRequest {
            resources: vec![self.instance.clone()],
            tags: vec![ec2::Tag::new(tags::STATE, self.tag())],
            dry_run: None,
        };
        if let Err(error) = api.call(&request, deadline) {
            say(&error.while_doing(&format!("write the tag {}", tags::STATE)).sentence);
        }
    }
}

/// One line without quotes: what a reason may be inside `reason="…"`.
fn plain(reason: &str) -> String {
    let letter = |letter: char| match letter {
        '"' => '\'',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    reason.chars().map(letter).collect()
}

/// Prints the last line on the console.
pub fn print_console_line(report: &Report) {
    // A line of its own even if a program left half of one.
    _ = io::stdout().write_all(format!("{}\n", report.console_line()).as_bytes());
    _ = io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn report(result: &Result<(), Failure>) -> Report {
        Report::new(result, "i-1", Duration::from_millis(12_345), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_lines_are_those_of_the_contract() {
        assert_eq!(report(&Ok(())).console_line(), "ovenbird: result=ok instance=i-1 seconds=12.3");
        assert_eq!(report(&Ok(())).tag(), "ok");
        let failed = report(&Err(Fault::lasting("no `x` in {\"a\":1}\nat all").during(Phase::Metadata)));
        assert_eq!(
            failed.console_line(),
            "ovenbird: result=failed phase=metadata instance=i-1 reason=\"no `x` in {'a':1} at all\""
        );
        assert_eq!(failed.tag(), "failed: metadata: no `x` in {'a':1} at all");
    }

    #[test]
    fn a_tag_is_never_too_long() {
        let long = report(&Err(Fault::lasting("ü".repeat(1000)).during(Phase::Parameters)));
        assert!(long.tag().chars().count() <= 256);
    }
}
