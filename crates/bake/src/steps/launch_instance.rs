//! The instance that is baked on: the first of the candidates that EC2 has room for.

use ovenbird_aws::ec2;

use super::RunOnInstance;
use super::create_image;
use super::import_key::given_key;
use super::seal_instance;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::word;
use crate::error::working;
use crate::event::Event;
use crate::inspect::Inspection;
use crate::journal::Entry;
use crate::launch::Candidate;
use crate::launch::Done;
use crate::launch::Order;
use crate::launch::Sealed;
use crate::launch::can_go_on;
use crate::launch::candidates;
use crate::launch::find_instances;
use crate::launch::is_out_of_capacity;
use crate::launch::key_name;
use crate::launch::run_tags;
use crate::launch::terminate;
use crate::launch::undo_created_image;
use crate::launch::volume_tags;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::plan::user_data;
use crate::register::stand_in_name;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct LaunchInstance<'p> {
    pub(crate) source: &'p Source,
    /// The names of the steps that provision the instance.
    pub(crate) provisions: Vec<String>,
    /// The names of the steps that make an image of it.
    pub(crate) images: Vec<String>,
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
            let sealed = Sealed::find(&oven.folder.path);
            let (usable, stale): (Vec<_>, Vec<_>) = found
                .into_iter()
                .partition(|instance| can_go_on(self.done_on(oven, instance, sealed.as_ref()), instance));
            let ids = stale.into_iter().filter_map(|instance| instance.instance_id);
            terminate(oven.client, ids.collect()).await?;
            let instance = match usable.into_iter().next() {
                Some(instance) => {
                    oven.inspection = sealed.map(|sealed| Inspection::of(sealed.report)).transpose()?;
                    instance
                }
                None => {
                    self.forget_earlier(oven).await?;
                    self.launch(oven).await?
                }
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

impl<'p> LaunchInstance<'p> {
    /// For the plan of a bake on it. Its image may have a stand-in before it has its own name.
    pub(crate) fn of(plan: &'p Plan, bake: &str) -> Self {
        let provisions = plan.layers.iter().map(|layer| RunOnInstance { plan, layer }.name());
        let images = [plan.image_name.clone(), stand_in_name(&plan.image_name, bake)];
        let images = images.map(|name| create_image::step_name(&name)).to_vec();
        Self { source: &plan.source, provisions: provisions.collect(), images }
    }
}

impl LaunchInstance<'_> {
    /// What was done on the instance. A seal of another one is none.
    fn done_on(&self, oven: &Oven<'_>, instance: &ec2::Instance, sealed: Option<&Sealed>) -> Done {
        let journal = &oven.journal;
        let is_cut_off = |name: &String| journal.has_begun(name) && !journal.has_done(name);
        Done {
            is_cut_off: self.provisions.iter().any(is_cut_off),
            is_being_sealed: journal.has_begun(seal_instance::NAME),
            is_sealed: sealed.is_some_and(|sealed| instance.instance_id.as_ref() == Some(&sealed.instance)),
            has_image: self.images.iter().any(|step| journal.find_made(step).is_some()),
        }
    }

    /// What was done on an instance that is not gone on with must be done again, and no image of it is wanted.
    async fn forget_earlier(&self, oven: &mut Oven<'_>) -> Result<(), BakeError> {
        let seal = seal_instance::NAME.to_owned();
        for step in self.provisions.iter().chain([&seal]).chain(&self.images) {
            if oven.journal.has_begun(step) {
                oven.journal.append(Entry::Undone { step: step.clone() })?;
            }
        }
        Sealed::forget(&oven.folder.path)?;
        if oven.request.resume.is_some() {
            undo_created_image(oven.client, &oven.folder.id, None).await?;
        }
        Ok(())
    }

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
                    oven.tell(Event::NoCapacity { tried: told(candidate), why: word(&error) });
                    last = Some(error);
                }
                Err(error) => return Err(calling(format!("launch an instance of {}", self.source.image))(error)),
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
        let groups = needed(oven.launched.place.clone(), "a place to launch in")?.groups;
        let groups = if groups.is_empty() { oven.launched.group.iter().cloned().collect() } else { groups };
        Ok(Order {
            builder,
            source: self.source,
            // A bake that is resumed with another instance must not get the first one again.
            name: format!("{bake} {}", oven.journal.count_starts(&self.name())),
            key_name: given.map_or_else(|| Some(key_name(bake)), |(_, keypair)| keypair),
            groups,
            user_data: user_data(oven.request)?,
            instance_tags: run_tags(oven, self.source)?,
            volume_tags: volume_tags(oven, self.source)?,
        })
    }
}

fn told(candidate: &Candidate) -> String {
    let subnet = candidate.subnet.as_deref().unwrap_or("the default subnet");
    format!("{} {} in {subnet}", candidate.instance_type, super::market(candidate.market))
}
