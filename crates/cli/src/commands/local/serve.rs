//! `ovenbird local serve`: the daemon itself. `up` runs it in the background.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use ovenbird_local::Clock;
use ovenbird_local::Daemon;
use ovenbird_local::Delays;
use ovenbird_local::FaultTable;
use ovenbird_local::Faults;
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

/// How the endpoint behaves where it could behave better.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Conduct {
    /// How long things take: `none`, or `ec2` for what is published; rows may differ: `ec2,instance-running=12s`
    #[arg(long, value_name = "TABLE", default_value = "none")]
    delays: String,
    /// Faults that AWS is known for, and the share of calls that meet them: `throttle-account=5%,hang=1%`, `all=5%`
    #[arg(long, value_name = "MODE[=RATE],…", default_value = "none")]
    faults: String,
    /// With the same seed the same calls meet the same faults; drawn and shown where it is not given
    #[arg(long, value_name = "NUMBER")]
    fault_seed: Option<u64>,
}

impl Conduct {
    /// Reads both tables, so that a bad one is told before anything starts.
    pub(super) fn read(&self) -> Result<(Delays, FaultTable), Failure> {
        let delays = Delays::parse(&self.delays).map_err(|error| Failure::usage(error.to_string()))?;
        let seed = self.fault_seed.map_or_else(draw_seed, Ok)?;
        let faults = FaultTable::parse(&self.faults, seed).map_err(|error| Failure::usage(error.to_string()))?;
        Ok((delays, faults))
    }

    /// The same as arguments of `local serve`.
    pub(super) fn arguments(&self) -> Result<Vec<String>, Failure> {
        let (_, faults) = self.read()?;
        let seed = faults.seed.to_string();
        let pairs = [("--delays", &self.delays), ("--faults", &self.faults), ("--fault-seed", &seed)];
        Ok(pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value.clone()]).collect())
    }
}

/// A short one: it may have to be typed again.
fn draw_seed() -> Result<u64, Failure> {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).map_err(|error| Failure::of(Kind::Failed, &error))?;
    Ok(u16::from_be_bytes(bytes).into())
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// What runs the instances
    #[arg(long, value_enum, default_value_t = EngineName::Container)]
    engine: EngineName,
    /// Gives instances a way out
    #[arg(long)]
    internet: bool,
    #[command(flatten)]
    pub(super) conduct: Conduct,
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
    let (delays, faults) = arguments.conduct.read()?;
    let services = services()?;
    let state = folders::local()?;
    let engine: Arc<dyn Engine> = match arguments.engine {
        EngineName::Container => {
            let engine = Container::new(services.handle().clone());
            Arc::new(if arguments.internet { engine.with_internet() } else { engine })
        }
        EngineName::Qemu => Arc::new(Qemu::new(services.handle().clone(), state.clone())),
        EngineName::Pretend => Arc::new(Pretend::default()),
    };
    let options = Options {
        state,
        port: arguments.port,
        engine,
        default_region: arguments.region.clone(),
        clock: Clock::default(),
        faults: Faults::of(faults),
        delays,
    };
    Daemon::serve(options).map_err(|error| Failure::of(Kind::Failed, &error))
}

/// Ends the instances of a daemon that was killed: one that starts only to end takes them up, and along.
pub(super) fn end_what_a_killed_daemon_left(state: PathBuf) -> Result<(), Failure> {
    let services = services()?;
    // Whatever engine they run in: to end a virtual machine needs less than to end a container.
    let engine = Arc::new(Container::new(services.handle().clone()));
    let options = Options {
        state,
        port: 0,
        engine,
        default_region: REGION.to_owned(),
        clock: Clock::default(),
        faults: Faults::default(),
        delays: Delays::default(),
    };
    let (stop, stopped) = Stop::new();
    stop.stop();
    Daemon::serve_until(options, stopped).map_err(|error| Failure::of(Kind::Failed, &error))
}

/// The engines' own services (metadata, forwarding) run beside the front.
fn services() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
