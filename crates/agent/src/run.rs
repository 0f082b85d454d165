//! The recipe of a boot, phase after phase.

use std::time::Duration;
use std::time::Instant;

use ovenbird_core::block::Digest;

use crate::api::Api;
use crate::facts::Facts;
use crate::fault::Failure;
use crate::fault::Phase;
use crate::imds::Imds;
use crate::instance::Instance;
use crate::instance::find_id_in_firmware;
use crate::metadata::fetch_metadata;
use crate::metadata::read_schema;
use crate::parameters::fetch_parameters;
use crate::play::digest_of_play;
use crate::play::run_play;
use crate::report::Report;
use crate::report::print_console_line;
use crate::settings::Settings;
use crate::state::Outcome;
use crate::state::State;
use crate::time;
use crate::time::Deadline;
use crate::volume::ensure_volumes;

/// Provisions the instance and reports how it went: file, tag, and last of all the console line.
#[must_use]
pub fn run(settings: &Settings) -> Report {
    let began = Instant::now();
    let boot = Deadline::after(settings.budget.boot);
    // What an earlier run of this boot said no longer holds.
    _ = std::fs::remove_file(settings.root.result());
    let imds = Imds::new(&settings.metadata_endpoint);
    let answering = boot.within(settings.budget.metadata);
    let identity = Instance::fetch(&imds, &answering).map_err(|fault| fault.during(Phase::Identity));
    let report = match &identity {
        Err(failure) => {
            let id = find_id_in_firmware(&settings.root).unwrap_or_else(|| "unknown".to_owned());
            finish(settings, &Err(failure.clone()), &id, None, began.elapsed())
        }
        Ok(instance) => {
            let api = Api::new(&imds, instance, settings.endpoint_url.as_deref(), settings.budget.role);
            let result = provision(settings, &imds, instance, &api, &answering, &boot);
            finish(settings, &result, &instance.id, Some(&api), began.elapsed())
        }
    };
    print_console_line(&report);
    report
}

fn finish(
    settings: &Settings,
    result: &Result<(), Failure>,
    id: &str,
    api: Option<&Api<'_>>,
    took: Duration,
) -> Report {
    let report = Report::new(result, id, took, time::now());
    report.publish(&settings.root, api, &Deadline::after(settings.budget.report));
    report
}

fn provision(
    settings: &Settings,
    imds: &Imds,
    instance: &Instance,
    api: &Api<'_>,
    answering: &Deadline,
    boot: &Deadline,
) -> Result<(), Failure> {
    let root = &settings.root;
    let in_metadata = |fault: crate::fault::Fault| fault.during(Phase::Metadata);
    let schema = read_schema(root).map_err(in_metadata)?;
    let metadata = fetch_metadata(imds, &schema, answering).map_err(in_metadata)?;
    let play = digest_of_play(root).map_err(|fault| fault.during(Phase::Play))?;
    let digest = Digest::of(&[metadata.canonical().as_slice(), &play.0].concat());

    let begun = State::ensure_begun(root, &instance.id, digest, time::now()).map_err(in_metadata)?;
    let result = (|| {
        let environment = &metadata.environment;
        let budget = &settings.budget;
        let parameters = fetch_parameters(&schema.parameters, environment, instance, api, root, budget, boot)
            .map_err(|fault| fault.during(Phase::Parameters))?;
        let volumes = ensure_volumes(&schema, &metadata, instance, api, root, &boot.within(budget.volumes))
            .map_err(|fault| fault.during(Phase::Volumes))?;
        let facts = Facts {
            service: &schema.service,
            metadata: &metadata,
            parameters: &parameters,
            instance,
            volumes: &volumes,
        };
        facts.write(root).and_then(|()| run_play(root, boot)).map_err(|fault| fault.during(Phase::Play))
    })();
    let ended = State {
        outcome: if result.is_ok() { Outcome::Ok } else { Outcome::Failed },
        phase: result.as_ref().err().map(|failure: &Failure| failure.phase),
        reason: result.as_ref().err().map(|failure| failure.fault.sentence.clone()),
        finished: Some(time::now()),
        ..begun
    };
    let written = ended.write(root, &instance.id).map_err(|fault| fault.during(Phase::Report));
    result.and(written)
}
