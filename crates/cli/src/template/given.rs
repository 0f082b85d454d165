//! `-var` and `-var-file`, in the order in which they were typed: of two files, the later one counts.

use std::path::PathBuf;

use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::FromArgMatches;
use ovenbird_template::Variables;

use super::render;
use super::source;
use crate::failure::Failure;
use crate::failure::Kind;

/// Values for a template's variables, as Packer takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<Setting>);

#[derive(Clone, Debug)]
enum Setting {
    Variable(String),
    File(PathBuf),
}

/// What clap derives; it gives values by their kind, and their order separately.
#[derive(clap::Args)]
struct Flags {
    /// Set a variable of the template, whatever a file says; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Read variables from a file, JSON or .pkrvars.hcl; may be repeated
    #[arg(long = "var-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Given {
    pub(super) fn add_to(&self, variables: &mut Variables) -> Result<(), Failure> {
        for setting in &self.0 {
            match setting {
                Setting::Variable(text) => {
                    variables.add_argument(text).map_err(|error| Failure::of(Kind::Usage, &error))?;
                }
                Setting::File(path) => variables.add_file(&source(path)?).map_err(|errors| render(&errors))?,
            }
        }
        Ok(())
    }

    /// The arguments that set the same again.
    pub(crate) fn again(&self) -> Vec<String> {
        let again = |setting: &Setting| match setting {
            Setting::Variable(text) => ["--var".to_owned(), text.clone()],
            Setting::File(path) => ["--var-file".to_owned(), path.display().to_string()],
        };
        self.0.iter().flat_map(again).collect()
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = Flags::from_arg_matches(matches)?;
        let places = |name: &str| matches.indices_of(name).into_iter().flatten().collect::<Vec<usize>>();
        let variables = places("variables").into_iter().zip(flags.variables.into_iter().map(Setting::Variable));
        let files = places("files").into_iter().zip(flags.files.into_iter().map(Setting::File));
        let mut settings: Vec<(usize, Setting)> = variables.chain(files).collect();
        settings.sort_by_key(|(place, _)| *place);
        Ok(Self(settings.into_iter().map(|(_, setting)| setting).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}
