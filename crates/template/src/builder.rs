//! Reads builders.

use crate::amazon_ebs;
use crate::amazon_ebs::chroot;
use crate::fields::Fields;
use crate::fields::Findings;
use crate::nearest::did_you_mean;
use crate::place::Place;
use crate::recipe::Builder;
use crate::recipe::Unsupported;
use crate::scope::Scope;
use crate::tree::Node;

/// Reads a builder of a type. `None` when something that it cannot do without is missing or wrong; that has been reported.
pub(crate) fn read(kind: &str, node: &Node, findings: &Findings, scope: Scope<'_>, place: &Place) -> Option<Builder> {
    let options = |kind: &'static str| Fields::of(kind, node, findings, scope);
    Some(match kind {
        amazon_ebs::TYPE => Builder::AmazonEbs(Box::new(amazon_ebs::read(&options(amazon_ebs::TYPE)?)?)),
        chroot::TYPE => Builder::AmazonEbs(Box::new(chroot::read(&options(chroot::TYPE)?)?)),
        kind => {
            Builder::Unsupported(Unsupported { kind: kind.to_owned(), instead: instead(kind), place: place.clone() })
        }
    })
}

/// What to use instead of a builder of this type.
fn instead(kind: &str) -> String {
    match kind {
        "amazon-ebssurrogate" => {
            "bake from an image that has the partitions you want, with `amazon-ebs`, or register the disk that you made: aws ec2 import-snapshot, aws ec2 register-image".to_owned()
        }
        "amazon-ebsvolume" => "it makes volumes, and Ovenbird makes images: fill volumes where an instance starts".to_owned(),
        "amazon-instance" => "images with an instance store are of the past: use `amazon-ebs`".to_owned(),
        "null" => "it makes no image: run its commands themselves, or put them into a build of `amazon-ebs`".to_owned(),
        "file" | "docker" | "qemu" | "vagrant" | "virtualbox-iso" | "virtualbox-ovf" | "vmware-iso" | "vmware-vmx"
        | "parallels-iso" | "hyperv-iso" | "lxd" | "vsphere-iso" | "proxmox-iso" | "googlecompute" | "azure-arm"
        | "digitalocean" | "openstack" | "alicloud-ecs" | "oracle-oci" | "hcloud" | "linode" => {
            "Ovenbird makes images of EC2: bake the template's `amazon-ebs` builder, chosen with `builder = \"NAME\"` in ovenbird.toml".to_owned()
        }
        _ => {
            let known = [amazon_ebs::TYPE, chroot::TYPE];
            did_you_mean(kind, known).unwrap_or_else(|| format!("there are {}", known.join(", ")))
        }
    }
}
