//! `ovenbird local down`

use std::time::Duration;

use ovenbird_disk::process::Process;
use rustix::process::Signal;

use super::Context;
use super::serve;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

/// Every instance gets its time to shut down.
const STOP: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Also forget everything: images, volumes, parameters
    #[arg(long)]
    delete: bool,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let state = folders::local()?;
    let status = ovenbird_local::status(&state).map_err(|error| Failure::of(Kind::Failed, &error))?;
    let daemon = status.pid.filter(|_| status.running).and_then(Process::find);
    let was_killed = daemon.is_none() && ovenbird_local::was_killed(&state);
    if let Some(daemon) = &daemon {
        daemon.signal(Signal::TERM);
        daemon.wait_for_end(STOP).map_err(|error| {
            Failure::of(Kind::Failed, &error).hint(format!("its log: {}", state.join("daemon.log").display()))
        })?;
    } else if was_killed {
        serve::end_what_a_killed_daemon_left(state.clone())?;
    }
    if arguments.delete && state.exists() {
        fs_err::remove_dir_all(&state)?;
    }
    if context.output.is_json() {
        context.output.data(&serde_json::json!({ "was_running": daemon.is_some(), "deleted": arguments.delete }));
    } else {
        let forgot =
            if arguments.delete { "; everything in it is deleted" } else { "; images, volumes and parameters stay" };
        let ended = match (daemon, was_killed) {
            (Some(_), _) => "the embedded EC2 is down",
            (None, true) => "the embedded EC2 had been killed, and the instances that it left are ended",
            (None, false) => "the embedded EC2 was not running",
        };
        context.output.print(&format!("{ended}{forgot}"));
    }
    Ok(())
}
