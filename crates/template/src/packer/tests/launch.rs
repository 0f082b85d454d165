//! What a launch and a finished image are told.

use super::*;
use crate::amazon_ebs::DeregistrationProtection;
use crate::amazon_ebs::Interface;
use crate::amazon_ebs::Key;
use crate::amazon_ebs::SecurityGroups;
use crate::amazon_ebs::SpotPrice;
use crate::amazon_ebs::Subnet;
use crate::amazon_ebs::UserData;
use crate::amazon_ebs::Vpc;

fn builder(members: &str) -> Recipe {
    recipe(&template(&format!(", {members}"), ""))
}

#[test]
fn the_network_is_read_and_ids_win_over_filters() {
    let recipe = builder(
        r#""vpc_id": "vpc-1", "vpc_filter": {"filters": {"tag:a": "b"}}, "availability_zone": "eu-west-1a",
           "subnet_filter": {"filters": {"tag:Class": "build"}, "most_free": true}, "associate_public_ip_address": "true",
           "security_group_ids": "sg-1,sg-2""#,
    );
    let network = &ebs(&recipe).network;
    assert_eq!(network.vpc, Some(Vpc::Id("vpc-1".to_owned())));
    let Some(Subnet::Search(search)) = &network.subnet else { panic!("a search") };
    assert_eq!(search.filters, [("tag:Class".to_owned(), vec!["build".to_owned()])]);
    assert_eq!((search.most_free, search.random), (true, false));
    assert_eq!(network.associate_public_ip_address, Some(true));
    assert_eq!(network.security_groups, SecurityGroups::Ids(vec!["sg-1".to_owned(), "sg-2".to_owned()]));
    let beaten = recipe.notes.iter().find(|note| note.option == "vpc_filter" && !note.only_direct);
    assert!(beaten.is_some_and(|note| note.text.contains("`vpc_id` is there too, and wins")), "{:?}", recipe.notes);
    assert!(recipe.notes.iter().any(|note| note.option == "vpc_id" && note.only_direct));
}

