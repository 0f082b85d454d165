//! `shell`: scripts that are uploaded and run (packer, provisioner/shell).

use std::collections::BTreeMap;
use std::time::Instant;

use ovenbird_core::block::Digest;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::ToolError;
use ovenbird_template::Shell;

use super::Site;
use super::pause;
use super::script;
use super::script::Written;
use crate::error::BakeError;
use crate::error::working;
use crate::ssh::quoted;
use crate::target;

/// All that a shell can end with and that a template may take for a success.
const CODES: std::ops::RangeInclusive<i32> = 1..=255;

pub(super) fn run(site: &mut Site<'_>, title: &str, shell: &Shell, deadline: Instant) -> Result<(), BakeError> {
    let variables = script::variables(site.request, &shell.environment, site.ami)?;
    for mut script in script::list_scripts(site.request, &shell.script, site.ami)? {
        if !shell.binary {
            script.content = without_carriage_returns(&script.content);
        }
        run_script(site, (title, shell, &variables), &script, deadline)?;
        pause::wait(shell.pause_after)?;
    }
    Ok(())
}

fn run_script(
    site: &mut Site<'_>,
    (title, shell, variables): (&str, &Shell, &[(String, String)]),
    script: &Written,
    deadline: Instant,
) -> Result<(), BakeError> {
    let doing = format!("run {} of {title}", script.name);
    let (path, variables_path) = paths(shell, script);
    let target = site.target;
    target::write(target, &script.content, &path, 0o755)?;
    let vars = script::formatted(variables, &shell.env_var_format);
    if shell.use_env_var_file {
        target::write(target, vars.as_bytes(), &variables_path, 0o600)?;
    }
    let values =
        BTreeMap::from([("Vars", vars.as_str()), ("Path", path.as_str()), ("EnvVarFile", variables_path.as_str())]);
    let command = shell.execute_command.render_with(site.ami, &values).map_err(working("render execute_command"))?;
    let tool = target.command(&doing, &command).accept(CODES).deadline(super::left(deadline));
    let mut said = Ok(());
    let ended = tool.run_lines(|line| {
        let (Line::Out(text) | Line::Err(text)) = line;
        if said.is_ok() {
            said = site.say(title, text);
        }
    });
    said?;
    let output = ended.map_err(|error| failure(error, &doing))?;
    if !shell.skip_clean {
        let remove = format!("rm -f {} {}", quoted(&path), quoted(&variables_path));
        target.command("remove the script", &remove).run().map_err(|error| failure(error, "remove the script"))?;
    }
    super::judge(output.code, &shell.valid_exit_codes, &doing)
}

/// Where the script and its variables go. Names that follow from the content: a layer's result must not hold chance.
fn paths(shell: &Shell, script: &Written) -> (String, String) {
    let hex = Digest::of(&script.content).hex();
    let number = u32::from_str_radix(&hex[..4], 16).unwrap_or_default() % 10_000;
    let folder = &shell.remote_folder;
    let file = shell.remote_file.clone().unwrap_or_else(|| format!("script_{number:04}.sh"));
    let path = shell.remote_path.clone().unwrap_or_else(|| format!("{folder}/{file}"));
    (path, format!("{folder}/varfile_{number:04}.sh"))
}

fn failure(error: ToolError, doing: &str) -> BakeError {
    if error.is_interrupted() { BakeError::Interrupted } else { working(doing)(error) }
}

fn without_carriage_returns(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.iter().copied().peekable();
    let mut kept = Vec::with_capacity(content.len());
    while let Some(byte) = bytes.next() {
        if !(byte == b'\r' && bytes.peek() == Some(&b'\n')) {
            kept.push(byte);
        }
    }
    kept
}
