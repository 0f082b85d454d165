//! The commands, one file each.

pub(crate) mod bake;
pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod images;
pub(crate) mod inventory;
pub(crate) mod launch;
pub(crate) mod local;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod rebuild;
pub(crate) mod sbom;
pub(crate) mod status;
pub(crate) mod terminate;
pub(crate) mod validate;

use ovenbird_disk::interrupt;

use crate::args::Arguments;
use crate::args::Command;
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;

/// What every command gets.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub global: &'a Global,
    pub output: &'a Output,
}

/// Runs the command that was typed. Whatever fails after an interrupt fails because of it.
pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    interrupt::install()?;
    run_command(arguments, output)
        .map_err(|failure| if interrupt::requested() { failure.because_interrupted() } else { failure })
}

fn run_command(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let context = Context { global: &arguments.global, output };
    match arguments.command {
        Command::Validate(arguments) => validate::run(context, &arguments),
        Command::Plan(arguments) => bake::plan(context, &arguments),
        Command::Bake(arguments) => bake::run(context, &arguments),
        Command::Rebuild(arguments) => rebuild::run(context, &arguments),
        Command::Diff(arguments) => diff::run(context, &arguments),
        Command::Sbom(arguments) => sbom::run(context, &arguments),
        Command::Launch(arguments) => wait_for(launch::run(context, &arguments)),
        Command::Terminate(arguments) => wait_for(terminate::run(context, &arguments)),
        Command::Promote(arguments) => wait_for(promote::run(context, &arguments)),
        Command::Inventory(arguments) => wait_for(inventory::run(context, &arguments)),
        Command::Cleanup(arguments) => wait_for(cleanup::run(context, &arguments)),
        Command::Images(arguments) => wait_for(images::run(context, &arguments)),
        Command::Status(arguments) => wait_for(status::run(context, &arguments)),
        Command::Doctor(arguments) => wait_for(doctor::run(context, &arguments)),
        Command::Local(command) => local::run(context, command),
        Command::Completions(arguments) => {
            completions::run(&arguments);
            Ok(())
        }
    }
}

/// Runs asynchronous work on this thread. One thread is enough: block calls wait for the network, tools for each other.
pub(crate) fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
