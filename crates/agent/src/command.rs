//! The command line: `run` (the unit), `check FILE`, `status [--json]`.

use std::ffi::OsString;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use ovenbird_core::metadata;

use crate::fault::Fault;
use crate::metadata::read_schema;
use crate::run::run;
use crate::settings::Root;
use crate::settings::Settings;
use crate::status::find_report;
use crate::status::sentence;

const USAGE: &str = "ovenbird-agent provisions the instance that it runs on.

Usage:
  ovenbird-agent run             provision now (what ovenbird-agent.service does)
  ovenbird-agent check FILE      say whether FILE would do as user data for this image
  ovenbird-agent status [--json] say how this boot's provisioning went

Exit codes: 0 ok, 1 failed or refused, 2 wrong usage, 3 (status) not ended yet";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Run,
    Check(PathBuf),
    Status { json: bool },
    Help,
    Version,
}

/// Runs the program with its arguments (without its name).
#[must_use]
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let Some((root, command)) = parse(arguments) else {
        print_error(USAGE);
        return ExitCode::from(2);
    };
    let result = match command {
        Command::Run => {
            return if run(&Settings::from_environment(root)).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Command::Check(file) => check(&Root(root), &file),
        Command::Status { json } => show_status(&Root(root), json),
        Command::Help => print(USAGE),
        Command::Version => print(env!("CARGO_PKG_VERSION")),
    };
    result.unwrap_or_else(|fault| {
        print_error(&fault.sentence);
        ExitCode::FAILURE
    })
}

fn parse(arguments: Vec<OsString>) -> Option<(PathBuf, Command)> {
    let mut root = PathBuf::from("/");
    let mut words = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(word) = rest.next() {
        if word == "--root" {
            root = rest.next()?.into();
        } else {
            words.push(word);
        }
    }
    let texts: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or("?")).collect();
    let command = match texts.as_slice() {
        ["run"] => Command::Run,
        ["check", _] => Command::Check(PathBuf::from(&words[1])),
        ["status"] => Command::Status { json: false },
        ["status", "--json"] => Command::Status { json: true },
        ["help" | "--help" | "-h"] => Command::Help,
        ["version" | "--version"] => Command::Version,
        _ => return None,
    };
    Some((root, command))
}

fn check(root: &Root, file: &Path) -> Result<ExitCode, Fault> {
    let schema = read_schema(root)?;
    let bytes =
        std::fs::read(file).map_err(|error| Fault::lasting(format!("cannot read {}: {error}", file.display())))?;
    match metadata::parse(&bytes, &schema) {
        Ok(metadata) => {
            print(&format!("fits this image ({}), for the environment {}", schema.service, metadata.environment))
        }
        Err(fault) => Err(Fault::lasting(fault.to_string())),
    }
}

fn show_status(root: &Root, json: bool) -> Result<ExitCode, Fault> {
    let report = find_report(root)?;
    let text = match (&report, json) {
        (Some(report), true) => serde_json::to_string(report).unwrap_or_default(),
        (None, true) => r#"{"result":"pending"}"#.to_owned(),
        (report, false) => sentence(report.as_ref()),
    };
    print(&text)?;
    Ok(match report {
        None => ExitCode::from(3),
        Some(report) if report.is_ok() => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

fn print(text: &str) -> Result<ExitCode, Fault> {
    _ = io::stdout().write_all(format!("{text}\n").as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn print_error(text: &str) {
    _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_what_is_taken() {
        let parse = |text: &str| parse(text.split_whitespace().map(OsString::from).collect());
        assert_eq!(parse("run"), Some(("/".into(), Command::Run)));
        assert_eq!(parse("--root /x status --json"), Some(("/x".into(), Command::Status { json: true })));
        assert_eq!(parse("check a.json"), Some(("/".into(), Command::Check("a.json".into()))));
        for wrong in ["", "run now", "check", "--root", "status json", "runs"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
