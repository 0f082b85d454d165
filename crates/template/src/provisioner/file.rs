//! The provisioner `file`: files to or from the machine that becomes the image. (packer, provisioner/file/provisioner.go)

use std::fmt;

use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Type of the provisioner in templates.
pub(crate) const TYPE: &str = "file";

/// Files that are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTransfer {
    /// What is copied.
    pub from: Origin,
    /// Where to. A path that ends in `/` is a folder.
    pub destination: Deferred,
    /// Which way.
    pub direction: Direction,
    /// Whether the files may be made by an earlier provisioner, and so need not be there before the bake.
    pub generated: bool,
}

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Files and folders. Of a folder with a trailing `/` only the content is copied, as rsync does. Never empty.
    Paths(Vec<Deferred>),
    /// A file of this content. In a folder it is called `pkr-file-content`.
    Content(Deferred),
}

/// Which way files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the image.
    Upload,
    /// Out of it.
    Download,
}

impl fmt::Display for FileTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |text: &Deferred| text.find_literal().unwrap_or("…").to_owned();
        let from = match &self.from {
            Origin::Paths(paths) => paths.iter().map(told).collect::<Vec<_>>().join(", "),
            Origin::Content(_) => "a text".to_owned(),
        };
        write!(f, "file {from} to {}", told(&self.destination))
    }
}

pub(crate) const OPTIONS: &[Row] =
    &[super::COMMON, (&["source", "sources", "content", "destination", "direction", "generated"], Honoured)];

/// Reads a provisioner. `None` when something that it cannot do without is missing; that has been reported.
pub(super) fn read(fields: &Fields<'_>) -> Option<FileTransfer> {
    options::check(fields, OPTIONS);
    let (from, destination, direction) = (origin(fields), destination(fields), direction(fields));
    let generated = fields.boolean("generated").unwrap_or(false);
    let transfer = FileTransfer { from: from?, destination: destination?, direction, generated };
    if let (Origin::Content(_), Direction::Download) = (&transfer.from, direction) {
        fields.findings.error(&fields.span, "`content` cannot be downloaded", Some("name a `source`".to_owned()));
        return None;
    }
    Some(transfer)
}

fn origin(fields: &Fields<'_>) -> Option<Origin> {
    let content = fields.find("content").and(fields.deferred("content")).filter(|text| text.find_literal() != Some(""));
    let mut paths: Vec<Deferred> = fields.deferred("source").into_iter().collect();
    paths.extend(fields.deferred_texts("sources"));
    paths.retain(|path| path.find_literal() != Some(""));
    match (content, paths.is_empty()) {
        (Some(content), true) => Some(Origin::Content(content)),
        (None, false) => Some(Origin::Paths(paths)),
        (Some(_), false) => {
            let message = "`content` and `source` are both there";
            fields.findings.error(&fields.span, message, Some("keep one of them".to_owned()));
            None
        }
        (None, true) => {
            let is_wrong = ["source", "sources", "content"]
                .iter()
                .any(|name| fields.find(name).is_some_and(|node| fields.asks_for(node)));
            if !is_wrong {
                fields.missing("source", "the file to copy; `content` takes its text instead");
            }
            None
        }
    }
}

fn destination(fields: &Fields<'_>) -> Option<Deferred> {
    let Some(destination) = fields.find("destination").map(|_| fields.deferred("destination")) else {
        fields.missing("destination", "where the file goes, such as /etc/motd");
        return None;
    };
    let destination = destination?;
    if destination.find_literal() == Some("") {
        fields.missing("destination", "where the file goes, such as /etc/motd");
        return None;
    }
    Some(destination)
}

fn direction(fields: &Fields<'_>) -> Direction {
    match fields.one_of("direction", &["upload", "download"]).as_deref() {
        Some("download") => Direction::Download,
        _ => Direction::Upload,
    }
}
