//! Comparing images and writing their bills of materials, over contents that are kept: no disk is mounted here.

use std::collections::BTreeMap;

use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::block::Digest;
use ovenbird_core::contents;
use ovenbird_core::contents::Contents;
use ovenbird_core::contents::Entry;
use ovenbird_core::contents::File;
use ovenbird_core::contents::Group;
use ovenbird_core::contents::Kind;
use ovenbird_core::contents::Package;
use ovenbird_core::contents::UnitState;
use ovenbird_core::contents::User;

use super::assert_is;
use super::assert_says;
use crate::support::Lab;
use crate::support::Ran;
use crate::support::repository;

/// What nobody's page may run.
const HOSTILE: &str = "<script>alert(1)</script>";

fn file(text: &str, mode: u32, package: Option<&str>) -> File {
    let content = Some(Digest::of(text.as_bytes()));
    let entry = Entry { kind: Kind::File, mode, uid: 0, gid: 0, size: text.len() as u64, content, attributes: None };
    File { entry, package: package.map(str::to_owned) }
}

fn package(version: &str) -> Package {
    let maintainer = Some("Debian Nginx Maintainers <nginx@example.org>".to_owned());
    Package { version: version.to_owned(), architecture: "amd64".to_owned(), source: None, maintainer }
}

fn named<T, const N: usize>(things: [(&str, T); N]) -> BTreeMap<String, T> {
    things.into_iter().map(|(name, thing)| (name.to_owned(), thing)).collect()
}

fn before() -> Contents {
    Contents {
        version: contents::VERSION,
        release: named([("ID", "debian".to_owned()), ("VERSION_ID", "12".to_owned())]),
        packages: named([("nginx", package("1.22.1-9")), ("jq", package("1.6-2.1")), ("libc6", package("2:2.36-9"))]),
        units: named([("man-db.timer", UnitState::Enabled)]),
        users: named([]),
        groups: named([("adm", Group { gid: 4, members: vec![] })]),
        files: named([
            ("/etc/motd", file("hello", 0o644, None)),
            ("/usr/bin/jq", file("jq", 0o755, Some("jq"))),
            ("/usr/sbin/nginx", file("old", 0o755, Some("nginx"))),
        ]),
    }
}

fn after() -> Contents {
    let ada = User { uid: 1000, gid: 1000, home: "/home/ada".to_owned(), shell: format!("/bin/sh {HOSTILE}") };
    let before = before();
    Contents {
        packages: named([("nginx", package("1.22.1-9+deb12u1")), ("libc6", package("2:2.35-1"))]),
        units: named([("nginx.service", UnitState::Enabled), ("man-db.timer", UnitState::Masked)]),
        users: named([("ada", ada)]),
        groups: named([("adm", Group { gid: 4, members: vec!["ada".to_owned()] })]),
        files: named([
            ("/etc/motd", file("hello", 0o600, None)),
            ("/usr/sbin/nginx", file("newer", 0o755, Some("nginx"))),
            (&format!("/srv/{HOSTILE}\u{1b}[2J"), file("", 0o644, None)),
        ]),
        ..before
    }
}

