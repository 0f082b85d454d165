//! The bake: from a plan to an image.

use ovenbird_aws::Client;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::manifest::Manifest;
use ovenbird_template::AmazonEbs;

use crate::doctor::end_processes;
use crate::doctor::undo_in_aws;
use crate::encryption::find_base;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::journal;
use crate::journal::Beginning;
use crate::journal::Entry;
use crate::launch;
use crate::launch::refuse_unsupported;
use crate::oven::Oven;
use crate::oven::needed;
use crate::own::own_base;
use crate::path::BakePath;
use crate::path::choose_path;
use crate::plan::ExistingImage;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::describe_source;
use crate::post;
use crate::post::Artifact;
use crate::published::take_published;
use crate::register::find_replaced;
use crate::register::stand_in_name;
use crate::register::stand_in_start;
use crate::request::Request;
use crate::source::Source;
use crate::ssh::undo_socket_folder;
use crate::step;
use crate::step::Mishaps;
use crate::step::Steps;
use crate::steps;
use crate::steps::Next;
use crate::working_disk;
use crate::working_disk::WorkingDisk;

/// A finished bake.
#[derive(Clone, Debug)]
pub struct Baked {
    /// `ami-…`
    pub image: String,
    /// Its name.
    pub name: String,
    /// The image was there already; nothing was done.
    pub reused: bool,
    /// What it consists of; `None` where it was there already.
    pub manifest: Option<Manifest>,
}

/// Bakes the request: finds the source, plans, and does what the plan says.
///
/// # Errors
/// See [`BakeError`]. What the bake had created and is of no use was taken back then.
pub async fn bake(
    client: &Client,
    request: &Request,
    on_event: &mut dyn FnMut(Event),
) -> Result<(Plan, Baked), BakeError> {
    bake_with_mishaps(client, request, on_event, &mut |_, _| None).await
}

/// Bakes the layers up to the one with the key `until`, for other bakes to stand on. No image is registered.
///
/// # Errors
/// As [`bake`]; [`BakeError::Unsupported`] where the request has no such layer any more.
pub async fn bake_layers(
    client: &Client,
    request: &Request,
    until: LayerKey,
    on_event: &mut dyn FnMut(Event),
) -> Result<Plan, BakeError> {
    Ok(bake_to(client, request, Goal::Layers(until), on_event, &mut |_, _| None).await?.0)
}

/// The plan of a bake, whatever it takes to make one: the package lists are read where they are missing or old.
///
/// # Errors
/// As [`bake`].
pub async fn prepare_plan(
    client: &Client,
    request: &Request,
    on_event: &mut dyn FnMut(Event),
) -> Result<Plan, BakeError> {
    Ok(bake_to(client, request, Goal::Plan, on_event, &mut |_, _| None).await?.0)
}

/// As [`bake`], for tests: `mishaps` decides what goes wrong at which step.
///
/// # Errors
/// As [`bake`].
pub async fn bake_with_mishaps(
    client: &Client,
    request: &Request,
    on_event: &mut dyn FnMut(Event),
    mishaps: &mut Mishaps<'_>,
) -> Result<(Plan, Baked), BakeError> {
    let (plan, baked) = bake_to(client, request, Goal::Image, on_event, mishaps).await?;
    Ok((plan, needed(baked, "an image")?))
}

/// What a bake comes to.
#[derive(Clone, Copy)]
enum Goal {
    Plan,
    Layers(LayerKey),
    Image,
}

async fn bake_to(
    client: &Client,
    request: &Request,
    goal: Goal,
    on_event: &mut dyn FnMut(Event),
    mishaps: &mut Mishaps<'_>,
) -> Result<(Plan, Option<Baked>), BakeError> {
    let folder = match &request.resume {
        None => BakeFolder::create(&request.folders)?,
        Some(bake) => take_up(&request.folders, bake)?,
    };
    let mut oven = match Oven::open(client, request, &folder, on_event, mishaps) {
        Ok(oven) => oven,
        // Nothing was begun; what an earlier run of the same bake has left stays.
        Err(error) if request.resume.is_some() => return Err(error),
        Err(error) => return folder.remove().and(Err(error)),
    };
    let ended = run(&mut oven, goal).await;
    let ended = ended.and_then(|(plan, baked)| post_process(&mut oven, &plan, baked.as_ref()).map(|()| (plan, baked)));
    let is_clean = oven.is_clean && !oven.has_left;
    drop(oven);
    let removed = if is_clean {
        WorkingDisk::leave(&folder.path, &request.folders);
        folder.remove()
    } else {
        Ok(())
    };
    let baked = ended?;
    removed?;
    Ok(baked)
}

