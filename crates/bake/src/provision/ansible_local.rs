//! `ansible-local`: a play that what becomes the image runs itself, with its own Ansible (packer-plugin-ansible, ansible-local).

use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use ovenbird_disk::tool::Line;
use ovenbird_template::AnsibleLocal;

use super::Site;
use crate::error::BakeError;
use crate::error::working;
use crate::request::Request;
use crate::ssh::quoted;
use crate::target;
use crate::target::Target;
use crate::yaml::Node;

/// Where everything is uploaded to, unless the template says.
const STAGING: &str = "/tmp/packer-provisioner-ansible-local";

pub(super) fn run(site: &mut Site<'_>, title: &str, local: &AnsibleLocal, deadline: Instant) -> Result<(), BakeError> {
    let staging = local.staging_directory.as_deref().unwrap_or(STAGING).trim_end_matches('/');
    let (target, request) = (site.target, site.request);
    let find = "look for Ansible in the image";
    let found = target.command(find, "command -v ansible-playbook").accept([1, 127]).run().map_err(working(find))?;
    if found.code != 0 {
        return Err(BakeError::Unsupported(
            "`ansible-local` runs the image's own Ansible, and the image has none: install it by an earlier provisioner, or use \
             `ansible`, which needs none in the image"
                .to_owned(),
        ));
    }
    stage(target, request, local, staging)?;
    let mut commands = galaxy(request, local, staging)?;
    for playbook in &local.playbook_files {
        commands.push(play(site, local, playbook)?);
    }
    for command in commands {
        let doing = format!("run {title}");
        let tool =
            target.command(&doing, &format!("cd {} && {command}", quoted(staging))).deadline(super::left(deadline));
        let mut said = Ok(());
        let ended = tool.run_lines(|line| {
            let (Line::Out(text) | Line::Err(text)) = line;
            if said.is_ok() {
                said = site.say(title, text);
            }
        });
        said?;
        ended.map_err(|error| if error.is_interrupted() { BakeError::Interrupted } else { working(doing)(error) })?;
    }
    if local.clean_staging_directory {
        let doing = "remove what Ansible was given";
        target.command(doing, &format!("rm -rf {}", quoted(staging))).run().map_err(working(doing))?;
    }
    Ok(())
}

/// What is uploaded: a path of this machine, and where it goes below the staging folder.
pub(crate) fn list_uploads(request: &Request, local: &AnsibleLocal) -> Vec<(PathBuf, String)> {
    let here = |path: &String| request.directory.join(path);
    let mut uploads: Vec<(PathBuf, String)> = Vec::new();
    uploads.extend(local.playbook_dir.iter().map(|path| (here(path), String::new())));
    let playbooks = local.playbook_files.iter().filter(|file| find_in_folder(local, file).is_none());
    uploads.extend(playbooks.map(|file| (here(file), base_name(file))));
    let single = [(&local.galaxy_file, None), (&local.inventory_file, None)];
    let vars = [(&local.group_vars, Some("group_vars")), (&local.host_vars, Some("host_vars"))];
    for (path, name) in single.into_iter().chain(vars) {
        uploads.extend(path.iter().map(|path| (here(path), name.map_or_else(|| base_name(path), str::to_owned))));
    }
    for (paths, folder) in
        [(&local.playbook_paths, "playbooks"), (&local.role_paths, "roles"), (&local.collection_paths, "collections")]
    {
        uploads.extend(paths.iter().map(|path| (here(path), format!("{folder}/{}", base_name(path)))));
    }
    uploads
}

fn stage(target: &dyn Target, request: &Request, local: &AnsibleLocal, staging: &str) -> Result<(), BakeError> {
    let doing = "make the folder that Ansible is given";
    target.command(doing, &format!("mkdir -p {}", quoted(staging))).run().map_err(working(doing))?;
    for (from, name) in list_uploads(request, local) {
        let to = if name.is_empty() { staging.to_owned() } else { format!("{staging}/{name}") };
        if from.is_dir() { target::upload_folder(target, &from, &to)? } else { target::upload(target, &from, &to)? }
    }
    if local.inventory_file.is_none() {
        target::write(target, inventory(local).as_bytes(), &format!("{staging}/{INVENTORY}"), 0o644)?;
    }
    Ok(())
}

const INVENTORY: &str = "ovenbird-inventory";

fn inventory(local: &AnsibleLocal) -> String {
    if local.inventory_groups.is_empty() {
        return "127.0.0.1\n".to_owned();
    }
    local.inventory_groups.iter().map(|group| format!("[{group}]\n127.0.0.1\n")).collect()
}

fn play(site: &Site<'_>, local: &AnsibleLocal, playbook: &str) -> Result<String, BakeError> {
    let arguments: Result<Vec<String>, _> =
        local.extra_arguments.iter().map(|argument| argument.render(site.ami)).collect();
    let arguments = arguments.map_err(working("render extra_arguments"))?;
    let path = find_in_folder(local, playbook).unwrap_or_else(|| base_name(playbook));
    let inventory = local.inventory_file.as_deref().map_or_else(|| INVENTORY.to_owned(), base_name);
    // The command and the extra arguments are the template's own words for a shell.
    Ok(format!(
        "{} {} --extra-vars \"packer_build_name={} packer_builder_type={} packer_http_addr=\" {} -c local -i {}",
        local.command,
        quoted(&path),
        site.request.build.name,
        site.request.build.kind,
        arguments.join(" "),
        quoted(&inventory),
    ))
}

fn galaxy(request: &Request, local: &AnsibleLocal, staging: &str) -> Result<Vec<String>, BakeError> {
    let Some(file) = &local.galaxy_file else { return Ok(Vec::new()) };
    let path = request.directory.join(file);
    let text = fs_err::read_to_string(path).map_err(working("read the requirements of ansible-galaxy"))?;
    let force = if local.galaxy_force_install { " --force" } else { "" };
    let folder = |given: &Option<String>, name: &str| given.clone().unwrap_or_else(|| format!("{staging}/{name}"));
    let (has_roles, has_collections) = requirements(&text);
    let mut commands = Vec::new();
    if has_roles {
        let roles = folder(&local.galaxy_roles_path, "galaxy_roles");
        commands.push(format!(
            "{} install -r {} -p {}{force}",
            local.galaxy_command,
            quoted(&base_name(file)),
            quoted(&roles)
        ));
    }
    if has_collections {
        let collections = folder(&local.galaxy_collections_path, "galaxy_collections");
        let (program, file, collections) = (&local.galaxy_command, quoted(&base_name(file)), quoted(&collections));
        commands.push(format!("{program} collection install -r {file} -p {collections}{force}"));
    }
    Ok(commands)
}

/// Does a requirements file name roles, and collections? A plain list is of roles.
pub(crate) fn requirements(text: &str) -> (bool, bool) {
    match crate::yaml::parse(text).unwrap_or_default().first() {
        Some(Node::Map(entries)) => {
            let has = |name: &str| entries.iter().any(|(key, _)| key == name);
            (has("roles"), has("collections"))
        }
        _ => (true, false),
    }
}

/// The playbook's path within `playbook_dir`, if it is there.
fn find_in_folder(local: &AnsibleLocal, playbook: &str) -> Option<String> {
    let folder = local.playbook_dir.as_deref()?;
    let rest = Path::new(playbook).strip_prefix(folder).ok()?;
    Some(rest.to_string_lossy().into_owned())
}

fn base_name(path: impl AsRef<Path>) -> String {
    path.as_ref().file_name().unwrap_or_default().to_string_lossy().into_owned()
}
