//! `shell-local`, the provisioner and the post-processor: scripts that run on the machine that bakes.
//! (packer-plugin-sdk, shell-local/config.go)

use super::script;
use super::script::Script;
use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Refused;

/// Type of the provisioner and the post-processor in templates.
pub(crate) const TYPE: &str = "shell-local";

/// What `execute_command` may ask for. `Command` is an old name of `Script`.
const COMMAND_VALUES: &[&str] = &["Vars", "Script", "Command"];

/// The operating systems that `only_on` may name, as Go calls them.
const SYSTEMS: [&str; 6] = ["darwin", "freebsd", "linux", "openbsd", "solaris", "windows"];

/// Scripts that run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellLocal {
    /// What runs.
    pub script: Script,
    /// Variables of the run, in order; names are unique.
    pub environment: Vec<(String, Deferred)>,
    /// The program and its arguments, with the further values `Vars`, `Script` and `Command`, which is `Script` too.
    /// ([`Deferred::render_with`])
    pub execute_command: Vec<Deferred>,
    /// How one variable is written in `Vars`, where the first `%s` is its name and the second its value.
    pub env_var_format: String,
    /// The operating systems that it runs on; empty: all.
    pub only_on: Vec<String>,
    /// Ending of the file that inline lines are written to, without its dot.
    pub tempfile_extension: Option<String>,
    /// Exit codes that mean that all is well. Never empty.
    pub valid_exit_codes: Vec<i32>,
}

const OWN: Row = (
    &[
        "inline",
        "script",
        "scripts",
        "command",
        "inline_shebang",
        "execute_command",
        "environment_vars",
        "env",
        "env_var_format",
        "only_on",
        "tempfile_extension",
        "valid_exit_codes",
    ],
    Honoured,
);
const WINDOWS: Row = (&["use_linux_pathing"], Refused("Ovenbird runs on Linux, where paths are Linux paths"));

pub(crate) const OPTIONS: &[Row] = &[super::COMMON, OWN, WINDOWS];
pub(crate) const POST_PROCESSOR_OPTIONS: &[Row] =
    &[crate::post_processor::COMMON, crate::post_processor::KEEP, OWN, WINDOWS];

/// Reads a provisioner or post-processor, whose options `table` lists. `None` when nothing is to run; that has been reported.
pub(crate) fn read(fields: &Fields<'_>, table: &[Row]) -> Option<ShellLocal> {
    options::check(fields, table);
    let script = script::read(fields, &["inline", "script", "scripts", "command"]);
    let mut execute_command = fields.deferred_texts_with("execute_command", COMMAND_VALUES);
    if execute_command.is_empty() {
        execute_command = ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"].map(Deferred::of_fields).into();
    }
    let extension = fields.text("tempfile_extension");
    let shell = ShellLocal {
        script: Script::Files(Vec::new()),
        environment: script::environment(fields),
        execute_command,
        env_var_format: fields.text("env_var_format").unwrap_or_else(|| "%s='%s' ".to_owned()),
        only_on: only_on(fields),
        tempfile_extension: extension.map(|extension| extension.trim_start_matches('.').to_owned()),
        valid_exit_codes: script::exit_codes(fields),
    };
    Some(ShellLocal { script: script?, ..shell })
}

fn only_on(fields: &Fields<'_>) -> Vec<String> {
    let systems = fields.texts("only_on");
    let is_wrong = |system: &&String| !SYSTEMS.contains(&system.as_str()) && !fields.is_open("only_on");
    for system in systems.iter().filter(is_wrong) {
        let span = fields.find("only_on").map(|node| node.span.clone()).unwrap_or_default();
        let help = format!("there are {}", SYSTEMS.join(", "));
        fields.findings.error(&span, format!("`only_on` has `{system}`, which is no operating system"), Some(help));
    }
    systems
}