/// The folder of a bake that was cut off, without what its processes left in it.
fn take_up(folders: &Folders, bake: &str) -> Result<BakeFolder, BakeError> {
    let folder = BakeFolder::take_abandoned(folders, bake).ok_or_else(|| {
        BakeError::Unsupported(format!("there is no bake {bake} to go on with: `ovenbird doctor` lists those that are"))
    })?;
    end_processes(bake)?;
    undo_socket_folder(bake).map_err(working("remove the socket of the connection that was cut off"))?;
    folder.clear_but(&[journal::NAME, working_disk::NAME, working_disk::RECORD, steps::SSH, launch::SEALED])?;
    Ok(folder)
}

async fn run(oven: &mut Oven<'_>, goal: Goal) -> Result<(Plan, Option<Baked>), BakeError> {
    let (client, request) = (oven.client, oven.request);
    begin(oven)?;
    let source = find_base(client, request).await?;
    if choose_path(request.path, &source)?.path == BakePath::Direct && !steps::has_fresh_lists(request, &source) {
        own_base(oven, &source).await?;
        step::run(oven, &steps_to_plan(&source)).await?;
    }
    let plan = Plan::make(client, request, source).await?;
    match goal {
        Goal::Plan => return Ok((plan, None)),
        Goal::Layers(until) => return run_layers(oven, plan, until).await,
        Goal::Image => {}
    }
    if request.resume.is_some()
        && let Some(baked) = take_published(oven, &plan).await?
    {
        oven.is_clean = true;
        return Ok((plan, Some(baked)));
    }
    if let Some(existing) = plan.existing.as_ref().filter(|existing| !stands_in(existing, &plan)) {
        if request.resume.is_some() {
            // Another bake was faster, and what this one has is of no use any more.
            undo_in_aws(client, oven.folder).await?;
        }
        oven.is_clean = true;
        let baked = Baked { image: existing.id.clone(), name: existing.name.clone(), reused: true, manifest: None };
        return Ok((plan, Some(baked)));
    }
    verify_same_plan(oven, &plan, plan.image_key)?;
    let replaced = find_replaced(client, request, &plan, &oven.folder.id).await?;
    // An earlier run of this bake has begun to let one make way: what comes after that is still to be done.
    let replaced = replaced.or_else(|| oven.journal.find_retired().map(str::to_owned));
    let mut steps = steps_to_bake(request, &plan, &oven.folder.id)?;
    steps.extend(steps_to_finish(&plan, request.builder()?, replaced, &oven.folder.id));
    // From here on, the list knows all that an earlier run may have made.
    oven.is_clean = true;
    if plan.path.path == BakePath::Direct {
        own_base(oven, &plan.source).await?;
    }
    step::run(oven, &steps).await?;
    drop(steps);
    let image = needed(oven.image.take(), "an image")?;
    let baked = Baked { image, name: plan.image_name.clone(), reused: false, manifest: oven.manifest.take() };
    Ok((plan, Some(baked)))
}

async fn run_layers(oven: &mut Oven<'_>, plan: Plan, until: LayerKey) -> Result<(Plan, Option<Baked>), BakeError> {
    let Some(last) = plan.layers.iter().position(|layer| layer.key == until) else {
        return Err(BakeError::Unsupported(format!(
            "{} has no layer {} any more: its inputs changed since that was planned; plan again",
            oven.request.service,
            until.short()
        )));
    };
    verify_same_plan(oven, &plan, until)?;
    oven.is_clean = true;
    let missing = plan.layers.get(plan.reused().len()..=last).unwrap_or_default();
    if !missing.is_empty() {
        own_base(oven, &plan.source).await?;
        step::run(oven, &layers(&plan, missing, Next::Nothing)).await?;
    }
    Ok((plan, None))
}

