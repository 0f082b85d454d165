//! An endpoint with the pretend engine in this process, for the time of a test.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::Clock;
use ovenbird_local::DEFAULT_ACCOUNT;
use ovenbird_local::Daemon;
use ovenbird_local::DaemonError;
use ovenbird_local::Delays;
use ovenbird_local::Faults;
use ovenbird_local::Options;
use ovenbird_local::Stop;
use ovenbird_local::engine::pretend::Pretend;

/// A running endpoint; it ends with its owner.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) faults: Faults,
    folder: tempfile::TempDir,
    running: Option<(Stop, JoinHandle<Result<(), DaemonError>>)>,
}

impl Endpoint {
    pub(crate) fn start() -> Self {
        let (folder, faults) = (tempfile::tempdir().expect("a folder"), Faults::default());
        let options = Options {
            state: folder.path().to_owned(),
            port: 0,
            engine: Arc::<Pretend>::default(),
            default_region: "us-east-1".to_owned(),
            clock: Clock::default(),
            faults: faults.clone(),
            delays: Delays::default(),
        };
        let (stop, stopped) = Stop::new();
        let daemon = std::thread::spawn(move || Daemon::serve_until(options, stopped));
        let ready = || ovenbird_local::status(folder.path()).expect("readable").url;
        let url =
            wait_until(Duration::from_secs(30), Duration::from_millis(20), ready).expect("the daemon is ready in time");
        Self { url, faults, folder, running: Some((stop, daemon)) }
    }

    /// A client of the default account.
    pub(crate) async fn client(&self) -> Client {
        let keys = ovenbird_local::credentials(self.folder.path(), DEFAULT_ACCOUNT).expect("readable");
        let keys = keys.expect("12 digits");
        Client::for_endpoint(&self.url, "us-east-1", &keys.access_key_id, &keys.secret_access_key).await
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some((stop, daemon)) = self.running.take() {
            stop.stop();
            daemon.join().expect("no panic").expect("a clean end");
        }
    }
}
