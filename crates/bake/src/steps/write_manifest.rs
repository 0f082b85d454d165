//! The image's manifest: what went in, and what came out.

use std::collections::BTreeMap;

use ovenbird_core::manifest;
use ovenbird_core::manifest::Manifest;

use super::RegisterImage;
use super::create_image;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::kept;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct WriteManifest<'p> {
    pub(crate) plan: &'p Plan,
}

impl Step for WriteManifest<'_> {
    fn name(&self) -> String {
        "write manifest".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let image = needed(oven.image.clone(), "an image")?;
            let manifest = self.manifest(oven, &image)?;
            let text = manifest.to_json().map_err(working("write the manifest"))?;
            write_atomically(&oven.request.folders.manifest(&image), &text)?;
            let inspection = needed(oven.inspection.as_ref(), "a look at the disk")?;
            let (snapshot, _) = finished(oven)?;
            // In the cache, where it stays: what a snapshot holds does not depend on what becomes of the image.
            kept::keep(&oven.request.folders, &snapshot, &inspection.contents)?;
            oven.manifest = Some(manifest);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let Some(image) = self.find_image(oven) else { return Ok(()) };
            match fs_err::remove_file(oven.request.folders.manifest(image)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(working("remove the image's manifest")(error))
                }
                _ => Ok(()),
            }
        })
    }
}

impl WriteManifest<'_> {
    fn find_image<'a>(&self, oven: &'a Oven<'_>) -> Option<&'a str> {
        let (plan, name) = (self.plan, self.plan.image_name.clone());
        let create = create_image::step_name(&name);
        let register = RegisterImage { plan, name, stands_in_for: None };
        oven.journal.find_made(&register.name()).or_else(|| oven.journal.find_made(&create))
    }

    fn manifest(&self, oven: &Oven<'_>, image: &str) -> Result<Manifest, BakeError> {
        let (plan, request) = (self.plan, oven.request);
        let inspection = needed(oven.inspection.as_ref(), "a look at the disk")?;
        let (snapshot, blocks) = finished(oven)?;
        let layers = plan.layers.iter().map(|layer| manifest::Layer {
            key: layer.key,
            inputs: layer.inputs.clone(),
            provisioner: layer.title.clone(),
            snapshot: oven.kept.get(&layer.key).cloned(),
        });
        let regional = manifest::RegionalImage { image: image.to_owned(), snapshot };
        Ok(Manifest {
            version: manifest::VERSION,
            service: request.service.clone(),
            name: plan.image_name.clone(),
            created: request.now,
            architecture: plan.source.architecture.clone(),
            base: manifest::Base {
                image: plan.source.image.clone(),
                snapshot: plan.source.snapshot.clone(),
                name: plan.source.name.clone(),
            },
            layers: layers.collect(),
            tree: inspection.tree,
            packages: inspection.contents.versions(),
            blocks,
            regions: BTreeMap::from([(oven.region(), regional)]),
        })
    }
}

/// The snapshot behind the image's root, and how much it holds: of the disk that was baked on, or of the instance's volume.
fn finished(oven: &Oven<'_>) -> Result<(String, manifest::Blocks), BakeError> {
    if let Some(finished) = &oven.launched.snapshot {
        return Ok(finished.clone());
    }
    let content = &needed(oven.disk.as_ref(), "a disk to bake on")?.content;
    let blocks = manifest::Blocks { count: content.map.blocks.len() as u64, volume_size: content.map.volume_size };
    Ok((content.snapshot.clone(), blocks))
}
