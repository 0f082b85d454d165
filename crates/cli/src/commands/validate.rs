//! `ovenbird validate`

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_template::Recipe;

use super::Context;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::template::Given;
use crate::template::Occasion;
use crate::template::Template;

/// Check a template without any AWS
///
/// Checks a Packer template: syntax, options, variables, and what of it can be baked. Needs no AWS
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The template: a file of JSON or HCL, or a folder of HCL
    file: PathBuf,
    #[command(flatten)]
    given: Given,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let occasion = Occasion::draw(clock::wall())?;
    let template = Template::open(&arguments.file, &BTreeMap::new(), &arguments.given, Path::new("."), occasion)?;
    let recipe = template.check()?;
    let unsupported: Vec<String> = unsupported(&recipe);
    if context.output.is_json() {
        context.output.data(&serde_json::json!({
            "valid": unsupported.is_empty(), "notes": recipe.notes.iter().map(|note| recipe.masked(&note.to_string())).collect::<Vec<_>>(), "unsupported": unsupported,
        }));
    } else {
        for note in &recipe.notes {
            context.output.note(&recipe.masked(&note.to_string()));
        }
        for builder in unsupported_builders(&recipe).iter().filter(|builder| !unsupported.contains(builder)) {
            context.output.note(builder);
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

/// What keeps the template from being baked: builders without any that can be baked, and, of those that can, provisioners;
/// post-processors.
fn unsupported(recipe: &Recipe) -> Vec<String> {
    use ovenbird_template::Builder;
    use ovenbird_template::PostProcessorKind;
    use ovenbird_template::ProvisionerKind;
    let builders = unsupported_builders(recipe);
    let mut found = if builders.len() == recipe.builds.len() { builders } else { Vec::new() };
    for build in &recipe.builds {
        if let Builder::Unsupported(_) = &build.builder {
            continue;
        }
        for provisioner in build.provisioners.iter().chain(&build.error_cleanup) {
            if let ProvisionerKind::Unsupported(unsupported) = &provisioner.kind {
                found.push(unsupported.to_string());
            }
        }
    }
    for post_processor in recipe.post_processors.iter().flatten() {
        if let PostProcessorKind::Unsupported(unsupported) = &post_processor.kind {
            found.push(unsupported.to_string());
        }
    }
    found.dedup();
    found
}

fn unsupported_builders(recipe: &Recipe) -> Vec<String> {
    let unsupported = |build: &ovenbird_template::Build| match &build.builder {
        ovenbird_template::Builder::Unsupported(unsupported) => Some(unsupported.to_string()),
        ovenbird_template::Builder::AmazonEbs(_) => None,
    };
    recipe.builds.iter().filter_map(unsupported).collect()
}

#[cfg(test)]
mod tests {
    use ovenbird_template::Source;
    use ovenbird_template::Variables;
    use ovenbird_template::parse;

    use super::*;

    fn found(builders: &str, rest: &str) -> Vec<String> {
        let context = ovenbird_template::Context {
            instant: jiff::Timestamp::UNIX_EPOCH,
            template_dir: String::new(),
            pwd: String::new(),
            environment: [].into(),
            seed: 0,
        };
        let text = format!(r#"{{"builders": [{builders}]{rest}}}"#);
        unsupported(&parse(&Source::new("t.json", &text), &Variables::default(), &context).expect("a template"))
    }

    #[test]
    fn one_build_that_can_be_baked_is_enough() {
        let ebs = r#"{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"}"#;
        let docker = r#"{"type": "docker"}"#;
        assert_eq!(found(&format!("{ebs}, {docker}"), ""), [""; 0]);
        assert_eq!(found(docker, "").len(), 1);
        let chef = r#", "provisioners": [{"type": "chef-solo"}], "post-processors": ["vagrant"]"#;
        assert_eq!(found(&format!("{ebs}, {docker}"), chef).len(), 2);
    }
}
