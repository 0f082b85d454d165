//! Encryption on the direct path: by a copy of the base, of an encrypted base, and where the account encrypts by default.

use ovenbird_aws::ec2;
use ovenbird_core::tags;
use serde_json::Value;
use serde_json::json;

use super::main_job::Baked;
use crate::support::Lab;
use crate::support::audit;

const PROJECT: &str = "environments = [\"dev\"]\nregion = \"us-east-1\"\n[services.one]\ntemplate = \"one.json\"\n";

fn template(source: &Value, options: Value) -> String {
    let mut builder = json!({
        "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "one {{uuid}}",
    });
    let members = builder.as_object_mut().expect("an object");
    for more in [source.clone(), options] {
        members.extend(more.as_object().expect("options").clone());
    }
    let layer = json!({ "type": "shell", "inline": ["echo text > /opt/text"] });
    json!({ "builders": [builder], "provisioners": [layer] }).to_string()
}

/// The key of the snapshot behind an image's root; `None` where it is not encrypted.
fn key_of(lab: &Lab, image: &str) -> Option<String> {
    let image = lab.api().find_image(image).expect("the image");
    let ebs = image.block_device_mappings[0].ebs.clone().expect("a volume");
    let ids = ebs.snapshot_id.clone().into_iter().collect();
    let request = ec2::DescribeSnapshotsRequest { snapshot_ids: ids, ..Default::default() };
    let snapshot = lab.api().send(request).expect("described").snapshots.remove(0);
    assert_eq!(ebs.encrypted, snapshot.encrypted, "the image says what its snapshot is");
    assert_eq!(snapshot.encrypted, Some(snapshot.kms_key_id.is_some()));
    snapshot.kms_key_id
}

#[test]
fn a_direct_bake_is_encrypted_by_its_base() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let (home, api) = (&lab.home, lab.api());
    home.write("ovenbird.toml", PROJECT);
    let public = json!({ "source_ami_filter": {
        "filters": { "name": "debian-12-amd64-*" }, "owners": ["136693071363"], "most_recent": true,
    }});
    let bake = |source: &Value, options: Value| {
        home.write("one.json", template(source, options));
        Baked::of(&home.run(["bake", "one", "--json", "--no-pointer"]))
    };
    let bases = || api.images_with(tags::BASE_OF).len();

    // The base is copied once, with the key.
    let own_key = json!({ "encrypt_boot": true, "kms_key_id": "alias/nest" });
    let sealed = bake(&public, own_key.clone());
    let key = key_of(&lab, &sealed.image);
    assert!(key.is_some() && bases() == 1, "{key:?}");
    home.run(["plan", "one"]).ok().says("alias/nest, by way of a copy of the base").says("is this already");
    assert!(bake(&public, own_key).reused);

    // An encrypted base of our own is a parent as it is, and its children have its key.
    let ours = json!({ "source_ami": sealed.image });
    let child = bake(&ours, json!({}));
    assert_eq!((key_of(&lab, &child.image), bases()), (key.clone(), 1));
    let same = bake(&ours, json!({ "encrypt_boot": true, "kms_key_id": key }));
    assert!(same.reused, "it has that key already");

    // Where the account encrypts by default, AWS refuses the plain parent: it is known before anything runs.
    api.send(ec2::EnableEbsEncryptionByDefaultRequest::default()).expect("on");
    let managed = api.send(ec2::GetEbsDefaultKmsKeyIdRequest::default()).expect("a key").kms_key_id;
    let read = || lab.calls(["ebs:GetSnapshotBlock"]);
    let read_before = read();
    assert!(read_before[0] > 0, "the first bake read the base");
    let by_default = bake(&public, json!({}));
    assert_eq!(read(), read_before, "what one copy holds is known of the other");
    assert!(!by_default.reused, "what has another key is not taken for it");
    assert_eq!((key_of(&lab, &by_default.image), bases()), (managed, 2));
    assert_eq!(audit(&home.local_state()), [""; 0]);
}
