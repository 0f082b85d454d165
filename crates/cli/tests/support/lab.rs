//! A running embedded EC2 for the time of a test.

use std::path::Path;
use std::time::Duration;

use ovenbird_aws::ec2;
use ovenbird_core::tags;
use ovenbird_disk::wait::wait_until;

use super::Api;
use super::Home;
use super::Leftover;
use super::Ran;
use super::end_dead_tests;
use super::find_leftovers;
use super::home::agent;
use super::list_instances;
use super::turn::Turn;

/// The account that Debian publishes its images from.
pub const DEBIAN: &str = "136693071363";
/// How long the kernel may take to let go of what was ended.
const GONE: Duration = Duration::from_secs(10);

/// A user's home with an embedded EC2 that runs instances. When it is dropped all ends, and nothing may be left.
pub struct Lab {
    pub home: Home,
    engine: &'static str,
    // Dropped last: the next test comes when all of this one is gone.
    _turn: Option<Turn>,
}

impl Lab {
    /// Takes its turn and starts the endpoint; needs root. No other lab runs beside it.
    pub fn start(engine: &'static str) -> Self {
        Self::with_root(engine, Turn::alone)
    }

    /// The same for a test that bakes and launches nothing: another such may run beside it.
    pub fn start_for_bakes() -> Self {
        Self::with_root("container", Turn::beside_another)
    }

    fn with_root(engine: &'static str, turn: fn() -> Turn) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "system tests boot instances, which needs root: run them with sudo"
        );
        assert!(agent().is_file(), "there is no {}: run `make agent`, or set OVENBIRD_AGENT", agent().display());
        let turn = turn();
        end_dead_tests();
        Self::of(engine, Some(turn))
    }

    /// Starts an endpoint in which nothing really runs, for the API alone; as many as one likes, and without root.
    pub fn pretend() -> Self {
        Self::of("pretend", None)
    }

    fn of(engine: &'static str, turn: Option<Turn>) -> Self {
        let lab = Self { home: Home::new(), engine, _turn: turn };
        lab.up();
        lab
    }

    /// As [`Self::start`] with containers that have a way out, until the endpoint is started anew.
    pub fn start_with_internet() -> Self {
        let lab = Self::start("container");
        lab.down(&[]);
        lab.home.run(["local", "up", "--port", "0", "--internet"]).ok();
        lab
    }

    /// `ovenbird local up`
    pub fn up(&self) {
        self.up_with(&[]);
    }

    /// The same, with further options.
    pub fn up_with(&self, options: &[&str]) {
        self.home.run([&["local", "up", "--port", "0", "--engine", self.engine], options].concat()).ok();
    }

    /// Makes the Debian base known, and answers its image id.
    pub fn base(&self) -> String {
        let base = self.home.run(["local", "base", "debian-12", "--json"]).ok().json();
        base["image"].as_str().expect("an id").to_owned()
    }

    pub fn api(&self) -> Api {
        Api::of(&self.home)
    }

    /// `ovenbird local status --json`
    pub fn status(&self) -> serde_json::Value {
        self.home.run(["local", "status", "--json"]).ok().json()
    }

    /// How often the default account called each of these actions, such as `ec2:RegisterImage`.
    pub fn calls<const N: usize>(&self, actions: [&str; N]) -> [u64; N] {
        let status = self.status();
        actions.map(|action| status["calls"][ovenbird_local::DEFAULT_ACCOUNT][action].as_u64().unwrap_or_default())
    }

    /// The bakes that have a folder on this machine, sorted.
    pub fn list_bakes(&self) -> Vec<String> {
        list(&self.home.bakes())
    }

    /// Has the bake written the first line of its journal? Then it can be gone on with.
    pub fn has_begun(&self, bake: &str) -> bool {
        let journal = self.home.bakes().join(bake).join("journal.ndjson");
        fs_err::read_to_string(journal).is_ok_and(|text| text.contains('\n'))
    }

    /// Deletes every layer and every image made of one, so that the next bake knows none.
    pub fn forget_layers(&self) {
        let api = self.api();
        for image in api.images_with(tags::BAKE) {
            api.send(ec2::DeregisterImageRequest { image_id: Some(image), ..Default::default() })
                .expect("deregistered");
        }
        for snapshot in api.snapshots_with(tags::LAYER) {
            api.send(ec2::DeleteSnapshotRequest { snapshot_id: Some(snapshot), ..Default::default() })
                .expect("deleted");
        }
    }

    /// Disks in the cache that have not arrived whole.
    pub fn list_half_fetched(&self) -> Vec<String> {
        list(&self.home.bake_folders().cache.join("disks"))
            .into_iter()
            .filter(|name| name.ends_with(".arriving"))
            .collect()
    }

    /// Folders of the sockets that the latest bakes logged in through.
    pub fn list_sockets(&self) -> Vec<String> {
        let bakes = list(&self.home.bake_folders().logs()).into_iter();
        bakes.map(|bake| format!("ovenbird-{bake}")).filter(|name| std::env::temp_dir().join(name).exists()).collect()
    }

    /// `ovenbird local down`, after which nothing of the instances may be left.
    pub fn down(&self, arguments: &[&str]) -> Ran {
        let instances = list_instances(&self.home.local_state());
        let ran = self.home.run([&["local", "down"], arguments].concat());
        assert_eq!(left_after_a_while(&self.home, &instances), [], "after {ran:?}");
        ran
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let instances = list_instances(&self.home.local_state());
        let ran =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.home.run(["local", "down", "--delete"])));
        let left = left_after_a_while(&self.home, &instances);
        left.iter().for_each(Leftover::remove);
        if std::thread::panicking() {
            println!("left by the test that failed: {left:#?}");
            return;
        }
        assert!(left.is_empty(), "`ovenbird local down --delete` left {left:#?}");
        ran.expect("it runs").ok();
    }
}

fn list(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn left_after_a_while(home: &Home, instances: &[String]) -> Vec<Leftover> {
    let none = || find_leftovers(home, instances).is_empty().then_some(());
    _ = wait_until(GONE, Duration::from_millis(100), none);
    find_leftovers(home, instances)
}
