//! `shell`: scripts that are uploaded and run (packer, provisioner/shell).

use std::collections::BTreeMap;
use std::time::Duration;
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
use crate::ssh::Login;
use crate::ssh::quoted;
use crate::target;
use crate::target::Target;

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
    let vars = script::formatted(variables, &shell.env_var_format);
    insist(target, shell, deadline, &doing, || {
        target::writer(target, &script.content, &path, 0o755).run()?;
        if shell.use_env_var_file {
            target::writer(target, vars.as_bytes(), &variables_path, 0o600).run()?;
        }
        Ok(())
    })?;
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
    let code = ended.map_err(|error| failure(error, &doing))?.code;
    let end = lost_connection(target, code).map_or(End::Exit(code), |_| End::Lost);
    judge(end, (shell.expect_disconnect, &shell.valid_exit_codes), &doing)?;
    if shell.skip_clean {
        return Ok(());
    }
    let doing = "remove the script";
    let remove = format!("rm -f {} {}", quoted(&path), quoted(&variables_path));
    insist(target, shell, deadline, doing, || target.command(doing, &remove).run().map(drop))
}

/// How a script ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Exit(i32),
    /// With its connection: there is no exit code.
    Lost,
}

/// Did it end as the template allows?
fn judge(end: End, (expect_disconnect, valid): (bool, &[i32]), doing: &str) -> Result<(), BakeError> {
    match end {
        End::Exit(code) => super::judge(code, valid, doing),
        End::Lost if expect_disconnect => Ok(()),
        End::Lost => Err(working(doing)(
            "the connection was lost meanwhile; if the script is to break it, as a reboot does, set `expect_disconnect: true`",
        )),
    }
}

/// The connection that was lost under a command that ended with `code`.
fn lost_connection(target: &dyn Target, code: i32) -> Option<&Login> {
    target.connection().filter(|connection| connection.was_lost(code))
}

/// Does `work`, and once more whenever the connection was lost and is there again within `start_retry_timeout`.
fn insist(
    target: &dyn Target,
    shell: &Shell,
    deadline: Instant,
    doing: &str,
    work: impl Fn() -> Result<(), ToolError>,
) -> Result<(), BakeError> {
    let until = Instant::now() + shell.start_retry_timeout.min(super::left(deadline));
    loop {
        let Err(error) = work() else { return Ok(()) };
        let lost = error.code().and_then(|code| lost_connection(target, code));
        let Some(connection) = lost.filter(|_| Instant::now() < until) else { return Err(failure(error, doing)) };
        // Whole seconds, as it is told.
        let patience = Duration::from_secs(super::left(until).as_secs() + 1);
        connection.ensure_connected(patience).map_err(|error| {
            let doing =
                format!("{doing}: the connection was lost, and `start_retry_timeout` says how long it is waited for");
            if error.is_interrupted() { BakeError::Interrupted } else { working(doing)(error) }
        })?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_may_be_lost_where_that_is_expected() {
        let told = |end, expected| judge(end, (expected, &[0, 3]), "run a.sh").err().map(|error| error.chain());
        assert_eq!(told(End::Lost, true), None);
        let lost = told(End::Lost, false).expect("an error");
        assert!(lost.starts_with("could not run a.sh: the connection was lost"), "{lost}");
        assert!(lost.contains("`expect_disconnect: true`"), "{lost}");
        // What is expected need not come, and an exit code is one all the same.
        for expected in [true, false] {
            assert_eq!(told(End::Exit(3), expected), None);
            assert!(told(End::Exit(255), expected).is_some_and(|error| error.contains("exit code 255")));
        }
    }
}
