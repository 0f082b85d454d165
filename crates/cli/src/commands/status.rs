//! `ovenbird status`

use ovenbird_aws::ec2::Instance;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;
use ovenbird_fleet::Observation;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project;
use crate::table;

/// Show environments, their images and their instances at a glance
///
/// Shows which image each environment of each service uses, and how its instances are
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this service
    service: Option<String>,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let seen = ovenbird_fleet::observe(&account.client).await.map_err(|error| Failure::of(Kind::Aws, &error))?;
    let wanted = |service: Option<&str>| arguments.service.is_none() || arguments.service.as_deref() == service;
    let instances: Vec<&Instance> =
        seen.instances.iter().filter(|instance| wanted(tag(instance, tags::SERVICE))).collect();
    if context.output.is_json() {
        let pointers: Vec<_> = pointers(&seen, wanted).collect();
        let instances: Vec<_> = instances.iter().map(|instance| instance_json(instance)).collect();
        context.output.data(&serde_json::json!({
            "account": seen.account, "region": account.region(), "pointers": pointers, "instances": instances,
        }));
        return Ok(());
    }
    let rows = pointers(&seen, wanted).map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        vec![text("service"), text("environment"), text("image"), text("previous"), row["running"].to_string()]
    });
    context.output.print(&table::render(&["SERVICE", "ENVIRONMENT", "IMAGE", "BEFORE", "RUNNING"], rows));
    if !instances.is_empty() {
        let rows = instances.iter().map(|instance| {
            let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
            vec![
                text(instance.instance_id.as_deref()),
                text(tag(instance, tags::SERVICE)),
                text(tag(instance, tags::ENVIRONMENT)),
                text(instance.image_id.as_deref()),
                state(instance).to_owned(),
                text(instance.private_ip_address.as_deref()),
                text(tag(instance, tags::STATE)),
            ]
        });
        context.output.print("");
        context.output.print(&table::render(
            &["INSTANCE", "SERVICE", "ENVIRONMENT", "IMAGE", "STATE", "ADDRESS", "PROVISIONED"],
            rows,
        ));
    }
    Ok(())
}

fn pointers<'a>(
    seen: &'a Observation,
    wanted: impl Fn(Option<&str>) -> bool + 'a,
) -> impl Iterator<Item = serde_json::Value> + 'a {
    seen.pointers.iter().filter(move |(pointer, _)| wanted(Some(&pointer.service))).map(|(pointer, at)| {
        let runs = |instance: &&Instance| instance.image_id.as_ref() == Some(&at.image) && state(instance) == "running";
        serde_json::json!({
            "service": pointer.service, "environment": pointer.environment, "image": at.image, "previous": at.previous,
            "version": at.version, "running": seen.instances.iter().filter(runs).count(),
        })
    })
}

fn tag<'a>(instance: &'a Instance, key: &str) -> Option<&'a str> {
    Tag::find(&instance.tags, key)
}

fn state(instance: &Instance) -> &str {
    instance.state.as_ref().and_then(|state| state.name.as_deref()).unwrap_or("unknown")
}

fn instance_json(instance: &Instance) -> serde_json::Value {
    serde_json::json!({
        "instance": instance.instance_id, "image": instance.image_id, "state": state(instance), "address": instance.private_ip_address,
        "service": tag(instance, tags::SERVICE), "environment": tag(instance, tags::ENVIRONMENT), "provisioned": tag(instance, tags::STATE),
        "launched": instance.launch_time.map(|time| time.to_string()),
    })
}
