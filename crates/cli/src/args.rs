//! What can be typed.

use clap::Args;
use clap::Parser;
use clap::Subcommand;

use crate::commands;

/// Golden images that provision themselves
///
/// Bakes a service into a machine image once, promotes that very image from environment to environment, and lets every
/// instance provision itself from a few lines of JSON.
#[derive(Debug, Parser)]
#[command(name = "ovenbird", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Answer in JSON on standard output (long work: one event a line)
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Use this profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this region
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Use AWS's own chain of credentials, even if neither profile nor keys are set (an instance's role)
    #[arg(long, global = true)]
    pub aws: bool,
    /// Run as if started in this folder
    #[arg(long, short = 'C', global = true, value_name = "FOLDER")]
    pub directory: Option<std::path::PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a template without any AWS
    Validate(commands::validate::Arguments),
    /// Show what a bake would do, layer by layer, and why; changes nothing
    Plan(commands::plan::Arguments),
    /// Bake a service's template into an image
    Bake(commands::bake::Arguments),
    /// Launch one instance of a service
    Launch(commands::launch::Arguments),
    /// End instances
    Terminate(commands::terminate::Arguments),
    /// Let the next environment use the very image of the one before it
    Promote(commands::promote::Arguments),
    /// Record which images are in use (the scheduled job, by hand)
    Inventory(commands::inventory::Arguments),
    /// Delete images that nothing uses any more (the scheduled job, by hand)
    Cleanup(commands::cleanup::Arguments),
    /// List the images of this account
    Images(commands::images::Arguments),
    /// Show environments, their images and their instances at a glance
    Status(commands::status::Arguments),
    /// Find what cut-off bakes left behind, and what is wrong
    Doctor(commands::doctor::Arguments),
    /// The embedded EC2
    #[command(subcommand)]
    Local(commands::local::Command),
    /// Print a completion script for a shell
    Completions(commands::completions::Arguments),
}
