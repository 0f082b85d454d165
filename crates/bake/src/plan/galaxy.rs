//! Roles and collections of `galaxy_file`, fetched before anything else: they are inputs of the layers, and no instance waits for them.

use std::path::PathBuf;

use ovenbird_core::block::Digest;
use ovenbird_disk::tool::Tool;
use ovenbird_template::Ansible;

use crate::error::BakeError;
use crate::error::working;
use crate::provision::requirements;
use crate::request::Request;

/// Where they are.
pub(super) struct Fetched {
    pub(super) roles: PathBuf,
    pub(super) collections: PathBuf,
}

/// Fetches what the provisioner's `galaxy_file` names, once for each content of that file, unless it is forced.
///
/// # Errors
/// `ansible-galaxy` failed: a name that is not there, no network.
pub(super) fn ensure(request: &Request, ansible: &Ansible) -> Result<Option<Fetched>, BakeError> {
    let Some(file) = &ansible.galaxy_file else { return Ok(None) };
    let path = request.directory.join(file);
    let text = fs_err::read_to_string(&path).map_err(working("read `galaxy_file`"))?;
    let folder = request.folders.cache.join("galaxy").join(Digest::of(text.as_bytes()).hex());
    let fetched = Fetched { roles: folder.join("galaxy_roles"), collections: folder.join("collections") };
    if folder.is_dir() && !ansible.galaxy_force_install && !ansible.galaxy_force_with_deps {
        return Ok(Some(fetched));
    }
    // It gets its name when all is there.
    let arriving = folder.with_extension("arriving");
    let doing = format!("fetch what {file} names");
    remove(&arriving).map_err(working(&*doing))?;
    fs_err::create_dir_all(&arriving).map_err(working(&*doing))?;
    let (has_roles, has_collections) = requirements(&text);
    let command = ansible.galaxy_command.as_deref().unwrap_or("ansible-galaxy");
    for (is_wanted, kind, name) in [(has_roles, "role", "galaxy_roles"), (has_collections, "collection", "collections")]
    {
        if is_wanted {
            let tool = Tool::new(command).doing(&*doing).current_dir(&request.directory);
            tool.args([kind, "install", "-r"])
                .arg(&path)
                .arg("-p")
                .arg(arriving.join(name))
                .run()
                .map_err(working(&*doing))?;
        }
    }
    remove(&folder).and_then(|()| fs_err::rename(&arriving, &folder)).map_err(working(doing))?;
    Ok(Some(fetched))
}

fn remove(folder: &std::path::Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
