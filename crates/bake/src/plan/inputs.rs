//! What decides the result of a layer, read off the template, the project's files and the tools of this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::block::Digest;
use ovenbird_core::layer::LayerInputs;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::layer::ParentRef;
use ovenbird_disk::tool::Tool;
use ovenbird_template::AmazonEbs;
use ovenbird_template::Ansible;
use ovenbird_template::Provisioner;
use ovenbird_template::Recipe;
use ovenbird_template::SourceAmi;
use ovenbird_template::UserData;

use super::draft::told;
use super::galaxy;
use crate::ansible::Config;
use crate::ansible::Playbook;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::path::BakePath;
use crate::path::PathChoice;
use crate::provision::LateOptions;
use crate::reach;
use crate::request::Request;
use crate::source::Source;

/// Raised when the same inputs would give another image than before: new seal rules, another way to apply.
const ENGINE: &str = "1";

/// The variable that tells role `ovenbird.base.agent` where the agent is.
const AGENT_VARIABLE: &str = "OVENBIRD_AGENT";

/// The playbook of a provisioner, its values rendered.
pub(super) fn playbook(
    request: &Request,
    provisioner: &Provisioner,
    ansible: &Ansible,
    source: &SourceAmi,
) -> Result<Playbook, BakeError> {
    let mut playbook = Playbook::new(&ansible.playbook_file, &request.directory);
    LateOptions::of(ansible).apply(&mut playbook, source)?;
    playbook.env.push((AGENT_VARIABLE.to_owned(), request.agent.display().to_string()));
    playbook.groups = ansible.groups.clone();
    playbook.empty_groups = ansible.empty_groups.clone();
    playbook.host_alias = ansible.host_alias.clone();
    playbook.build_name = request.build.name.clone();
    playbook.builder_type = request.build.kind.clone();
    playbook.roles = ansible.roles_path.iter().map(|path| request.directory.join(path)).collect();
    playbook.collections = ansible.collections_path.iter().map(|path| request.directory.join(path)).collect();
    if let Some(fetched) = galaxy::ensure(request, ansible)? {
        playbook.roles.push(fetched.roles);
        playbook.collections.push(fetched.collections);
    }
    playbook.collections.push(request.collections.clone());
    playbook.inventory_file = ansible.inventory_file.as_ref().map(|path| request.directory.join(path));
    playbook.inventory_directory = ansible.inventory_directory.as_ref().map(|path| request.directory.join(path));
    if let Some(command) = &ansible.command {
        playbook.command.clone_from(command);
    }
    playbook.deadline = provisioner.timeout.unwrap_or(playbook.deadline);
    playbook.plain = request.plain_ansible;
    playbook.secrets = request.recipe.sensitive.iter().cloned().collect();
    Ok(playbook)
}

/// The files that the playbook can reach.
pub(super) fn files(
    request: &Request,
    ansible: &Ansible,
    playbook: &Playbook,
) -> Result<BTreeMap<String, Digest>, BakeError> {
    let doing = || format!("find the files that {} can reach", ansible.playbook_file);
    let config = Config::read(&request.directory, &playbook.env).map_err(working(doing()))?;
    reach::files(playbook, &config).map_err(working(doing()))
}

/// The provisioner's own options, as far as they can change the result. Paths that only say where a tool lies are not in it.
/// Values that hold a secret are told by their digest, since manifests keep the options.
pub(super) fn options(recipe: &Recipe, playbook: &Playbook) -> BTreeMap<String, String> {
    let told = |value: &String| told(recipe, value);
    let list = |values: &[String]| serde_json::json!(values.iter().map(told).collect::<Vec<_>>()).to_string();
    let env: Vec<String> = playbook
        .env
        .iter()
        .filter(|(name, _)| name != AGENT_VARIABLE)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    BTreeMap::from([
        ("playbook_file".to_owned(), playbook.file.display().to_string()),
        ("extra_arguments".to_owned(), list(&playbook.extra_arguments)),
        ("ansible_env_vars".to_owned(), list(&env)),
        ("groups".to_owned(), list(&playbook.groups)),
        ("empty_groups".to_owned(), list(&playbook.empty_groups)),
        ("command".to_owned(), playbook.command.clone()),
        ("host_alias".to_owned(), playbook.host_alias.clone()),
        ("build_name".to_owned(), playbook.build_name.clone()),
        ("builder_type".to_owned(), playbook.builder_type.clone()),
    ])
}

