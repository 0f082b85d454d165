//! What a provisioner of the template will run, and everything that decides its result.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ovenbird_core::block::Digest;
use ovenbird_template::AnsibleLocal;
use ovenbird_template::Deferred;
use ovenbird_template::FileTransfer;
use ovenbird_template::Origin;
use ovenbird_template::Provisioner;
use ovenbird_template::ProvisionerKind;
use ovenbird_template::Recipe;
use ovenbird_template::Script;
use ovenbird_template::Shell;
use ovenbird_template::ShellLocal;
use ovenbird_template::SourceAmi;

use super::inputs;
use crate::error::BakeError;
use crate::error::working;
use crate::provision::LateOptions;
use crate::provision::Run;
use crate::provision::Work;
use crate::provision::list_scripts;
use crate::provision::list_sources;
use crate::provision::list_uploads;
use crate::request::Request;

/// A provisioner with its part of a layer's inputs.
pub(super) struct Draft {
    pub(super) run: Run,
    pub(super) files: BTreeMap<String, Digest>,
    pub(super) options: BTreeMap<String, String>,
}

/// Drafts one provisioner.
///
/// # Errors
/// A type that cannot be run, a value or a file that is not there.
pub(super) fn draft(request: &Request, provisioner: &Provisioner, ami: &SourceAmi) -> Result<Draft, BakeError> {
    let mut inputs = Inputs { request, ami, files: BTreeMap::new(), options: BTreeMap::new() };
    let work = match &provisioner.kind {
        ProvisionerKind::Ansible(ansible) => {
            let playbook = inputs::playbook(request, provisioner, ansible, ami)?;
            inputs.files = inputs::files(request, ansible, &playbook)?;
            inputs.options = inputs::options(&request.recipe, &playbook);
            Work::Play(Box::new(playbook), LateOptions::of(ansible))
        }
        ProvisionerKind::AnsibleLocal(local) => {
            inputs.ansible_local(local)?;
            Work::AnsibleLocal(local.clone())
        }
        ProvisionerKind::Shell(shell) => {
            inputs.shell(shell)?;
            Work::Shell(shell.clone())
        }
        ProvisionerKind::File(transfer) => {
            inputs.file(transfer)?;
            Work::File(transfer.clone())
        }
        ProvisionerKind::ShellLocal(shell) => {
            inputs.shell_local(shell)?;
            Work::ShellLocal(shell.clone())
        }
        ProvisionerKind::Breakpoint(breakpoint) => {
            verify_a_person_is_there(request, provisioner, breakpoint.disable)?;
            Work::Breakpoint(breakpoint.clone())
        }
        ProvisionerKind::Sleep(sleep) => Work::Sleep(*sleep),
        ProvisionerKind::Unsupported(unsupported) => return Err(BakeError::Unsupported(unsupported.to_string())),
    };
    let run = Run {
        title: request.recipe.masked(&provisioner.kind.to_string()),
        work,
        pause_before: provisioner.pause_before,
        max_retries: provisioner.max_retries,
        timeout: provisioner.timeout,
    };
    Ok(Draft { run, files: inputs.files, options: inputs.options })
}

fn verify_a_person_is_there(request: &Request, provisioner: &Provisioner, disabled: bool) -> Result<(), BakeError> {
    if disabled || request.has_person {
        return Ok(());
    }
    Err(BakeError::Unsupported(format!(
        "{}: a breakpoint waits for a person, and nobody is at this bake's terminal; set `disable` to true",
        provisioner.place
    )))
}

/// What is collected for a key.
struct Inputs<'a> {
    request: &'a Request,
    ami: &'a SourceAmi,
    files: BTreeMap<String, Digest>,
    options: BTreeMap<String, String>,
}

