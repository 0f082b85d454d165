//! The endpoint's API, called as any program would.

use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_aws::Error;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Image;
use ovenbird_aws::ec2::Instance;
use ovenbird_aws::wire::Operation;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::DEFAULT_ACCOUNT;
use tokio::runtime::Runtime;

use super::Home;

/// A client of the embedded EC2, in the default account unless said otherwise.
pub struct Api {
    runtime: Runtime,
    client: Client,
}

impl Api {
    pub fn of(home: &Home) -> Self {
        Self::of_account(home, DEFAULT_ACCOUNT)
    }

    pub fn of_account(home: &Home, account: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let state = home.local_state();
        let url = ovenbird_local::status(&state).expect("readable").url.expect("the endpoint answers");
        let keys = ovenbird_local::credentials(&state, account).expect("readable").expect("12 digits");
        let client =
            runtime.block_on(Client::for_endpoint(&url, "us-east-1", &keys.access_key_id, &keys.secret_access_key));
        Self { runtime, client }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Runs asynchronous work on this thread.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn send<O: Operation>(&self, request: O) -> Result<O::Answer, Error> {
        self.runtime.block_on(self.client.send(request))
    }

    /// The image, if the account can see it.
    pub fn find_image(&self, id: &str) -> Option<Image> {
        let request = ec2::DescribeImagesRequest { filters: vec![Filter::new("image-id", [id])], ..Default::default() };
        self.send(request).expect("images").images.into_iter().next()
    }

    /// The instance, which must be known.
    pub fn instance(&self, id: &str) -> Instance {
        let request = ec2::DescribeInstancesRequest { instance_ids: vec![id.to_owned()], ..Default::default() };
        let reservations = self.send(request).expect("the instance is known").reservations;
        reservations.into_iter().flat_map(|reservation| reservation.instances).next().expect("one")
    }

    /// The state of an instance, such as `running`.
    pub fn state(&self, id: &str) -> String {
        self.instance(id).state.and_then(|state| state.name).unwrap_or_default()
    }

    /// What the instance wrote to its console.
    pub fn console(&self, id: &str) -> String {
        let request = ec2::GetConsoleOutputRequest { instance_id: Some(id.to_owned()), ..Default::default() };
        let output = self.send(request).expect("a console").output.unwrap_or_default();
        let bytes = data_encoding::BASE64.decode(output.trim().as_bytes()).expect("base64");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every snapshot of the account and its state.
    pub fn snapshots(&self) -> Vec<(String, String)> {
        let request = ec2::DescribeSnapshotsRequest { owner_ids: vec!["self".to_owned()], ..Default::default() };
        let snapshots = self.send(request).expect("snapshots").snapshots;
        snapshots
            .into_iter()
            .map(|snapshot| (snapshot.snapshot_id.unwrap_or_default(), snapshot.state.unwrap_or_default()))
            .collect()
    }

    /// Waits until the snapshot is completed.
    pub fn wait_for_snapshot(&self, id: &str) {
        let is_completed = || self.snapshots().contains(&(id.to_owned(), "completed".to_owned())).then_some(());
        wait_until(Duration::from_secs(30), Duration::from_millis(50), is_completed).expect("it is completed");
    }

    /// The account's images that have a tag of this key.
    pub fn images_with(&self, tag: &str) -> Vec<String> {
        let (owners, filters) = (vec!["self".to_owned()], vec![Filter::new("tag-key", [tag])]);
        let answer = self.send(ec2::DescribeImagesRequest { owners, filters, ..Default::default() }).expect("images");
        answer.images.into_iter().filter_map(|image| image.image_id).collect()
    }

    /// The account's snapshots that have a tag of this key.
    pub fn snapshots_with(&self, tag: &str) -> Vec<String> {
        let (owner_ids, filters) = (vec!["self".to_owned()], vec![Filter::new("tag-key", [tag])]);
        let answer = self.send(ec2::DescribeSnapshotsRequest { owner_ids, filters, ..Default::default() });
        answer.expect("snapshots").snapshots.into_iter().filter_map(|snapshot| snapshot.snapshot_id).collect()
    }

    /// An empty volume of 1 GiB in the zone that instances are launched in unless told otherwise.
    pub fn create_volume(&self) -> String {
        let request = ec2::CreateVolumeRequest {
            size: Some(1),
            volume_type: Some("gp3".to_owned()),
            availability_zone: Some("us-east-1a".to_owned()),
            ..Default::default()
        };
        self.send(request).expect("a volume").volume_id.expect("its id")
    }
}
