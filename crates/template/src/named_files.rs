//! The files that a build's provisioners name, which must be there before it begins; as Packer does, a caller looks for them first.

use crate::deferred::Deferred;
use crate::place::Place;
use crate::provisioner::Direction;
use crate::provisioner::Origin;
use crate::provisioner::Script;
use crate::recipe::Build;
use crate::recipe::Provisioner;
use crate::recipe::ProvisionerKind;

/// A file or folder that a provisioner names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Where the provisioner stands.
    pub place: Place,
    /// The option.
    pub option: &'static str,
    /// The path, as the template writes it. A relative one counts from the folder that the bake is started in.
    pub path: String,
}

impl Build {
    /// Every file that must be there. One whose name only the bake knows is none of them.
    #[must_use]
    pub fn named_files(&self) -> Vec<NamedFile> {
        self.provisioners.iter().chain(&self.error_cleanup).flat_map(of).collect()
    }
}

fn of(provisioner: &Provisioner) -> Vec<NamedFile> {
    let known: Vec<(&'static str, String)> = match &provisioner.kind {
        ProvisionerKind::Ansible(ansible) => {
            let playbook = ("playbook_file", ansible.playbook_file.clone());
            let further =
                [("galaxy_file", &ansible.galaxy_file), ("inventory_directory", &ansible.inventory_directory)];
            std::iter::once(playbook).chain(given(&further)).collect()
        }
        ProvisionerKind::AnsibleLocal(local) => {
            let single = [
                ("playbook_dir", &local.playbook_dir),
                ("galaxy_file", &local.galaxy_file),
                ("inventory_file", &local.inventory_file),
                ("group_vars", &local.group_vars),
                ("host_vars", &local.host_vars),
            ];
            let lists = [
                ("playbook_files", &local.playbook_files),
                ("playbook_paths", &local.playbook_paths),
                ("role_paths", &local.role_paths),
                ("collection_paths", &local.collection_paths),
            ];
            let each =
                lists.into_iter().flat_map(|(option, paths)| paths.iter().map(move |path| (option, path.clone())));
            given(&single).chain(each).collect()
        }
        ProvisionerKind::Shell(shell) => scripts(&shell.script),
        ProvisionerKind::ShellLocal(shell) => scripts(&shell.script),
        ProvisionerKind::File(transfer) => match (&transfer.from, transfer.direction) {
            (Origin::Paths(paths), Direction::Upload) if !transfer.generated => literals("source", paths),
            _ => Vec::new(),
        },
        ProvisionerKind::Breakpoint(_) | ProvisionerKind::Sleep(_) | ProvisionerKind::Unsupported(_) => Vec::new(),
    };
    let file = |(option, path)| NamedFile { place: provisioner.place.clone(), option, path };
    known.into_iter().map(file).collect()
}

fn given<'a>(options: &'a [(&'static str, &'a Option<String>)]) -> impl Iterator<Item = (&'static str, String)> + 'a {
    options.iter().filter_map(|(option, path)| Some((*option, (*path).clone()?)))
}

fn scripts(script: &Script) -> Vec<(&'static str, String)> {
    match script {
        Script::Inline { .. } => Vec::new(),
        Script::Files(files) => literals("script", files),
    }
}

fn literals(option: &'static str, paths: &[Deferred]) -> Vec<(&'static str, String)> {
    paths.iter().filter_map(|path| Some((option, path.find_literal()?.to_owned()))).collect()
}