impl Inputs<'_> {
    fn shell(&mut self, shell: &Shell) -> Result<(), BakeError> {
        self.script("shell", &shell.script)?;
        self.environment(&shell.environment)?;
        let fields = BTreeMap::from([("Vars", "{Vars}"), ("Path", "{Path}"), ("EnvVarFile", "{EnvVarFile}")]);
        let command = shell.execute_command.render_with(self.ami, &fields);
        self.option("execute_command", &command.map_err(working("render execute_command"))?);
        self.option("env_var_format", &shell.env_var_format);
        let place = (&shell.remote_folder, &shell.remote_file, &shell.remote_path);
        self.option("remote", &serde_json::json!(place).to_string());
        let flags = (shell.use_env_var_file, shell.skip_clean, shell.binary, &shell.valid_exit_codes);
        self.option("flags", &serde_json::json!(flags).to_string());
        Ok(())
    }

    fn shell_local(&mut self, shell: &ShellLocal) -> Result<(), BakeError> {
        self.script("shell-local", &shell.script)?;
        self.environment(&shell.environment)?;
        let fields = BTreeMap::from([("Vars", "{Vars}"), ("Script", "{Script}"), ("Command", "{Script}")]);
        let words = shell.execute_command.iter().map(|word| word.render_with(self.ami, &fields));
        let words: Vec<String> = words.collect::<Result<_, _>>().map_err(working("render execute_command"))?;
        self.option("execute_command", &serde_json::json!(words).to_string());
        self.option("env_var_format", &shell.env_var_format);
        self.option("flags", &serde_json::json!((&shell.only_on, &shell.valid_exit_codes)).to_string());
        Ok(())
    }

    /// The texts of inline scripts are options, those of files are files.
    fn script(&mut self, kind: &str, script: &Script) -> Result<(), BakeError> {
        self.option("type", kind);
        self.option("build_name", &self.request.build.name);
        self.option("builder_type", &self.request.build.kind);
        for (number, written) in list_scripts(self.request, script, self.ami)?.into_iter().enumerate() {
            if written.file.is_some() {
                self.files.insert(written.name.clone(), Digest::of(&written.content));
                self.option(&format!("script {number}"), &written.name);
            } else {
                self.option("inline", &String::from_utf8_lossy(&written.content));
            }
        }
        Ok(())
    }

    fn environment(&mut self, variables: &[(String, Deferred)]) -> Result<(), BakeError> {
        for (name, value) in variables {
            let value = value.render(self.ami).map_err(working(format!("render the variable {name}")))?;
            self.option(&format!("env {name}"), &value);
        }
        Ok(())
    }

    fn file(&mut self, transfer: &FileTransfer) -> Result<(), BakeError> {
        self.option("type", "file");
        let destination = transfer.destination.render(self.ami).map_err(working("render `destination`"))?;
        self.option("destination", &destination);
        if let Origin::Content(content) = &transfer.from {
            self.option("content", &content.render(self.ami).map_err(working("render `content`"))?);
        }
        if transfer.direction == ovenbird_template::Direction::Download {
            return Ok(());
        }
        for (number, (name, path)) in list_sources(self.request, transfer, self.ami)?.into_iter().enumerate() {
            self.option(&format!("source {number}"), &name);
            // What an earlier provisioner makes on this machine is told by that one's own inputs.
            if !transfer.generated {
                self.tree(name.trim_end_matches('/'), &path)?;
            }
        }
        Ok(())
    }

    fn ansible_local(&mut self, local: &AnsibleLocal) -> Result<(), BakeError> {
        self.option("type", "ansible-local");
        self.option("build_name", &self.request.build.name);
        self.option("builder_type", &self.request.build.kind);
        let arguments = local.extra_arguments.iter().map(|argument| argument.render(self.ami));
        let arguments: Vec<String> = arguments.collect::<Result<_, _>>().map_err(working("render extra_arguments"))?;
        self.option("extra_arguments", &serde_json::json!(arguments).to_string());
        self.option("playbooks", &serde_json::json!((&local.playbook_files, &local.inventory_groups)).to_string());
        let galaxy = (&local.galaxy_command, &local.galaxy_force_install, &local.galaxy_roles_path);
        self.option("galaxy", &serde_json::json!((galaxy, &local.galaxy_collections_path)).to_string());
        let staging = (&local.staging_directory, local.clean_staging_directory, &local.command);
        self.option("staging", &serde_json::json!(staging).to_string());
        for (path, name) in list_uploads(self.request, local) {
            self.tree(if name.is_empty() { "." } else { &name }, &path)?;
        }
        Ok(())
    }

    /// Every file below `path`, with its permission bits; links are followed, as the copying does.
    fn tree(&mut self, name: &str, path: &Path) -> Result<(), BakeError> {
        let doing = || format!("read {}", path.display());
        for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(working(doing()))?;
            let below = entry.path().strip_prefix(path).unwrap_or(Path::new(""));
            let told = Path::new(name).join(below).to_string_lossy().trim_end_matches('/').to_owned();
            let mode = entry.metadata().map_err(working(doing()))?.permissions().mode() & 0o777;
            let content = if entry.file_type().is_dir() {
                None
            } else {
                Some(fs_err::read(entry.path()).map_err(working(doing()))?)
            };
            let content = content.map_or_else(|| "folder".to_owned(), |content| Digest::of(&content).hex());
            self.files.insert(told, Digest::of(format!("{mode:o} {content}").as_bytes()));
        }
        Ok(())
    }

    /// Manifests keep the options, so a value that holds a secret is told by its digest.
    fn option(&mut self, name: &str, value: &str) {
        self.options.insert(name.to_owned(), told(&self.request.recipe, value));
    }
}

/// `value`, or its digest if it holds a secret.
pub(super) fn told(recipe: &Recipe, value: &str) -> String {
    if recipe.masked(value) == value { value.to_owned() } else { format!("sha256:{}", Digest::of(value.as_bytes())) }
}
