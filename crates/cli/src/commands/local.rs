//! `ovenbird local`: the embedded EC2.

mod base;
mod disk;
mod down;
mod env;
mod import;
mod serve;
mod status;
mod up;

use super::Context;
use super::wait_for;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Start the embedded EC2 on loopback, in the background
    Up(up::Arguments),
    /// End the embedded EC2 and every instance in it; images, volumes and parameters stay
    Down(down::Arguments),
    /// Print what points other AWS tools at it: eval "$(ovenbird local env)"
    Env(env::Arguments),
    /// Build a bootable base image and register it as its distribution does
    Base(base::Arguments),
    /// Register a raw or qcow2 disk image
    Import(import::Arguments),
    /// Show what it holds and which calls it got
    Status(status::Arguments),
    /// Serve in the foreground
    #[command(hide = true)]
    Serve(serve::Arguments),
}

pub(crate) fn run(context: Context<'_>, command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(arguments) => up::run(context, &arguments),
        Command::Down(arguments) => down::run(context, &arguments),
        Command::Env(arguments) => env::run(context, &arguments),
        Command::Base(arguments) => wait_for(base::run(context, &arguments)),
        Command::Import(arguments) => wait_for(import::run(context, &arguments)),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    }
}

/// The keys of an account at the embedded EC2.
fn keys(account: &str) -> Result<ovenbird_local::Credentials, Failure> {
    ovenbird_local::credentials(&crate::folders::local()?, account)
        .map_err(|error| Failure::of(crate::failure::Kind::Failed, &error))?
        .ok_or_else(|| Failure::usage(format!("`{account}` is no account id, which has 12 digits")))
}
