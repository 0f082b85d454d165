//! Calls to AWS from the instance: parameters and attaching, as they go wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use ovenbird_agent::api::Api;
use ovenbird_agent::fault::Fault;
use ovenbird_agent::imds::Imds;
use ovenbird_agent::instance::Instance;
use ovenbird_agent::parameters::fetch_parameters;
use ovenbird_agent::settings::Budget;
use ovenbird_agent::settings::Root;
use ovenbird_agent::volume::ensure_attached;
use ovenbird_aws::ApiError;
use ovenbird_aws::ec2;
use ovenbird_core::metadata::Parameter;
use support::Fake;
use support::INSTANCE;
use support::Reply;
use support::VOLUME;
use support::held_by;
use support::instance;
use support::seconds;
use support::volume;

const OTHER: &str = "i-0fedcba9876543210";

/// The usual instance, asking `fake`.
fn with_api<T>(fake: &Fake, act: impl FnOnce(&Api<'_>, &Instance) -> T) -> T {
    let imds = Imds::new(&fake.endpoint);
    let instance = Instance::fetch(&imds, &seconds(10.0)).unwrap();
    act(&Api::new(&imds, &instance, None, Duration::from_millis(200)), &instance)
}

fn attach(fake: &Fake, within: f64) -> Result<ec2::Volume, Fault> {
    with_api(fake, |api, instance| ensure_attached(api, instance, VOLUME, &seconds(within)))
}

#[test]
fn a_free_volume_is_attached_with_one_call() {
    let fake = Fake::start();
    fake.world().volumes = vec![volume("available")];
    let attached = attach(&fake, 20.0).unwrap();
    assert_eq!(attached.attachments[0].device.as_deref(), Some("/dev/sdf"));
    assert_eq!((fake.count("AttachVolume"), fake.count("DescribeVolumes")), (1, 2));
}

#[test]
fn a_volume_that_is_here_is_left_alone() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(INSTANCE)];
    attach(&fake, 5.0).unwrap();
    assert_eq!((fake.count("AttachVolume"), fake.count("DescribeVolumes")), (0, 1));
}

#[test]
fn after_a_broken_connection_it_looks_before_it_calls_again() {
    let fake = Fake::start();
    fake.world().volumes = vec![volume("available")];
    fake.script(|what, _| if what == "AttachVolume" { Reply::Break } else { Reply::Usual });
    attach(&fake, 20.0).unwrap();
    assert_eq!(fake.count("AttachVolume"), 1);
}

#[test]
fn a_device_name_that_is_taken_is_left_out_or_replaced() {
    let fake = Fake::start();
    let mapping = |name: &str| ec2::InstanceBlockDeviceMapping { device_name: Some(name.to_owned()), ebs: None };
    fake.world().volumes = vec![volume("available")];
    fake.world().instances = vec![ec2::Instance {
        block_device_mappings: vec![mapping("/dev/xvda"), mapping("/dev/sdf"), mapping("sdg1")],
        ..instance(INSTANCE, "running")
    }];
    let taken = || {
        ApiError::client(
            "InvalidParameterValue",
            "Invalid value '/dev/sdh' for unixDevice. Attachment point /dev/sdh is already in use",
        )
    };
    fake.script(
        move |what, before| if what == "AttachVolume" && before < 2 { Reply::Error(taken()) } else { Reply::Usual },
    );
    let attached = attach(&fake, 20.0).unwrap();
    assert_eq!(attached.attachments[0].device.as_deref(), Some("/dev/sdj"));
    assert_eq!(fake.count("AttachVolume"), 3);
}

#[test]
fn a_running_holder_keeps_its_volume() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(OTHER)];
    fake.world().instances = vec![instance(OTHER, "running")];
    let fault = attach(&fake, 20.0).unwrap_err();
    assert_eq!(fault.sentence, format!("the volume {VOLUME} is held by the instance {OTHER}, which is running"));
    assert_eq!((fake.count("AttachVolume"), fake.count("DescribeVolumes")), (0, 1));
}

