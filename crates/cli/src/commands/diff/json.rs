//! A comparison for programs.

use ovenbird_bake::Looked;
use ovenbird_core::diff::Change;
use ovenbird_core::diff::Changes;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::Comparison;

/// `{"before", "after", "same", "summary", "packages", "units", "users", "groups", "release", "files"}`
pub(super) fn render(comparison: &Comparison) -> Value {
    let diff = &comparison.diff;
    json!({
        "before": image(&comparison.before),
        "after": image(&comparison.after),
        "same": diff.is_empty(),
        "summary": comparison.summary,
        "packages": diff.package_rows(),
        "units": list(&diff.units),
        "users": list(&diff.users),
        "groups": list(&diff.groups),
        "release": list(&diff.release),
        "files": diff.file_rows(),
    })
}

fn image(looked: &Looked) -> Value {
    json!({ "image": looked.image, "name": looked.name, "created": looked.created, "size": looked.contents.size() })
}

/// A list, as programs rather go through lists than through objects with names for keys.
fn list<T: Serialize>(changes: &Changes<T>) -> Vec<Value> {
    let row = |(name, change): (&String, &Change<T>)| json!({ "name": name, "sign": change.sign(), "before": change.before(), "after": change.after() });
    changes.iter().map(row).collect()
}
