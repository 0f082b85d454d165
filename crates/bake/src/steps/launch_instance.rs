//! The instance that is baked on: the first of the candidates that EC2 has room for.

use std::collections::BTreeMap;

use ovenbird_aws::ec2;
use ovenbird_core::tags;
use ovenbird_template::Deferred;

use super::import_key::given_key;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::event::Event;
use crate::journal::Entry;
use crate::launch::Candidate;
use crate::launch::Order;
use crate::launch::candidates;
use crate::launch::find_instances;
use crate::launch::is_out_of_capacity;
use crate::launch::key_name;
use crate::launch::terminate;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::plan::describe_source;
use crate::plan::user_data;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct LaunchInstance<'p> {
    pub(crate) plan: &'p Plan,
}

impl Step for LaunchInstance<'_> {
    fn name(&self) -> String {
        "launch instance".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.launched.instance.is_some() {
                return Ok(());
            }
            let found = find_instances(oven.client, &oven.folder.id).await?;
            let (usable, stale): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|_| super::run_on_instance::can_go_on(oven, self.plan));
            let ids = stale.into_iter().filter_map(|instance| instance.instance_id);
            terminate(oven.client, ids.collect()).await?;
            let instance = match usable.into_iter().next() {
                Some(instance) => instance,
                None => self.launch(oven).await?,
            };
            let id = instance.instance_id.clone().unwrap_or_default();
            oven.journal.append(Entry::Made { step: self.name(), id })?;
            oven.launched.instance = Some(instance);
            Ok(())
        })
    }

    /// Ends the instance, and does not wait until it has ended: EC2 does that alone.
    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if let Some(login) = oven.launched.login.take() {
                login.close();
            }
            let found = find_instances(oven.client, &oven.folder.id).await?;
            let mut ids: Vec<String> = found.into_iter().filter_map(|instance| instance.instance_id).collect();
            // A listing may not have it yet.
            let known = oven.journal.find_made(&self.name()).map(str::to_owned);
            ids.extend(known.filter(|known| !ids.contains(known)));
            terminate(oven.client, ids).await?;
            oven.launched.instance = None;
            Ok(())
        })
    }

    fn is_scaffold(&self) -> bool {
        true
    }
}

impl LaunchInstance<'_> {
    async fn launch(&self, oven: &mut Oven<'_>) -> Result<ec2::Instance, BakeError> {
        let order = self.order(oven)?;
        let place = needed(oven.launched.place.clone(), "a place to launch in")?;
        let builder = order.builder;
        let mut types: Vec<String> = builder.instance_type.iter().cloned().collect();
        types.extend(builder.spot.iter().flat_map(|spot| spot.instance_types.iter().cloned()));
        let all = candidates(&types, &place.subnets, builder.spot.is_some());
        let mut last = None;
        for candidate in &all {
            match oven.client.send(order.request(candidate)).await {
                Ok(reservation) => {
                    let instance = reservation.instances.into_iter().next();
                    return needed(instance, "an instance (the answer of RunInstances has none)");
                }
                Err(error) if is_out_of_capacity(&error) => {
                    oven.tell(Event::NoCapacity { tried: told(candidate), why: error.to_string() });
                    last = Some(error);
                }
                Err(error) => return Err(calling(format!("launch an instance of {}", self.plan.source.image))(error)),
            }
        }
        let tried = all.iter().map(told).collect::<Vec<_>>().join("; ");
        let doing = format!("launch an instance: EC2 has no room for any of: {tried}");
        Err(last.map_or_else(|| working(&doing)("no instance type was named"), calling(&doing)))
    }

    fn order<'o, 'r: 'o>(&'o self, oven: &Oven<'r>) -> Result<Order<'o>, BakeError> {
        let builder = oven.request.builder()?;
        let bake = &oven.folder.id;
        let given = given_key(oven)?;
        let (mut instance_tags, mut volume_tags) = (self.render(oven, &builder.run_tags)?, BTreeMap::new());
        volume_tags.extend(instance_tags.clone());
        volume_tags.extend(self.render(oven, &builder.launch.run_volume_tags)?);
        for marks in [&mut instance_tags, &mut volume_tags] {
            let name = format!("Ovenbird bakes {}", oven.request.service);
            marks.entry(tags::NAME.to_owned()).or_insert(name);
            marks.insert(tags::BAKE.to_owned(), bake.clone());
        }
        let groups = needed(oven.launched.place.clone(), "a place to launch in")?.groups;
        let groups = if groups.is_empty() { oven.launched.group.iter().cloned().collect() } else { groups };
        Ok(Order {
            builder,
            source: &self.plan.source,
            // A bake that is resumed with another instance must not get the first one again.
            name: format!("{bake} {}", oven.journal.count_starts(&self.name())),
            key_name: given.map_or_else(|| Some(key_name(bake)), |(_, keypair)| keypair),
            groups,
            user_data: user_data(oven.request)?,
            instance_tags,
            volume_tags,
        })
    }

    fn render(
        &self,
        oven: &Oven<'_>,
        values: &BTreeMap<String, Deferred>,
    ) -> Result<BTreeMap<String, String>, BakeError> {
        let ami = describe_source(&self.plan.source, &oven.region());
        let rendered = values.iter().map(|(key, value)| Ok((key.clone(), value.render(&ami)?)));
        rendered
            .collect::<Result<_, ovenbird_template::RenderError>>()
            .map_err(working("render the template's run_tags"))
    }
}

fn told(candidate: &Candidate) -> String {
    let subnet = candidate.subnet.as_deref().unwrap_or("the default subnet");
    format!("{} {} in {subnet}", candidate.instance_type, super::market(candidate.market))
}
