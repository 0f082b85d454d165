//! `ovenbird validate`

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_template::Build;
use ovenbird_template::Builder;
use ovenbird_template::Recipe;

use super::Context;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::template::Given;
use crate::template::Occasion;
use crate::template::Template;
use crate::template::missing_files;

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
    let profile = context.global.profile.as_deref();
    let (none, here) = (BTreeMap::new(), Path::new("."));
    let template = Template::open(&arguments.file, &none, &arguments.given, here, profile, occasion)?;
    let recipe = template.check()?;
    let unsupported = unsupported(&recipe);
    let missing = missing(&recipe, here);
    let notes: Vec<String> = recipe.notes.iter().map(|note| recipe.masked(&note.to_string())).collect();
    if context.output.is_json() {
        let valid = unsupported.is_empty() && missing.is_empty();
        context.output.data(
            &serde_json::json!({ "valid": valid, "notes": notes, "unsupported": unsupported, "missing": missing }),
        );
    } else {
        notes.iter().for_each(|note| context.output.note(note));
        for builder in unsupported_builders(&recipe).iter().filter(|builder| !unsupported.contains(builder)) {
            context.output.note(builder);
        }
    }
    if unsupported.is_empty() && missing.is_empty() {
        if !context.output.is_json() {
            context.output.print(&format!("{} can be baked", arguments.file.display()));
        }
        return Ok(());
    }
    let failure = Failure::new(Kind::Usage, format!("{} cannot be baked as it is", arguments.file.display()))
        .picture([unsupported, missing.clone()].concat().join("\n"));
    Err(if missing.is_empty() {
        failure
    } else {
        failure.hint("relative paths count from the folder that the command is run in")
    })
}

/// What nobody here does: builders without any that can be baked, and, of those that can, provisioners and post-processors.
fn unsupported(recipe: &Recipe) -> Vec<String> {
    let builders = unsupported_builders(recipe);
    if builders.len() == recipe.builds.len() {
        return builders;
    }
    once(bakeable(recipe).flat_map(|build| recipe.unsupported_in(build)).map(ToString::to_string))
}

/// Files that builds name which can be baked, and that are not there.
fn missing(recipe: &Recipe, directory: &Path) -> Vec<String> {
    once(bakeable(recipe).flat_map(|build| missing_files(build, directory)))
}

fn bakeable(recipe: &Recipe) -> impl Iterator<Item = &Build> {
    recipe.builds.iter().filter(|build| matches!(build.builder, Builder::AmazonEbs(_)))
}

/// A provisioner of several builds is told of once.
fn once(sentences: impl Iterator<Item = String>) -> Vec<String> {
    let mut told = BTreeSet::new();
    sentences.filter(|sentence| told.insert(sentence.clone())).collect()
}

fn unsupported_builders(recipe: &Recipe) -> Vec<String> {
    let unsupported = |build: &Build| match &build.builder {
        Builder::Unsupported(unsupported) => Some(unsupported.to_string()),
        Builder::AmazonEbs(_) => None,
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
        let recipe = parse(&Source::new("t.json", &text), &Variables::default(), &context).expect("a template");
        [unsupported(&recipe), missing(&recipe, Path::new("/nowhere"))].concat()
    }

    #[test]
    fn one_build_that_can_be_baked_is_enough() {
        let ebs = r#"{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"}"#;
        let docker = r#"{"type": "docker"}"#;
        assert_eq!(found(&format!("{ebs}, {docker}"), ""), [""; 0]);
        assert_eq!(found(docker, "").len(), 1);
        let chef = r#", "provisioners": [{"type": "chef-solo"}], "post-processors": ["vagrant"]"#;
        assert_eq!(found(&format!("{ebs}, {docker}"), chef).len(), 2);
        let others = r#", "post-processors": [{"type": "vagrant", "only": ["docker"]}]"#;
        assert_eq!(found(&format!("{ebs}, {docker}"), others), [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_found_before_the_bake() {
        let ebs = r#"{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"}"#;
        let provisioners = r#", "provisioners": [
            {"type": "shell", "scripts": ["/etc/passwd", "no.sh"]}, {"type": "ansible", "playbook_file": "/no.yml"},
            {"type": "file", "source": "/etc/", "destination": "/tmp"}, {"type": "file", "source": "made", "generated": true, "destination": "/tmp"}
        ]"#;
        let told = found(ebs, provisioners).join("\n");
        assert_eq!(
            told,
            "t.json:2:13: there is no file `no.sh`, which `script` names\nt.json:2:69: there is no file `/no.yml`, which `playbook_file` names"
        );
    }
}
