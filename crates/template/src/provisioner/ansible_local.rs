//! The provisioner `ansible-local`: a play that the machine that becomes the image runs itself. (packer.md 2.3)

use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Type of the provisioner in templates.
pub(crate) const TYPE: &str = "ansible-local";

/// Playbooks that are uploaded and run with the connection `local`. Paths of this machine are as the template writes them;
/// relative ones count from the working folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsibleLocal {
    /// The playbooks, in order. Never empty.
    pub playbook_files: Vec<String>,
    /// A whole tree of Ansible's, which is uploaded first.
    pub playbook_dir: Option<String>,
    /// Folders of further playbooks.
    pub playbook_paths: Vec<String>,
    /// Folders of roles, each of one role.
    pub role_paths: Vec<String>,
    /// Folders of collections.
    pub collection_paths: Vec<String>,
    /// A folder of `group_vars`.
    pub group_vars: Option<String>,
    /// A folder of `host_vars`.
    pub host_vars: Option<String>,
    /// Arguments of `ansible-playbook`.
    pub extra_arguments: Vec<Deferred>,
    /// An inventory of the user's own.
    pub inventory_file: Option<String>,
    /// Groups of the generated inventory that `127.0.0.1` is in.
    pub inventory_groups: Vec<String>,
    /// Requirements of `ansible-galaxy`.
    pub galaxy_file: Option<String>,
    /// The program to fetch them.
    pub galaxy_command: String,
    /// Whether to fetch them again, `--force`.
    pub galaxy_force_install: bool,
    /// Where roles are fetched to, in the image; `None`: `galaxy_roles` in the staging folder.
    pub galaxy_roles_path: Option<String>,
    /// Where collections are fetched to, in the image; `None`: `galaxy_collections` in the staging folder.
    pub galaxy_collections_path: Option<String>,
    /// Folder in the image that everything is uploaded to; `None`: a fresh one.
    pub staging_directory: Option<String>,
    /// Whether the folder is removed afterwards.
    pub clean_staging_directory: bool,
    /// What a shell in the image is given as the program.
    pub command: String,
}

pub(crate) const OPTIONS: &[Row] = &[
    super::COMMON,
    (
        &["playbook_file", "playbook_files", "playbook_dir", "playbook_paths", "role_paths", "collection_paths"],
        Honoured,
    ),
    (&["group_vars", "host_vars", "extra_arguments", "inventory_file", "inventory_groups"], Honoured),
    (
        &["galaxy_file", "galaxy_command", "galaxy_force_install", "galaxy_roles_path", "galaxy_collections_path"],
        Honoured,
    ),
    (&["staging_directory", "clean_staging_directory", "command"], Honoured),
];

const COMMAND: &str = "ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook";

/// Reads a provisioner. `None` when it has no playbook; that has been reported.
pub(super) fn read(fields: &Fields<'_>) -> Option<AnsibleLocal> {
    options::check(fields, OPTIONS);
    let playbook_files = playbooks(fields);
    let local = AnsibleLocal {
        playbook_files: Vec::new(),
        playbook_dir: fields.text("playbook_dir"),
        playbook_paths: fields.texts("playbook_paths"),
        role_paths: fields.texts("role_paths"),
        collection_paths: fields.texts("collection_paths"),
        group_vars: fields.text("group_vars"),
        host_vars: fields.text("host_vars"),
        extra_arguments: fields.deferred_texts("extra_arguments"),
        inventory_file: fields.text("inventory_file"),
        inventory_groups: fields.texts("inventory_groups"),
        galaxy_file: fields.text("galaxy_file"),
        galaxy_command: fields.text("galaxy_command").unwrap_or_else(|| "ansible-galaxy".to_owned()),
        galaxy_force_install: fields.boolean("galaxy_force_install").unwrap_or(false),
        galaxy_roles_path: fields.text("galaxy_roles_path"),
        galaxy_collections_path: fields.text("galaxy_collections_path"),
        staging_directory: fields.text("staging_directory"),
        clean_staging_directory: fields.boolean("clean_staging_directory").unwrap_or(false),
        command: fields.text("command").unwrap_or_else(|| COMMAND.to_owned()),
    };
    Some(AnsibleLocal { playbook_files: playbook_files?, ..local })
}

fn playbooks(fields: &Fields<'_>) -> Option<Vec<String>> {
    let is_given = |name: &str| fields.find(name).is_some_and(|node| fields.asks_for(node));
    let files = match (is_given("playbook_file"), is_given("playbook_files")) {
        (true, true) => {
            let span = fields.find("playbook_files").map(|node| node.span.clone()).unwrap_or_default();
            let help = Some("keep one of them".to_owned());
            fields.findings.error(&span, "`playbook_file` and `playbook_files` are both there", help);
            return None;
        }
        (true, false) => fields.text("playbook_file").into_iter().collect(),
        (false, true) => fields.texts("playbook_files"),
        (false, false) => {
            fields.missing("playbook_file", "the playbook to run, such as web/playbook.yml");
            return None;
        }
    };
    // What was wrong has been reported.
    Some(files).filter(|files| !files.is_empty())
}
