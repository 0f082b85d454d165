//! A rebuild as it goes, and its summary.

use ovenbird_bake::Fate;
use ovenbird_core::rebuild::Goal;
use ovenbird_core::rebuild::Unit;
use serde_json::Value;
use serde_json::json;

use super::Context;
use super::outcome::Service;
use super::planning::Fleet;
use super::run::Ended;
use crate::progress::Lines;
use crate::table;

/// What people call a unit: the service, or `common` and its uppermost layer.
pub(super) fn name(fleet: &Fleet, unit: &Unit) -> String {
    match &unit.goal {
        Goal::Image(service) => service.clone(),
        Goal::Layers(key) => {
            let title = fleet.layer(&unit.services, *key).map_or_else(|| key.short(), |layer| layer.title.clone());
            format!("common: {title}")
        }
    }
}

/// Why the unit must run: what its lowest layer says.
pub(super) fn why(fleet: &Fleet, unit: &Unit) -> Vec<String> {
    let lowest = unit.layers.first().and_then(|key| fleet.layer(&unit.services, *key));
    match lowest.map(|layer| &layer.fate) {
        Some(Fate::Run { why }) => why.clone(),
        _ if unit.needs.is_some() => vec!["it stands on layers that changed".to_owned()],
        _ => vec!["it is registered otherwise than before".to_owned()],
    }
}

/// One live line for each bake that runs; a line of JSON for each event with `--json`.
pub(super) struct Board<'a> {
    context: Context<'a>,
    names: Vec<String>,
    lines: Lines<'a>,
}

impl<'a> Board<'a> {
    pub(super) fn new(context: Context<'a>, fleet: &Fleet, units: &[Unit]) -> Self {
        let names: Vec<String> = units.iter().map(|unit| name(fleet, unit)).collect();
        let lines = Lines::new(context.output, &names);
        Self { context, names, lines }
    }

    pub(super) fn begins(&self, place: usize) {
        self.lines.begin(place);
        self.tell(place, &json!({ "event": "begins" }));
    }

    pub(super) fn event(&self, place: usize, event: &Value) {
        self.tell(place, event);
        if let Some(text) = detail(event) {
            self.lines.detail(place, &text);
        }
    }

    pub(super) fn ends(&self, place: usize, ended: &Ended, is_well: bool) {
        let how = match (&ended.error, is_well) {
            (_, true) => format!("{} layers run, {} blocks", ended.layers, ended.blocks),
            (error, false) => format!("failed: {}", error.as_deref().unwrap_or("it ended without a word")),
        };
        self.lines.end(place, &how);
        self.tell(
            place,
            &json!({ "event": "ends", "ok": is_well, "error": ended.error, "seconds": ended.took.as_secs_f64() }),
        );
    }

    pub(super) fn finish(&self) {
        self.lines.finish();
    }

    fn tell(&self, place: usize, event: &Value) {
        if self.context.output.is_json() {
            self.context.output.data(&json!({ "event": "unit", "unit": self.names[place], "of": event }));
        }
    }
}

/// What a bake is doing, in a few words; `None` for what is of no interest on one line.
fn detail(event: &Value) -> Option<String> {
    match event["event"].as_str()? {
        "phase" => {
            let phase = &event["phase"];
            Some(phase["layer"].as_str().or(phase["name"].as_str())?.replace('_', " "))
        }
        "ansible" => {
            let task = &event["task"];
            Some(task["task"]["name"].as_str()?.to_owned())
        }
        "blocks" => Some(format!("{} of {} blocks", event["done"], event["total"])),
        _ => None,
    }
}

/// The summary: a table for people, one answer for programs.
pub(super) fn summary(context: Context<'_>, fleet: &Fleet, units: &[Unit], ended: &[Ended], services: &[Service]) {
    if context.output.is_json() {
        context.output.data(&json!({ "event": "rebuilt", "services": services }));
        return;
    }
    let common =
        units.iter().zip(ended).filter(|(unit, _)| matches!(unit.goal, Goal::Layers(_))).map(|(unit, ended)| {
            let outcome = if ended.error.is_some() { "failed" } else { "baked" };
            let why = ended.error.clone().map_or_else(|| why(fleet, unit), |error| vec![error]);
            row(&name(fleet, unit), outcome, (ended.layers, ended.blocks, ended.took.as_secs_f64()), &why)
        });
    let own = services.iter().map(|service| {
        let figures = (service.layers, service.blocks, service.seconds);
        row(&service.name, service.outcome.name(), figures, &service.why)
    });
    let header = ["SERVICE", "OUTCOME", "LAYERS RUN", "BLOCKS", "SECONDS", "WHY"];
    context.output.print(&table::render(&header, common.chain(own).collect::<Vec<_>>()));
}

fn row(name: &str, outcome: &str, (layers, blocks, seconds): (usize, u64, f64), why: &[String]) -> Vec<String> {
    let more = why.len().saturating_sub(1);
    let first = why.first().map_or("", String::as_str);
    let why = if more == 0 { first.to_owned() } else { format!("{first}; and {more} more") };
    vec![name.to_owned(), outcome.to_owned(), layers.to_string(), blocks.to_string(), format!("{seconds:.1}"), why]
}
