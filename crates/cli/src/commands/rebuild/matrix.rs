//! `rebuild --plan`: for a person what would be done, for a CI system what to fan out.

use ovenbird_bake::ssh;
use ovenbird_core::rebuild::Goal;
use ovenbird_core::rebuild::Unit;
use serde_json::Value;
use serde_json::json;

use super::Context;
use super::planning::Fleet;
use super::show::name;
use super::show::why;
use crate::template::Given;

/// `include` is what a matrix of GitHub Actions takes; `stages` has the same entries by the stage that they can run in, since the
/// entries of one matrix cannot wait for each other. Each entry's `command` is what its worker runs.
pub(super) fn show(context: Context<'_>, given: &Given, fleet: &Fleet, units: &[Unit]) {
    if context.output.is_json() {
        let last = units.iter().map(|unit| unit.stage(units)).max();
        let entries = |stage: Option<usize>| {
            let wanted = units.iter().filter(|unit| stage.is_none_or(|stage| unit.stage(units) == stage));
            wanted.map(|unit| entry(given, (fleet, units), unit)).collect::<Vec<_>>()
        };
        let stages: Vec<Value> =
            last.map_or(0..0, |last| 0..last + 1).map(|stage| json!({ "include": entries(Some(stage)) })).collect();
        let reused: Vec<Value> =
            fleet.reused().map(|(service, _, image)| json!({ "service": service, "image": image })).collect();
        let failed: Vec<Value> = fleet
            .services
            .iter()
            .filter_map(|(service, planned)| {
                Some(json!({ "service": service, "error": planned.as_ref().err()?.sentence() }))
            })
            .collect();
        context.output.data(&json!({ "include": entries(None), "stages": stages, "reused": reused, "failed": failed }));
        return;
    }
    for (service, planned) in &fleet.services {
        match planned {
            Err(failure) => context.output.print(&format!("fails   {service}  {}", failure.sentence())),
            Ok(planned) => {
                if let Some(image) = &planned.plan.existing {
                    context.output.print(&format!("reuses  {service}  {}", image.id));
                }
            }
        }
    }
    for unit in units {
        let after = unit.needs.map_or_else(String::new, |below| format!(", after {}", name(fleet, &units[below])));
        context.output.print(&format!("bakes   {}  {} layers{after}", name(fleet, unit), unit.layers.len()));
        why(fleet, unit).iter().for_each(|why| context.output.print(&format!("          {why}")));
    }
}

fn entry(given: &Given, (fleet, units): (&Fleet, &[Unit]), unit: &Unit) -> Value {
    let words: Vec<String> = arguments(given, unit).iter().map(|word| quoted(word)).collect();
    let layers = unit.layers.iter().filter_map(|key| fleet.layer(&unit.services, *key));
    json!({
        "unit": name(fleet, unit),
        "stage": unit.stage(units),
        "needs": unit.needs.map(|below| name(fleet, &units[below])),
        "services": unit.services,
        "layers": layers.map(|layer| layer.title.clone()).collect::<Vec<_>>(),
        "command": format!("ovenbird {}", words.join(" ")),
    })
}

/// A word as a shell reads it. Names, keys and most values need no quotes.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=./:,@+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { ssh::quoted(word) }
}

/// The arguments of `ovenbird` that bake the unit.
pub(super) fn arguments(given: &Given, unit: &Unit) -> Vec<String> {
    let service = unit.services.first().cloned().unwrap_or_default();
    let until = match &unit.goal {
        Goal::Layers(key) => vec!["--until-layer".to_owned(), key.hex()],
        Goal::Image(_) => Vec::new(),
    };
    [vec!["bake".to_owned(), service], until, given.again()].concat()
}
