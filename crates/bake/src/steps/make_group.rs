//! A security group of the bake's own, which lets nobody in but this machine.

use ovenbird_aws::ec2;

use crate::error::calling;
use crate::journal::Entry;
use crate::launch::delete_group;
use crate::launch::find_group;
use crate::launch::find_place;
use crate::launch::key_name;
use crate::launch::run_tags;
use crate::launch::tag_all;
use crate::oven::Oven;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct MakeGroup<'p> {
    pub(crate) source: &'p Source,
}

impl Step for MakeGroup<'_> {
    fn name(&self) -> String {
        "make security group".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let place = find_place(oven.client, &oven.request.builder()?.network).await?;
            oven.launched.place = Some(place.clone());
            if !place.groups.is_empty() {
                return Ok(());
            }
            let bake = oven.folder.id.clone();
            let request = ec2::CreateSecurityGroupRequest {
                group_name: Some(key_name(&bake)),
                description: Some(format!("Ovenbird {bake}: ssh from the machine that bakes, nothing else")),
                vpc_id: place.vpc,
                tag_specifications: tag_all(&run_tags(oven, self.source)?, ["security-group"]),
                ..Default::default()
            };
            let group = match oven.client.send(request).await {
                Ok(answer) => answer.group_id,
                // The name is the bake's, so the group is.
                Err(error) if error.has_code("InvalidGroup.Duplicate") => find_group(oven.client, &bake).await?,
                Err(error) => return Err(calling("make the bake's security group")(error)),
            };
            if let Some(id) = group.clone() {
                oven.journal.append(Entry::Made { step: self.name(), id })?;
            }
            oven.launched.group = group;
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let found = find_group(oven.client, &oven.folder.id).await?;
            // A listing may not have it yet.
            let known = oven.journal.find_made(&self.name()).map(str::to_owned);
            if let Some(group) = found.or(known) {
                delete_group(oven.client, &group).await?;
            }
            oven.launched.group = None;
            Ok(())
        })
    }

    fn is_scaffold(&self) -> bool {
        true
    }
}
