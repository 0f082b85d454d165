use proptest::prelude::*;

use super::*;

fn facts() -> InstanceFacts {
    InstanceFacts {
        instance_id: "i-0123456789abcdef0".to_owned(),
        image_id: "ami-0aaaaaaaaaaaaaaaa".to_owned(),
        instance_type: "t3.micro".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        zone: "us-east-1a".to_owned(),
        zone_id: "use1-az1".to_owned(),
        private_ip: "172.31.21.7".to_owned(),
        public_ip: Some("172.31.21.7".to_owned()),
        mac: "0a:ff:d3:12:34:56".to_owned(),
        architecture: "x86_64".to_owned(),
        pending_time: "2026-01-31T12:00:00Z".to_owned(),
        user_data: Some(vec![0x7b, 0xff, 0x00, 0x7d]),
        public_key: Some(("my key".to_owned(), "ssh-ed25519 AAAAC3Nz me@laptop\n".to_owned())),
        security_groups: vec!["default".to_owned(), "web".to_owned()],
        role: Some("web".to_owned()),
        tokens_required: true,
        tags: Some(vec![("Name".to_owned(), "web-1".to_owned()), ("ovenbird:service".to_owned(), "web".to_owned())]),
    }
}

fn credentials() -> RoleCredentials {
    RoleCredentials {
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        token: "session".to_owned(),
        expiration: "2026-01-31T18:00:00Z".parse().unwrap(),
    }
}

