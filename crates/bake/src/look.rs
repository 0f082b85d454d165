//! What any image of the account holds, whoever baked it: from what is kept, else from its blocks.

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_core::contents::Contents;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;

use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::kept;
use crate::owned;
use crate::remote::fetch_disk;
use crate::seal;
use crate::source;
use crate::source::Source;
use crate::tree::Tree;

/// An image, and what it holds.
#[derive(Clone, Debug)]
pub struct Looked {
    /// `ami-…`
    pub image: String,
    /// Its name.
    pub name: String,
    /// When it was made; `None` where the API's answer has no time.
    pub created: Option<Timestamp>,
    /// What it holds.
    pub contents: Contents,
}

/// Looks into `image` (`ami-…`) as `account`. Where its contents are not kept, its blocks are read and mounted, if the process
/// says that it `may_mount`: it is root's, and has a mount namespace of its own.
///
/// # Errors
/// [`BakeError::Source`] where there is no such image or its blocks may not be read; [`BakeError::Unsupported`] where they would
/// have to be mounted; AWS's refusals, the disk's.
pub async fn look(
    client: &Client,
    folders: &Folders,
    (account, image): (&str, &str),
    may_mount: bool,
    on_event: &mut dyn FnMut(Event),
) -> Result<Looked, BakeError> {
    let found = source::describe(client, vec![image.to_owned()], &[], vec![]).await?;
    let found = found.into_iter().next().ok_or_else(|| {
        BakeError::Source(format!("there is no image {image} in this region, or this account may not see it"))
    })?;
    let found = source::read(found)?;
    let snapshot = readable_snapshot(client, &found, account).await?;
    let contents = match kept::find(folders, &snapshot) {
        Some(contents) => contents,
        None if !may_mount => return Err(needs_root(&found)),
        None => read(client, folders, &snapshot, on_event).await?,
    };
    Ok(Looked { image: found.image, name: found.name, created: found.created.parse().ok(), contents })
}

fn needs_root(image: &Source) -> BakeError {
    BakeError::Unsupported(format!(
        "this machine has not read {} yet, and reading its blocks mounts them, which needs root: run it with sudo",
        image.image
    ))
}

/// A snapshot of our own with the image's content. Nothing is copied for a look.
async fn readable_snapshot(client: &Client, image: &Source, account: &str) -> Result<String, BakeError> {
    if image.owner == account {
        return Ok(image.snapshot.clone());
    }
    let refuse = || {
        BakeError::Source(format!(
            "{} belongs to account {}, and only blocks of this account's own images can be read; a bake from it makes our own copy",
            image.image, image.owner
        ))
    };
    let copy = owned::find_copy(client, image).await?.ok_or_else(refuse)?;
    let copy = source::describe(client, vec![copy], &[], vec![]).await?.into_iter().next().ok_or_else(refuse)?;
    Ok(source::read(copy)?.snapshot)
}

async fn read(
    client: &Client,
    folders: &Folders,
    snapshot: &str,
    on_event: &mut dyn FnMut(Event),
) -> Result<Contents, BakeError> {
    let folder = BakeFolder::create(folders)?;
    let read = read_in(client, &folder, snapshot, on_event).await;
    let removed = folder.remove();
    let contents = read?;
    removed?;
    kept::keep(folders, snapshot, &contents)?;
    Ok(contents)
}

async fn read_in(
    client: &Client,
    folder: &BakeFolder,
    snapshot: &str,
    on_event: &mut dyn FnMut(Event),
) -> Result<Contents, BakeError> {
    on_event(Event::Phase { phase: Phase::Fetch });
    let disk = folder.path.join("disk.raw");
    fetch_disk(client, snapshot, &disk, |done, total| on_event(Event::Blocks { done, total })).await?;
    on_event(Event::Phase { phase: Phase::Look });
    contents_of(folder, &disk)
}

/// What a disk holds, mounted for as long as it takes.
pub(crate) fn contents_of(folder: &BakeFolder, disk: &std::path::Path) -> Result<Contents, BakeError> {
    let root = gpt::find_root(disk).map_err(working("find the root partition"))?;
    let mounted = LoopMount::ensure(disk, &root, &folder.path.join("looked-at"), Access::ReadOnly)
        .map_err(working("mount the image's disk"))?;
    let tree = Tree::scan(mounted.target()).map_err(working("read the image's tree"))?;
    let contents = seal::contents::of(mounted.target(), &tree).map_err(working("read what the image holds"))?;
    mounted.unmount().map_err(working("unmount the image's disk"))?;
    Ok(contents)
}
