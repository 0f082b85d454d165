//! User data that is wrong fails the instance with one sentence, everywhere the same, and nothing of the play runs.

use super::page;
use crate::support::Api;
use crate::support::Lab;

/// Bad user data, and what the sentence about it must say.
const BAD: [(&str, &str); 5] = [
    (r#"{"extra":{}}"#, "the user data has no `environment`; this image takes `dev`, `prod`"),
    (r#"["dev",{}]"#, "the user data is a JSON array and must be a JSON object"),
    (r#"{"environment":"dev","environment":"prod"}"#, "the user data has the key `environment` twice"),
    ("#!/bin/sh\ntouch /pwned", "the user data is not JSON but looks like a shell script"),
    (r#"{"environment":"dev""#, "the user data is not JSON: "),
];

pub fn bad_user_data(lab: &Lab, api: &Api) {
    let judge = |(data, sentence): &(&str, &str)| fails(lab, api, data, sentence);
    let addresses: Vec<String> = BAD.iter().map(judge).collect();
    for address in addresses {
        assert!(!page::has_listener(&address, 80), "{address} serves although its user data is bad");
    }
    too_long(lab);
}

/// Launches an instance with `data`; answers its address.
fn fails(lab: &Lab, api: &Api, data: &str, sentence: &str) -> String {
    lab.home.write("bad.json", data);
    let ran = lab.home.run(["launch", "web", "--env", "dev", "--user-data", "bad.json", "--wait"]);
    ran.exits(4).warns(&format!("did not provision itself: metadata: {sentence}"));

    let status = lab.home.run(["status", "web", "--json"]).ok().json();
    let instance = status["instances"].as_array().and_then(|instances| instances.last()).expect("the youngest").clone();
    let text = |key: &str| instance[key].as_str().unwrap_or_default().to_owned();
    let (id, word) = (text("instance"), text("provisioned"));
    assert!(word.starts_with(&format!("failed: metadata: {sentence}")), "{word}");

    let console = api.console(&id);
    let result = console
        .lines()
        .find_map(|line| line.split_once("ovenbird: result="))
        .map(|(_, result)| result)
        .unwrap_or_default();
    assert!(
        result.starts_with(&format!("failed phase=metadata instance={id} ")) && result.contains(sentence),
        "{console}"
    );
    let address = text("address");
    nothing_ran(&id, &address);
    address
}

fn nothing_ran(id: &str, address: &str) {
    assert!(!page::has_listener(address, 80), "nginx starts only after provisioning");
    let root = root_of(id);
    let page = fs_err::read_to_string(root.join("var/www/html/index.html")).expect("the baked page");
    assert!(page.contains("not provisioned yet"), "{page}");
    assert!(!root.join("pwned").exists(), "user data is data");
}

/// The file tree of a container, through one of its processes.
fn root_of(id: &str) -> std::path::PathBuf {
    let entries = fs_err::read_dir("/proc").expect("processes").flatten();
    let is_inside =
        |path: &std::path::PathBuf| fs_err::read_to_string(path.join("cgroup")).is_ok_and(|groups| groups.contains(id));
    let roots = entries.map(|entry| entry.path()).filter(is_inside).map(|path| path.join("root"));
    roots
        .into_iter()
        .find(|root| root.join("usr/lib/ovenbird/boot/playbook.yml").exists())
        .expect("a process of the instance")
}

/// EC2 itself refuses more than 16 KiB, so there is no instance at all.
fn too_long(lab: &Lab) {
    lab.home.write("bad.json", format!(r#"{{"environment":"dev","extra":{{"banner":"{}"}}}}"#, "x".repeat(17 * 1024)));
    let before = lab.status()["instances"].as_array().map(Vec::len);
    let refused = lab.home.run(["launch", "web", "--env", "dev", "--user-data", "bad.json", "--wait"]).exits(3);
    refused.warns("InvalidParameterValue").warns("User data is limited to 16384 bytes");
    assert_eq!(lab.status()["instances"].as_array().map(Vec::len), before);
}
