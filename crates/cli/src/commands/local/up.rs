//! `ovenbird local up`

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum as _;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::Status;

use super::Context;
use super::serve::Conduct;
use super::serve::EngineName;
use super::serve::PORT;
use super::serve::REGION;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

/// How long the daemon may take to answer; it finds its instances again first.
const START: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// What runs the instances
    #[arg(long, value_enum, default_value_t = EngineName::Container)]
    engine: EngineName,
    /// Give instances a way out, as a public subnet does; without it they reach the metadata service alone
    #[arg(long)]
    internet: bool,
    #[command(flatten)]
    conduct: Conduct,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    arguments.conduct.read()?;
    let state = folders::local()?;
    let found = ovenbird_local::status(&state).map_err(|error| Failure::of(Kind::Failed, &error))?;
    if found.running {
        return tell(context, &found, "was running already");
    }
    if !rustix::process::geteuid().is_root() && arguments.engine != EngineName::Pretend {
        return Err(Failure::usage(
            "the embedded EC2 boots instances, which needs root: mounts, loop devices, network namespaces",
        )
        .hint("run it with sudo; or with --engine pretend, where nothing runs"));
    }
    if arguments.internet && arguments.engine != EngineName::Container {
        return Err(Failure::usage("only containers can have a way out: --internet goes with --engine container"));
    }
    fs_err::create_dir_all(&state)?;
    let log = state.join("daemon.log");
    let start = fs_err::metadata(&log).map(|found| found.len()).unwrap_or_default();
    let mut daemon = spawn(context, arguments, &log)?;
    let answered = wait_until(START, Duration::from_millis(50), || match daemon.try_wait() {
        Some(_) => Some(None),
        None => ovenbird_local::status(&state).ok().filter(|status| status.running).map(Some),
    });
    match answered {
        Ok(Some(status)) => tell(context, &status, "is up"),
        Ok(None) => {
            Err(Failure::new(Kind::Failed, "the embedded EC2 ended while it started").picture(tail(&log, start)))
        }
        Err(_) => {
            daemon.process().end(Duration::from_secs(5));
            Err(Failure::new(Kind::Failed, format!("the embedded EC2 did not answer within {} s", START.as_secs()))
                .picture(tail(&log, start)))
        }
    }
}

fn spawn(context: Context<'_>, arguments: &Arguments, log: &Path) -> Result<ovenbird_disk::tool::Detached, Failure> {
    let program = std::env::current_exe()?;
    let engine = arguments.engine.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    Tool::new(program.to_string_lossy())
        .doing("start the embedded EC2")
        .args(["local", "serve", "--engine", &engine, "--port", &arguments.port.to_string()])
        .args(arguments.internet.then_some("--internet"))
        .args(arguments.conduct.arguments()?)
        .args(["--default-region", context.global.region.as_deref().unwrap_or(REGION)])
        .spawn_detached(log)
        .map_err(|error| Failure::of(Kind::Failed, &error))
}

fn tell(context: Context<'_>, status: &Status, how: &str) -> Result<(), Failure> {
    if context.output.is_json() {
        let Status { url, pid, region, engine, faults, delays, .. } = status;
        context.output.data(&serde_json::json!({
            "url": url, "pid": pid, "region": region, "engine": engine, "faults": faults, "delays": delays
        }));
    } else {
        context.output.print(&format!(
            "the embedded EC2 {how} at {} (region {}, engine {})",
            status.url.as_deref().unwrap_or_default(),
            status.region.as_deref().unwrap_or_default(),
            status.engine.as_deref().unwrap_or_default()
        ));
        super::status::tell_conduct(context, status);
        context.output.note("point other tools at it: eval \"$(ovenbird local env)\"");
    }
    Ok(())
}

/// What this daemon wrote to the log, at most its last 20 lines.
fn tail(log: &Path, start: u64) -> String {
    let text = fs_err::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(text.get(usize::try_from(start).unwrap_or_default()..).unwrap_or_default())
        .into_owned();
    let lines: Vec<&str> = text.lines().collect();
    format!("{}\n  (from {})", lines[lines.len().saturating_sub(20)..].join("\n"), log.display())
}
