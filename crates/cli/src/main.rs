//! `ovenbird`: golden images that provision themselves.
//!
//! The command line is the only place that prints, reads the environment and the clock, and turns errors into exit codes.
//! One file per command under `commands/`.

mod account;
mod args;
mod clock;
mod commands;
mod failure;
mod folders;
mod image;
mod output;
mod progress;
mod project;
mod table;
mod template;

use clap::Parser as _;

use crate::args::Arguments;

fn main() -> std::process::ExitCode {
    let words = args::words(std::env::args_os());
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        // Help and the version are answers, also to programs.
        Err(error) if error.use_stderr() && args::want_json(&words) => {
            return failure::Failure::of_words(&error).report(&output::Output::new(true, true));
        }
        Err(error) => error.exit(),
    };
    let output = output::Output::new(arguments.global.json, arguments.global.quiet);
    match commands::run(arguments, &output) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}
