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
    let arguments = Arguments::parse();
    let output = output::Output::new(arguments.global.json, arguments.global.quiet);
    match commands::run(arguments, &output) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}
