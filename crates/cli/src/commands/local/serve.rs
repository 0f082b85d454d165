//! `ovenbird local serve`: the daemon itself. `up` runs it in the background.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use ovenbird_local::Clock;
use ovenbird_local::Daemon;
use ovenbird_local::Options;
use ovenbird_local::Stop;
use ovenbird_local::engine::Engine;
use ovenbird_local::engine::container::Container;
use ovenbird_local::engine::pretend::Pretend;
use ovenbird_local::engine::qemu::Qemu;

use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

/// Where it listens unless told otherwise.
pub(super) const PORT: u16 = 4580;
pub(super) const REGION: &str = "us-east-1";

/// What runs the instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EngineName {
    /// The image's own userland in a container: a second to start, but this machine's kernel
    Container,
    /// A virtual machine with the image's own kernel and firmware; slow where there is no KVM
    Qemu,
    /// Nothing runs; for tests of the API alone
    Pretend,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// What runs the instances
    #[arg(long, value_enum, default_value_t = EngineName::Container)]
    engine: EngineName,
    /// The region of calls that name none
    #[arg(long = "default-region", default_value = REGION)]
    region: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("OVENBIRD_LOG").unwrap_or_else(|_| "info".into()))
        .init();
    let services = services()?;
    let state = folders::local()?;
    let engine: Arc<dyn Engine> = match arguments.engine {
        EngineName::Container => Arc::new(Container::new(services.handle().clone())),
        EngineName::Qemu => Arc::new(Qemu::new(services.handle().clone(), state.clone())),
        EngineName::Pretend => Arc::new(Pretend::default()),
    };
    let options = Options {
        state,
        port: arguments.port,
        engine,
        default_region: arguments.region.clone(),
        clock: Clock::default(),
    };
    Daemon::serve(options).map_err(|error| Failure::of(Kind::Failed, &error))
}

/// Ends the instances of a daemon that was killed: one that starts only to end takes them up, and along.
pub(super) fn end_what_a_killed_daemon_left(state: PathBuf) -> Result<(), Failure> {
    let services = services()?;
    // Whatever engine they run in: to end a virtual machine needs less than to end a container.
    let engine = Arc::new(Container::new(services.handle().clone()));
    let options = Options { state, port: 0, engine, default_region: REGION.to_owned(), clock: Clock::default() };
    let (stop, stopped) = Stop::new();
    stop.stop();
    Daemon::serve_until(options, stopped).map_err(|error| Failure::of(Kind::Failed, &error))
}

/// The engines' own services (metadata, forwarding) run beside the front.
fn services() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
