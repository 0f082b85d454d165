//! The base made our own: by a copy, else once by a launch.
//!
//! Some owners let anybody launch an image, and nobody read its storage. EC2 boots whatever it launches, so the very content of such a base
//! cannot be had. It is launched once with nothing of the template's but the way in, sealed as every image is, stopped, and made an
//! image of ours, which says so by its tag. Later bakes find it as they find a copy.

use ovenbird_template::AmazonEbs;
use ovenbird_template::Builder;
use ovenbird_template::Key;
use ovenbird_template::Launch;
use ovenbird_template::Ssh;

use crate::error::BakeError;
use crate::journal::Entry;
use crate::journal::Journal;
use crate::launch::refuse_unsupported;
use crate::launch::undo_leftovers;
use crate::oven::Oven;
use crate::owned::find_copy;
use crate::owned::which;
use crate::request::Request;
use crate::source::Source;
use crate::step;
use crate::step::Step as _;
use crate::step::Steps;
use crate::steps;
use crate::turn::Turn;

/// Sees to it that the bake has a snapshot of our own with the base's content.
///
/// # Errors
/// AWS's refusals; those of a launch, whose effects were taken back then.
pub(crate) async fn own_base(oven: &mut Oven<'_>, source: &Source) -> Result<(), BakeError> {
    copy_base(oven, source).await?;
    if oven.base_snapshot.is_none() {
        let ended = own_by_launch(oven, source).await;
        // Another one has written to it.
        oven.journal = Journal::open(&oven.folder.path)?;
        return ended;
    }
    if oven.journal.has_begun(steps::FIRST_OF_LAUNCH) {
        // An earlier run of this bake has launched the base, and was cut off before its instance had ended.
        undo_leftovers(oven.client, &oven.folder.id).await?;
        oven.journal.append(Entry::Undone { step: steps::FIRST_OF_LAUNCH.to_owned() })?;
    }
    Ok(())
}

async fn copy_base(oven: &mut Oven<'_>, source: &Source) -> Result<(), BakeError> {
    let steps: Steps<'_> = vec![Box::new(steps::OwnBase { source })];
    step::run(oven, &steps).await
}

async fn own_by_launch(oven: &mut Oven<'_>, source: &Source) -> Result<(), BakeError> {
    let request = request_to_own(oven.request, source)?;
    let lock = oven.request.folders.cache.join("owning").join(which(source));
    let _turn = Turn::wait_for(&lock, &format!("launch {} once", source.image)).await?;
    if find_copy(oven.client, source).await?.is_some() {
        // Another bake has launched it meanwhile.
        return copy_base(oven, source).await;
    }
    let mut launching = Oven::open(oven.client, &request, oven.folder, &mut *oven.on_event, &mut *oven.mishaps)?;
    // The list knows all that an earlier run may have made of a launch.
    launching.is_clean = true;
    let ended = step::run(&mut launching, &steps_to_launch_once(source)).await;
    let (is_clean, has_left) = (launching.is_clean, launching.has_left);
    let snapshot = launching.base_snapshot.take();
    oven.is_clean &= is_clean;
    oven.has_left |= has_left;
    ended?;
    oven.base_snapshot = snapshot;
    Ok(())
}

/// A bake on an instance, without any provisioners.
fn steps_to_launch_once(source: &Source) -> Steps<'_> {
    let image = steps::CreateBase { source };
    vec![
        Box::new(steps::ImportKey { source }),
        Box::new(steps::MakeGroup { source }),
        Box::new(steps::LaunchInstance { source, provisions: Vec::new(), images: vec![image.name()] }),
        Box::new(steps::Connect),
        Box::new(steps::SealInstance { source, is_base: true }),
        Box::new(steps::StopInstance),
        Box::new(image),
        Box::new(steps::PublishBase { source }),
    ]
}

/// The request with the template's way to an instance, and nothing of what it does with one: the root volume is as the base's, and no user
/// data, no rights and no key of somebody's are on it.
fn request_to_own(request: &Request, source: &Source) -> Result<Request, BakeError> {
    let asked = request.builder()?;
    let builder = AmazonEbs {
        ssh: Ssh { key: key_to_own(&asked.ssh.key), ..asked.ssh.clone() },
        launch: Launch {
            user_data: None,
            iam_instance_profile: None,
            disable_stop_instance: false,
            ..asked.launch.clone()
        },
        launch_block_device_mappings: Vec::new(),
        ami_block_device_mappings: Vec::new(),
        encrypt_boot: source.copy_key.as_ref().map(|_| true),
        kms_key_id: source.copy_key.clone(),
        ..asked.clone()
    };
    refuse_unsupported(&builder).map_err(|error| {
        BakeError::Unsupported(format!("{} may not be copied and so must be launched once, but {error}", source.image))
    })?;
    let mut request = request.clone();
    request.build.builder = Builder::AmazonEbs(Box::new(builder));
    Ok(request)
}

/// A key of the bake's own, wherever the image does not need a certain one.
fn key_to_own(asked: &Key) -> Key {
    match asked {
        Key::File { keypair: None, .. } | Key::Agent { keypair: None } => asked.clone(),
        _ => Key::Temporary { name: None, kind: None, bits: None },
    }
}
