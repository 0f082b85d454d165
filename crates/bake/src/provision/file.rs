//! `file`: files into the image, and out of it (packer, provisioner/file).

use std::path::Path;
use std::path::PathBuf;

use ovenbird_template::Direction;
use ovenbird_template::FileTransfer;
use ovenbird_template::Origin;
use ovenbird_template::SourceAmi;

use super::Site;
use crate::error::BakeError;
use crate::error::working;
use crate::request::Request;
use crate::ssh::quoted;
use crate::target;

/// What a content's file is called in a folder.
const CONTENT_NAME: &str = "pkr-file-content";

pub(super) fn run(site: &mut Site<'_>, transfer: &FileTransfer) -> Result<(), BakeError> {
    let destination = transfer.destination.render(site.ami).map_err(working("render `destination`"))?;
    match (&transfer.from, transfer.direction) {
        (Origin::Content(content), _) => {
            let content = content.render(site.ami).map_err(working("render `content`"))?;
            let to = named(&destination, CONTENT_NAME);
            // Packer puts it into a file that is its own alone first, and the mode goes along.
            target::write(site.target, content.as_bytes(), &to, 0o600)
        }
        (Origin::Paths(_), Direction::Upload) => list_sources(site.request, transfer, site.ami)?
            .iter()
            .try_for_each(|source| upload(site, source, &destination)),
        (Origin::Paths(paths), Direction::Download) => paths.iter().try_for_each(|path| {
            let from = path.render(site.ami).map_err(working("render `source`"))?;
            download(site, &from, &destination)
        }),
    }
}

/// The files and folders of this machine that are uploaded: as the template writes them, and where they are.
///
/// # Errors
/// A value that is not there.
pub(crate) fn list_sources(
    request: &Request,
    transfer: &FileTransfer,
    ami: &SourceAmi,
) -> Result<Vec<(String, PathBuf)>, BakeError> {
    let Origin::Paths(paths) = &transfer.from else { return Ok(Vec::new()) };
    let sources = paths.iter().map(|path| {
        let name = path.render(ami).map_err(working("render `source`"))?;
        let path = request.directory.join(&name);
        Ok((name, path))
    });
    sources.collect()
}

/// Of a folder with a trailing slash the content goes to the destination; of one without, the folder itself.
fn upload(site: &Site<'_>, (name, path): &(String, PathBuf), destination: &str) -> Result<(), BakeError> {
    if !path.is_dir() {
        return target::upload(site.target, path, &named(destination, &base_name(path)));
    }
    let to = if name.ends_with('/') {
        destination.to_owned()
    } else {
        format!("{}/{}", destination.trim_end_matches('/'), base_name(path))
    };
    target::upload_folder(site.target, path, &to)
}

fn download(site: &Site<'_>, from: &str, destination: &str) -> Result<(), BakeError> {
    let target = site.target;
    let here = site.request.directory.join(named(destination, &base_name(Path::new(from))));
    if let Some(folder) = here.parent() {
        fs_err::create_dir_all(folder).map_err(working("make the folder of a download"))?;
    }
    let ask = target.command(&format!("look for {from}"), &format!("test -d {}", quoted(from))).accept([1]);
    let is_folder = ask.run().map_err(working(format!("look for {from} in {}", target.name())))?.code == 0;
    match (is_folder, from.ends_with('/')) {
        (false, _) => target::download(target, from, &here),
        (true, true) => target::download_folder(target, from, &site.request.directory.join(destination)),
        (true, false) => {
            let here = site.request.directory.join(destination).join(base_name(Path::new(from)));
            target::download_folder(target, from, &here)
        }
    }
}

/// `destination`, or the file of that name in it if it is a folder.
fn named(destination: &str, name: &str) -> String {
    if destination.ends_with('/') { format!("{destination}{name}") } else { destination.to_owned() }
}

fn base_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_means_a_folder() {
        assert_eq!(named("/etc/", "motd"), "/etc/motd");
        assert_eq!(named("/etc/motd", "x"), "/etc/motd");
        assert_eq!(base_name(Path::new("a/b/")), "b");
    }
}
