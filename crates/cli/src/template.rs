//! Reading a template from the disk, with the variables of the command line.

use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use ovenbird_template::Context;
use ovenbird_template::Recipe;
use ovenbird_template::Source;
use ovenbird_template::Variables;
use ovenbird_template::parse;

use crate::failure::Failure;
use crate::failure::Kind;

/// Values for a template's variables, as Packer takes them.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Given {
    /// Set a variable of the template; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Read variables from a JSON file; may be repeated
    #[arg(long = "var-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What two readings of one template may differ in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion {
    /// The present, as the template sees it.
    pub(crate) instant: Timestamp,
    /// What its random values come from.
    pub(crate) seed: u64,
}

impl Occasion {
    /// An occasion of its own.
    pub(crate) fn draw(instant: Timestamp) -> Result<Self, Failure> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)
            .map_err(|error| Failure::new(Kind::Failed, format!("no randomness for `uuid`: {error}")))?;
        Ok(Self { instant, seed: u64::from_be_bytes(seed) })
    }
}

/// Reads the template at `file`. `directory` is where Packer would have been started.
pub(crate) fn read(file: &Path, given: &Given, directory: &Path, occasion: Occasion) -> Result<Recipe, Failure> {
    let mut variables = Variables::default();
    for path in &given.files {
        variables.add_file(&source(path)?).map_err(|errors| render(&errors))?;
    }
    for argument in &given.variables {
        variables.add_argument(argument).map_err(|error| Failure::of(Kind::Usage, &error))?;
    }
    recipe(file, &variables, directory, occasion)
}

/// Reads the template of a service: the project's variables are defaults, the command line's win.
pub(crate) fn read_service(
    file: &Path,
    defaults: &std::collections::BTreeMap<String, String>,
    given: &Given,
    directory: &Path,
    occasion: Occasion,
) -> Result<Recipe, Failure> {
    let mut variables = Variables::default();
    for (name, value) in defaults {
        variables.set(name, value);
    }
    for path in &given.files {
        variables.add_file(&source(path)?).map_err(|errors| render(&errors))?;
    }
    for argument in &given.variables {
        variables.add_argument(argument).map_err(|error| Failure::of(Kind::Usage, &error))?;
    }
    recipe(file, &variables, directory, occasion)
}

fn recipe(file: &Path, variables: &Variables, directory: &Path, occasion: Occasion) -> Result<Recipe, Failure> {
    let template_dir = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = Context {
        instant: occasion.instant,
        template_dir: fs_err::canonicalize(template_dir)?.display().to_string(),
        pwd: fs_err::canonicalize(directory)?.display().to_string(),
        environment: std::env::vars().collect(),
        seed: occasion.seed,
    };
    parse(&source(file)?, variables, &context).map_err(|errors| render(&errors))
}

fn source(file: &Path) -> Result<Source, Failure> {
    let text = fs_err::read_to_string(file).map_err(|error| Failure::of(Kind::Usage, &error))?;
    Ok(Source::new(&file.display().to_string(), &text))
}

/// Every error of the template with its place and caret.
fn render(errors: &ovenbird_template::TemplateErrors) -> Failure {
    Failure::new(Kind::Usage, "the template cannot be baked").picture(errors.to_string())
}
