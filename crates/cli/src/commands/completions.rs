//! `ovenbird completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

/// Print a completion script for a shell
///
/// Print a completion script for a shell, for example: ovenbird completions bash > /etc/bash_completion.d/ovenbird
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::args::Arguments::command(), "ovenbird", &mut script);
    // A reader that went away is no failure of ours.
    drop(std::io::Write::write_all(&mut anstream::stdout(), &script));
}
