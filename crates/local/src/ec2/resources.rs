//! The kinds of resources, and what EC2 says when an id is malformed or names nothing.

use rusqlite::Connection;

use crate::catalogue::images;
use crate::catalogue::images::Image;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Volume;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::is_id;
use crate::world::Call;

/// A kind of resource that has ids and tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Snapshot,
    Volume,
    Instance,
    KeyPair,
    SecurityGroup,
    LaunchTemplate,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Image,
        Self::Snapshot,
        Self::Volume,
        Self::Instance,
        Self::KeyPair,
        Self::SecurityGroup,
        Self::LaunchTemplate,
    ];

    /// What its ids begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Image => "ami",
            Self::Snapshot => "snap",
            Self::Volume => "vol",
            Self::Instance => "i",
            Self::KeyPair => "key",
            Self::SecurityGroup => "sg",
            Self::LaunchTemplate => "lt",
        }
    }

    /// Its name in tag specifications.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Snapshot => "snapshot",
            Self::Volume => "volume",
            Self::Instance => "instance",
            Self::KeyPair => "key-pair",
            Self::SecurityGroup => "security-group",
            Self::LaunchTemplate => "launch-template",
        }
    }

    /// The kind of the resource `id`.
    pub(super) fn find(id: &str) -> Option<Self> {
        let (prefix, _) = id.split_once('-')?;
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// Refuses ids that are not of its form.
    pub(super) fn verify_id(self, id: &str) -> Answer<()> {
        if is_id(self.prefix(), id) {
            return Ok(());
        }
        let code = match self {
            Self::Image => "InvalidAMIID.Malformed",
            Self::Snapshot => "InvalidSnapshotID.Malformed",
            Self::Volume => "InvalidVolumeID.Malformed",
            Self::Instance => "InvalidInstanceID.Malformed",
            Self::KeyPair => "InvalidKeyPairId.Malformed",
            Self::SecurityGroup => "InvalidGroupId.Malformed",
            Self::LaunchTemplate => "InvalidLaunchTemplateId.Malformed",
        };
        refuse(code, format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix()))
    }

    /// Says that there is nothing of this id.
    pub(super) fn not_found<T>(self, id: &str) -> Answer<T> {
        let code = match self {
            Self::Image => "InvalidAMIID.NotFound",
            Self::Snapshot => "InvalidSnapshot.NotFound",
            Self::Volume => "InvalidVolume.NotFound",
            Self::Instance => "InvalidInstanceID.NotFound",
            Self::KeyPair => "InvalidKeyPair.NotFound",
            Self::SecurityGroup => "InvalidGroup.NotFound",
            Self::LaunchTemplate => "InvalidLaunchTemplateId.NotFound",
        };
        let what = match self {
            Self::Instance => "instance ID",
            Self::SecurityGroup => "security group",
            _ => self.name(),
        };
        match self {
            Self::Image => refuse(code, format!("The image id '[{id}]' does not exist")),
            _ => refuse(code, format!("The {what} '{id}' does not exist.")),
        }
    }
}

/// The image `id`, where the caller may see it.
pub(super) fn visible_image(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Image> {
    let id = required(id, "ImageId")?;
    Kind::Image.verify_id(id)?;
    images::find_visible(db, &call.scope, id)?.map_or_else(|| Kind::Image.not_found(id), Ok)
}

/// The image `id`, where the caller owns it.
pub(super) fn own_image(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Image> {
    let image = visible_image(db, call, id)?;
    if image.scope == call.scope {
        Ok(image)
    } else {
        refuse("AuthFailure", format!("Not authorized for image:{}", image.id))
    }
}

/// The snapshot `id`, where the caller owns it.
pub(super) fn own_snapshot(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Snapshot> {
    let id = required(id, "SnapshotId")?;
    Kind::Snapshot.verify_id(id)?;
    let found = snapshots::find_snapshot(db, &call.scope.region, id)?
        .filter(|snapshot| snapshot.scope == call.scope && call.sees(snapshot.started));
    found.map_or_else(|| Kind::Snapshot.not_found(id), Ok)
}

/// The caller's volume `id`.
pub(super) fn own_volume(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Volume> {
    let id = required(id, "VolumeId")?;
    Kind::Volume.verify_id(id)?;
    let found = volumes::find_volume(db, &call.scope, id)?.filter(|volume| call.sees(volume.created));
    found.map_or_else(|| Kind::Volume.not_found(id), Ok)
}

/// The caller's instance `id`.
pub(super) fn own_instance(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Instance> {
    let id = required(id, "InstanceId")?;
    Kind::Instance.verify_id(id)?;
    let found = instances::find_instance(db, &call.scope, id)?.filter(|instance| call.sees(instance.launched));
    found.map_or_else(|| Kind::Instance.not_found(id), Ok)
}

/// Says that a client token was used for another request.
pub(super) fn mismatched_token<T>() -> Answer<T> {
    refuse("IdempotentParameterMismatch", "The client token was used before with other request parameters.")
}
