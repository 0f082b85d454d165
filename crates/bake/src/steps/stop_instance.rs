//! The instance stopped, so that its volumes are whole.

use std::time::Duration;

use ovenbird_aws::ec2;

use crate::error::calling;
use crate::event::Event;
use crate::event::Phase;
use crate::launch::wait_for_state;
use crate::oven::Oven;
use crate::oven::needed;
use crate::step::Step;
use crate::step::Work;

/// How long it may take to stop: bare metal takes up to 19 minutes (packer.md 3.1).
const STOPPED: Duration = Duration::from_secs(2400);

pub(crate) struct StopInstance;

impl Step for StopInstance {
    fn name(&self) -> String {
        "stop instance".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let instance = needed(oven.launched.instance.clone(), "an instance")?;
            // A spot instance of one request cannot be stopped; CreateImage shuts it down itself.
            if instance.instance_lifecycle.as_deref() == Some("spot") {
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Stop });
            let id = instance.instance_id.unwrap_or_default();
            if !oven.request.builder()?.launch.disable_stop_instance {
                let request = ec2::StopInstancesRequest { instance_ids: vec![id.clone()], ..Default::default() };
                oven.client.send(request).await.map_err(calling(format!("stop {id}")))?;
            }
            wait_for_state(&oven.request.watch, oven.client, &id, ("stopped", STOPPED)).await?;
            Ok(())
        })
    }
}
