//! The provisioner `ansible`. (packer.md 2.3)

use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Noted;
use crate::options::Treatment::Refused;

/// Type of the provisioner in templates.
pub(crate) const TYPE: &str = "ansible";

/// One run of `ansible-playbook`. Paths are as the template writes them; relative ones count from the working folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ansible {
    /// The playbook.
    pub playbook_file: String,
    /// Arguments of `ansible-playbook`; no shell reads them.
    pub extra_arguments: Vec<Deferred>,
    /// `NAME=value` of the run's environment.
    pub ansible_env_vars: Vec<Deferred>,
    /// Name of the host in the inventory.
    pub host_alias: String,
    /// Groups that the host is in.
    pub groups: Vec<String>,
    /// Groups that exist without hosts.
    pub empty_groups: Vec<String>,
    /// An inventory of the user's own, instead of a generated one.
    pub inventory_file: Option<String>,
    /// Folder in which the inventory is made, for its `group_vars` and `host_vars`.
    pub inventory_directory: Option<String>,
    /// Requirements of `ansible-galaxy`.
    pub galaxy_file: Option<String>,
    /// The program to fetch them.
    pub galaxy_command: Option<String>,
    /// Whether to fetch them again, `--force`.
    pub galaxy_force_install: bool,
    /// Whether to fetch them and what they need again, `--force-with-deps`.
    pub galaxy_force_with_deps: bool,
    /// Where roles are fetched to and found.
    pub roles_path: Option<String>,
    /// Where collections are fetched to and found.
    pub collections_path: Option<String>,
    /// The program to run instead of `ansible-playbook`.
    pub command: Option<String>,
}

const CONNECTION: &str = "Ovenbird runs the play in the image itself, without Packer's SSH proxy";

pub(crate) const OPTIONS: &[Row] = &[
    crate::provisioner::COMMON,
    (&["playbook_file", "extra_arguments", "ansible_env_vars", "host_alias", "groups", "empty_groups"], Honoured),
    (&["user"], Noted("Ansible has the bake's own login: root's in a direct bake, else that of ssh_username")),
    (&["inventory_file", "inventory_directory", "galaxy_file", "galaxy_command", "galaxy_force_install"], Honoured),
    (&["galaxy_force_with_deps", "roles_path", "collections_path", "command"], Honoured),
    (
        &["use_proxy", "local_port", "ssh_host_key_file", "ssh_authorized_key_file", "sftp_command", "use_sftp"],
        Noted(CONNECTION),
    ),
    (
        &["ansible_proxy_key_type", "ansible_proxy_host", "ansible_proxy_bind_address", "ansible_ssh_extra_args"],
        Noted(CONNECTION),
    ),
    (&["skip_version_check"], Noted("the version is always known: it is part of a layer's key")),
    (&["keep_inventory_file"], Noted("`ovenbird plan` shows the inventory")),
    (
        &["inventory_file_template"],
        Refused("the inventory is Ovenbird's; use groups, host_alias and inventory_directory"),
    ),
    (&["ansible_winrm_use_http"], Refused("Windows images are not supported")),
];

/// Reads a provisioner. `None` when its playbook is missing or wrong; that has been reported.
pub(crate) fn read(fields: &Fields<'_>) -> Option<Ansible> {
    options::check(fields, OPTIONS);
    let playbook_file = fields.required_text("playbook_file", "the playbook to run, such as web/playbook.yml");
    let ansible = Ansible {
        playbook_file: String::new(),
        extra_arguments: fields.deferred_texts("extra_arguments"),
        ansible_env_vars: fields.deferred_texts("ansible_env_vars"),
        host_alias: fields.text("host_alias").unwrap_or_else(|| "default".to_owned()),
        groups: fields.texts("groups"),
        empty_groups: fields.texts("empty_groups"),
        inventory_file: fields.text("inventory_file"),
        inventory_directory: fields.text("inventory_directory"),
        galaxy_file: fields.text("galaxy_file"),
        galaxy_command: fields.text("galaxy_command"),
        galaxy_force_install: fields.boolean("galaxy_force_install").unwrap_or(false),
        galaxy_force_with_deps: fields.boolean("galaxy_force_with_deps").unwrap_or(false),
        roles_path: fields.text("roles_path"),
        collections_path: fields.text("collections_path"),
        command: fields.text("command"),
    };
    Some(Ansible { playbook_file: playbook_file?, ..ansible })
}