#[test]
fn a_dying_holder_is_awaited() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(OTHER)];
    fake.world().instances = vec![instance(OTHER, "shutting-down")];
    let fault = attach(&fake, 1.5).unwrap_err();
    assert!(fault.retryable && fault.sentence.contains(&format!("{OTHER} is shutting down")), "{fault}");
    assert_eq!(fake.count("AttachVolume"), 0);

    // Once it is gone for good, the volume becomes free while we look.
    fake.world().instances.clear();
    let left = Arc::new(AtomicBool::new(false));
    let leaves = Arc::clone(&left);
    fake.script(move |what, before| {
        leaves.fetch_or(what == "DescribeInstances" && before > 2, Ordering::SeqCst);
        Reply::Usual
    });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !left.load(Ordering::SeqCst) {
                assert!(seconds(1.0).pause(Duration::from_millis(20)));
            }
            fake.world().volumes = vec![volume("available")];
        });
        attach(&fake, 30.0).unwrap();
    });
}

#[test]
fn what_was_waited_for_is_told_when_the_deadline_cuts_a_look_short() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(OTHER)];
    fake.world().instances = vec![instance(OTHER, "shutting-down")];
    fake.script(|what, before| if what == "DescribeVolumes" && before > 0 { Reply::Hang } else { Reply::Usual });
    let fault = attach(&fake, 1.5).unwrap_err();
    assert!(fault.retryable && fault.sentence.contains(&format!("{OTHER} is shutting down; then: ")), "{fault}");
}

#[test]
fn another_zone_is_refused_before_any_call_that_changes() {
    let fake = Fake::start();
    fake.world().volumes =
        vec![ec2::Volume { availability_zone: Some("eu-west-1c".to_owned()), ..volume("available") }];
    let fault = attach(&fake, 20.0).unwrap_err();
    assert!(fault.sentence.contains("is in eu-west-1c and this instance in eu-west-1a"), "{fault}");
    assert_eq!(fake.count("AttachVolume"), 0);
}

#[test]
fn a_missing_permission_is_named_and_final() {
    let fake = Fake::start();
    fake.world().volumes = vec![volume("available")];
    fake.script(|what, _| match what {
        "AttachVolume" => Reply::Error(
            ApiError::client("UnauthorizedOperation", "You are not authorized. Encoded …").with_status(403),
        ),
        _ => Reply::Usual,
    });
    let fault = attach(&fake, 20.0).unwrap_err();
    assert!(fault.sentence.ends_with("lacks the permission ec2:AttachVolume") && !fault.retryable, "{fault}");
    assert_eq!(fake.count("AttachVolume"), 1);
}

#[test]
fn throttling_and_broken_connections_are_waited_out() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(INSTANCE)];
    fake.script(|what, before| match (what, before) {
        ("DescribeVolumes", 0) => Reply::Error(ApiError::client("RequestLimitExceeded", "slow down").with_status(503)),
        ("DescribeVolumes", 1) => Reply::Drop,
        ("DescribeVolumes", 2) => Reply::Status(500, "oops".to_owned()),
        _ => Reply::Usual,
    });
    attach(&fake, 30.0).unwrap();
    assert_eq!(fake.count("DescribeVolumes"), 4);
}

#[test]
fn a_wrong_clock_is_corrected_by_the_service_s() {
    let fake = Fake::start();
    fake.world().volumes = vec![held_by(INSTANCE)];
    let expired = || ApiError::client("RequestExpired", "Request has expired.");
    fake.script(
        move |what, before| {
            if what == "DescribeVolumes" && before == 0 { Reply::Error(expired()) } else { Reply::Usual }
        },
    );
    attach(&fake, 10.0).unwrap();
    let dates = fake.world().dates.clone();
    assert!(!dates[0].starts_with("2041") && dates[1].starts_with("20410101T0000"), "{dates:?}");
}

fn parameter(name: &str, default: Option<&str>, cached_ok: bool) -> Parameter {
    Parameter {
        name: name.to_owned(),
        parameter: format!("/web/{{environment}}/{name}"),
        default: default.map(str::to_owned),
        cached_ok,
    }
}

struct Instances {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl Instances {
    fn new() -> Self {
        Self { fake: Fake::start(), folder: tempfile::tempdir().unwrap() }
    }

    fn put(&self, name: &str, kind: &str, value: &str) {
        self.fake.world().parameters.insert(format!("/web/dev/{name}"), (kind.to_owned(), value.to_owned()));
    }