fn text(path: &str) -> String {
    match answer(&facts(), Some(&credentials()), path) {
        Answer::Text(text) => text,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn items_are_plain_text() {
    for (path, expected) in [
        ("ami-id", "ami-0aaaaaaaaaaaaaaaa"),
        ("instance-id", "i-0123456789abcdef0"),
        ("instance-type", "t3.micro"),
        ("local-ipv4", "172.31.21.7"),
        ("public-ipv4", "172.31.21.7"),
        ("public-hostname", ""),
        ("network/interfaces/macs/0a:ff:d3:12:34:56/public-ipv4s", "172.31.21.7"),
        ("local-hostname", "ip-172-31-21-7.ec2.internal"),
        ("mac", "0a:ff:d3:12:34:56"),
        ("placement/availability-zone", "us-east-1a"),
        ("placement/availability-zone-id", "use1-az1"),
        ("placement/region", "us-east-1"),
        ("services/domain", "amazonaws.com"),
        ("services/partition", "aws"),
        ("services/endpoint-url", "http://169.254.169.254:8773"),
        ("network/interfaces/macs/0a:ff:d3:12:34:56/device-number", "0"),
        ("network/interfaces/macs/0a:ff:d3:12:34:56/subnet-ipv4-cidr-block", "172.31.16.0/20"),
        ("network/interfaces/macs/0a:ff:d3:12:34:56/owner-id", "123456789012"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAAC3Nz my key"),
        ("tags/instance/Name", "web-1"),
        ("tags/instance/ovenbird:service", "web"),
    ] {
        for form in ["/latest/meta-data/", "/2021-03-23/meta-data/", "//latest//meta-data//"] {
            assert_eq!(text(&format!("{form}{path}")), expected, "{form}{path}");
        }
        assert_eq!(text(&format!("/latest/meta-data/{path}/?x=y")), expected, "{path}");
    }
}

#[test]
fn folders_list_their_items_with_and_without_a_slash() {
    for (path, expected) in [
        ("/latest", "dynamic\nmeta-data\nuser-data"),
        ("/latest/dynamic", "instance-identity/"),
        ("/latest/dynamic/instance-identity", "document"),
        ("/latest/meta-data/placement", "availability-zone\navailability-zone-id\nregion"),
        ("/latest/meta-data/network/interfaces", "macs/"),
        ("/latest/meta-data/network/interfaces/macs", "0a:ff:d3:12:34:56/"),
        ("/latest/meta-data/public-keys", "0=my key"),
        ("/latest/meta-data/public-keys/0", "openssh-key"),
        ("/latest/meta-data/iam", "info\nsecurity-credentials/"),
        ("/latest/meta-data/iam/security-credentials", "web"),
        ("/latest/meta-data/tags", "instance/"),
        ("/latest/meta-data/tags/instance", "Name\novenbird:service"),
    ] {
        assert_eq!(text(path), expected, "{path}");
        assert_eq!(text(&format!("{path}/")), expected, "{path}/");
    }
    assert!(text("/").starts_with("1.0\n2007-01-19\n") && text("").ends_with("\nlatest"));
    let listed = text("/latest/meta-data/");
    for name in ["ami-id", "block-device-mapping/", "iam/", "instance-action", "network/", "public-keys/", "services/"]
    {
        assert!(listed.lines().any(|line| line == name), "{name} in\n{listed}");
    }
}

#[test]
fn what_is_not_there_is_missing() {
    let none = InstanceFacts { user_data: None, public_ip: None, public_key: None, role: None, tags: None, ..facts() };
    for path in [
        "/latest/user-data",
        "/latest/meta-data/public-keys/",
        "/latest/meta-data/public-ipv4",
        "/latest/meta-data/public-hostname",
        "/latest/meta-data/iam/info",
        "/latest/meta-data/iam/",
        "/latest/meta-data/tags/instance/",
        "/latest/meta-data/autoscaling/target-lifecycle-state",
        "/latest/meta-data/instance",
        "/latest/meta-data/instance-id/x",
        "/latest/nonsense",
        "/2019-13-45/meta-data/instance-id",
    ] {
        assert_eq!(answer(&none, Some(&credentials()), path), Answer::Missing, "{path}");
    }
    assert_eq!(answer(&none, None, "/latest/"), Answer::Text("dynamic\nmeta-data".to_owned()));
    assert_eq!(answer(&facts(), None, "/latest/meta-data/iam/security-credentials/web"), Answer::Missing);
}

#[test]
fn an_old_version_has_only_what_it_had() {
    let has = |path: &str| answer(&facts(), Some(&credentials()), path) != Answer::Missing;
    assert!(has("/2009-04-04/meta-data/instance-id") && has("/1.0/meta-data/instance-id"));
    assert!(has("/2021-03-23/meta-data/tags/instance/Name") && !has("/2018-09-24/meta-data/tags/instance/Name"));
    assert!(!has("/2009-04-04/meta-data/iam/info") && has("/2016-09-02/meta-data/iam/info"));
    assert!(!has("/1.0/dynamic/instance-identity/document"));
}

#[test]
fn user_data_are_given_as_they_are() {
    for version in VERSIONS {
        let path = format!("/{version}/user-data");
        assert_eq!(answer(&facts(), None, &path), Answer::Bytes(vec![0x7b, 0xff, 0x00, 0x7d]), "{path}");
    }
}

#[test]
fn documents_are_json() {
    let json = |path: &str| serde_json::from_str::<serde_json::Value>(&text(path)).expect(path);
    let identity = json("/latest/dynamic/instance-identity/document");
    assert_eq!(identity["instanceId"], "i-0123456789abcdef0");
    assert_eq!(identity["accountId"], "123456789012");
    assert_eq!(identity["kernelId"], serde_json::Value::Null);
    let keys = json("/latest/meta-data/iam/security-credentials/web");
    assert_eq!((&keys["Code"], &keys["AccessKeyId"]), (&"Success".into(), &"ASIAEXAMPLE".into()));
    assert_eq!(
        (&keys["LastUpdated"], &keys["Expiration"]),
        (&"2026-01-31T12:00:00Z".into(), &"2026-01-31T18:00:00Z".into())
    );
    assert_eq!(
        json("/latest/meta-data/iam/info")["InstanceProfileArn"],
        "arn:aws:iam::123456789012:instance-profile/web"
    );
}

#[test]
fn every_listed_name_leads_somewhere() {
    // The walk that cloud-init does.
    let mut folders = vec!["/latest/meta-data/".to_owned(), "/latest/dynamic/".to_owned()];
    let mut leaves = 0;
    while let Some(folder) = folders.pop() {
        for name in text(&folder).lines() {
            match name.split_once('=') {
                Some((number, _)) => folders.push(format!("{folder}{number}/")),
                None if name.ends_with('/') => folders.push(format!("{folder}{name}")),
                None => {
                    text(&format!("{folder}{name}"));
                    leaves += 1;
                }
            }
        }
    }
    assert!(leaves > 30, "{leaves}");
}

proptest! {
    #[test]
    fn any_path_has_an_answer(path in "(/?(latest|1.0|meta-data|public-keys|0|=|iam|.{0,5})/?){0,6}") {
        let _ = answer(&facts(), Some(&credentials()), &path);
    }
}
