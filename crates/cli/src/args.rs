//! What can be typed.

use std::ffi::OsString;

use clap::Args;
use clap::Parser;
use clap::Subcommand;

use crate::commands;

/// Golden images that provision themselves
///
/// Bakes a service into a machine image once, promotes that very image from environment to environment, and lets every
/// instance provision itself from a few lines of JSON.
#[derive(Debug, Parser)]
#[command(name = "ovenbird", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Answer in JSON on standard output (long work: one event a line)
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Use this profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this region
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Use AWS's own chain of credentials, even if neither profile nor keys are set (an instance's role)
    #[arg(long, global = true)]
    pub aws: bool,
    /// Run as if started in this folder
    #[arg(long, short = 'C', global = true, value_name = "FOLDER")]
    pub directory: Option<std::path::PathBuf>,
}

impl Global {
    /// The options as they were typed, but for what says how to answer: for an `ovenbird` that works for this one.
    pub(crate) fn again(&self) -> Vec<OsString> {
        let mut again: Vec<OsString> = Vec::new();
        let texts = [("--profile", &self.profile), ("--region", &self.region)];
        for (name, value) in texts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            again.extend([name.into(), value.into()]);
        }
        if self.aws {
            again.push("--aws".into());
        }
        if let Some(directory) = &self.directory {
            again.extend(["--directory".into(), directory.into()]);
        }
        again
    }
}

/// What each does is said where its arguments are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(commands::validate::Arguments),
    Plan(commands::plan::Arguments),
    Bake(commands::bake::Arguments),
    Rebuild(commands::rebuild::Arguments),
    Diff(commands::diff::Arguments),
    Sbom(commands::sbom::Arguments),
    Launch(commands::launch::Arguments),
    Terminate(commands::terminate::Arguments),
    Promote(commands::promote::Arguments),
    Inventory(commands::inventory::Arguments),
    Cleanup(commands::cleanup::Arguments),
    Images(commands::images::Arguments),
    Status(commands::status::Arguments),
    Doctor(commands::doctor::Arguments),
    /// The embedded EC2
    #[command(subcommand)]
    Local(commands::local::Command),
    Completions(commands::completions::Arguments),
}

/// Options that Packer writes with one dash.
const PACKERS: [&str; 2] = ["-var", "-var-file"];

/// What was typed, with Packer's spelling of its options understood.
pub(crate) fn words(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut are_options = true;
    let word = |word: OsString| {
        are_options &= word != "--";
        let name = word.to_str().map(|text| text.split_once('=').map_or(text, |(name, _)| name));
        if !are_options || !name.is_some_and(|name| PACKERS.contains(&name)) {
            return word;
        }
        let mut spelled = OsString::from("-");
        spelled.push(word);
        spelled
    };
    typed.map(word).collect()
}

/// Is the answer for a program? Asked where the words could not be understood.
pub(crate) fn want_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(typed: &str) -> String {
        let words = words(typed.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn packers_spelling_is_understood() {
        assert_eq!(spelled("ovenbird plan -var a=-var -var-file=x -v"), "ovenbird plan --var a=-var --var-file=x -v");
        assert_eq!(spelled("ovenbird plan -variant -- -var"), "ovenbird plan -variant -- -var");
    }
}