/// What the template does with the image, new or not.
fn post_process(oven: &mut Oven<'_>, plan: &Plan, baked: Option<&Baked>) -> Result<(), BakeError> {
    let Some(baked) = baked else { return Ok(()) };
    let ami = describe_source(&plan.source, &oven.region());
    let mut images = vec![(oven.region(), baked.image.clone())];
    images.extend(std::mem::take(&mut oven.copies));
    let artifact = Artifact { images, bake: &oven.folder.id, ami };
    post::run(oven.request, &artifact, &mut *oven.on_event)
}

/// Is the image one that stood in for the wanted one, and was left over when that bake was cut off?
fn stands_in(existing: &ExistingImage, plan: &Plan) -> bool {
    existing.name.starts_with(&stand_in_start(&plan.image_name))
}

/// What must be there before a plan can be made: keys hold the state of the package archive, which the base's own `apt-get` reads.
fn steps_to_plan(source: &Source) -> Steps<'_> {
    vec![Box::new(steps::FetchBase { source }), Box::new(steps::ReadPackageLists { source })]
}

fn steps_to_bake<'p>(request: &Request, plan: &'p Plan, bake: &str) -> Result<Steps<'p>, BakeError> {
    match plan.path.path {
        BakePath::Direct => Ok(direct(plan)),
        BakePath::Launch => refuse_unsupported(request.builder()?).map(|()| on_instance(plan, bake)),
    }
}

/// On an instance, as Packer does: launched, provisioned, sealed, stopped, and its volumes made an image.
fn on_instance<'p>(plan: &'p Plan, bake: &str) -> Steps<'p> {
    let mut steps: Steps<'p> = vec![
        Box::new(steps::ImportKey { source: &plan.source }),
        Box::new(steps::MakeGroup { source: &plan.source }),
        Box::new(steps::LaunchInstance::of(plan, bake)),
        Box::new(steps::Connect),
    ];
    for layer in &plan.layers {
        steps.push(Box::new(steps::RunOnInstance { plan, layer }));
    }
    steps.push(Box::new(steps::SealInstance { source: &plan.source, is_base: false }));
    steps.push(Box::new(steps::StopInstance));
    steps
}

/// Without an instance: the base's blocks, a layer of changed blocks for each provisioner, an image of the last one.
fn direct(plan: &Plan) -> Steps<'_> {
    layers(plan, plan.to_run(), Next::Image)
}

/// While EBS completes a layer's snapshot, the next layer runs over the disk.
fn layers<'p>(plan: &'p Plan, missing: &'p [PlannedLayer], last: Next<'p>) -> Steps<'p> {
    let mut steps: Steps<'_> =
        vec![Box::new(steps::FetchBase { source: &plan.source }), Box::new(steps::CopyDisk { plan })];
    let mut below: Option<Box<dyn step::Step + 'p>> = None;
    let below_last = if matches!(last, Next::Nothing) { missing.len() } else { missing.len().saturating_sub(1) };
    for (index, layer) in missing.iter().enumerate() {
        let next = missing.get(index + 1).map_or(last, Next::Layer);
        steps.push(Box::new(steps::RunLayer { plan, layer, next }));
        steps.extend(below.replace(Box::new(steps::AwaitSnapshot { layer })));
        steps.push(Box::new(steps::StartSnapshot { plan, layer }));
        steps.push(Box::new(steps::PutBlocks { layer }));
        steps.push(Box::new(steps::CompleteSnapshot { layer }));
        // The disk that the last layer is run over, which changes most, and is run again by others: not every layer's.
        if index + 1 == below_last {
            steps.push(Box::new(steps::KeepDisk { layer, goes_on: matches!(next, Next::Layer(_)) }));
        }
    }
    if matches!(last, Next::Image) {
        // The disk is whole before its last snapshot is.
        steps.push(Box::new(steps::InspectDisk));
    }
    steps.extend(below);
    steps
}

