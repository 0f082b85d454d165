//! A scripted metadata service and AWS API in one listener: it behaves well, except where a test says otherwise, and counts.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod machine;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use ovenbird_agent::time::Deadline;
use ovenbird_aws::ApiError;
use ovenbird_aws::Operation;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::decode_form;
use ovenbird_aws::wire::decode_request;
use ovenbird_aws::wire::encode_answer;
use ovenbird_aws::wire::encode_error;

pub const INSTANCE: &str = "i-0123456789abcdef0";
pub const VOLUME: &str = "vol-0123456789abcdef0";

/// The clock of the pretend services: years ahead of the instance's.
pub const DATE: &str = "Tue, 01 Jan 2041 00:00:00 GMT";

/// What a test wants instead of the well-behaved answer.
pub enum Reply {
    /// The well-behaved answer.
    Usual,
    /// This status and body.
    Status(u16, String),
    /// An error of the API.
    Error(ApiError),
    /// The usual effect, but the connection breaks before the answer.
    Break,
    /// The connection breaks before anything happens.
    Drop,
    /// No answer for a long time.
    Hang,
}

/// A test's say: the request (`PUT latest/api/token`, `GET latest/user-data`, `AttachVolume`) and how often it came before.
pub type Script = Box<dyn FnMut(&str, usize) -> Reply + Send>;

/// Everything behind the listener.
pub struct World {
    pub items: BTreeMap<String, String>,
    pub user_data: Option<Vec<u8>>,
    pub script: Script,
    pub log: Vec<String>,
    /// `X-Amz-Date` of each call, in order.
    pub dates: Vec<String>,
    pub volumes: Vec<ec2::Volume>,
    pub instances: Vec<ec2::Instance>,
    pub parameters: BTreeMap<String, (String, String)>,
    pub tags: BTreeMap<String, String>,
    tokens: usize,
}

pub struct Fake {
    pub endpoint: String,
    world: Arc<Mutex<World>>,
}

impl Fake {
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn on(listener: TcpListener) -> Self {
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::new(&endpoint)));
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &world));
            }
        });
        Self { endpoint, world }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn script(&self, script: impl FnMut(&str, usize) -> Reply + Send + 'static) {
        self.world().script = Box::new(script);
    }

    /// How many requests contained `text`.
    pub fn count(&self, text: &str) -> usize {
        self.world().log.iter().filter(|line| line.contains(text)).count()
    }
}

impl World {
    fn new(endpoint: &str) -> Self {
        let credentials = r#"{"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"top-secret-key","Token":"session","Expiration":"2099-01-01T00:00:00Z"}"#;
        let items = [
            ("meta-data/instance-id", INSTANCE),
            ("meta-data/ami-id", "ami-0123456789abcdef0"),
            ("meta-data/local-ipv4", "172.31.0.7"),
            ("meta-data/placement/region", "eu-west-1"),
            ("meta-data/placement/availability-zone", "eu-west-1a"),
            ("meta-data/services/domain", "amazonaws.com"),
            ("meta-data/services/endpoint-url", endpoint),
            ("meta-data/iam/security-credentials/", "web-role"),
            ("meta-data/iam/security-credentials/web-role", credentials),
            ("dynamic/instance-identity/document", "{}"),
        ];
        Self {
            items: items.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            user_data: None,
            script: Box::new(|_, _| Reply::Usual),
            log: Vec::new(),
            dates: Vec::new(),
            volumes: Vec::new(),
            instances: Vec::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            tokens: 0,
        }
    }

    fn metadata(&mut self, method: &str, path: &str, token: &str) -> (u16, Vec<u8>) {
        if method == "PUT" && path == "latest/api/token" {
            self.tokens += 1;
            return (200, format!("token-{}", self.tokens).into_bytes());
        }
        if token != format!("token-{}", self.tokens) {
            return (401, Vec::new());
        }
        let item = path.strip_prefix("latest/").unwrap_or_default();
        let found = if item == "user-data" {
            self.user_data.clone()
        } else {
            self.items.get(item).map(|text| text.clone().into_bytes())
        };
        found.map_or((404, b"not found".to_vec()), |body| (200, body))
    }

    fn api(&mut self, action: &str, request: &Request<Bytes>) -> http::Response<Bytes> {
        let signed = |name: &str| request.headers().get(name).is_some_and(|value| !value.is_empty());
        if !signed("authorization") || !signed("x-amz-security-token") {
            return encode_error(Protocol::Ec2, &ApiError::client("MissingAuthenticationToken", "unsigned"), "r-1");
        }
        match action {
            "DescribeVolumes" => answer::<ec2::DescribeVolumesRequest>(request, |wanted| {
                let volumes: Vec<_> = self
                    .volumes
                    .iter()
                    .filter(|volume| wanted.volume_ids.contains(volume.volume_id.as_ref().unwrap()))
                    .cloned()
                    .collect();
                match volumes.is_empty() {
                    true => Err(ApiError::client("InvalidVolume.NotFound", "no such volume")),
                    false => Ok(ec2::DescribeVolumesResult { volumes, next_token: None }),
                }
            }),
            "DescribeInstances" => answer::<ec2::DescribeInstancesRequest>(request, |wanted| {
                let instances: Vec<_> = self
                    .instances
                    .iter()
                    .filter(|one| wanted.instance_ids.contains(one.instance_id.as_ref().unwrap()))
                    .cloned()
                    .collect();
                let reservation = ec2::Reservation { instances, ..Default::default() };
                Ok(ec2::DescribeInstancesResult { reservations: vec![reservation], next_token: None })
            }),
            "AttachVolume" => answer::<ec2::AttachVolumeRequest>(request, |wanted| self.attach(wanted)),
            "CreateTags" => answer::<ec2::CreateTagsRequest>(request, |wanted| {
                let tags = wanted.tags.into_iter().map(|tag| (tag.key.unwrap(), tag.value.unwrap()));
                self.tags.extend(tags);
                Ok(ec2::Nothing::default())
            }),
            "GetParameters" => answer::<ssm::GetParametersRequest>(request, |wanted| {
                let mut result = ssm::GetParametersResult::default();
                for name in wanted.names {
                    match self.parameters.get(&name) {
                        None => result.invalid_parameters.push(name),
                        Some((kind, value)) => result.parameters.push(ssm::Parameter {
                            name: Some(name),
                            r#type: Some(kind.clone()),
                            value: Some(value.clone()),
                            ..Default::default()
                        }),
                    }
                }
                Ok(result)
            }),
            other => panic!("nobody expected {other}"),
        }
    }

