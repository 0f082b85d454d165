//! What a project's `ansible.cfg` says about where things are.
//!
//! Ansible reads the file itself; we need its search paths to add our own folders behind them, and to know what a play can reach.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

/// Where Ansible looks for roles and collections when nothing else is said (`base.yml` of ansible-core).
const ROLES: [&str; 3] = ["~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"];
const COLLECTIONS: [&str; 2] = ["~/.ansible/collections", "/usr/share/ansible/collections"];
const CALLBACKS: [&str; 2] = ["~/.ansible/plugins/callback", "/usr/share/ansible/plugins/callback"];
const CONNECTIONS: [&str; 2] = ["~/.ansible/plugins/connection", "/usr/share/ansible/plugins/connection"];

/// The settings that are in force for a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file that they come from.
    pub file: Option<PathBuf>,
    /// Folders of roles.
    pub roles: Vec<PathBuf>,
    /// Folders of collections (which hold `ansible_collections`).
    pub collections: Vec<PathBuf>,
    /// Folders of callback plugins.
    pub callbacks: Vec<PathBuf>,
    /// Folders of connection plugins.
    pub connections: Vec<PathBuf>,
    /// Files that a run reads because the settings name them: the vault's password.
    pub files: Vec<PathBuf>,
    /// Folders of other plugins that the settings name; they can change what any task does.
    pub plugins: Vec<PathBuf>,
}

/// Where a setting is looked up: Ansible's order, the environment before the file.
struct Source<'a> {
    env: &'a [(String, String)],
    defaults: BTreeMap<String, String>,
    /// Relative paths of the file count from its folder, those of the environment from where Ansible runs.
    folder: PathBuf,
    directory: &'a Path,
}

impl Config {
    /// Finds and reads the settings for a run in `directory`: `ANSIBLE_CONFIG`, `./ansible.cfg` (unless the folder is
    /// world-writable), `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(directory: &Path, env: &[(String, String)]) -> io::Result<Self> {
        let file = find_file(directory, env);
        let text = file.as_ref().map(fs::read_to_string).transpose()?.unwrap_or_default();
        let folder = file.as_deref().and_then(Path::parent).unwrap_or(directory).to_owned();
        let source = Source { env, defaults: parse_defaults(&text), folder, directory };
        let files = ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_BECOME_PASSWORD_FILE"].iter().flat_map(|name| {
            let key = name.trim_start_matches("ANSIBLE_").to_lowercase();
            source.paths(&[name], &[&key], &[])
        });
        let files = files.collect();
        let plugins = source.defaults.iter().filter(|(key, _)| is_plugin_folder(key));
        let plugins = plugins.flat_map(|(_, value)| source.split(value, &source.folder)).collect();
        Ok(Self {
            roles: source.paths(&["ANSIBLE_ROLES_PATH"], &["roles_path"], &ROLES),
            collections: source.paths(
                &["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
                &["collections_path", "collections_paths"],
                &COLLECTIONS,
            ),
            callbacks: source.paths(&["ANSIBLE_CALLBACK_PLUGINS"], &["callback_plugins"], &CALLBACKS),
            connections: source.paths(&["ANSIBLE_CONNECTION_PLUGINS"], &["connection_plugins"], &CONNECTIONS),
            files,
            plugins,
            file,
        })
    }

    /// The search path of roles, with `more` behind.
    pub(super) fn roles_path(&self, more: &[PathBuf]) -> OsString {
        joined(self.roles.iter().chain(more))
    }

    /// The search path of collections, with `more` behind.
    pub(super) fn collections_path(&self, more: &[PathBuf]) -> OsString {
        joined(self.collections.iter().chain(more))
    }

    /// The search path of callback plugins, with `ours` before.
    pub(super) fn callback_path(&self, ours: &Path) -> OsString {
        joined(std::iter::once(&ours.to_owned()).chain(&self.callbacks))
    }

    /// The search path of connection plugins, with `ours` before.
    pub(super) fn connection_path(&self, ours: &Path) -> OsString {
        joined(std::iter::once(&ours.to_owned()).chain(&self.connections))
    }
}

