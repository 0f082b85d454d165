//! Post-processors: what a template does with its image. They run when it is published, also if it was there already: what comes after
//! the bake wants its id in any case. Nothing of theirs is taken back, and the image stays if one fails.

mod manifest;

use std::time::Duration;
use std::time::Instant;

use ovenbird_template::PostProcessor;
use ovenbird_template::PostProcessorKind;
use ovenbird_template::SourceAmi;

use crate::error::BakeError;
use crate::event::Event;
use crate::provision::run_on_this_machine;
use crate::request::Request;

/// How long a post-processor may take.
const LONGEST: Duration = Duration::from_secs(3600);

/// The image, as post-processors see it.
pub(crate) struct Artifact<'a> {
    /// Where it is: region and id, the home region first.
    pub(crate) images: Vec<(String, String)>,
    /// The bake's id.
    pub(crate) bake: &'a str,
    /// What the template's late values are worth.
    pub(crate) ami: SourceAmi,
}

/// Runs the post-processors of the build, in order.
///
/// # Errors
/// [`BakeError::PostProcessor`], which names the image that is there.
pub(crate) fn run(
    request: &Request,
    artifact: &Artifact<'_>,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    for processor in request.recipe.post_processors_for(&request.build.name) {
        run_one(request, artifact, processor, on_event).map_err(|source| match source {
            BakeError::Interrupted => BakeError::Interrupted,
            source => {
                let image = artifact.images.first().map(|(_, image)| image.clone()).unwrap_or_default();
                BakeError::PostProcessor { image, source: Box::new(source) }
            }
        })?;
    }
    Ok(())
}

fn run_one(
    request: &Request,
    artifact: &Artifact<'_>,
    processor: &PostProcessor,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    match &processor.kind {
        PostProcessorKind::Manifest(manifest) => manifest::write(request, artifact, manifest),
        PostProcessorKind::ShellLocal(shell) => {
            let title = format!("post-processor shell-local {}", request.recipe.masked(&shell.script.summary()));
            let say = &mut |line: &str| {
                on_event(Event::Output { run: title.clone(), line: request.recipe.masked(line) });
                Ok(())
            };
            run_on_this_machine(request, &artifact.ami, (&title, shell), Instant::now() + LONGEST, say)
        }
        PostProcessorKind::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
    }
}
