//! Where Ansible looks for roles, collections and files.

use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

use crate::ansible::Config;
use crate::ansible::Playbook;

/// The search paths of a run.
pub(super) struct Search {
    pub(super) roles: Vec<PathBuf>,
    pub(super) collections: Vec<PathBuf>,
}

/// A collection that is there.
pub(super) struct Collection {
    pub(super) folder: PathBuf,
    /// What comes after its name: a role, a module, a playbook.
    pub(super) member: String,
}

impl Search {
    pub(super) fn new(playbook: &Playbook, config: &Config) -> Self {
        let both = |own: &[PathBuf], more: &[PathBuf]| own.iter().chain(more).cloned().collect::<Vec<_>>();
        Self {
            roles: both(&config.roles, &playbook.roles),
            collections: both(&config.collections, &playbook.collections),
        }
    }

    /// The collection of a name such as `ovenbird.base.users`, also from the folder beside the playbook.
    pub(super) fn find_collection(&self, name: &str, beside: &Path) -> Option<Collection> {
        let mut parts = name.splitn(3, '.');
        let (space, collection, member) = (parts.next()?, parts.next()?, parts.next()?);
        let is_name =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name(space) || !is_name(collection) {
            return None;
        }
        let own = beside.join("collections");
        let folders = std::iter::once(&own).chain(&self.collections);
        let folder = folders
            .map(|root| root.join("ansible_collections").join(space).join(collection))
            .find(|folder| folder.is_dir())?;
        Some(Collection { folder, member: member.to_owned() })
    }

    /// A role's folder: of a collection by its full name, else by Ansible's order.
    pub(super) fn find_role(
        &self,
        name: &str,
        beside: &Path,
        from: Option<&Path>,
        prefer: &[String],
    ) -> Option<PathBuf> {
        let in_collection = |name: &str| {
            let found = self.find_collection(name, beside)?;
            Some(found.folder.join("roles").join(found.member.replace('.', "/"))).filter(|role| role.is_dir())
        };
        if let Some(role) =
            in_collection(name).or_else(|| prefer.iter().find_map(|prefix| in_collection(&format!("{prefix}.{name}"))))
        {
            return Some(role);
        }
        // A role finds its neighbours first: those of its collection, or of its folder of roles.
        let neighbours = from.and_then(Path::parent).map(Path::to_owned);
        let folders = neighbours.into_iter().chain([beside.join("roles")]).chain(self.roles.iter().cloned());
        folders.chain([beside.to_owned()]).map(|folder| folder.join(name)).find(|role| is_role(role))
    }

    /// Folders that may hold roles, which count when a role's name is only known at run time.
    pub(super) fn role_folders(&self, beside: &Path) -> Vec<PathBuf> {
        let mut folders: Vec<_> = std::iter::once(beside.join("roles")).chain(self.roles.iter().cloned()).collect();
        let own = beside.join("collections");
        for root in std::iter::once(&own).chain(&self.collections) {
            for space in sub_folders(&root.join("ansible_collections")) {
                folders.extend(sub_folders(&space).into_iter().map(|collection| collection.join("roles")));
            }
        }
        folders.retain(|folder| folder.is_dir());
        folders
    }
}

fn is_role(folder: &Path) -> bool {
    ["tasks", "meta", "handlers", "defaults", "vars", "files", "templates"]
        .iter()
        .any(|part| folder.join(part).is_dir())
}

fn sub_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Folders in which a file of a play or a role is looked for.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The folder of the playbook.
    pub(super) playbook: PathBuf,
    /// The role that the text is of.
    pub(super) role: Option<PathBuf>,
    /// The folder of the file that the text is of.
    pub(super) here: PathBuf,
    /// `collections:` of the play.
    pub(super) prefer: Vec<String>,
}

impl Context {
    /// The first existing path for a name, as Ansible looks for it. `None` for absolute names that don't exist.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name)).filter(|path| path.exists());
        }
        self.folders().into_iter().map(|folder| folder.join(name)).find(|path| path.exists())
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for root in self.role.iter().chain([&self.here, &self.playbook]) {
            folders.extend(["files", "templates", "vars", "tasks", "handlers"].map(|part| root.join(part)));
            folders.push(root.clone());
        }
        folders
    }
}
