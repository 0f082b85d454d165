//! The bake: from a plan to an image.

use jiff::SignedDuration;
use ovenbird_aws::Client;
use ovenbird_core::instant;
use ovenbird_core::manifest::Manifest;

use crate::doctor::end_processes;
use crate::error::BakeError;
use crate::event::Event;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::journal;
use crate::journal::Beginning;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::path::BakePath;
use crate::plan::Plan;
use crate::plan::has_package_lists;
use crate::plan::package_cache;
use crate::plan::package_stamp;
use crate::register::verify_name_free;
use crate::request::Request;
use crate::source::Source;
use crate::source::find_source;
use crate::step;
use crate::step::Mishaps;
use crate::step::Steps;
use crate::steps;
use crate::working_disk;

/// How old the package lists may be: bakes of the same hour see the same archive.
const LISTS: SignedDuration = SignedDuration::from_hours(1);

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
    let folder = match &request.resume {
        None => BakeFolder::create(&request.folders)?,
        Some(bake) => take_up(&request.folders, bake)?,
    };
    let mut oven = Oven::open(client, request, &folder, on_event, mishaps)?;
    let ended = run(&mut oven).await;
    let is_clean = oven.is_clean;
    drop(oven);
    let removed = if is_clean { folder.remove() } else { Ok(()) };
    let baked = ended?;
    removed?;
    Ok(baked)
}

/// The folder of a bake that was cut off, without what its processes left in it.
fn take_up(folders: &Folders, bake: &str) -> Result<BakeFolder, BakeError> {
    let folder = BakeFolder::find_abandoned(folders, bake).ok_or_else(|| {
        BakeError::Unsupported(format!("there is no bake {bake} to go on with: `ovenbird doctor` lists those that are"))
    })?;
    end_processes(bake)?;
    folder.clear_but(&[journal::NAME, working_disk::NAME, working_disk::RECORD])?;
    Ok(folder)
}

async fn run(oven: &mut Oven<'_>) -> Result<(Plan, Baked), BakeError> {
    let (client, request) = (oven.client, oven.request);
    begin(oven)?;
    let source = find_source(client, &request.builder()?.source).await?;
    step::run(oven, &steps_to_plan(request, &source)).await?;
    let plan = Plan::make(client, request, source).await?;
    if let Some(existing) = &plan.existing {
        oven.is_clean = true;
        let baked = Baked { image: existing.id.clone(), name: existing.name.clone(), reused: true, manifest: None };
        return Ok((plan, baked));
    }
    verify_same_plan(oven, &plan)?;
    verify_name_free(client, &plan, &oven.folder.id).await?;
    let steps = steps_to_bake(&plan)?;
    // From here on, the list knows all that an earlier run may have made.
    oven.is_clean = true;
    step::run(oven, &steps).await?;
    drop(steps);
    let image = needed(oven.image.take(), "an image")?;
    let baked = Baked { image, name: plan.image_name.clone(), reused: false, manifest: oven.manifest.take() };
    Ok((plan, baked))
}

/// What must be there before a plan can be made: keys hold the state of the package archive, which the base's own `apt-get` reads.
fn steps_to_plan<'p>(request: &Request, source: &'p Source) -> Steps<'p> {
    if has_fresh_lists(request, source) {
        return Vec::new();
    }
    vec![Box::new(steps::OwnBase { source }), Box::new(steps::FetchBase), Box::new(steps::ReadPackageLists { source })]
}

fn steps_to_bake(plan: &Plan) -> Result<Steps<'_>, BakeError> {
    match plan.path.path {
        BakePath::Direct => Ok(direct(plan)),
        BakePath::Launch => Err(BakeError::Unsupported(format!(
            "{} must be baked on a launched instance ({}), which this Ovenbird cannot do yet",
            plan.source.image, plan.path.why
        ))),
    }
}

/// Without an instance: the base's blocks, a layer of changed blocks for each provisioner, an image of the last one.
fn direct(plan: &Plan) -> Steps<'_> {
    let mut steps: Steps<'_> = vec![
        Box::new(steps::OwnBase { source: &plan.source }),
        Box::new(steps::FetchBase),
        Box::new(steps::CopyDisk { plan }),
    ];
    for layer in plan.to_run() {
        steps.push(Box::new(steps::RunLayer { plan, layer }));
        steps.push(Box::new(steps::StartSnapshot { plan, layer }));
        steps.push(Box::new(steps::PutBlocks { layer }));
        steps.push(Box::new(steps::CompleteSnapshot { layer }));
    }
    steps.push(Box::new(steps::InspectDisk));
    steps.push(Box::new(steps::RegisterImage { plan }));
    steps.push(Box::new(steps::WriteManifest { plan }));
    steps.push(Box::new(steps::PublishImage { plan }));
    steps
}

/// The first line of the journal. A bake that is resumed has one.
fn begin(oven: &mut Oven<'_>) -> Result<(), BakeError> {
    if oven.request.resume.is_some() {
        return Ok(());
    }
    let request = oven.request;
    oven.journal.append(Entry::Began(Beginning {
        service: request.service.clone(),
        account: request.account.clone(),
        region: oven.region(),
        image: request.builder()?.ami_name.clone(),
        now: request.now,
        seed: request.seed,
        rebuild: request.rebuild,
        max_age: request.max_age.map(|age| age.as_secs()),
    }))
}

/// A bake that is resumed makes what it was going to make, or nothing.
fn verify_same_plan(oven: &mut Oven<'_>, plan: &Plan) -> Result<(), BakeError> {
    let key = plan.image_key.hex();
    match oven.journal.find_planned() {
        None => oven.journal.append(Entry::Planned { key }),
        Some(planned) if planned == key => Ok(()),
        Some(_) => Err(BakeError::Unsupported(format!(
            "{} cannot be resumed: its inputs have changed since it was cut off; bake anew, which takes its finished layers where \
             they still fit, and let `ovenbird doctor --fix` take back the rest",
            oven.folder.id
        ))),
    }
}

/// Were the package lists fetched within the hour? A bake that is resumed sees those that it saw.
fn has_fresh_lists(request: &Request, source: &Source) -> bool {
    if request.resume.is_some() && has_package_lists(request, source) {
        return true;
    }
    let stamp = package_stamp(&package_cache(request, source));
    let fetched = fs_err::read_to_string(stamp).ok().and_then(|text| instant::read(text.trim()).ok());
    fetched.is_some_and(|fetched| request.wall.duration_since(fetched.instant).abs() < LISTS)
}