    fn attach(&mut self, wanted: ec2::AttachVolumeRequest) -> Result<ec2::VolumeAttachment, ApiError> {
        let volume = self.volumes.iter_mut().find(|volume| volume.volume_id == wanted.volume_id).unwrap();
        if volume.state.as_deref() != Some("available") {
            return Err(ApiError::client("VolumeInUse", "it is in use"));
        }
        let attachment = ec2::VolumeAttachment {
            volume_id: wanted.volume_id,
            instance_id: wanted.instance_id,
            device: wanted.device,
            state: Some("attached".to_owned()),
            ..Default::default()
        };
        volume.state = Some("in-use".to_owned());
        volume.attachments = vec![attachment.clone()];
        Ok(attachment)
    }
}

fn answer<O: Operation>(
    request: &Request<Bytes>,
    act: impl FnOnce(O) -> Result<O::Answer, ApiError>,
) -> http::Response<Bytes> {
    match act(decode_request::<O>(request).unwrap()) {
        Ok(answer) => encode_answer::<O>(&answer, "r-1"),
        Err(error) => encode_error(O::SERVICE.protocol(), &error, "r-1"),
    }
}

/// A volume of one GiB in the instance's zone.
pub fn volume(state: &str) -> ec2::Volume {
    ec2::Volume {
        volume_id: Some(VOLUME.to_owned()),
        availability_zone: Some("eu-west-1a".to_owned()),
        state: Some(state.to_owned()),
        size: Some(1),
        ..Default::default()
    }
}

/// The same, held by another instance.
pub fn held_by(instance_id: &str) -> ec2::Volume {
    let attachment = ec2::VolumeAttachment {
        instance_id: Some(instance_id.to_owned()),
        state: Some("attached".to_owned()),
        ..Default::default()
    };
    ec2::Volume { attachments: vec![attachment], ..volume("in-use") }
}

/// An instance in a state.
pub fn instance(id: &str, state: &str) -> ec2::Instance {
    let state = ec2::InstanceState { name: Some(state.to_owned()), code: None };
    ec2::Instance { instance_id: Some(id.to_owned()), state: Some(state), ..Default::default() }
}

pub fn seconds(count: f64) -> Deadline {
    Deadline::after(Duration::from_secs_f64(count))
}

fn serve(stream: &TcpStream, world: &Mutex<World>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let action = action(&request);
        let what = action.clone().unwrap_or_else(|| format!("{} {path}", request.method()));
        let mut held = world.lock().unwrap();
        let before = held.log.iter().filter(|line| **line == what).count();
        held.log.push(what.clone());
        held.dates.extend(request.headers().get("x-amz-date").map(|date| date.to_str().unwrap().to_owned()));
        let reply = (held.script)(&what, before);
        let mut usual = || match &action {
            Some(action) => {
                let response = held.api(action, &request);
                (response.status().as_u16(), response.into_body().into())
            }
            None => {
                let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
                held.metadata(request.method().as_str(), &path, &header("x-aws-ec2-metadata-token").unwrap_or_default())
            }
        };
        let (status, body) = match reply {
            Reply::Usual => usual(),
            Reply::Status(status, body) => (status, body.into_bytes()),
            Reply::Error(error) => {
                let protocol = if what.contains("Parameter") { Protocol::Json } else { Protocol::Ec2 };
                (error.status, encode_error(protocol, &error, "r-1").into_body().into())
            }
            Reply::Break => {
                usual();
                return;
            }
            Reply::Drop => return,
            Reply::Hang => {
                drop(held);
                assert!(seconds(61.0).pause(Duration::from_secs(60)));
                return;
            }
        };
        drop(held);
        let head = format!("HTTP/1.1 {status} x\r\ndate: {DATE}\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut stream = stream;
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

fn action(request: &Request<Bytes>) -> Option<String> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return Some(target.to_str().unwrap().split('.').nth(1).unwrap().to_owned());
    }
    let form = decode_form(std::str::from_utf8(request.body()).ok()?).ok()?;
    form.into_iter().find(|(name, _)| name == "Action").map(|(_, action)| action)
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request<Bytes>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let mut builder = Request::builder().method(words.next()?).uri(words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        builder = builder.header(name, value.trim());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    builder.body(body.into()).ok()
}