/// The tools that leave their mark in an image. The agent is among the files of the plays that name it.
pub(super) fn tools(request: &Request, with_ansible: bool) -> Result<BTreeMap<String, String>, BakeError> {
    let mut tools = BTreeMap::from([("ovenbird-bake".to_owned(), ENGINE.to_owned())]);
    if with_ansible {
        tools.insert("ansible".to_owned(), ansible_version(&request.folders.cache)?);
    }
    Ok(tools)
}

/// Asking Ansible takes half a second, so the answer is kept for as long as the program is the same file.
fn ansible_version(cache: &Path) -> Result<String, BakeError> {
    let doing = "ask ansible-playbook for its version";
    let program = find_program("ansible-playbook");
    let stamp = program
        .as_deref()
        .and_then(|path| fs_err::metadata(path).ok())
        .map(|found| format!("{}-{}-{}", found.ino(), found.size(), found.mtime()));
    let kept = stamp.as_ref().map(|stamp| cache.join("tools").join(format!("ansible-{stamp}")));
    if let Some(version) = kept.as_ref().and_then(|path| fs_err::read_to_string(path).ok()) {
        return Ok(version);
    }
    let output = Tool::new("ansible-playbook").doing(doing).arg("--version").run().map_err(working(doing))?;
    let version = output.text().lines().next().unwrap_or_default().to_owned();
    if let Some(path) = kept {
        write_atomically(&path, &version)?;
    }
    Ok(version)
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())?;
    fs_err::canonicalize(found).ok()
}

/// The user data that a launch gives to its instance.
///
/// # Errors
/// When its file cannot be read.
pub(crate) fn user_data(request: &Request) -> Result<Option<Vec<u8>>, BakeError> {
    match &request.builder()?.launch.user_data {
        None => Ok(None),
        Some(UserData::Text(text)) => Ok(Some(text.clone().into_bytes())),
        Some(UserData::File(file)) => {
            fs_err::read(request.directory.join(file)).map(Some).map_err(working("read user_data_file"))
        }
    }
}

/// The key of the image: its last layer, and all that RegisterImage is told besides the name.
pub(super) fn image_key(
    request: &Request,
    path: &PathChoice,
    parent: &ParentRef,
    (source, ami): (&Source, &SourceAmi),
) -> Result<LayerKey, BakeError> {
    let builder: &AmazonEbs = request.builder()?;
    let rendered = crate::register::rendered_tags(builder, ami)?;
    let mut options: BTreeMap<String, String> =
        rendered.image.into_iter().map(|(key, value)| (format!("tag {key}"), value)).collect();
    options.extend(rendered.snapshot.into_iter().map(|(key, value)| (format!("snapshot tag {key}"), value)));
    options.insert("description".to_owned(), rendered.description.unwrap_or_default());
    options.insert(
        "devices".to_owned(),
        format!("{:?} {:?}", builder.ami_block_device_mappings, builder.launch_block_device_mappings),
    );
    options.insert("boot mode".to_owned(), source.boot_mode.clone().unwrap_or_default());
    options.insert("service".to_owned(), request.service.clone());
    if let Some(key) = &source.copy_key {
        options.insert("encryption".to_owned(), key.clone());
    }
    if path.path == BakePath::Launch {
        // An instance has been booted, by what its user data says: never what a direct bake makes.
        options.insert("path".to_owned(), path.path.to_string());
        options.insert("user data".to_owned(), Digest::of(&user_data(request)?.unwrap_or_default()).hex());
        options.insert("encryption".to_owned(), format!("{:?} {:?}", builder.encrypt_boot, builder.kms_key_id));
    }
    let inputs = LayerInputs {
        parent: parent.clone(),
        files: BTreeMap::new(),
        options,
        tools: BTreeMap::from([("ovenbird-bake".to_owned(), ENGINE.to_owned())]),
        architecture: source.architecture.clone(),
        archive: Digest([0; 32]),
    };
    Ok(inputs.key())
}
