//! The daemon: takes a state folder, opens the door, and ends every instance when it is told to go.

use std::io;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::delays::Delays;
use crate::engine::Engine;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::faults::Faults;
use crate::folder::StateFolder;
use crate::front::Door;
use crate::instances;
use crate::server;
use crate::world::World;

/// How often the daemon looks after its instances.
const ROUND: Duration = Duration::from_millis(250);

/// How a daemon is to run.
pub struct Options {
    /// The state folder; made where there is none.
    pub state: PathBuf,
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// What makes instances.
    pub engine: Arc<dyn Engine>,
    /// Region of `ovenbird local env`; calls carry their own.
    pub default_region: String,
    /// The endpoint's clock; `Clock::default()` is the machine's.
    pub clock: Clock,
    /// What AWS is known for, made to happen; `Faults::default()` is nothing.
    pub faults: Faults,
    /// How long things take; `Delays::default()` is no longer than they must.
    pub delays: Delays,
}

/// Why a daemon could not run.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct DaemonError {
    doing: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl DaemonError {
    fn new(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |error| Self { doing, source: Box::new(error) }
    }

    fn of(doing: impl Into<String>) -> impl FnOnce(Failure) -> Self {
        let doing = doing.into();
        move |failure| Self { doing, source: failure.chain().into() }
    }
}

/// `endpoint.json`: how to reach a running daemon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EndpointFile {
    pub(crate) url: String,
    pub(crate) pid: u32,
    pub(crate) region: String,
    pub(crate) started: String,
}

impl EndpointFile {
    /// Reads it; `None` where no daemon is ready.
    pub(crate) fn find(file: &Path) -> Answer<Option<Self>> {
        match fs_err::read(file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, file: &Path) -> io::Result<()> {
        let partial = file.with_extension("partial");
        fs_err::File::create(&partial)?.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        fs_err::rename(partial, file)
    }
}

/// A daemon in this process.
pub struct Daemon;

/// Ends a daemon that [`Daemon::serve_until`] runs.
pub struct Stop(oneshot::Sender<()>);

/// The other end of a [`Stop`].
pub struct Stopped(oneshot::Receiver<()>);

impl Stop {
    /// A stop, and what it ends.
    #[must_use]
    pub fn new() -> (Self, Stopped) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), Stopped(receiver))
    }

    /// Asks the daemon to end.
    pub fn stop(self) {
        // A daemon that ended by itself no longer listens.
        let _ = self.0.send(());
    }
}

impl Daemon {
    /// Runs until SIGTERM or SIGINT, then ends every instance. `endpoint.json` in the state folder says when it is ready.
    ///
    /// # Errors
    /// [`DaemonError`]: the folder is held by another daemon, the port is taken, the state cannot be read.
    pub fn serve(options: Options) -> Result<(), DaemonError> {
        Self::run(options, None)
    }

    /// As [`Self::serve`], and ends when told by the [`Stop`] too.
    ///
    /// # Errors
    /// As [`Self::serve`].
    pub fn serve_until(options: Options, stopped: Stopped) -> Result<(), DaemonError> {
        Self::run(options, Some(stopped.0))
    }

    fn run(options: Options, stopped: Option<oneshot::Receiver<()>>) -> Result<(), DaemonError> {
        let folder = StateFolder::new(&options.state);
        let using = format!("use the state folder {}", options.state.display());
        folder.ensure().map_err(DaemonError::of(&using))?;
        let _lock = folder.lock().map_err(DaemonError::new(&using))?;
        // What an earlier daemon wrote no longer holds.
        let _ = fs_err::remove_file(folder.endpoint());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(DaemonError::new("start the daemon's threads"))?;
        let listening = format!("listen on 127.0.0.1:{} (another port: `ovenbird local up --port N`)", options.port);
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)))
            .map_err(DaemonError::new(&listening))?;
        let port = listener.local_addr().map_err(DaemonError::new(&listening))?.port();
        let opened = World::open(
            folder,
            options.engine,
            (options.clock, options.faults, options.delays),
            port,
            options.default_region,
        );
        let world = Arc::new(opened.map_err(DaemonError::of(&using))?);
        instances::adopt_all(&world).map_err(DaemonError::of("find the instances of the last daemon again"))?;
        let served = runtime.block_on(serve(&world, listener, stopped));
        instances::end_all(&world);
        runtime.shutdown_timeout(Duration::from_secs(5));
        served.map_err(DaemonError::new("serve"))
    }
}

/// Opens the door, says where it is, looks after the instances, until it is told to end.
async fn serve(world: &Arc<World>, listener: TcpListener, stopped: Option<oneshot::Receiver<()>>) -> io::Result<()> {
    let end = until_asked(stopped)?;
    let (end_watch, watch_ends) = mpsc::channel::<()>();
    let watched = Arc::clone(world);
    let watch = std::thread::spawn(move || watch(&watched, &watch_ends));
    let endpoint = EndpointFile {
        url: format!("http://{}", listener.local_addr()?),
        pid: std::process::id(),
        region: world.default_region.clone(),
        started: world.clock.now().to_string(),
    };
    endpoint.write(&world.folder.endpoint())?;
    if !world.faults.table().is_empty() {
        tracing::warn!("faults are switched on: {}", world.faults.table());
    }
    tracing::info!(url = endpoint.url, engine = world.engine.name(), "the embedded EC2 answers");
    server::serve(listener, Door::new(Arc::clone(world)), end).await;
    let _ = fs_err::remove_file(world.folder.endpoint());
    drop(end_watch);
    // It ends with its channel. If it panicked, it has said so.
    let _ = watch.join();
    Ok(())
}

/// Ends with SIGTERM, SIGINT, or the daemon's [`Stop`].
fn until_asked(stopped: Option<oneshot::Receiver<()>>) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let told = async {
            match stopped {
                Some(stopped) => drop(stopped.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = told => {}
        }
    })
}

/// Looks after time and instances, round after round, until the channel closes.
fn watch(world: &Arc<World>, ends: &mpsc::Receiver<()>) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = ends.recv_timeout(ROUND) {
        if let Err(failure) = world.settle().and_then(|()| instances::watch_once(world)) {
            tracing::error!("{}", failure.chain());
        }
    }
}
