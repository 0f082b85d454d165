//! Contents beside the manifests: a compressed file per snapshot. A snapshot never changes, so neither does its file; and what
//! is not there can be read from the snapshot again.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ovenbird_core::contents;
use ovenbird_core::contents::Contents;

use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;
use crate::folder::find_oldest;
use crate::folder::ignore_missing;

/// Files that are kept, at one to two megabytes each; the one that was written longest ago goes.
const MOST: usize = 100;

/// What the image behind `snapshot` holds, if this machine has read it before. What cannot be read is as good as missing.
pub(crate) fn find(folders: &Folders, snapshot: &str) -> Option<Contents> {
    let file = fs_err::File::open(path(folders, snapshot)).ok()?;
    let contents: Contents = serde_json::from_reader(std::io::BufReader::new(GzDecoder::new(file))).ok()?;
    (contents.version == contents::VERSION).then_some(contents)
}

/// Keeps it.
///
/// # Errors
/// The disk's.
pub(crate) fn keep(folders: &Folders, snapshot: &str, contents: &Contents) -> Result<(), BakeError> {
    let doing = "keep the list of the image's files";
    let text = serde_json::to_vec(contents).map_err(working(doing))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&text).map_err(working(doing))?;
    let packed = packed.finish().map_err(working(doing))?;
    let path = path(folders, snapshot);
    write_atomically(&path, &packed)?;
    drop_oldest(path.parent().unwrap_or(&path)).map_err(working(doing))
}

fn path(folders: &Folders, snapshot: &str) -> PathBuf {
    folders.cache.join("contents").join(format!("{snapshot}.json.gz"))
}

fn drop_oldest(folder: &Path) -> std::io::Result<()> {
    find_oldest(folder, MOST, |_| true)?.iter().try_for_each(|path| ignore_missing(fs_err::remove_file(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_back_and_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().expect("a folder");
        let folders = Folders { cache: dir.path().join("cache"), state: dir.path().join("state") };
        let contents = Contents {
            version: contents::VERSION,
            release: [("ID".to_owned(), "debian".to_owned())].into(),
            ..Contents::default()
        };
        for number in 0..MOST + 3 {
            keep(&folders, &format!("snap-{number:03}"), &contents).expect("kept");
        }
        assert_eq!(find(&folders, &format!("snap-{:03}", MOST + 2)), Some(contents));
        let count = fs_err::read_dir(folders.cache.join("contents")).expect("a folder").count();
        assert_eq!(count, MOST);
        fs_err::write(path(&folders, "snap-x"), "no").expect("written");
        assert_eq!(find(&folders, "snap-x"), None);
    }
}