#[test]
fn a_login_has_packers_defaults_but_an_ed25519_key_and_our_own_address() {
    let recipe = builder(r#""ssh_username": "admin""#);
    let ebs = ebs(&recipe);
    assert_eq!(ebs.ssh.key, Key::Temporary { name: None, kind: None, bits: None });
    assert_eq!((ebs.ssh.port, ebs.ssh.timeout, ebs.ssh.handshake_attempts), (22, Duration::from_secs(300), 10));
    assert_eq!(ebs.network.security_groups, SecurityGroups::Temporary { source_cidrs: Vec::new() });
    assert_eq!((&ebs.spot, ebs.ssh.bastion.is_some(), ebs.sharing.is_private()), (&None, false, true));
}

#[test]
fn a_login_by_a_bastion_is_read() {
    let recipe = builder(
        r#""ssh_private_key_file": "id", "ssh_keypair_name": "ops", "ssh_interface": "private_ip", "ssh_port": 2222,
           "ssh_timeout": "10m", "ssh_bastion_host": "b", "ssh_bastion_username": "u", "ssh_bastion_agent_auth": true"#,
    );
    let ssh = &ebs(&recipe).ssh;
    let key = Key::File { path: "id".to_owned(), certificate: None, keypair: Some("ops".to_owned()) };
    assert_eq!((&ssh.key, ssh.interface, ssh.port), (&key, Some(Interface::PrivateIp), 2222));
    let bastion = ssh.bastion.as_ref().expect("a bastion");
    assert_eq!((bastion.host.as_str(), bastion.port, bastion.agent_auth), ("b", 22, true));
}

#[test]
fn the_instance_and_the_spot_market_are_read() {
    let recipe = builder(
        r#""user_data_file": "u", "iam_instance_profile": "p", "run_volume_tags": {"a": "{{.SourceAMI}}"}, "tenancy": "dedicated",
           "metadata_options": {"http_tokens": "required", "http_put_response_hop_limit": 2}, "shutdown_behavior": "terminate",
           "enable_t2_unlimited": true, "license_specifications": [{"license_configuration_request": {"license_configuration_arn": "arn"}}],
           "spot_price": "0.05", "spot_instance_types": ["a", "b"], "spot_tag": [{"key": "k", "value": "v"}]"#,
    );
    let (launch, spot) = (&ebs(&recipe).launch, ebs(&recipe).spot.as_ref().expect("spot"));
    assert_eq!(launch.user_data, Some(UserData::File("u".to_owned())));
    assert_eq!(
        (launch.metadata.http_tokens.as_deref(), launch.metadata.http_put_response_hop_limit),
        (Some("required"), Some(2))
    );
    assert_eq!((launch.placement.tenancy.as_deref(), launch.unlimited_credits), (Some("dedicated"), true));
    assert_eq!(launch.license_configurations, ["arn"]);
    assert_eq!(launch.run_volume_tags.len(), 1);
    assert_eq!((&spot.price, spot.instance_types.len()), (&SpotPrice::Most("0.05".to_owned()), 2));
    assert_eq!(spot.tags["k"], Deferred::literal("v"));
    assert_eq!(ebs(&builder(r#""spot_price": "0""#)).spot, None, "a price of zero is on demand");
}

#[test]
fn what_becomes_of_the_image_is_read() {
    let recipe = builder(
        r#""ami_users": "1,2", "ami_groups": ["all"], "ami_ou_arns": ["arn"], "snapshot_users": ["3"], "ami_regions": ["us-east-1", ""],
           "region_kms_key_ids": {"us-east-1": "key"}, "snapshot_copy_duration_minutes": 30, "encrypt_boot": true, "kms_key_id": "k",
           "force_deregister": true, "force_delete_snapshot": "true", "deprecate_at": "2027-01-31T12:00:00Z",
           "deregistration_protection": {"enabled": true, "with_cooldown": true}, "skip_create_ami": false, "imds_support": "v2.0""#,
    );
    let ebs = ebs(&recipe);
    assert_eq!((ebs.sharing.users.len(), ebs.sharing.organizational_units.len()), (2, 1));
    assert_eq!((ebs.copies.regions.as_slice(), ebs.copies.duration_minutes), (&["us-east-1".to_owned()][..], Some(30)));
    assert_eq!(ebs.copies.kms_key_ids["us-east-1"], "key");
    assert_eq!((ebs.encrypt_boot, ebs.kms_key_id.as_deref()), (Some(true), Some("k")));
    assert_eq!((ebs.lifetime.replaces, ebs.lifetime.replaces_snapshots), (true, true));
    assert_eq!(ebs.lifetime.deprecate_at, "2027-01-31T12:00:00Z".parse().ok());
    assert_eq!(ebs.lifetime.protection, Some(DeregistrationProtection { with_cooldown: true }));
    assert_eq!(recipe.notes, [], "all of it is honoured");
}

#[test]
fn faults_have_their_sentence() {
    let cases = [
        (r#""ssh_interface": "carrier_pigeon""#, "`ssh_interface` cannot be `carrier_pigeon`"),
        (r#""ssh_port": 70000"#, "`ssh_port` must be a port, this is `70000`"),
        (r#""ssh_keypair_name": "ops""#, "`ssh_keypair_name` names a key that nobody can use"),
        (r#""user_data": "a", "user_data_file": "b""#, "`user_data` and `user_data_file` are both there"),
        (r#""metadata_options": {"http_tokens": "maybe"}"#, "`http_tokens` cannot be `maybe`"),
        (r#""metadata_options": {"tokens": "required"}"#, "metadata_options has no option `tokens`"),
        (r#""spot_price": "cheap""#, "`spot_price` cannot be `cheap`"),
        (r#""deprecate_at": "soon""#, "`deprecate_at` must be an instant"),
        (r#""snapshot_copy_duration_minutes": 20"#, "must be a multiple of 15"),
        (r#""skip_create_ami": true"#, "a bake is for its image"),
        (r#""ami_product_codes": "abc""#, "list the image in the AWS Marketplace"),
        (
            r#""region": "eu-west-1", "ami_regions": ["us-east-1"], "region_kms_key_ids": {"us-east-2": "k"}"#,
            "no copy goes to `us-east-2`",
        ),
        (r#""ami_users": ["1"], "encrypt_boot": true"#, "encrypted with the account's default key cannot be shared"),
        (
            r#""ami_org_arns": ["arn"], "encrypt_boot": true"#,
            "encrypted with the account's default key cannot be shared",
        ),
        (
            r#""snapshot_users": ["1"], "ami_regions": ["us-east-1"], "region_kms_key_ids": {"us-east-1": ""}"#,
            "the copy in `us-east-1` has the account's default key there",
        ),
        (r#""block_duration_minutes": 60"#, "AWS no longer sells spot blocks"),
        (r#""temporary_key_pair_type": "dsa""#, "`temporary_key_pair_type` cannot be `dsa`"),
    ];
    for (members, sentence) in cases {
        let said = errors(&template(&format!(", {members}"), ""));
        assert!(said.contains(sentence), "{members}: {said}");
    }
}

#[test]
fn a_key_that_encrypts_nothing_is_noted() {
    let recipe = builder(r#""kms_key_id": "k", "encrypt_boot": false"#);
    assert_eq!(ebs(&recipe).kms_key_id, None);
    assert!(recipe.notes[0].text.contains("unless `encrypt_boot` is true"), "{:?}", recipe.notes);
}
