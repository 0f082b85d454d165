//! The demo, step by step, with every outcome looked at.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ssm;
use ovenbird_core::instant;
use ovenbird_core::tags;
use serde_json::Value;

use super::bad_user_data::bad_user_data;
use super::page;
use crate::support::Api;
use crate::support::Lab;
use crate::support::Ran;
use crate::support::audit;
use crate::support::days_from_now;

const ROLE: &str = "web/roles/web/tasks/main.yml";

#[test]
fn the_main_job() {
    let lab = Lab::start("container");
    lab.home.copy_examples();
    let job = Job { api: lab.api(), lab };
    let base = job.base();
    let first = job.first_bake(&base);
    job.nothing_changed(&first);
    let second = job.second_bake(&first);
    let volume = job.api.create_volume();
    job.nothing_to_launch_in_prod();
    let running = job.launches_with_a_volume(&volume, &second);
    bad_user_data(&job.lab, &job.api);
    let third = job.third_bake();
    job.promote(&third);
    job.cleanup(&base, [&first, &second, &third], &running);
    assert_eq!(audit(&job.lab.home.local_state()), [""; 0]);
}

/// The example's template, as its user would write it in HCL.
const HCL: &str = r#"
data "amazon-ami" "debian" {
  filters     = { name = "debian-12-amd64-*" }
  owners      = ["136693071363"]
  most_recent = true
  region      = "us-east-1"
}
data "amazon-parameterstore" "title" {
  name   = "/web/title"
  region = "us-east-1"
}
locals {
  playbooks = {
    "common.yml"  = []
    "web/web.yml" = ["-e", "web_title=${data.amazon-parameterstore.title.value}"]
  }
}
source "amazon-ebs" "web" {
  source_ami    = data.amazon-ami.debian.id
  region        = "us-east-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "web ${formatdate("YYYY-MM-DD hhmmss", timestamp())}"
}
build {
  sources = ["source.amazon-ebs.web"]
  dynamic "provisioner" {
    for_each = local.playbooks
    labels   = ["ansible"]
    content {
      playbook_file   = provisioner.key
      extra_arguments = provisioner.value
    }
  }
  error-cleanup-provisioner "shell-local" {
    inline = ["echo it failed"]
  }
  post-processor "manifest" {
    output      = "manifest.json"
    custom_data = { title = data.amazon-parameterstore.title.value }
  }
}
"#;

/// Two bakes from the same inputs are the same tree, whatever the blocks are.
#[test]
fn two_bakes_of_the_same_inputs_have_one_tree() {
    let lab = Lab::start_for_bakes();
    lab.home.copy_examples();
    lab.base();
    // The name holds the minute; these bakes are faster than that.
    lab.home.edit("web/web.json", "1504", "150405");
    let bake = |arguments: &[&str]| Baked::of(&lab.home.run([&["bake", "web", "--json"], arguments].concat()));
    let one = bake(&[]);
    // The second from a configuration of HCL, which asks AWS for its base and for its title.
    lab.home.edit("ovenbird.toml", "web/web.json", "web/web.pkr.hcl");
    lab.home.write("web/web.pkr.hcl", HCL);
    let title = ssm::PutParameterRequest {
        name: Some("/web/title".to_owned()),
        value: Some("Ovenbird".to_owned()),
        r#type: Some("String".to_owned()),
        ..Default::default()
    };
    lab.api().send(title).expect("put");
    let two = bake(&["--rebuild"]);
    let manifest = fs_err::read_to_string(lab.home.project().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["builds"][0]["artifact_id"], format!("us-east-1:{}", two.image));
    assert_eq!(manifest["builds"][0]["custom_data"]["title"], "Ovenbird");
    assert_ne!(one.image, two.image);
    assert_eq!(two.ran.len(), 2, "{:?}", two.ran);
    assert_eq!(one.tree, two.tree);
    assert_ne!(one.key, two.key, "its build has another name, which plays are told");
}

struct Job {
    api: Api,
    lab: Lab,
}

/// The last line of `bake --json`, and the layers that ran or were reused.
pub struct Baked {
    pub image: String,
    pub key: Value,
    pub tree: Value,
    pub reused: bool,
    pub ran: Vec<String>,
    pub layers_reused: Vec<String>,
}

