//! What a daemon says of itself, to those who can read its state folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Response;
use serde::Deserialize;
use serde::Serialize;

use crate::accounts;
use crate::accounts::Credentials;
use crate::catalogue;
use crate::daemon::EndpointFile;
use crate::failure::Answer;
use crate::folder::StateFolder;
use crate::seal::Secret;
use crate::seal::is_same;
use crate::world::World;

/// Where it is asked.
pub(crate) const PATH: &str = "/_ovenbird/status";

/// The header that proves that the asker can read the state folder.
const HEADER: &str = "x-ovenbird-secret";

/// How long a daemon may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// The endpoint at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Does a daemon answer?
    pub running: bool,
    /// Such as `http://127.0.0.1:4566`.
    pub url: Option<String>,
    /// The daemon's process.
    pub pid: Option<u32>,
    /// Region of calls that name none.
    pub region: Option<String>,
    /// When the daemon started, RFC 3339.
    pub started: Option<String>,
    /// `container`, `qemu` or `pretend`.
    pub engine: Option<String>,
    /// Instances that are not terminated.
    pub instances: Vec<InstanceLine>,
    /// Registered images of all accounts and Regions.
    pub images: u64,
    /// Blocks in the store, each 512 KiB.
    pub blocks: u64,
    /// Bytes in the store.
    pub bytes: u64,
    /// The faults that are switched on, with their seed; `None` where there are none.
    pub faults: Option<String>,
    /// How often each fault happened since it was switched on.
    pub injected: BTreeMap<String, u64>,
    /// The delays: `none`, `ec2`, or with rows of their own.
    pub delays: String,
    /// Account to action (such as `ec2:DescribeImages`) to calls since the daemon started.
    pub calls: BTreeMap<String, BTreeMap<String, u64>>,
}

/// An instance at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceLine {
    /// `i-…`
    pub id: String,
    /// The owner.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `running`.
    pub state: String,
    /// `ami-…`
    pub image: String,
    /// Address of `eth0`.
    pub private_ip: String,
}

/// Why a daemon could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("could not read the state of the embedded EC2 in {folder}")]
pub struct StatusError {
    folder: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl StatusError {
    fn of(folder: &Path) -> impl Fn(crate::failure::Failure) -> Self {
        let folder = folder.display().to_string();
        move |failure| Self { folder: folder.clone(), source: Box::new(failure) }
    }
}

/// What the daemon of the state folder says; without one, only `running: false`.
///
/// # Errors
/// The state folder cannot be read. A daemon that does not answer within 5 seconds counts as not running.
pub fn status(state: &Path) -> Result<Status, StatusError> {
    let folder = StateFolder::new(state);
    let secret = Secret::find(&folder.secret()).map_err(StatusError::of(state))?;
    let endpoint = EndpointFile::find(&folder.endpoint()).map_err(StatusError::of(state))?;
    let (Some(secret), Some(endpoint)) = (secret, endpoint) else { return Ok(Status::default()) };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(DEADLINE)).proxy(None).build().into();
    let asked = agent.get(format!("{}{PATH}", endpoint.url)).header(HEADER, proof(&secret)).call();
    let told = asked.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
    Ok(told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Did the last daemon of the state folder end without ending its instances? A daemon that ends well takes the file along
/// that says where it is.
#[must_use]
pub fn was_killed(state: &Path) -> bool {
    StateFolder::new(state).endpoint().exists()
}

/// The keys of `account` at the endpoint of the state folder; `None` unless it is 12 digits. The secret that they are
/// derived from is made where there is none, so keys can be printed before a daemon ever ran.
///
/// # Errors
/// The state folder cannot be read or written.
pub fn credentials(state: &Path, account: &str) -> Result<Option<Credentials>, StatusError> {
    let folder = StateFolder::new(state);
    let secret = folder.ensure().and_then(|()| Secret::ensure(&folder.secret())).map_err(StatusError::of(state))?;
    Ok(accounts::find_keys(&secret, account))
}

fn proof(secret: &Secret) -> String {
    secret.mac("admin", "status")
}

/// Answers the daemon's side.
pub(crate) fn answer(world: &Arc<World>, request: &Request<Bytes>) -> Response<Bytes> {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (code, body) = if !is_same(given, &proof(&world.secret)) {
        (403, "only for those who can read the state folder".to_owned())
    } else {
        match describe(world).map(|status| serde_json::to_string(&status)) {
            Ok(Ok(text)) => (200, text),
            Ok(Err(error)) => (500, error.to_string()),
            Err(failure) => (500, failure.chain()),
        }
    };
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response
}

fn describe(world: &World) -> Answer<Status> {
    world.settle()?;
    let endpoint = EndpointFile::find(&world.folder.endpoint())?;
    let (alive, images, counts) = world.catalogue.transact(|db| {
        Ok((catalogue::instances::list_alive(db)?, catalogue::images::count_images(db)?, catalogue::count_blocks(db)?))
    })?;
    let line = |instance: catalogue::instances::Instance| InstanceLine {
        id: instance.id,
        account: instance.scope.account,
        region: instance.scope.region,
        state: instance.state.name().to_owned(),
        image: instance.image,
        private_ip: instance.private_ip,
    };
    let table = world.faults.table();
    Ok(Status {
        running: true,
        faults: (!table.is_empty()).then(|| table.to_string()),
        injected: world.faults.injected().into_iter().map(|(mode, count)| (mode.name().to_owned(), count)).collect(),
        delays: world.delays.to_string(),
        url: endpoint.as_ref().map(|endpoint| endpoint.url.clone()),
        pid: Some(std::process::id()),
        region: Some(world.default_region.clone()),
        started: endpoint.map(|endpoint| endpoint.started),
        engine: Some(world.engine.name().to_owned()),
        instances: alive.into_iter().map(line).collect(),
        images: u64::from(images),
        blocks: counts.blocks,
        bytes: counts.bytes,
        calls: world.calls.list(),
    })
}
