//! `ovenbird validate`

use std::path::Path;
use std::path::PathBuf;

use ovenbird_template::Recipe;

use super::Context;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::template::Given;
use crate::template::Occasion;
use crate::template::read;

/// Check a template without any AWS
///
/// Checks a Packer template: syntax, options, variables, and what of it can be baked. Needs no AWS
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The template
    file: PathBuf,
    #[command(flatten)]
    given: Given,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let recipe = read(&arguments.file, &arguments.given, Path::new("."), Occasion::draw(clock::wall())?)?;
    let unsupported: Vec<String> = unsupported(&recipe);
    if context.output.is_json() {
        context.output.data(&serde_json::json!({
            "valid": unsupported.is_empty(), "notes": recipe.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), "unsupported": unsupported,
        }));
    } else {
        for note in &recipe.notes {
            context.output.note(&recipe.masked(&note.to_string()));
        }
    }
    if unsupported.is_empty() {
        if !context.output.is_json() {
            context.output.print(&format!("{} can be baked", arguments.file.display()));
        }
        return Ok(());
    }
    Err(Failure::new(Kind::Usage, format!("{} cannot be baked as it is", arguments.file.display()))
        .picture(unsupported.join("\n")))
}

fn unsupported(recipe: &Recipe) -> Vec<String> {
    use ovenbird_template::Builder;
    use ovenbird_template::ProvisionerKind;
    let mut found = Vec::new();
    for build in &recipe.builds {
        if let Builder::Unsupported(unsupported) = &build.builder {
            found.push(unsupported.to_string());
        }
        for provisioner in &build.provisioners {
            if let ProvisionerKind::Unsupported(unsupported) = &provisioner.kind {
                found.push(unsupported.to_string());
            }
        }
    }
    found
}
