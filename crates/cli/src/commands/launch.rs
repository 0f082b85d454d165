//! `ovenbird launch`

mod follow;
mod user_data;

use std::path::PathBuf;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::pointer::Pointer;
use ovenbird_core::project::Service;
use ovenbird_core::tags;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project::OpenProject;

/// Launch one instance of a service
///
/// Launches one instance of the image that the environment's pointer names. Its user data is JSON: the environment, the
/// image's declared keys, and `extra`
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The service
    service: String,
    /// The environment
    #[arg(long, value_name = "ENVIRONMENT")]
    env: String,
    /// A value of the `extra` dictionary, such as volume_id=vol-… or central_logging=true; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = user_data::pair)]
    extra: Vec<user_data::Pair>,
    /// A value of a key that the image declares; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = user_data::pair)]
    keys: Vec<user_data::Pair>,
    /// Give this file as user data, unread and unchecked; the instance judges it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["extra", "keys"])]
    user_data: Option<PathBuf>,
    /// Launch this image instead of the pointer's
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Launch in this Availability Zone [default: that of the volumes in `extra`]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Follow the instance until it has provisioned itself, and fail if it does not
    #[arg(long, short)]
    wait: bool,
    /// How many seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// Ask AWS only whether it may be done
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let project = OpenProject::find(context.global.directory.as_deref())?;
    let (service, _) = project.service(&arguments.service)?;
    let environment = project.environment(&arguments.env)?;
    let user_data = user_data::compose(&environment, arguments)?;
    let account = Account::connect(context.global, project.project.region.as_deref(), context.output).await?;
    let image = match &arguments.image {
        Some(image) => image.clone(),
        None => pointed(&account, &Pointer::new(&arguments.service, &environment)).await?,
    };
    let zone = zone(&account, arguments).await?;
    let request = request(service, arguments, &environment, &image, zone, &user_data);
    let reservation = match account.client.send(request).await {
        Err(error) if arguments.dry_run && error.has_code("DryRunOperation") => {
            let (service, user_data) = (&arguments.service, String::from_utf8_lossy(&user_data));
            if context.output.is_json() {
                context.output.data(&serde_json::json!({ "would_launch": image, "user_data": user_data }));
            } else {
                context
                    .output
                    .print(&format!("would launch {image} as {service} in {environment}, with user data {user_data}"));
            }
            return Ok(());
        }
        answer => answer?,
    };
    let instance =
        reservation.instances.into_iter().next().and_then(|instance| instance.instance_id).unwrap_or_default();
    if !context.output.is_json() {
        context.output.note(&format!("launched {instance} from {image} as {} in {environment}", arguments.service));
    }
    if arguments.wait {
        return follow::until_provisioned(context, &account, &instance, &image, arguments.timeout).await;
    }
    if context.output.is_json() {
        context.output.data(&serde_json::json!({ "instance": instance, "image": image }));
    } else {
        context.output.print(&instance);
    }
    Ok(())
}

async fn pointed(account: &Account, pointer: &Pointer) -> Result<String, Failure> {
    let found =
        ovenbird_fleet::find_pointer(&account.client, pointer).await.map_err(|error| Failure::of(Kind::Aws, &error))?;
    found.map(|state| state.image).ok_or_else(|| {
        Failure::not_found(format!("{} does not exist, so there is nothing to launch", pointer.parameter())).hint(
            format!(
                "`ovenbird bake {0}` sets it in the first environment, `ovenbird promote {0} --to {1}` in a later one",
                pointer.service, pointer.environment
            ),
        )
    })
}

/// A volume can only be attached within its own zone, so its zone is the instance's.
async fn zone(account: &Account, arguments: &Arguments) -> Result<Option<String>, Failure> {
    if arguments.zone.is_some() {
        return Ok(arguments.zone.clone());
    }
    let values = arguments.extra.iter().chain(&arguments.keys).filter_map(|(_, value)| value.as_str());
    let volume_ids: Vec<String> =
        values.filter(|value| ovenbird_core::metadata::is_volume_id(value)).map(str::to_owned).collect();
    if volume_ids.is_empty() {
        return Ok(None);
    }
    let request = ec2::DescribeVolumesRequest { volume_ids: volume_ids.clone(), ..Default::default() };
    let mut zones: Vec<String> =
        account.client.send(request).await?.volumes.into_iter().filter_map(|volume| volume.availability_zone).collect();
    zones.sort();
    zones.dedup();
    match zones.as_slice() {
        [zone] => Ok(Some(zone.clone())),
        _ => Err(Failure::usage(format!(
            "the volumes {} are in different zones ({}), and an instance is in one",
            volume_ids.join(", "),
            zones.join(", ")
        ))),
    }
}

fn request(
    service: &Service,
    arguments: &Arguments,
    environment: &str,
    image: &str,
    zone: Option<String>,
    user_data: &[u8],
) -> ec2::RunInstancesRequest {
    let marks = vec![
        Tag::new(tags::NAME, format!("{}-{environment}", arguments.service)),
        Tag::new(tags::SERVICE, &arguments.service),
        Tag::new(tags::ENVIRONMENT, environment),
    ];
    ec2::RunInstancesRequest {
        image_id: Some(image.to_owned()),
        min_count: Some(1),
        max_count: Some(1),
        instance_type: service.instance_type.clone(),
        key_name: service.key_name.clone(),
        subnet_id: service.subnet_id.clone(),
        security_group_ids: service.security_group_ids.clone(),
        iam_instance_profile: service
            .instance_profile
            .clone()
            .map(|name| ec2::IamInstanceProfileSpecification { name: Some(name), ..Default::default() }),
        placement: zone.map(|zone| ec2::Placement { availability_zone: Some(zone), ..Default::default() }),
        metadata_options: Some(ec2::InstanceMetadataOptionsRequest {
            http_tokens: Some("required".to_owned()),
            http_put_response_hop_limit: Some(1),
            http_endpoint: Some("enabled".to_owned()),
            ..Default::default()
        }),
        user_data: Some(data_encoding::BASE64.encode(user_data)),
        tag_specifications: vec![
            TagSpecification::new("instance", marks.clone()),
            TagSpecification::new("volume", marks),
        ],
        dry_run: arguments.dry_run.then_some(true),
        ..Default::default()
    }
}
