//! A playbook and how it is called: the semantics of Packer's `ansible` provisioner (reference packer.md 2.3).

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use super::fast::CONNECTION_NAME;
use crate::sandbox::Sandbox;

/// A playbook to be run against an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// The program to run, `ansible-playbook` unless the template says otherwise.
    pub command: String,
    /// `playbook_file`, relative to `directory`.
    pub file: PathBuf,
    /// Where Ansible is run: relative paths and `ansible.cfg` count from here.
    pub directory: PathBuf,
    /// `extra_arguments`; each is one argument, no shell sees it.
    pub extra_arguments: Vec<String>,
    /// `ansible_env_vars`, and what Ovenbird tells its own roles.
    pub env: Vec<(String, String)>,
    /// `groups` that the image's host is in.
    pub groups: Vec<String>,
    /// `empty_groups`.
    pub empty_groups: Vec<String>,
    /// `host_alias`.
    pub host_alias: String,
    /// `inventory_file`: the user's own inventory. How the image is reached is said behind it.
    pub inventory_file: Option<PathBuf>,
    /// `inventory_directory`: its `group_vars` and `host_vars` count.
    pub inventory_directory: Option<PathBuf>,
    /// `packer_build_name`: the builder's name, else its type.
    pub build_name: String,
    /// `packer_builder_type`.
    pub builder_type: String,
    /// Further folders of roles, after the project's.
    pub roles: Vec<PathBuf>,
    /// Further folders of collections, after the project's: at least the one with `ovenbird.base`.
    pub collections: Vec<PathBuf>,
    /// How long it may take.
    pub deadline: Duration,
    /// Texts that must not appear in events and logs.
    pub secrets: Vec<String>,
    /// Leave the fast path alone: every module in an interpreter of its own. The result is the same.
    pub plain: bool,
}

impl Playbook {
    /// A playbook with Packer's defaults, and an hour.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self {
            command: "ansible-playbook".to_owned(),
            file: file.into(),
            directory: directory.into(),
            extra_arguments: Vec::new(),
            env: Vec::new(),
            groups: Vec::new(),
            empty_groups: Vec::new(),
            host_alias: "default".to_owned(),
            inventory_file: None,
            inventory_directory: None,
            build_name: "amazon-ebs".to_owned(),
            builder_type: "amazon-ebs".to_owned(),
            roles: Vec::new(),
            collections: Vec::new(),
            deadline: Duration::from_secs(3600),
            secrets: Vec::new(),
            plain: false,
        }
    }

    /// Packer's order: its own variables first, so that `extra_arguments` win.
    pub(super) fn arguments(&self, inventory: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "-e".into(),
            format!("packer_build_name={}", self.build_name).into(),
            "-e".into(),
            format!("packer_builder_type={}", self.builder_type).into(),
        ];
        arguments.extend(self.extra_arguments.iter().map(OsString::from));
        if let Some(own) = &self.inventory_file {
            // Whatever other machines it names: a bake is of one image.
            arguments.extend(["-i".into(), own.into(), "--limit".into(), self.host_alias.clone().into()]);
        }
        arguments.extend(["-i".into(), inventory.into(), self.file.clone().into()]);
        arguments
    }

    /// The user is root, as which the sandbox is entered: `become` then has nothing to do, and needs no `sudo` in the image. Modules travel no
    /// further than this machine, so that there is nothing to compress them for.
    pub(super) fn inventory(&self, sandbox: &Sandbox, worker: Option<&Path>) -> String {
        let connection = match worker {
            Some(socket) => format!("{CONNECTION_NAME} ansible_ovenbird_worker={}", socket.display()),
            None => "community.general.chroot".to_owned(),
        };
        self.inventory_of(&format!(
            "ansible_connection={connection} ansible_host={} ansible_chroot_exe={} \
             ansible_python_interpreter=/usr/bin/python3 ansible_user=root ansible_module_compression=ZIP_STORED",
            sandbox.root().display(),
            sandbox.enter_program().display(),
        ))
    }

    /// The image's host, with the variables that say how it is reached, in the groups of the template.
    pub(super) fn inventory_of(&self, variables: &str) -> String {
        let host = &self.host_alias;
        let mut text = format!("{host} {variables}\n");
        for group in &self.groups {
            _ = write!(text, "[{group}]\n{host}\n");
        }
        for group in &self.empty_groups {
            _ = writeln!(text, "[{group}]");
        }
        text
    }
}
