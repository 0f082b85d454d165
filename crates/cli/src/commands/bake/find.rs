//! What a bake needs besides the template.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_bake::Resumable;
use ovenbird_core::pointer::Pointer;
use ovenbird_fleet::list_pointers;
use ovenbird_template::Build;
use ovenbird_template::Builder;
use ovenbird_template::Recipe;
use ovenbird_template::is_placeholder;

use super::Arguments;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

/// Points at the static agent; for installations that keep it elsewhere than beside `ovenbird`.
const AGENT: &str = "OVENBIRD_AGENT";
/// Points at the folder with `ansible_collections`; for installations that keep it elsewhere.
const COLLECTIONS: &str = "OVENBIRD_COLLECTIONS";

/// The one build of the template that is baked.
pub(super) fn build(recipe: &Recipe, name: Option<&str>, file: &Path) -> Result<Build, Failure> {
    recipe.find_build(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = recipe.builds.iter().map(|build| build.name.as_str()).collect();
        match name {
            Some(name) => Failure::usage(format!("{} has no builder `{name}`; it has: {}", file.display(), names.join(", "))),
            None => Failure::usage(format!(
                "{} has {} builders ({}), and a service is one image: choose with `builder = \"NAME\"` in ovenbird.toml",
                file.display(),
                names.len(),
                names.join(", ")
            )),
        }
    })
}

/// The bake to go on with: the one that is named, else the only one, of the service if that is named.
pub(super) fn resumable(bake: Option<&str>, arguments: &Arguments) -> Result<Resumable, Failure> {
    let all = ovenbird_bake::find_resumable(&folders::bake()?).map_err(|error| Failure::of(Kind::Failed, &error))?;
    let fits = |found: &&Resumable| {
        bake.is_none_or(|bake| bake == found.bake)
            && arguments.service.as_ref().is_none_or(|service| *service == found.service)
    };
    let found: Vec<&Resumable> = all.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            Err(Failure::not_found("there is no such bake to go on with: none was cut off, or it is still under way")
                .hint("`ovenbird doctor` lists those that were cut off"))
        }
        several => {
            let told: Vec<String> =
                several.iter().map(|found| format!("{} of {}", found.bake, found.service)).collect();
            Err(Failure::not_found(format!("several bakes were cut off: {}; name one", told.join(", "))))
        }
    }
}

/// The images that a template which replaces must leave alone, with the pointers to them. The one that is going to be `moved` does not count.
pub(super) async fn pointed(
    account: &Account,
    build: &Build,
    moved: Option<&Pointer>,
) -> Result<BTreeMap<String, String>, Failure> {
    let replaces = matches!(&build.builder, Builder::AmazonEbs(builder) if builder.lifetime.replaces);
    if !replaces {
        return Ok(BTreeMap::new());
    }
    let pointers = list_pointers(&account.client).await.map_err(|error| Failure::of(Kind::Aws, &error))?;
    let others = pointers.into_iter().filter(|(pointer, _)| Some(pointer) != moved);
    Ok(others.map(|(pointer, state)| (state.image, pointer.parameter())).collect())
}

/// The template's region; `None` too where only AWS can tell it.
pub(super) fn region(build: &Build) -> Option<String> {
    match &build.builder {
        Builder::AmazonEbs(builder) => builder.region.clone().filter(|region| !is_placeholder(region)),
        Builder::Unsupported(_) => None,
    }
}

/// The static agent: beside this program, or where the variable says.
pub(super) fn agent() -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()?.with_file_name("ovenbird-agent");
    existing(
        AGENT,
        [beside],
        "ovenbird-agent, which goes into images, is not beside `ovenbird`",
        "`make` builds both into target/dist",
    )
}

/// Ovenbird's own collection: where it is installed, or in the source tree of this program.
pub(super) fn collections() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    let installed = program.ancestors().nth(2).map(|prefix| prefix.join("share/ovenbird/ansible"));
    let in_tree = program
        .ancestors()
        .map(|folder| folder.join("ansible"))
        .find(|folder| folder.join("ansible_collections").is_dir());
    existing(
        COLLECTIONS,
        installed.into_iter().chain(in_tree),
        "the collection ovenbird.base is not installed with `ovenbird`",
        "it is in `ansible/` of Ovenbird's source",
    )
}

fn existing(
    variable: &str,
    places: impl IntoIterator<Item = PathBuf>,
    missing: &str,
    where_from: &str,
) -> Result<PathBuf, Failure> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let found = named.iter().cloned().chain(places).find(|path| path.exists());
    match (found, named) {
        (Some(found), None) => Ok(found),
        (Some(found), Some(named)) if found == named => Ok(found),
        (_, Some(named)) => Err(Failure::usage(format!("{variable} names {}, which is not there", named.display()))),
        (None, None) => Err(Failure::usage(missing).hint(format!("{where_from}; or set {variable}"))),
    }
}
