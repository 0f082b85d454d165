//! What `shell` and `shell-local` have in common: scripts and their variables (packer-plugin-sdk, shell).

use std::path::PathBuf;

use ovenbird_template::Deferred;
use ovenbird_template::Script;
use ovenbird_template::SourceAmi;

use crate::error::BakeError;
use crate::error::working;
use crate::request::Request;

/// A script: a name for messages, and its bytes.
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    /// Its file on this machine, if it has one.
    pub(crate) file: Option<PathBuf>,
}

/// The scripts in order. Files are found from where the bake was started.
///
/// # Errors
/// A value that is not there, a file that cannot be read.
pub(crate) fn list_scripts(request: &Request, script: &Script, ami: &SourceAmi) -> Result<Vec<Written>, BakeError> {
    let render = |text: &Deferred| text.render(ami).map_err(working("render a script"));
    match script {
        Script::Inline { lines, shebang } => {
            let lines: Vec<String> = lines.iter().map(render).collect::<Result<_, _>>()?;
            let content = format!("#!{shebang}\n{}\n", lines.join("\n"));
            Ok(vec![Written { name: "the inline script".to_owned(), content: content.into_bytes(), file: None }])
        }
        Script::Files(files) => files
            .iter()
            .map(|file| {
                let name = render(file)?;
                let path = request.directory.join(&name);
                let content = fs_err::read(&path).map_err(working("read a script"))?;
                Ok(Written { name, content, file: Some(path) })
            })
            .collect(),
    }
}

/// The variables of a run, sorted by name: Packer's own, then those of the template.
///
/// # Errors
/// A value that is not there.
pub(super) fn variables(
    request: &Request,
    given: &[(String, Deferred)],
    ami: &SourceAmi,
) -> Result<Vec<(String, String)>, BakeError> {
    let mut all = vec![
        ("PACKER_BUILD_NAME".to_owned(), request.build.name.clone()),
        ("PACKER_BUILDER_TYPE".to_owned(), request.build.kind.clone()),
    ];
    for (name, value) in given {
        let value = value.render(ami).map_err(working(format!("render the variable {name}")))?;
        all.retain(|(known, _)| known != name);
        all.push((name.clone(), value));
    }
    all.sort();
    Ok(all)
}

/// The variables as a shell reads them. `format` has a `%s` for the name and one for the value, which is in single quotes there.
pub(super) fn formatted(variables: &[(String, String)], format: &str) -> String {
    let one = |(name, value): &(String, String)| {
        format.replacen("%s", name, 1).replacen("%s", &value.replace('\'', r#"'"'"'"#), 1)
    };
    variables.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_word() {
        let variables = [("A".to_owned(), "it's %s".to_owned()), ("B".to_owned(), String::new())];
        assert_eq!(formatted(&variables, "%s='%s' "), r#"A='it'"'"'s %s' B='' "#);
    }
}
