//! Reading a template from the disk, with the variables of the command line.

mod ask;
mod disk;
mod files;
mod given;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_template::Answers;
use ovenbird_template::Context;
use ovenbird_template::Outside;
use ovenbird_template::Parsed;
use ovenbird_template::Recipe;
use ovenbird_template::Source;
use ovenbird_template::Variables;
use ovenbird_template::parse;
use ovenbird_template::parse_hcl;

use crate::failure::Failure;
use crate::failure::Kind;

pub(crate) use files::missing_files;
pub(crate) use given::Given;

/// Endings of the files of a configuration, and of the variables that go with one. (packer.md 2.2)
const CONFIGURATION: [&str; 2] = [".pkr.hcl", ".pkr.json"];
const AUTOMATIC: [&str; 2] = [".auto.pkrvars.hcl", ".auto.pkrvars.json"];

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

/// A template on the disk with its variables.
#[derive(Debug)]
pub(crate) struct Template {
    text: Text,
    variables: Variables,
    context: Context,
}

#[derive(Debug)]
enum Text {
    Json(Source),
    /// One file, or the files of a folder.
    Hcl(Vec<Source>),
}

impl Template {
    /// Opens the template at `path`, which may be a folder of HCL. `defaults` are the project's variables: those of the command
    /// line win. `directory` is where Packer would have been started. A `profile` that was chosen is AWS_PROFILE's.
    pub(crate) fn open(
        path: &Path,
        defaults: &BTreeMap<String, String>,
        given: &Given,
        directory: &Path,
        profile: Option<&str>,
        occasion: Occasion,
    ) -> Result<Self, Failure> {
        let is_folder = path.is_dir();
        let text = text(path, is_folder)?;
        let mut variables = Variables::default();
        if is_folder {
            for file in files(path, AUTOMATIC)? {
                variables.add_file(&source(&file)?).map_err(|errors| render(&errors))?;
            }
        }
        for (name, value) in defaults {
            variables.set(name, value);
        }
        given.add_to(&mut variables)?;
        let folder = if is_folder { Some(path) } else { path.parent() };
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let chosen = profile.map(|profile| ("AWS_PROFILE".to_owned(), profile.to_owned()));
        let context = Context {
            instant: occasion.instant,
            template_dir: fs_err::canonicalize(folder)?.display().to_string(),
            pwd: fs_err::canonicalize(directory)?.display().to_string(),
            environment: std::env::vars().chain(chosen).collect(),
            seed: occasion.seed,
        };
        Ok(Self { text, variables, context })
    }

    /// Its recipe, with placeholders for what only AWS knows.
    pub(crate) fn check(&self) -> Result<Recipe, Failure> {
        match self.parse(&Answers::Placeholders)? {
            Parsed::Recipe(recipe) => Ok(*recipe),
            Parsed::Wants(_) => Err(Failure::new(Kind::Failed, "the template asks AWS in a circle")),
        }
    }

    /// Its recipe; AWS is asked for what the template's data sources ask.
    pub(crate) async fn read(&self, client: &Client) -> Result<Recipe, Failure> {
        let mut answers = BTreeMap::new();
        loop {
            let wanted = match self.parse(&Answers::Known(answers.clone()))? {
                Parsed::Recipe(recipe) => return Ok(*recipe),
                Parsed::Wants(wanted) => wanted,
            };
            for query in wanted {
                let answer = ask::answer(client, &query).await?;
                answers.insert(query, answer);
            }
        }
    }

    fn parse(&self, answers: &Answers) -> Result<Parsed, Failure> {
        let parsed = match &self.text {
            Text::Json(source) => {
                parse(source, &self.variables, &self.context).map(|recipe| Parsed::Recipe(Box::new(recipe)))
            }
            Text::Hcl(files) => {
                let outside = Outside { files: &disk::Disk, answers };
                parse_hcl(files, &self.variables, &self.context, &outside)
            }
        };
        parsed.map_err(|errors| render(&errors))
    }
}

fn text(path: &Path, is_folder: bool) -> Result<Text, Failure> {
    if !is_folder {
        let is_hcl = CONFIGURATION.iter().any(|ending| path.to_string_lossy().ends_with(ending));
        let source = source(path)?;
        return Ok(if is_hcl { Text::Hcl(vec![source]) } else { Text::Json(source) });
    }
    let files = files(path, CONFIGURATION)?;
    if files.is_empty() {
        return Err(Failure::usage(format!("there is no template in {}", path.display())).hint(
            "a folder is read as one template of its *.pkr.hcl and *.pkr.json files; name a JSON template itself",
        ));
    }
    files.iter().map(|file| source(file)).collect::<Result<_, _>>().map(Text::Hcl)
}

/// The files of a folder that have one of these endings: ending by ending, each in the order of names.
fn files(folder: &Path, endings: [&str; 2]) -> Result<Vec<PathBuf>, Failure> {
    let entries =
        fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    let of = |ending: &str| {
        let mut files: Vec<PathBuf> =
            entries.iter().filter(|path| path.to_string_lossy().ends_with(ending)).cloned().collect();
        files.sort();
        files
    };
    Ok(endings.into_iter().flat_map(of).collect())
}

fn source(file: &Path) -> Result<Source, Failure> {
    let bytes = fs_err::read(file).map_err(|error| Failure::of(Kind::Usage, &error))?;
    Source::from_bytes(&file.display().to_string(), &bytes).map_err(|error| Failure::of(Kind::Usage, &error))
}

/// Every error of the template with its place and caret.
fn render(errors: &ovenbird_template::TemplateErrors) -> Failure {
    Failure::new(Kind::Usage, "the template cannot be baked").picture(errors.to_string())
}
