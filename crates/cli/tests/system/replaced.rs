//! `force_deregister`: the image under a name is replaced, and at no moment is there neither.

use serde_json::Value;
use serde_json::json;

use super::main_job::Baked;
use crate::support::Lab;
use crate::support::audit;

pub const PROJECT: &str =
    "environments = [\"dev\", \"prod\"]\nregion = \"us-east-1\"\n[services.one]\ntemplate = \"one.json\"\n";

pub fn template(command: &str) -> Value {
    json!({
        "builders": [{
            "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "ssh_username": "admin",
            "source_ami_filter": {
                "filters": { "name": "debian-12-amd64-*" }, "owners": ["136693071363"], "most_recent": true,
            },
            "ami_name": "one", "force_deregister": true, "force_delete_snapshot": true,
        }],
        "provisioners": [{ "type": "shell", "inline": [command] }],
    })
}

#[test]
fn an_image_is_replaced_under_its_name() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let (home, api) = (&lab.home, lab.api());
    home.write("ovenbird.toml", PROJECT);
    let bake = |text: &str| {
        home.write("one.json", template(&format!("echo {text} > /opt/text")).to_string());
        home.run(["bake", "one", "--json"])
    };
    let names = || -> Vec<Value> {
        let images = home.run(["images", "--json"]).ok().json();
        let names = images.as_array().expect("images").iter().map(|image| image["name"].clone());
        names.filter(|name| name.as_str().is_some_and(|name| name.starts_with("one"))).collect()
    };

    let first = Baked::of(&bake("first"));
    let second = Baked::of(&bake("second"));
    assert_ne!(first.image, second.image);
    assert!(api.find_image(&first.image).is_none());
    assert_eq!(api.find_image(&second.image).and_then(|image| image.name).as_deref(), Some("one"));
    assert_eq!(names(), ["one"], "no stand-in is left");
    assert!(Baked::of(&bake("second")).reused);

    // What another environment points at stays.
    home.run(["promote", "one", "--to", "prod", "--json"]).ok();
    bake("third").exits(2).says("points at");
    assert!(api.find_image(&second.image).is_some());
    assert_eq!(audit(&home.local_state()), [""; 0]);
}
