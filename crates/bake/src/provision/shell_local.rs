//! `shell-local`: scripts that run on this machine, as a provisioner and as a post-processor (packer-plugin-sdk, shell-local).

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use ovenbird_template::Deferred;
use ovenbird_template::ShellLocal;
use ovenbird_template::SourceAmi;

use super::Site;
use super::script;
use super::script::Written;
use crate::error::BakeError;
use crate::error::working;
use crate::request::Request;

/// All that a shell can end with and that a template may take for a success.
const CODES: std::ops::RangeInclusive<i32> = 1..=255;

pub(super) fn run_for(
    site: &mut Site<'_>,
    title: &str,
    shell: &ShellLocal,
    deadline: Instant,
) -> Result<(), BakeError> {
    let (request, ami) = (site.request, site.ami);
    run(request, ami, (title, shell), deadline, &mut |line| site.say(title, line))
}

/// Runs the scripts, and hands over what they print.
///
/// # Errors
/// A script that ends with another code than the template allows; what cannot be read or rendered.
pub(crate) fn run(
    request: &Request,
    ami: &SourceAmi,
    (title, shell): (&str, &ShellLocal),
    deadline: Instant,
    say: &mut dyn FnMut(&str) -> Result<(), BakeError>,
) -> Result<(), BakeError> {
    if !shell.only_on.is_empty() && !shell.only_on.iter().any(|system| system == "linux") {
        return say("not for this operating system");
    }
    let variables = script::variables(request, &shell.environment, ami)?;
    let vars = script::formatted(&variables, &shell.env_var_format);
    for script in script::list_scripts(request, &shell.script, ami)? {
        let doing = format!("run {} of {title}", script.name);
        let (path, _kept) = file(&script, shell.tempfile_extension.as_deref()).map_err(working(&*doing))?;
        let values = BTreeMap::from([("Vars", vars.as_str()), ("Script", path.as_str()), ("Command", path.as_str())]);
        let tool = command(request, (&shell.execute_command, &values, ami), &doing)?;
        let mut said = Ok(());
        let ended = tool.accept(CODES).deadline(super::left(deadline)).run_lines(|line| {
            let (Line::Out(text) | Line::Err(text)) = line;
            if said.is_ok() {
                said = say(text);
            }
        });
        said?;
        let output = ended
            .map_err(|error| if error.is_interrupted() { BakeError::Interrupted } else { working(&*doing)(error) })?;
        super::judge(output.code, &shell.valid_exit_codes, &doing)?;
    }
    Ok(())
}

fn command(
    request: &Request,
    (words, values, ami): (&[Deferred], &BTreeMap<&str, &str>, &SourceAmi),
    doing: &str,
) -> Result<Tool, BakeError> {
    let rendered = words.iter().map(|word| word.render_with(ami, values)).collect::<Result<Vec<_>, _>>();
    let words = rendered.map_err(working("render execute_command"))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(BakeError::Unsupported("`execute_command` of shell-local is empty".to_owned()));
    };
    Ok(Tool::new(program).doing(doing).args(arguments).current_dir(&request.directory))
}

/// The script's own file, or one that goes when the second is dropped.
fn file(script: &Written, extension: Option<&str>) -> std::io::Result<(String, Option<tempfile::TempPath>)> {
    if let Some(path) = &script.file {
        make_executable(path)?;
        return Ok((path.display().to_string(), None));
    }
    let suffix = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    let mut file = tempfile::Builder::new().prefix("ovenbird-shell-").suffix(&suffix).tempfile()?;
    std::io::Write::write_all(&mut file, &script.content)?;
    let path = file.into_temp_path();
    make_executable(&path)?;
    Ok((path.display().to_string(), Some(path)))
}

/// Packer does so too.
fn make_executable(path: &Path) -> std::io::Result<()> {
    fs_err::set_permissions(path, PermissionsExt::from_mode(0o755))
}
