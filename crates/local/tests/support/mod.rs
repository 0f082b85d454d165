//! An endpoint with the pretend engine, in this process, for the time of a test.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ovenbird_disk::wait::wait_until;
use ovenbird_local::Clock;
use ovenbird_local::Credentials;
use ovenbird_local::Daemon;
use ovenbird_local::DaemonError;
use ovenbird_local::Delays;
use ovenbird_local::Faults;
use ovenbird_local::Options;
use ovenbird_local::Stop;
use ovenbird_local::engine::pretend::Pretend;

/// A running endpoint; it ends with its owner.
pub(crate) struct Endpoint {
    pub(crate) state: PathBuf,
    pub(crate) url: String,
    pub(crate) engine: Arc<Pretend>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    running: Option<(Stop, JoinHandle<Result<(), DaemonError>>)>,
}

impl Endpoint {
    /// Starts one in `state`.
    pub(crate) fn start(state: &Path) -> Self {
        Self::start_with(state, Arc::default())
    }

    /// Starts one with an engine that may know machines already.
    pub(crate) fn start_with(state: &Path, engine: Arc<Pretend>) -> Self {
        Self::launch(state, engine, Faults::default(), Delays::default())
    }

    /// Starts one that behaves like this.
    pub(crate) fn start_as(state: &Path, faults: Faults, delays: Delays) -> Self {
        Self::launch(state, Arc::default(), faults, delays)
    }

    fn launch(state: &Path, engine: Arc<Pretend>, faults: Faults, delays: Delays) -> Self {
        let clock = Clock::default();
        let options = Options {
            state: state.to_owned(),
            port: 0,
            engine: Arc::clone(&engine) as _,
            default_region: "us-east-1".to_owned(),
            clock: clock.clone(),
            faults: faults.clone(),
            delays,
        };
        let (stop, stopped) = Stop::new();
        let daemon = std::thread::spawn(move || Daemon::serve_until(options, stopped));
        let ready = || ovenbird_local::status(state).expect("readable").url;
        let url =
            wait_until(Duration::from_secs(20), Duration::from_millis(20), ready).expect("the daemon is ready in time");
        Self { state: state.to_owned(), url, engine, clock, faults, running: Some((stop, daemon)) }
    }

    /// The keys of an account.
    pub(crate) fn keys(&self, account: &str) -> Credentials {
        ovenbird_local::credentials(&self.state, account).expect("readable").expect("12 digits")
    }

    /// Ends it as SIGTERM would.
    pub(crate) fn end(mut self) {
        self.end_once();
    }

    fn end_once(&mut self) {
        if let Some((stop, daemon)) = self.running.take() {
            stop.stop();
            daemon.join().expect("no panic").expect("a clean end");
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.end_once();
    }
}
