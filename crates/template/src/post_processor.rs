//! Post-processors: what happens to an image after it was made.

use std::collections::BTreeMap;

use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::fields::Findings;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Noted;
use crate::place::Place;
use crate::provisioner::ShellLocal;
use crate::provisioner::shell_local;
use crate::provisioner::verify_build_names;
use crate::recipe::Unsupported;
use crate::scope::Scope;
use crate::tree::Node;
use crate::tree::Value;

/// One post-processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostProcessor {
    /// What it does.
    pub kind: PostProcessorKind,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The builds that it is for; empty: all.
    pub only: Vec<String>,
    /// The builds that it is not for.
    pub except: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// What a post-processor does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostProcessorKind {
    /// Writes Packer's manifest.
    Manifest(Manifest),
    /// Runs scripts on this machine.
    ShellLocal(Box<ShellLocal>),
    /// Something that Ovenbird does not know: shown in a plan, refused by a bake.
    Unsupported(Unsupported),
}

/// Packer's `manifest`: a JSON file of the images that were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The file, `packer-manifest.json` by default.
    pub output: String,
    /// Whether files lose their folders.
    pub strip_path: bool,
    /// Whether the time is left out.
    pub strip_time: bool,
    /// Further values to write.
    pub custom_data: BTreeMap<String, Deferred>,
}

/// The options that every post-processor has. The image is always kept, as Packer's two keep their input.
pub(crate) const COMMON: Row = (&["type", "name", "only", "except"], Honoured);
pub(crate) const KEEP: Row = (&["keep_input_artifact"], Noted("the image is always kept, as it is in Packer"));
const MANIFEST_OPTIONS: &[Row] = &[COMMON, KEEP, (&["output", "strip_path", "strip_time", "custom_data"], Honoured)];

/// Reads `post-processors`: a list of sequences, where a sequence of one may stand without its list.
pub(crate) fn read_all(node: &Node, findings: &Findings, scope: Scope<'_>, builds: &[&str]) -> Vec<Vec<PostProcessor>> {
    let Value::Array(elements) = &node.value else {
        findings.error(&node.span, format!("`post-processors` must be a list, this is {}", node.kind()), None);
        return Vec::new();
    };
    let sequence = |element: &Node| match &element.value {
        Value::Array(sequence) => sequence.iter().filter_map(|node| read(node, findings, scope, builds)).collect(),
        _ => read(element, findings, scope, builds).into_iter().collect(),
    };
    elements.iter().map(sequence).collect()
}

/// Reads a post-processor, which may be its type alone.
fn read(node: &Node, findings: &Findings, scope: Scope<'_>, builds: &[&str]) -> Option<PostProcessor> {
    let place = findings.source.place(node.span.start);
    let empty = Node { span: node.span.clone(), value: Value::Object(Vec::new()) };
    let (fields, kind) = match &node.value {
        Value::Text(kind) => (Fields::of("a post-processor", &empty, findings, scope)?, kind.clone()),
        _ => {
            let fields = Fields::of("a post-processor", node, findings, scope)?;
            let kind = fields.required_text("type", "such as \"manifest\"")?;
            (fields, kind)
        }
    };
    verify_build_names(&fields, builds);
    let shell_local = |fields: &Fields<'_>| shell_local::read(fields, shell_local::POST_PROCESSOR_OPTIONS);
    Some(PostProcessor {
        name: fields.text("name"),
        only: fields.texts("only"),
        except: fields.texts("except"),
        kind: match kind.as_str() {
            "manifest" => PostProcessorKind::Manifest(manifest(&fields.called("manifest"))),
            shell_local::TYPE => {
                PostProcessorKind::ShellLocal(Box::new(shell_local(&fields.called(shell_local::TYPE))?))
            }
            _ => PostProcessorKind::Unsupported(Unsupported {
                instead: instead(&kind).to_owned(),
                kind,
                place: place.clone(),
            }),
        },
        place,
    })
}

fn manifest(fields: &Fields<'_>) -> Manifest {
    options::check(fields, MANIFEST_OPTIONS);
    Manifest {
        output: fields.text("output").unwrap_or_else(|| "packer-manifest.json".to_owned()),
        strip_path: fields.boolean("strip_path").unwrap_or(false),
        strip_time: fields.boolean("strip_time").unwrap_or(false),
        custom_data: fields.deferred_map("custom_data"),
    }
}

fn instead(kind: &str) -> &'static str {
    match kind {
        "amazon-ami-management" => "use `ovenbird cleanup`, which sees who uses an image",
        "amazon-import" => "an image is baked from an image; import the disk first: aws ec2 import-image",
        "docker-tag" | "docker-push" | "docker-import" | "docker-save" | "vagrant" | "vagrant-cloud" | "compress"
        | "checksum" | "artifice" => "an AMI is no file: remove it",
        _ => "there are `manifest` and `shell-local`",
    }
}

/// The tables of the post-processors, each under its heading.
#[cfg(test)]
pub(crate) fn tables() -> Vec<(&'static str, &'static [Row])> {
    vec![
        ("Post-processor `manifest`", MANIFEST_OPTIONS),
        ("Post-processor `shell-local`", shell_local::POST_PROCESSOR_OPTIONS),
    ]
}
