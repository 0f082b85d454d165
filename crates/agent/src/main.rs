//! `ovenbird-agent`: see [`ovenbird_agent::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ovenbird_agent::command::main(std::env::args_os().skip(1).collect())
}