    fn fetch(&self, wanted: &[Parameter]) -> Result<BTreeMap<String, String>, Fault> {
        let root = Root(self.folder.path().to_owned());
        let budget = Budget {
            parameters: Duration::from_secs(3),
            parameters_with_fallback: Duration::from_secs(1),
            ..Budget::default()
        };
        with_api(&self.fake, |api, instance| {
            fetch_parameters(wanted, "dev", instance, api, &root, &budget, &seconds(20.0))
        })
    }
}

#[test]
fn no_parameters_make_no_calls() {
    let it = Instances::new();
    assert!(it.fetch(&[]).unwrap().is_empty());
    assert_eq!((it.fake.count("GetParameters"), it.fake.count("credentials")), (0, 0));
}

#[test]
fn ten_names_are_one_call_and_missing_ones_are_noticed() {
    let it = Instances::new();
    let wanted: Vec<Parameter> = (0..12).map(|n| parameter(&format!("p{n}"), None, false)).collect();
    for n in 0..12 {
        it.put(&format!("p{n}"), "String", &n.to_string());
    }
    let values = it.fetch(&wanted).unwrap();
    assert_eq!((values.len(), values["p11"].as_str()), (12, "11"));
    assert_eq!(it.fake.count("GetParameters"), 2);

    let fault = it.fetch(&[parameter("gone", None, false)]).unwrap_err();
    assert!(fault.sentence.contains("/web/dev/gone") && !fault.retryable, "{fault}");
    assert_eq!(it.fetch(&[parameter("gone", Some("x"), false)]).unwrap()["gone"], "x");
}

#[test]
fn a_black_hole_falls_back_to_the_default_within_its_deadline() {
    let it = Instances::new();
    it.fake.script(|what, _| if what == "GetParameters" { Reply::Hang } else { Reply::Usual });
    let began = Instant::now();
    assert_eq!(it.fetch(&[parameter("banner", Some("hello"), false)]).unwrap()["banner"], "hello");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    let fault = it.fetch(&[parameter("banner", None, false)]).unwrap_err();
    assert!(
        fault.retryable && fault.sentence.starts_with("cannot fetch the parameter /web/dev/banner: http://127.0.0.1"),
        "{fault}"
    );
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn an_earlier_value_stands_in_unless_it_is_a_secret() {
    let it = Instances::new();
    it.put("banner", "String", "from-the-store");
    it.put("key", "SecureString", "s3cr3t");
    let wanted = [parameter("banner", Some("d"), true), parameter("key", Some("d"), true)];
    let values = it.fetch(&wanted).unwrap();
    assert_eq!((values["banner"].as_str(), values["key"].as_str()), ("from-the-store", "s3cr3t"));
    let kept = std::fs::read_to_string(it.folder.path().join("var/lib/ovenbird/parameters.json")).unwrap();
    assert!(kept.contains("from-the-store") && !kept.contains("s3cr3t"), "{kept}");

    it.fake.script(|what, _| if what == "GetParameters" { Reply::Drop } else { Reply::Usual });
    let values = it.fetch(&wanted).unwrap();
    assert_eq!((values["banner"].as_str(), values["key"].as_str()), ("from-the-store", "d"));
    // What is not `cached_ok` is not taken from there.
    assert_eq!(it.fetch(&[parameter("banner", Some("d"), false)]).unwrap()["banner"], "d");

    // Another instance from a copy of this disk knows nothing.
    it.fake.world().items.insert("meta-data/instance-id".to_owned(), "i-2".to_owned());
    assert!(it.fetch(&[parameter("banner", None, true)]).is_err());
}

#[test]
fn denied_is_final_at_once() {
    let it = Instances::new();
    it.fake.script(|what, _| match what {
        "GetParameters" => Reply::Error(ApiError::client("AccessDeniedException", "User … is not authorized")),
        _ => Reply::Usual,
    });
    let fault = it.fetch(&[parameter("banner", None, false)]).unwrap_err();
    assert!(fault.sentence.contains("AccessDeniedException") && !fault.retryable, "{fault}");
    assert_eq!(it.fake.count("GetParameters"), 1);
}
