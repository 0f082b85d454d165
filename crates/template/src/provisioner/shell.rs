//! The provisioner `shell`: scripts that run on the machine that becomes the image. (packer.md 2.2; packer,
//! provisioner/shell/provisioner.go)

use std::time::Duration;

use super::script;
use super::script::Script;
use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::LaunchOnly;

/// Type of the provisioner in templates.
pub(crate) const TYPE: &str = "shell";

/// What `execute_command` may ask for.
const COMMAND_VALUES: &[&str] = &["Vars", "Path", "EnvVarFile"];

/// Scripts that are uploaded and run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// What runs.
    pub script: Script,
    /// Variables of the run, in order; names are unique.
    pub environment: Vec<(String, Deferred)>,
    /// How the script is called, with the further values `Vars`, `Path` and `EnvVarFile`. ([`Deferred::render_with`])
    pub execute_command: Deferred,
    /// How one variable is written, where the first `%s` is its name and the second its value.
    pub env_var_format: String,
    /// Whether the variables go into a file, whose path is `EnvVarFile`.
    pub use_env_var_file: bool,
    /// Folder that scripts are uploaded to.
    pub remote_folder: String,
    /// Name of the uploaded script; `None`: one that is free, `script_NNNN.sh`.
    pub remote_file: Option<String>,
    /// Path of the uploaded script, instead of the two above.
    pub remote_path: Option<String>,
    /// Whether a script may lose the connection, as by a reboot.
    pub expect_disconnect: bool,
    /// To wait after each script.
    pub pause_after: Duration,
    /// Whether the uploaded scripts stay.
    pub skip_clean: bool,
    /// Exit codes that mean that all is well. Never empty.
    pub valid_exit_codes: Vec<i32>,
    /// How long to try to start a script while the machine cannot be reached. Never zero.
    pub start_retry_timeout: Duration,
    /// Whether files are binary, so that line ends of Windows stay.
    pub binary: bool,
}

pub(crate) const OPTIONS: &[Row] = &[
    super::COMMON,
    (&["inline", "script", "scripts", "inline_shebang", "execute_command", "environment_vars", "env"], Honoured),
    (&["env_var_format", "use_env_var_file", "remote_folder", "remote_file", "remote_path"], Honoured),
    (&["pause_after", "skip_clean", "valid_exit_codes", "binary"], Honoured),
    (&["expect_disconnect", "start_retry_timeout"], LaunchOnly),
];

/// Reads a provisioner. `None` when nothing is to run; that has been reported.
pub(super) fn read(fields: &Fields<'_>) -> Option<Shell> {
    options::check(fields, OPTIONS);
    let script = script::read(fields, &["inline", "script", "scripts"]);
    let use_env_var_file = fields.boolean("use_env_var_file").unwrap_or(false);
    let (command, format) = defaults(use_env_var_file);
    let execute_command = fields.deferred_with("execute_command", COMMAND_VALUES);
    let shell = Shell {
        script: Script::Files(Vec::new()),
        environment: script::environment(fields),
        execute_command: execute_command
            .filter(|command| command.find_literal() != Some(""))
            .unwrap_or_else(|| Deferred::of_fields(command)),
        env_var_format: fields.text("env_var_format").unwrap_or_else(|| format.to_owned()),
        use_env_var_file,
        remote_folder: fields.text("remote_folder").unwrap_or_else(|| "/tmp".to_owned()),
        remote_file: fields.text("remote_file"),
        remote_path: fields.text("remote_path"),
        expect_disconnect: fields.boolean("expect_disconnect").unwrap_or(false),
        pause_after: fields.duration("pause_after").unwrap_or(Duration::ZERO),
        skip_clean: fields.boolean("skip_clean").unwrap_or(false),
        valid_exit_codes: script::exit_codes(fields),
        start_retry_timeout: fields
            .duration("start_retry_timeout")
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(Duration::from_secs(300)),
        binary: fields.boolean("binary").unwrap_or(false),
    };
    Some(Shell { script: script?, ..shell })
}

/// Packer's defaults of `execute_command` and `env_var_format`.
fn defaults(use_env_var_file: bool) -> (&'static str, &'static str) {
    if use_env_var_file {
        ("chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}", "export %s='%s'\n")
    } else {
        ("chmod +x {{.Path}}; {{.Vars}} {{.Path}}", "%s='%s' ")
    }
}
