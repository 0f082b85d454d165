//! `status`: how this boot went, from the instance itself.

use crate::fault::Fault;
use crate::files::find_file;
use crate::report::Report;
use crate::settings::Root;

/// The report of this boot; `None` while it has not ended, or if the agent never ran.
///
/// # Errors
/// When the file cannot be read (only root may).
pub fn find_report(root: &Root) -> Result<Option<Report>, Fault> {
    let path = root.result();
    let parse = |bytes: Vec<u8>| {
        serde_json::from_slice(&bytes)
            .map_err(|error| Fault::lasting(format!("cannot read {}: {error}", path.display())))
    };
    find_file(&path)?.map(parse).transpose()
}

/// The report for people.
#[must_use]
pub fn sentence(report: Option<&Report>) -> String {
    match report {
        None => "provisioning has not ended yet (or ovenbird-agent.service is not enabled)".to_owned(),
        Some(report) => match (&report.phase, &report.reason) {
            (Some(phase), Some(reason)) => format!("failed in the phase {phase} at {}: {reason}", report.finished),
            _ => format!("ok since {}, after {:.1} s", report.finished, report.seconds),
        },
    }
}
