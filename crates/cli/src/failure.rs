//! Errors become sentences, hints and exit codes here and nowhere else.

use std::error::Error;
use std::process::ExitCode;

use crate::output::Output;

/// What kind of failure it is, which is what the exit code says. `docs/exit-codes.md` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something failed that should have worked.
    Failed,
    /// The command line, the project or the template is wrong; nothing was begun.
    Usage,
    /// AWS (or the embedded EC2) refused or did not answer.
    Aws,
    /// An instance did not provision itself.
    Provisioning,
    /// Something that was named is not there, or the name fits several.
    NotFound,
    /// A gate or a proof said no; nothing was changed.
    Refused,
    /// The image is there, but a post-processor failed.
    AfterBake,
    /// SIGINT or SIGTERM.
    Interrupted,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Aws => 3,
            Self::Provisioning => 4,
            Self::NotFound => 5,
            Self::Refused => 6,
            Self::AfterBake => 7,
            Self::Interrupted => 130,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Aws => "aws",
            Self::Provisioning => "provisioning",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::AfterBake => "after-bake",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    /// The sentence, then its causes, outermost first.
    told: Vec<String>,
    hints: Vec<String>,
    /// Rendered by somebody else (a template's caret, a playbook's task), shown as it is.
    picture: Option<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self { kind, told: vec![sentence.into()], hints: Vec::new(), picture: None }
    }

    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Kind::Usage, sentence)
    }

    pub(crate) fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, sentence)
    }

    /// An error of a library: its sentence and all its causes.
    pub(crate) fn of(kind: Kind, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self { kind, told: Vec::new(), hints: Vec::new(), picture: None };
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            if failure.told.last() != Some(&text) {
                failure.told.push(text);
            }
            next = cause.source();
        }
        failure
    }

    /// What was typed is no command.
    pub(crate) fn of_words(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let (sentence, rest) = text.split_once('\n').unwrap_or((&text, ""));
        Self::usage(sentence.trim_start_matches("error: ")).picture(rest.trim())
    }

    /// The same failure, which is no failure but what somebody asked for.
    pub(crate) fn because_interrupted(mut self) -> Self {
        self.kind = Kind::Interrupted;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure, with every text passed through `mask`: what tools said may quote secrets.
    pub(crate) fn masked(mut self, mask: impl Fn(&str) -> String) -> Self {
        self.told.iter_mut().chain(&mut self.hints).chain(&mut self.picture).for_each(|text| *text = mask(text));
        self
    }

    pub(crate) fn picture(mut self, picture: impl Into<String>) -> Self {
        self.picture = Some(picture.into());
        self
    }

    /// What went wrong and why, in one line.
    pub(crate) fn sentence(&self) -> String {
        let picture = self.picture.iter().filter_map(|picture| picture.lines().next());
        self.told.iter().map(String::as_str).chain(picture).collect::<Vec<_>>().join(": ")
    }

    /// Says what went wrong on standard error (JSON on standard output with `--json`) and answers the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        if output.is_json() {
            output.data(&serde_json::json!({
                "event": "error", "kind": self.kind.name(), "error": self.told.first(), "causes": self.told.get(1..), "hints": self.hints,
                "details": self.picture,
            }));
        } else {
            self.tell(output);
        }
        ExitCode::from(self.kind.code())
    }

    fn tell(&self, output: &Output) {
        let (sentence, causes) =
            self.told.split_first().map_or(("it failed", &[][..]), |(first, rest)| (first.as_str(), rest));
        output.error(sentence);
        for cause in causes {
            output.line(&format!("  because: {}", cause.replace('\n', "\n           ")));
        }
        if let Some(picture) = &self.picture {
            output.line(picture.trim_end());
        }
        for hint in &self.hints {
            output.hint(hint);
        }
    }
}

impl From<ovenbird_aws::Error> for Failure {
    fn from(error: ovenbird_aws::Error) -> Self {
        Self::of(Kind::Aws, &error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::of(Kind::Failed, &error)
    }
}
