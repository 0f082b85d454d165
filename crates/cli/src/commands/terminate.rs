//! `ovenbird terminate`

use std::time::Duration;

use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::project;

/// End instances
///
/// Ends instances and waits until they are gone; volumes that were attached to them are free then
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Instance ids
    #[arg(required = true, value_name = "INSTANCE")]
    instances: Vec<String>,
    /// Ask only whether it may be done
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let request = ec2::TerminateInstancesRequest {
        instance_ids: arguments.instances.clone(),
        dry_run: arguments.dry_run.then_some(true),
    };
    match account.client.send(request).await {
        Err(error) if arguments.dry_run && error.has_code("DryRunOperation") => {
            if context.output.is_json() {
                context.output.data(&serde_json::json!({ "would_terminate": arguments.instances }));
            } else {
                context.output.print(&format!("would end {}", arguments.instances.join(", ")));
            }
            return Ok(());
        }
        answer => answer?,
    };
    wait(
        "the instances to end",
        Duration::from_secs(300),
        Duration::from_millis(500),
        async || -> Result<_, ovenbird_aws::Error> {
            let request =
                ec2::DescribeInstancesRequest { instance_ids: arguments.instances.clone(), ..Default::default() };
            let answer = account.client.send(request).await?;
            let mut states = answer
                .reservations
                .iter()
                .flat_map(|reservation| &reservation.instances)
                .filter_map(|instance| instance.state.as_ref());
            Ok(states.all(|state| state.name.as_deref() == Some("terminated")).then_some(()))
        },
    )
    .await?;
    if context.output.is_json() {
        context.output.data(&serde_json::json!({ "terminated": arguments.instances }));
    } else {
        context.output.print(&format!("ended {}", arguments.instances.join(", ")));
    }
    Ok(())
}