/// Registers an image of `service` whose contents this machine knows; answers its id.
fn image(lab: &Lab, name: &str, contents: &Contents) -> String {
    let api = lab.api();
    let started = ebs::StartSnapshotRequest { volume_size: Some(1), ..Default::default() };
    let snapshot = api.send(started).expect("started").snapshot_id.expect("an id");
    let complete = ebs::CompleteSnapshotRequest {
        snapshot_id: Some(snapshot.clone()),
        changed_blocks_count: Some(0),
        ..Default::default()
    };
    api.send(complete).expect("completed");
    api.wait_for_snapshot(&snapshot);
    lab.home.keep_contents(&snapshot, &serde_json::to_vec(contents).expect("JSON"));
    let root = ec2::EbsBlockDevice { snapshot_id: Some(snapshot), ..Default::default() };
    let register = ec2::RegisterImageRequest {
        name: Some(name.to_owned()),
        architecture: Some("x86_64".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: vec![ec2::BlockDeviceMapping {
            device_name: Some("/dev/xvda".to_owned()),
            ebs: Some(root),
            ..Default::default()
        }],
        tag_specifications: vec![TagSpecification::new("image", vec![Tag::new("ovenbird:service", "web")])],
        ..Default::default()
    };
    api.send(register).expect("registered").image_id.expect("an id")
}

/// The output with the ids of this run named.
fn told(ran: &Ran, ids: [&str; 2]) -> String {
    ran.stdout.replace(ids[0], "ami-before").replace(ids[1], "ami-after")
}

#[test]
fn two_images_are_compared() {
    let lab = Lab::pretend();
    fs_err::create_dir_all(lab.home.project()).expect("made");
    let (one, two) = (image(&lab, "web 1", &before()), image(&lab, "web 2", &after()));
    let ids = [one.as_str(), two.as_str()];
    assert_is("diff", &told(&lab.home.run(["diff", &one, "web 2"]).ok(), ids));
    assert_is("diff-all", &told(&lab.home.run(["diff", "web 1", "web", "--all"]).ok(), ids));
    lab.home.run(["diff", &one, "web 1"]).ok().says("the images hold the same");
    let answer = lab.home.run(["diff", &one, &two, "--json"]).ok().json();
    assert_eq!(answer["same"], false);
    assert_eq!(answer["packages"][0]["name"], "libc6");
    assert_eq!(answer["packages"][0]["movement"], "downgraded");
    assert_eq!(answer["files"][0]["aspects"], serde_json::json!(["mode"]));
    let same = lab.home.run(["diff", &two, &two, "--json"]).ok().json();
    assert_eq!((&same["same"], same["files"].as_array().map(Vec::len)), (&true.into(), Some(0)));
}

#[test]
fn names_that_mean_no_image_or_several() {
    let lab = Lab::pretend();
    fs_err::create_dir_all(lab.home.project()).expect("made");
    let (one, two) = (image(&lab, "web 1", &before()), image(&lab, "web 2", &after()));
    let ran = lab.home.run(["diff", "web ", &one, "--quiet"]).exits(5);
    ran.clone().warns("`web ` fits 2 images").warns(&one).warns(&two);
    assert_says("error-diff-no-image", &lab.home, &lab.home.run(["diff", "wbe", &one, "--quiet"]));
    assert_says("error-diff-no-pointer", &lab.home, &lab.home.run(["diff", "web@dev", &one, "--quiet"]));
    lab.home.run(["diff", "ami-0123456789abcdef0", &one, "--quiet"]).exits(3);
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_of_an_image() {
    let lab = Lab::pretend();
    fs_err::create_dir_all(lab.home.project()).expect("made");
    let (one, two) = (image(&lab, "web 1", &before()), image(&lab, &format!("web {}", "x'(2)"), &after()));
    lab.home.run(["diff", &one, &two, "--html", "page.html"]).ok();
    let page = fs_err::read_to_string(lab.home.project().join("page.html")).expect("a page");
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    assert!(page.contains("/srv/&lt;script&gt;alert(1)&lt;/script&gt;\\u{1b}[2J"), "{page}");
    for what in ["http://", "https://", "url(", "@import", "src="] {
        assert!(!page.contains(what), "{what}");
    }
    let script = page.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>")).expect("a script").0;
    assert!(
        page.contains(&format!("script-src &#39;sha256-{}&#39;", Digest::of(script.as_bytes()).base64()))
            || page.contains(&format!("script-src 'sha256-{}'", Digest::of(script.as_bytes()).base64())),
        "the policy names the script"
    );
}

#[test]
fn bills_of_materials_are_what_their_formats_say() {
    let lab = Lab::pretend();
    fs_err::create_dir_all(lab.home.project()).expect("made");
    let one = image(&lab, "web 1", &before());
    let python = repository().join("target/venv/bin/python");
    assert!(python.exists(), "{} is missing: run `make venv`", python.display());
    for format in ["spdx", "cyclonedx"] {
        let name = format!("{format}.json");
        lab.home.run(["sbom", "web", "--format", format, "-o", &name]).ok();
        let check = lab.home.tool(python.display().to_string()).arg(repository().join("tests/clients/sbom.py"));
        let checked = check.args([format, &name]).run().unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(checked.text(), "3", "{format}: packages");
        let again = lab.home.run(["sbom", &one, "--format", format]).ok().stdout;
        let first = fs_err::read_to_string(lab.home.project().join(&name)).expect("written");
        assert_eq!(again, first, "the same image has the same document");
    }
}