/// An image of the disk, and what becomes of it. One that has its name already makes way only when this one is there and whole.
fn steps_to_finish<'p>(plan: &'p Plan, builder: &'p AmazonEbs, replaced: Option<String>, bake: &str) -> Steps<'p> {
    let name = plan.image_name.as_str();
    let lifetime = &builder.lifetime;
    let stand_in = replaced.is_some().then(|| stand_in_name(name, bake));
    let mut steps: Steps<'p> = Vec::new();
    if let (Some(old), Some(stand_in)) = (replaced, stand_in.clone()) {
        steps.push(make_image(plan, stand_in.clone(), Some(old.clone()), None));
        steps.push(Box::new(steps::PublishImage { plan, name: stand_in }));
        steps.push(Box::new(steps::RetireImage { image: old }));
    }
    steps.push(make_image(plan, name.to_owned(), None, stand_in));
    for region in &builder.copies.regions {
        steps.push(Box::new(steps::CopyImage { plan, region, replaces: lifetime.replaces }));
    }
    if !builder.sharing.is_private() {
        steps.push(Box::new(steps::ShareImage { sharing: &builder.sharing }));
    }
    if let Some(at) = lifetime.deprecate_at {
        steps.push(Box::new(steps::DeprecateImage { at }));
    }
    steps.push(Box::new(steps::WriteManifest { plan }));
    steps.push(Box::new(steps::PublishImage { plan, name: name.to_owned() }));
    steps.extend(steps_after_publishing(plan, builder));
    steps
}

/// What is not waited for by whoever uses the image.
pub(crate) fn steps_after_publishing<'p>(plan: &'p Plan, builder: &AmazonEbs) -> Steps<'p> {
    let lifetime = &builder.lifetime;
    let mut steps: Steps<'p> = Vec::new();
    // Also where this bake replaces nothing: an earlier one may have failed between the two names.
    if lifetime.replaces {
        steps.push(Box::new(steps::DropStandIns { plan, with_old_snapshots: lifetime.replaces_snapshots }));
    }
    if let Some(protection) = lifetime.protection {
        steps.push(Box::new(steps::ProtectImage { protection }));
    }
    steps
}

/// The image itself: of the disk that was baked on, or of the instance. It stands in for another one, or for it stood one of the name
/// `copy_of`.
fn make_image(
    plan: &Plan,
    name: String,
    stands_in_for: Option<String>,
    copy_of: Option<String>,
) -> Box<dyn step::Step + '_> {
    match plan.path.path {
        BakePath::Direct => Box::new(steps::RegisterImage { plan, name, stands_in_for }),
        BakePath::Launch => Box::new(steps::CreateImage { plan, name, stands_in_for, copy_of }),
    }
}

/// The first line of the journal. A bake that is resumed has one.
fn begin(oven: &mut Oven<'_>) -> Result<(), BakeError> {
    let request = oven.request;
    if request.resume.is_some() {
        let began = journal::find_beginning(&oven.folder.path);
        let image = &request.builder()?.ami_name;
        return match began.filter(|began| began.image != *image) {
            None => Ok(()),
            Some(began) => Err(BakeError::Unsupported(format!(
                "{} was to make the image `{}`, and the template says `{image}` now: give the same variables again",
                oven.folder.id, began.image
            ))),
        };
    }
    oven.journal.append(Entry::Began(Beginning {
        service: request.service.clone(),
        account: request.account.clone(),
        region: oven.region(),
        image: request.builder()?.ami_name.clone(),
        now: request.now,
        seed: request.seed,
        rebuild: request.rebuild,
        max_age: request.max_age.map(|age| age.as_secs()),
        path: request.path,
    }))
}

/// A bake that is resumed makes what it was going to make, or nothing.
fn verify_same_plan(oven: &mut Oven<'_>, plan: &Plan, key: LayerKey) -> Result<(), BakeError> {
    let key = key.hex();
    match oven.journal.find_planned() {
        None => oven.journal.append(Entry::Planned { key }),
        Some(planned) if planned == key => Ok(()),
        Some(planned) if plan.layers.iter().any(|layer| layer.key.hex() == planned) => {
            Err(BakeError::Unsupported(format!(
                "{} was to bake no image, but the layers up to {planned}: resume it with `--until-layer {planned}`",
                oven.folder.id
            )))
        }
        Some(_) => Err(BakeError::Unsupported(format!(
            "{} cannot be resumed: its inputs have changed since it was cut off; bake anew, which takes its finished layers where \
             they still fit, and let `ovenbird doctor --fix` take back the rest",
            oven.folder.id
        ))),
    }
}
