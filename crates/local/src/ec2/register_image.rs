//! RegisterImage (offline.md 2.1).

use jiff::Timestamp;
use ovenbird_aws::ec2::RegisterImageRequest;
use ovenbird_aws::ec2::RegisterImageResult;
use rusqlite::Connection;

use super::devices;
use crate::catalogue::Scope;
use crate::catalogue::images;
use crate::catalogue::images::Billing;
use crate::catalogue::images::Image;
use crate::catalogue::tags;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::tagging;
use crate::world::Call;

/// Registers an image whose volumes are the caller's completed snapshots.
pub(crate) fn register_image(call: &Call, request: &RegisterImageRequest) -> Answer<RegisterImageResult> {
    let name = verify_name(required(request.name.as_deref(), "Name")?)?;
    let tags = tagging::specified(&request.tag_specifications, &["image"])?("image");
    // The API's defaults, which fit nobody: a client must say x86_64 and hvm.
    let architecture = one_of(
        "architecture",
        request.architecture.as_deref().or(Some("i386")),
        &["i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"],
    )?;
    let virtualization = one_of(
        "virtualizationType",
        request.virtualization_type.as_deref().or(Some("paravirtual")),
        &["hvm", "paravirtual"],
    )?;
    let boot_mode = one_of("bootMode", request.boot_mode.as_deref(), &["legacy-bios", "uefi", "uefi-preferred"])?;
    let tpm = one_of("tpmSupport", request.tpm_support.as_deref(), &["v2.0"])?;
    let imds = one_of("imdsSupport", request.imds_support.as_deref(), &["v2.0"])?;
    let sriov = one_of("sriovNetSupport", request.sriov_net_support.as_deref(), &["simple"])?;
    if tpm.is_some() && boot_mode.as_deref() != Some("uefi") {
        return refuse("InvalidParameterCombination", "TpmSupport needs the boot mode uefi");
    }
    let billing = billing_of(&request.billing_products)?;
    verify_description(request.description.as_deref())?;
    let available_at = call.world.delays.due(Delay::ImageRegistered, call.now);
    call.world.catalogue.transact(|db| {
        verify_free(db, &call.scope, &name)?;
        let devices = devices::of_new_image(db, call, &request.block_device_mappings)?;
        let root = verify_root(request.root_device_name.as_deref(), &devices)?;
        let image = Image {
            id: random_id("ami")?,
            name: name.clone(),
            description: request.description.clone(),
            architecture: architecture.clone().unwrap_or_default(),
            virtualization_type: virtualization.clone().unwrap_or_default(),
            root_device: Some(root),
            boot_mode: boot_mode.clone(),
            tpm_support: tpm.clone(),
            imds_support: imds.clone(),
            sriov: sriov.clone(),
            ena: request.ena_support.unwrap_or(false),
            state: if available_at <= call.now { "available" } else { "pending" }.to_owned(),
            available_at,
            devices,
            billing: billing.clone(),
            ..blank(call)
        };
        images::insert_image(db, &image)?;
        if let Some(why) = call.doom() {
            images::fail_image(db, &image.id, why)?;
        }
        tags::put_tags(db, &call.scope, &image.id, &tags)?;
        Ok(RegisterImageResult { image_id: Some(image.id) })
    })
}

/// 3 to 128 characters of `A-Za-z0-9()[] ./-'@_`.
pub(super) fn verify_name(name: &str) -> Answer<String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "()[] ./-'@_".contains(letter);
    if (3..=128).contains(&name.chars().count()) && name.chars().all(is_allowed) {
        return Ok(name.to_owned());
    }
    let text = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/', '_', \
                '[', ']', ' ', ''' and '@'";
    refuse("InvalidAMIName.Malformed", text)
}

/// A name belongs to one image per account and Region.
pub(super) fn verify_free(db: &Connection, scope: &Scope, name: &str) -> Answer<()> {
    match images::find_named(db, scope, name)? {
        None => Ok(()),
        Some(id) => refuse("InvalidAMIName.Duplicate", format!("AMI name {name} is already in use by AMI {id}")),
    }
}

/// At most 255 characters.
pub(super) fn verify_description(description: Option<&str>) -> Answer<()> {
    if description.is_none_or(|text| text.chars().count() <= 255) {
        return Ok(());
    }
    refuse("InvalidParameterValue", "The description must not be longer than 255 characters")
}

/// A pending image, with what is neither asked for nor inherited.
pub(super) fn blank(call: &Call) -> Image {
    Image {
        seq: 0,
        id: String::new(),
        scope: call.scope.clone(),
        name: String::new(),
        description: None,
        architecture: "x86_64".to_owned(),
        virtualization_type: "hvm".to_owned(),
        root_device: None,
        boot_mode: None,
        tpm_support: None,
        imds_support: None,
        sriov: None,
        ena: true,
        state: "pending".to_owned(),
        available_at: Timestamp::MAX,
        created: call.now,
        source_image: None,
        source_region: None,
        source_instance: None,
        deprecate_at: None,
        is_protected: false,
        failure: None,
        public: false,
        devices: Vec::new(),
        billing: Billing::default(),
    }
}

/// Billing products as identity documents of such instances show them, and what EC2 says of their images (EC2 user guide, "AMI
/// billing information fields"). On EC2 only accounts that sell may name one.
const BILLING_PRODUCTS: [(&str, &str, &str); 3] = [
    ("bp-6fa54006", "Red Hat Enterprise Linux", "RunInstances:0010"),
    ("bp-67a54003", "SUSE Linux", "RunInstances:000g"),
    ("bp-6ba54002", "Windows", "RunInstances:0002"),
];

fn billing_of(products: &[String]) -> Answer<Billing> {
    let [product, others @ ..] = products else { return Ok(Billing::default()) };
    match BILLING_PRODUCTS.iter().find(|(known, ..)| known == product) {
        Some((_, details, operation)) if others.is_empty() => {
            Ok(Billing { platform_details: (*details).to_owned(), usage_operation: (*operation).to_owned() })
        }
        _ => {
            let known = BILLING_PRODUCTS.map(|(product, details, _)| format!("{product} ({details})")).join(", ");
            let text = format!("The embedded EC2 knows one billing product of an image: {known}");
            refuse("InvalidParameterValue", text)
        }
    }
}

fn verify_root(name: Option<&str>, devices: &[images::Device]) -> Answer<String> {
    let name = required(name, "RootDeviceName")?;
    match devices.iter().find(|device| device.name == name) {
        Some(device) if device.snapshot.is_some() => Ok(name.to_owned()),
        Some(_) => refuse("InvalidBlockDeviceMapping", format!("The root device {name} has no snapshot")),
        None => {
            refuse("InvalidBlockDeviceMapping", format!("The root device {name} is not in the block device mapping"))
        }
    }
}

fn one_of(parameter: &str, value: Option<&str>, allowed: &[&str]) -> Answer<Option<String>> {
    match value {
        None => Ok(None),
        Some(value) if allowed.contains(&value) => Ok(Some(value.to_owned())),
        Some(value) => {
            let text = format!(
                "Value ({value}) for parameter {parameter} is invalid. It must be one of {}.",
                allowed.join(", ")
            );
            refuse("InvalidParameterValue", text)
        }
    }
}
