//! Registering a baked disk as an image. RegisterImage's defaults (i386, paravirtual) are never ours, so everything is said.

use std::collections::BTreeMap;

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::block::Digest;
use ovenbird_core::block::GIB;
use ovenbird_core::instant;
use ovenbird_core::tags;
use ovenbird_template::AmazonEbs;
use ovenbird_template::BlockDevice;
use ovenbird_template::Deferred;
use ovenbird_template::SourceAmi;
use ovenbird_template::takes_iops;
use ovenbird_template::takes_throughput;

use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::plan::Plan;
use crate::plan::describe_source;
use crate::remote::find_named;
use crate::remote::register_image;
use crate::request::Request;

/// What the template says about the finished image, rendered.
pub(crate) struct Rendered {
    pub(crate) image: BTreeMap<String, String>,
    pub(crate) snapshot: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
}

/// Renders the template's tags and description. Keys of ours may not be among them.
pub(crate) fn rendered_tags(builder: &AmazonEbs, source: &SourceAmi) -> Result<Rendered, BakeError> {
    let render = |text: &Deferred| text.render(source).map_err(working("render the template's tags"));
    let all = |tags: BTreeMap<String, Deferred>| -> Result<BTreeMap<String, String>, BakeError> {
        tags.iter().map(|(key, value)| Ok((key.clone(), render(value)?))).collect()
    };
    let rendered = Rendered {
        image: all(builder.image_tags())?,
        snapshot: all(builder.image_snapshot_tags())?,
        description: builder.ami_description.as_ref().map(render).transpose()?,
    };
    let reserved = |key: &&String| {
        key.starts_with("ovenbird:") || [tags::LAST_USED, tags::LAST_USED_RUNTIME].contains(&key.as_str())
    };
    match rendered.image.keys().chain(rendered.snapshot.keys()).find(reserved) {
        Some(key) => Err(BakeError::Unsupported(format!(
            "the template sets the tag `{key}`, which Ovenbird keeps for itself; name it otherwise"
        ))),
        None => Ok(rendered),
    }
}

/// Who has the name that the new image shall get? Looked up before any work, so that nothing is baked for nothing. `None`: nobody, or this
/// very bake, which is resumed.
///
/// # Errors
/// The image that has it, with what to do, unless the template replaces it; AWS's refusals.
pub(crate) async fn find_replaced(
    client: &Client,
    request: &Request,
    plan: &Plan,
    bake: &str,
) -> Result<Option<String>, BakeError> {
    let name = &plan.image_name;
    let taken = find_named(client, name).await.map_err(calling(format!("look whether the name `{name}` is free")))?;
    let Some(taken) = taken.filter(|taken| Tag::find(&taken.tags, tags::BAKE) != Some(bake)) else { return Ok(None) };
    let image = taken.image_id.unwrap_or_default();
    if !request.builder()?.lifetime.replaces {
        return Err(BakeError::Unsupported(format!(
            "the name `{name}` is taken by {image}; an image is never replaced under its name unless the template sets \
             force_deregister: give ami_name a finer time ({{{{isotime \"2006-01-02 150405\"}}}}), or wait until the minute is over"
        )));
    }
    match request.pointed.get(&image) {
        None => Ok(Some(image)),
        Some(pointer) => Err(BakeError::Unsupported(format!(
            "`{name}` would be replaced, but {pointer} points at {image}, and a replaced image gets another id: promote another image \
             there first, or give ami_name a time"
        ))),
    }
}

/// How the names begin of images that stand in for the one called `name`.
pub(crate) fn stand_in_start(name: &str) -> String {
    // A name has 128 characters at most.
    format!("{} (new ", name.chars().take(100).collect::<String>())
}

/// The name that the image has until the old one has made way.
pub(crate) fn stand_in_name(name: &str, bake: &str) -> String {
    format!("{}{})", stand_in_start(name), bake.trim_start_matches("bake-"))
}

/// Registers `snapshot` as the plan's image and waits until it is available. Run twice for one bake, it is one image.
///
/// # Errors
/// AWS's refusals; an image that does not become available.
pub(crate) async fn register(
    client: &Client,
    request: &Request,
    (plan, name): (&Plan, &str),
    (bake, snapshot, tree): (&str, &str, Digest),
) -> Result<String, BakeError> {
    let region = client.region().unwrap_or_default();
    let order = order(request, (plan, name), (bake, snapshot, tree), region)?;
    register_image(client, order, bake).await
}

/// The tags of the image, wherever it is: the template's, and those by which it is found. Its key comes when it is published.
pub(crate) fn image_tags(
    request: &Request,
    plan: &Plan,
    (bake, tree): (&str, Digest),
    region: &str,
) -> Result<BTreeMap<String, String>, BakeError> {
    let source = &plan.source;
    let rendered = rendered_tags(request.builder()?, &describe_source(source, region))?;
    let mut marks = BTreeMap::from([
        (tags::AUTO_CLEANUP.to_owned(), "true".to_owned()),
        (tags::NAME.to_owned(), plan.image_name.clone()),
    ]);
    marks.extend(rendered.image);
    marks.extend([
        (tags::LAST_USED.to_owned(), instant::write(request.now)),
        (tags::SERVICE.to_owned(), request.service.clone()),
        (tags::BAKE.to_owned(), bake.to_owned()),
        (tags::TREE.to_owned(), tree.hex()),
        (tags::BASE.to_owned(), source.image.clone()),
    ]);
    Ok(marks)
}