impl Baked {
    #[track_caller]
    pub fn of(ran: &Ran) -> Self {
        let events = ran.clone().ok().events();
        let layers = |kind: &str| {
            let of_kind = events.iter().filter(|event| event["event"] == kind);
            of_kind.map(|event| event["layer"].as_str().expect("a title").to_owned()).collect()
        };
        let last = events.last().expect("an answer");
        assert_eq!(last["event"], "baked", "{last}");
        Self {
            image: last["image"].as_str().expect("an id").to_owned(),
            key: last["key"].clone(),
            tree: last["tree"].clone(),
            reused: last["reused"].as_bool().expect("yes or no"),
            ran: layers("runs"),
            layers_reused: layers("reused"),
        }
    }
}

impl Job {
    fn run<'a>(&self, arguments: impl AsRef<[&'a str]>) -> Ran {
        self.lab.home.run(arguments)
    }

    fn tag(&self, image: &str, key: &str) -> String {
        let image = self.api.find_image(image).expect("the image is there");
        Tag::find(&image.tags, key).unwrap_or_else(|| panic!("no tag {key} on {image:?}")).to_owned()
    }

    fn pointer(&self, environment: &str) -> Option<String> {
        let status = self.run(["status", "--json"]).ok().json();
        let pointers = status["pointers"].as_array().expect("pointers").clone();
        let found = pointers
            .into_iter()
            .find(|pointer| pointer["service"] == "web" && pointer["environment"] == environment)?;
        Some(found["image"].as_str().expect("an id").to_owned())
    }

    fn base(&self) -> String {
        let base = self.lab.base();
        let request = ec2::DescribeImagesRequest { owners: vec!["136693071363".to_owned()], ..Default::default() };
        let images = self.api.send(request).expect("images").images;
        let [image] = images.as_slice() else { panic!("one image of Debian's, not {images:?}") };
        assert_eq!(image.image_id.as_deref(), Some(base.as_str()));
        assert_eq!(
            (image.public, image.state.as_deref(), image.boot_mode.as_deref()),
            (Some(true), Some("available"), Some("uefi"))
        );
        let version = image.name.as_deref().and_then(|name| name.strip_prefix("debian-12-amd64-"));
        let (date, recipe) =
            version.and_then(|version| version.split_once('-')).expect("Debian's name, and the recipe");
        assert!(date.len() == 8 && date.bytes().all(|letter| letter.is_ascii_digit()), "{date}");
        assert!(recipe.len() == 8 && recipe.bytes().all(|letter| letter.is_ascii_hexdigit()), "{recipe}");
        assert_eq!(self.run(["local", "base", "debian-12", "--json"]).ok().json()["was_there"], true);
        base
    }

    fn first_bake(&self, base: &str) -> String {
        let plan = self.run(["plan", "web", "--json"]).ok().json();
        assert_eq!(
            (&plan["layers"][0]["fate"]["fate"], &plan["layers"][1]["fate"]["fate"]),
            (&"run".into(), &"run".into())
        );
        assert_eq!(plan["existing"], Value::Null);
        let baked = Baked::of(&self.run(["bake", "web", "--json"]));
        assert_eq!(baked.ran, ["ansible common.yml", "ansible web/web.yml"]);
        let plan = self.run(["plan", "web", "--json"]).ok().json();
        assert_eq!((&plan["image_key"], &plan["existing"]["id"]), (&baked.key, &baked.image.as_str().into()));
        let image = self.api.find_image(&baked.image).expect("the image is there");
        assert_eq!(image.state.as_deref(), Some("available"));
        let name = image.name.as_deref().unwrap_or_default();
        assert!(name.starts_with("web 20") && name.len() == "web 2026-01-31 1504".len(), "{name}");
        let tag = |key| Some(Tag::find(&image.tags, key).unwrap_or_else(|| panic!("no {key} in {image:?}")));
        assert_eq!(
            (tag(tags::AUTO_CLEANUP), tag(tags::SERVICE), tag(tags::BASE)),
            (Some("true"), Some("web"), Some(base))
        );
        assert_eq!((tag(tags::KEY), tag(tags::TREE)), (baked.key.as_str(), baked.tree.as_str()));
        let (now, used) = (days_from_now(0), tag(tags::LAST_USED).unwrap_or_default());
        let age =
            instant::read(&now).expect("now").instant.duration_since(instant::read(used).expect("RFC 3339").instant);
        assert!((0..600).contains(&age.as_secs()), "LastUsed={used} at {now}");
        assert_eq!(self.pointer("dev").as_ref(), Some(&baked.image));
        assert_eq!(self.pointer("prod"), None);
        baked.image
    }

    fn nothing_changed(&self, first: &str) {
        const MAKING: [&str; 3] = ["ebs:StartSnapshot", "ebs:PutSnapshotBlock", "ec2:RegisterImage"];
        let before = self.lab.calls(MAKING);
        assert!(before.iter().all(|calls| *calls > 0), "{before:?}");
        let again = self.run(["bake", "web"]).ok().warns("nothing changed");
        assert_eq!(again.text(), first);
        let again = self.run(["bake", "web", "--json"]);
        let baked = Baked::of(&again);
        assert!(baked.reused && baked.image == first && baked.ran.is_empty(), "{again:?}");
        assert_eq!(self.lab.calls(MAKING), before);
        assert!(again.took.as_secs_f64() < 1.0, "it is an answer, not a bake: {:?}", again.took);
    }

    fn second_bake(&self, first: &str) -> String {
        self.lab.home.edit(ROLE, "not provisioned yet", "not provisioned yet (second generation)");
        self.run(["plan", "web"]).ok().says("reuses").says(ROLE);
        let plan = self.run(["plan", "web", "--json"]).ok().json();
        let [common, web] = [&plan["layers"][0], &plan["layers"][1]];
        assert_eq!((&common["layer"], &common["fate"]["fate"]), (&"ansible common.yml".into(), &"reused".into()));
        assert_eq!((&web["layer"], &web["fate"]["fate"]), (&"ansible web/web.yml".into(), &"run".into()));
        let why = web["fate"]["why"].as_array().expect("reasons");
        assert!(why.len() == 1 && why[0].as_str().is_some_and(|why| why.contains(ROLE)), "{why:?}");
        let baked = Baked::of(&self.lab.home.run_at(&days_from_now(1), ["bake", "web", "--json"]));
        assert_eq!(
            (baked.layers_reused, baked.ran),
            (vec!["ansible common.yml".to_owned()], vec!["ansible web/web.yml".to_owned()])
        );
        assert_ne!(baked.image, first);
        assert_eq!(self.tag(&baked.image, tags::LAST_USED)[..10], days_from_now(1)[..10]);
        baked.image
    }

    fn nothing_to_launch_in_prod(&self) {
        let refused = self.run(["launch", "web", "--env", "prod"]).exits(5);
        refused.warns("/ovenbird/web/prod does not exist").warns("ovenbird promote web --to prod");
    }

    /// Launches twice with one volume; answers the id of the instance that goes on running.
    fn launches_with_a_volume(&self, volume: &str, image: &str) -> String {
        let volume_id = format!("volume_id={volume}");
        let launch = ["launch", "web", "--env", "dev", "--wait", "--json", "--extra", &volume_id];
        let first = self.launched(&self.run([&launch[..], &["--extra", "central_logging=true"]].concat()), image);
        assert_eq!(
            first.shows(["environment", "instance", "central_logging", "volume"]),
            ["dev", &first.id, "on", volume]
        );
        assert_eq!(first.shows(["greeting"]), [format!("laid on {}", first.id)]);
        self.run(["terminate", &first.id]).ok();
        assert_eq!(self.api.state(&first.id), "terminated");

        let second = self.launched(&self.run(launch), image);
        assert_eq!(
            second.shows(["environment", "instance", "central_logging", "volume"]),
            ["dev", &second.id, "off", volume]
        );
        assert_eq!(second.shows(["greeting"]), [format!("laid on {}", first.id)], "the file of the first instance");
        second.id
    }

    fn launched(&self, ran: &Ran, image: &str) -> Launched {
        let told = ran.clone().ok().json();
        assert_eq!((&told["image"], &told["state"]), (&image.into(), &"ok".into()), "{told}");
        let text = |key: &str| told[key].as_str().expect("text").to_owned();
        let (id, page) = (text("instance"), page::fetch(&text("address")));
        assert!(self.api.console(&id).contains("ovenbird: result=ok"), "{}", self.api.console(&id));
        assert_eq!(Tag::find(&self.api.instance(&id).tags, tags::STATE), Some("ok"));
        Launched { id, page }
    }

    fn third_bake(&self) -> String {
        self.lab.home.edit(ROLE, "second generation", "third generation");
        let baked = Baked::of(&self.lab.home.run_at(&days_from_now(2), ["bake", "web", "--json"]));
        assert_eq!(baked.ran, ["ansible web/web.yml"]);
        baked.image
    }

    fn promote(&self, third: &str) {
        self.run(["promote", "web", "--to", "prod", "--dry-run"]).ok().says("would move");
        assert_eq!(self.pointer("prod"), None);
        self.run(["promote", "web", "--to", "staging"]).exits(2).warns("no environment `staging`").warns("dev, prod");
        self.run(["promote", "web", "--to", "prod"]).ok().says(third);
        assert_eq!(self.pointer("prod").as_deref(), Some(third));
        self.run(["promote", "web", "--to", "prod"]).ok().says("already");
        assert_eq!(self.run(["promote", "web", "--to", "prod", "--json"]).ok().json()["changed"], false);
        let prod = self.launched(&self.run(["launch", "web", "--env", "prod", "--wait", "--json"]), third);
        assert_eq!(prod.shows(["environment", "instance", "volume", "greeting"]), ["prod", &prod.id, "none", "none"]);
    }

    fn cleanup(&self, base: &str, [first, second, third]: [&str; 3], running: &str) {
        let snapshot = root_snapshot(&self.api, first);
        let (now, blocks) = (days_from_now(9), self.blocks());
        let run = |arguments: &[&str]| self.lab.home.run_at(&now, arguments);
        self.refuses_another_clock(&now);
        run(&["cleanup"]).ok();
        assert!(self.api.find_image(first).is_some(), "without an inventory nothing is deleted");

        let seen = run(&["inventory"]).ok().says(running);
        seen.says(&format!("{third}  in use by")).says("/ovenbird/web/prod");
        assert_eq!([second, third].map(|image| self.tag(image, tags::LAST_USED)), [now.as_str(); 2]);
        assert_ne!(self.tag(first, tags::LAST_USED), now);
        assert_eq!([first, second, third].map(|image| self.tag(image, tags::LAST_USED_RUNTIME)), [now.as_str(); 3]);

        run(&["cleanup", "--dry-run"]).ok().says(&format!("would delete {first}"));
        assert!(self.api.find_image(first).is_some() && self.blocks() == blocks, "a dry run deletes nothing");
        let report = run(&["cleanup", "--json"]).ok().json();
        let verdicts = report["images"].as_array().expect("images");
        let why = |image: &str| {
            let verdict = verdicts
                .iter()
                .find(|verdict| verdict["image"] == image)
                .unwrap_or_else(|| panic!("{image} in {report}"));
            (verdict["delete"].as_bool().expect("yes or no"), verdict["why"].to_string())
        };
        let is_kept_for = |image, reasons: &[&str]| {
            let (delete, why) = why(image);
            assert!(!delete && reasons.iter().all(|reason| why.contains(reason)), "{image}: {why}");
        };
        assert!(why(first).0 && why(first).1.contains("unused for 9 d"), "{report}");
        is_kept_for(second, &[running, "/ovenbird/web/dev would roll back to it"]);
        is_kept_for(third, &["/ovenbird/web/dev points at it", "/ovenbird/web/prod points at it"]);
        let owned = verdicts
            .iter()
            .find(|verdict| verdict["name"].as_str().is_some_and(|name| name.contains("debian-12")))
            .expect("our base");
        assert_eq!(owned["delete"], false);
        assert!(self.api.find_image(base).is_some(), "Debian's own image is none of ours");

        assert_eq!(self.api.find_image(first), None);
        assert!([second, third].iter().all(|image| self.api.find_image(image).is_some()));
        assert!(self.api.snapshots().iter().all(|(id, _)| *id != snapshot), "{snapshot} goes with its image");
        assert!(self.blocks() < blocks, "blocks are freed");
        println!("freed {} of {blocks} blocks", blocks - self.blocks());
        run(&["cleanup"]).ok().says("deleted 0 of");
    }

    /// `0.0.0.0` leads to the same endpoint, but it is no loopback address.
    fn refuses_another_clock(&self, now: &str) {
        let variables = self.run(["local", "env", "--json"]).ok().json();
        for command in ["inventory", "cleanup"] {
            let mut tool = self.lab.home.ovenbird([command]).env("OVENBIRD_NOW", now);
            for (name, value) in variables.as_object().expect("variables") {
                tool = tool.env(name, value.as_str().expect("text").replace("127.0.0.1", "0.0.0.0"));
            }
            Ran::of(&format!("ovenbird {command} elsewhere"), tool)
                .exits(2)
                .warns("the clock is only ever moved for the embedded EC2");
        }
    }

    fn blocks(&self) -> u64 {
        self.lab.status()["blocks"].as_u64().expect("a number")
    }
}

/// An instance that provisioned itself.
struct Launched {
    id: String,
    page: String,
}

impl Launched {
    fn shows<const N: usize>(&self, ids: [&str; N]) -> [String; N] {
        ids.map(|id| page::element(&self.page, id))
    }
}

fn root_snapshot(api: &Api, image: &str) -> String {
    let image = api.find_image(image).expect("the image is there");
    let ebs = image.block_device_mappings.into_iter().find_map(|device| device.ebs).expect("a root");
    ebs.snapshot_id.expect("a snapshot")
}