impl Source<'_> {
    fn paths(&self, env: &[&str], keys: &[&str], default: &[&str]) -> Vec<PathBuf> {
        if let Some(value) = env.iter().find_map(|name| variable(self.env, name)) {
            return self.split(&value, self.directory);
        }
        match keys.iter().find_map(|key| self.defaults.get(*key)) {
            Some(value) => self.split(value, &self.folder),
            None => default.iter().map(|path| expand(path, self.directory)).collect(),
        }
    }

    fn split(&self, value: &str, relative_to: &Path) -> Vec<PathBuf> {
        let value = value.replace("{{CWD}}", &self.directory.display().to_string());
        value.split(':').map(str::trim).filter(|path| !path.is_empty()).map(|path| expand(path, relative_to)).collect()
    }
}

fn is_plugin_folder(key: &str) -> bool {
    key.ends_with("_plugins") || matches!(key, "library" | "module_utils")
}

/// The variable as the run will see it: the playbook's own, else the one that this process was started with.
fn variable(env: &[(String, String)], name: &str) -> Option<String> {
    let own = env.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    own.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

fn find_file(directory: &Path, env: &[(String, String)]) -> Option<PathBuf> {
    if let Some(named) = variable(env, "ANSIBLE_CONFIG") {
        let named = expand(&named, directory);
        let file = if named.is_dir() { named.join("ansible.cfg") } else { named };
        if file.is_file() {
            return Some(file);
        }
    }
    let here = (!is_world_writable(directory)).then(|| directory.join("ansible.cfg"));
    let rest = [expand("~/.ansible.cfg", directory), "/etc/ansible/ansible.cfg".into()];
    here.into_iter().chain(rest).find(|file| file.is_file())
}

fn is_world_writable(directory: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(directory).is_ok_and(|found| found.permissions().mode() & 0o002 != 0)
}

fn expand(path: &str, relative_to: &Path) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => relative_to.join(path),
    }
}

fn joined<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> OsString {
    let mut whole = OsString::new();
    for path in paths {
        if !whole.is_empty() {
            whole.push(":");
        }
        whole.push(path);
    }
    whole
}

/// The `[defaults]` of an INI file as Python's `configparser` reads it: `#` and `;` begin a comment line, ` ;` one behind a value.
fn parse_defaults(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut is_defaults = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(section) = line.strip_prefix('[') {
            is_defaults = section.trim_end_matches(']') == "defaults";
        } else if let (true, Some((key, value))) = (is_defaults, line.split_once(['=', ':'])) {
            let value = value.split(" ;").next().unwrap_or_default().trim();
            found.insert(key.trim().to_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_search_paths_of_a_project() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = "[other]\nroles_path = no\n[defaults]\n# roles_path = no\nroles_path = roles:/opt/roles ; more\n\
                    collections_paths: ../ansible\nvault_password_file = .vault\naction_plugins = plugins\n";
        fs::write(dir.path().join("ansible.cfg"), text).expect("written");
        let config = Config::read(dir.path(), &[]).expect("settings");
        assert_eq!(config.roles, [dir.path().join("roles"), "/opt/roles".into()]);
        assert_eq!(config.collections, [dir.path().join("../ansible")]);
        assert_eq!(config.files, [dir.path().join(".vault")]);
        assert_eq!(config.plugins, [dir.path().join("plugins")]);
        let env = [("ANSIBLE_ROLES_PATH".to_owned(), "mine".to_owned())];
        assert_eq!(Config::read(dir.path(), &env).expect("settings").roles, [dir.path().join("mine")]);
        assert_eq!(config.roles_path(&["/x".into()]), format!("{}/roles:/opt/roles:/x", dir.path().display()).as_str());
    }

    #[test]
    fn ignores_the_file_of_a_folder_that_everybody_may_write_to() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("ansible.cfg"), "[defaults]\nroles_path = evil\n").expect("written");
        fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).expect("changed");
        assert!(!Config::read(dir.path(), &[]).expect("settings").roles.contains(&dir.path().join("evil")));
    }
}