fn order(
    request: &Request,
    (plan, name): (&Plan, &str),
    (bake, snapshot, tree): (&str, &str, Digest),
    region: &str,
) -> Result<ec2::RegisterImageRequest, BakeError> {
    let (builder, source) = (request.builder()?, &plan.source);
    let rendered = rendered_tags(builder, &describe_source(source, region))?;
    let marks = image_tags(request, plan, (bake, tree), region)?;
    Ok(ec2::RegisterImageRequest {
        name: Some(name.to_owned()),
        description: rendered.description,
        architecture: Some(source.architecture.clone()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some(source.root_device.clone()),
        boot_mode: source.boot_mode.clone(),
        ena_support: Some(true),
        sriov_net_support: Some("simple".to_owned()),
        imds_support: Some("v2.0".to_owned()),
        block_device_mappings: devices(builder, plan, snapshot)?,
        tag_specifications: vec![TagSpecification::new(
            "image",
            marks.iter().map(|(key, value)| Tag::new(key, value)).collect(),
        )],
        ..Default::default()
    })
}

/// The root with the snapshot, changed as the template says, and the template's further devices.
fn devices(builder: &AmazonEbs, plan: &Plan, snapshot: &str) -> Result<Vec<ec2::BlockDeviceMapping>, BakeError> {
    let root = ec2::EbsBlockDevice {
        snapshot_id: Some(snapshot.to_owned()),
        volume_size: Some(plan.source.size),
        volume_type: Some("gp3".to_owned()),
        delete_on_termination: Some(true),
        ..Default::default()
    };
    let mapping = |device: &str, ebs| ec2::BlockDeviceMapping {
        device_name: Some(device.to_owned()),
        ebs: Some(ebs),
        ..Default::default()
    };
    let mut devices = BTreeMap::from([(plan.source.root_device.clone(), mapping(&plan.source.root_device, root))]);
    for device in builder.launch_block_device_mappings.iter().chain(&builder.ami_block_device_mappings) {
        verify_encryption(device, &plan.source.root_device)?;
        let name = &device.device_name;
        if device.no_device || device.virtual_name.is_some() {
            let no_device = device.no_device.then(String::new);
            let virtual_name = device.virtual_name.clone();
            devices.insert(
                name.clone(),
                ec2::BlockDeviceMapping {
                    device_name: Some(name.clone()),
                    no_device,
                    virtual_name,
                    ..Default::default()
                },
            );
            continue;
        }
        let known = devices.remove(name).and_then(|mapping| mapping.ebs).unwrap_or_default();
        devices.insert(name.clone(), mapping(name, changed(known, device)));
    }
    Ok(devices.into_values().collect())
}

fn changed(known: ec2::EbsBlockDevice, device: &BlockDevice) -> ec2::EbsBlockDevice {
    let number = |value: Option<u64>| value.and_then(|value| i32::try_from(value).ok());
    let gib = |bytes: Option<u64>| number(bytes.map(|bytes| bytes.div_ceil(GIB)));
    let volume_type = device.volume_type.clone().or(known.volume_type);
    // The source's volume may have been of another type, with a speed that EC2 refuses of this one.
    let has_iops = volume_type.as_deref().is_none_or(takes_iops);
    let has_throughput = volume_type.as_deref().is_none_or(takes_throughput);
    ec2::EbsBlockDevice {
        volume_size: gib(device.volume_size).max(known.volume_size),
        volume_type,
        // Of a snapshot it must not be said: its volumes are as it is.
        encrypted: device.encrypted.filter(|_| known.snapshot_id.is_none() && device.snapshot_id.is_none()),
        iops: number(device.iops).or(known.iops).filter(|_| has_iops),
        throughput: number(device.throughput).or(known.throughput).filter(|_| has_throughput),
        // Packer's default of keeping the volumes is how they pile up (packer.md 1.4).
        delete_on_termination: device.delete_on_termination.or(known.delete_on_termination).or(Some(true)),
        snapshot_id: known.snapshot_id.or_else(|| device.snapshot_id.clone()),
        ..Default::default()
    }
}

/// The root volume is encrypted by way of the base. Of others RegisterImage can be told that an empty one is encrypted, and no more
/// (EC2 API reference, `EbsBlockDevice`).
fn verify_encryption(device: &BlockDevice, root_device: &str) -> Result<(), BakeError> {
    if device.device_name == *root_device {
        return Ok(());
    }
    let name = &device.device_name;
    let refused = match (&device.kms_key_id, device.encrypted, &device.snapshot_id) {
        (Some(_), ..) => {
            format!("the key of {name}: an image cannot name the key of a further volume; remove `kms_key_id`")
        }
        (_, Some(true), Some(snapshot)) => {
            format!(
                "encryption of {name}: a volume is encrypted as its snapshot {snapshot} is; copy that encrypted first"
            )
        }
        _ => return Ok(()),
    };
    Err(BakeError::Unsupported(format!(
        "a direct bake cannot do what the template asks for, {refused}, or bake with --launch"
    )))
}
