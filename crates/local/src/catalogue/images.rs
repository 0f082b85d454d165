//! Images: rows, whom they are shared with, which snapshots they hold.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;
use serde::Deserialize;
use serde::Serialize;

use super::Scope;
use super::find;
use super::instant;
use super::list;
use super::millis;
use super::run;
use super::tags;
use super::tokens;
use crate::failure::Answer;

/// One entry of an image's block device mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) name: String,
    /// The snapshot that the volume is made from; `None` for an empty one.
    pub(crate) snapshot: Option<String>,
    /// GiB; 0 for a device without a volume.
    pub(crate) size: i64,
    pub(crate) kind: String,
    pub(crate) iops: Option<i32>,
    pub(crate) throughput: Option<i32>,
    pub(crate) delete_on_termination: bool,
    /// `ephemeral0` and the like: no EBS volume.
    pub(crate) virtual_name: Option<String>,
    /// The ARN of the key of its volume; `None` where it is not encrypted.
    #[serde(default)]
    pub(crate) kms_key: Option<String>,
}

/// An image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) architecture: String,
    pub(crate) virtualization_type: String,
    pub(crate) root_device: Option<String>,
    pub(crate) boot_mode: Option<String>,
    pub(crate) tpm_support: Option<String>,
    pub(crate) imds_support: Option<String>,
    pub(crate) sriov: Option<String>,
    pub(crate) ena: bool,
    /// `pending`, `available`, or `failed`.
    pub(crate) state: String,
    pub(crate) available_at: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) source_image: Option<String>,
    pub(crate) source_region: Option<String>,
    /// The instance that CreateImage made it of.
    pub(crate) source_instance: Option<String>,
    pub(crate) deprecate_at: Option<Timestamp>,
    /// DeregisterImage is refused.
    pub(crate) is_protected: bool,
    /// Why making it failed.
    pub(crate) failure: Option<String>,
    pub(crate) public: bool,
    pub(crate) devices: Vec<Device>,
    pub(crate) billing: Billing,
}

/// What EC2 bills for the software in an image (EC2 user guide, "AMI billing information fields").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Billing {
    /// Such as `Red Hat Enterprise Linux`.
    pub(crate) platform_details: String,
    /// Such as `RunInstances:0010`.
    pub(crate) usage_operation: String,
}

impl Default for Billing {
    fn default() -> Self {
        Self { platform_details: "Linux/UNIX".to_owned(), usage_operation: "RunInstances".to_owned() }
    }
}

impl Image {
    /// The entry of the root device.
    pub(crate) fn root(&self) -> Option<&Device> {
        self.devices.iter().find(|device| Some(&device.name) == self.root_device.as_ref())
    }

    /// The snapshots that it holds.
    pub(crate) fn snapshots(&self) -> impl Iterator<Item = &String> {
        self.devices.iter().filter_map(|device| device.snapshot.as_ref())
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Image> {
    let devices: String = row.get("devices")?;
    let devices = serde_json::from_str(&devices)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))?;
    let failure: Option<String> = row.get("failure")?;
    Ok(Image {
        seq: row.get("seq")?,
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        name: row.get("name")?,
        description: row.get("description")?,
        architecture: row.get("architecture")?,
        virtualization_type: row.get("virtualization_type")?,
        root_device: row.get("root_device")?,
        boot_mode: row.get("boot_mode")?,
        tpm_support: row.get("tpm_support")?,
        imds_support: row.get("imds_support")?,
        sriov: row.get("sriov")?,
        ena: row.get("ena")?,
        state: if failure.is_some() { "failed".to_owned() } else { row.get("state")? },
        available_at: instant(row.get("available_at")?),
        created: instant(row.get("created")?),
        source_image: row.get("source_image")?,
        source_region: row.get("source_region")?,
        source_instance: row.get("source_instance")?,
        deprecate_at: row.get::<_, Option<i64>>("deprecate_at")?.map(instant),
        is_protected: row.get("is_protected")?,
        failure,
        public: row.get("public")?,
        devices,
        billing: Billing {
            platform_details: row.get("platform_details")?,
            usage_operation: row.get("usage_operation")?,
        },
    })
}

/// What `scope` may see: its own images, public ones, those shared with it.
const VISIBLE: &str = "region = ?2 AND (account = ?1 OR public OR EXISTS \
                       (SELECT 1 FROM image_shares WHERE image = images.id AND image_shares.account = ?1))";

/// The images that `scope` may see, oldest first.
pub(crate) fn list_visible(db: &Connection, scope: &Scope) -> Answer<Vec<Image>> {
    let sql = format!("SELECT * FROM images WHERE {VISIBLE} ORDER BY seq");
    list(db, &sql, [&scope.account, &scope.region], from_row)
}

/// The image `id`, where `scope` may see it.
pub(crate) fn find_visible(db: &Connection, scope: &Scope, id: &str) -> Answer<Option<Image>> {
    let sql = format!("SELECT * FROM images WHERE {VISIBLE} AND id = ?3");
    find(db, &sql, [&scope.account, &scope.region, id], from_row)
}

/// The id of the image of this name, in the name space itself.
pub(crate) fn find_named(db: &Connection, scope: &Scope, name: &str) -> Answer<Option<String>> {
    let sql = "SELECT id FROM images WHERE account = ?1 AND region = ?2 AND name = ?3";
    find(db, sql, [&scope.account, &scope.region, name], |row| row.get(0))
}

/// The ids of the images that hold `snapshot`.
pub(crate) fn list_holders(db: &Connection, snapshot: &str) -> Answer<Vec<String>> {
    list(db, "SELECT image FROM image_snapshots WHERE snapshot = ?1 ORDER BY image", [snapshot], |row| row.get(0))
}

/// How many images there are, of all accounts.
pub(crate) fn count_images(db: &Connection) -> Answer<u32> {
    Ok(db.query_row("SELECT count(*) FROM images", [], |row| row.get(0))?)
}

/// Adds an image; the name must be free.
pub(crate) fn insert_image(db: &Connection, image: &Image) -> Answer<()> {
    let devices = serde_json::to_string(&image.devices)
        .map_err(|error| crate::failure::Failure::internal("write a block device mapping", error))?;
    run(
        db,
        "INSERT INTO images (id, account, region, name, description, architecture, virtualization_type, root_device, boot_mode, \
         tpm_support, imds_support, sriov, ena, state, available_at, created, source_image, source_region, public, devices, source_instance, \
         platform_details, usage_operation) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        params![
            image.id,
            image.scope.account,
            image.scope.region,
            image.name,
            image.description,
            image.architecture,
            image.virtualization_type,
            image.root_device,
            image.boot_mode,
            image.tpm_support,
            image.imds_support,
            image.sriov,
            image.ena,
            image.state,
            millis(image.available_at),
            millis(image.created),
            image.source_image,
            image.source_region,
            image.public,
            devices,
            image.source_instance,
            image.billing.platform_details,
            image.billing.usage_operation,
        ],
    )?;
    for snapshot in image.snapshots() {
        run(db, "INSERT OR IGNORE INTO image_snapshots (image, snapshot) VALUES (?1, ?2)", [&image.id, snapshot])?;
    }
    Ok(())
}

/// A pending image is available from `at` on.
pub(crate) fn set_available(db: &Connection, id: &str, at: Timestamp) -> Answer<()> {
    run(db, "UPDATE images SET available_at = ?2 WHERE id = ?1", params![id, millis(at)])?;
    Ok(())
}

/// Making the image failed.
pub(crate) fn fail_image(db: &Connection, id: &str, why: &str) -> Answer<()> {
    run(db, "UPDATE images SET failure = ?2 WHERE id = ?1", [id, why])?;
    Ok(())
}

/// Pending images of instances whose making was interrupted.
pub(crate) fn list_unfinished(db: &Connection) -> Answer<Vec<String>> {
    let sql = "SELECT id FROM images WHERE state = 'pending' AND available_at = ?1 AND failure IS NULL";
    list(db, sql, [millis(Timestamp::MAX)], |row| row.get(0))
}

/// When the image is deprecated; `None` for never.
pub(crate) fn set_deprecation(db: &Connection, id: &str, at: Option<Timestamp>) -> Answer<()> {
    run(db, "UPDATE images SET deprecate_at = ?2 WHERE id = ?1", params![id, at.map(millis)])?;
    Ok(())
}

/// Whether the image may be deregistered.
pub(crate) fn set_protected(db: &Connection, id: &str, is_protected: bool) -> Answer<()> {
    run(db, "UPDATE images SET is_protected = ?2 WHERE id = ?1", params![id, is_protected])?;
    Ok(())
}

/// The image requires IMDSv2 of its instances from now on; that is never taken back.
pub(crate) fn set_imds_support(db: &Connection, id: &str) -> Answer<()> {
    run(db, "UPDATE images SET imds_support = 'v2.0' WHERE id = ?1", [id])?;
    Ok(())
}

/// Takes an image away, with its tags.
pub(crate) fn delete_image(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM images WHERE id = ?1", [id])?;
    tags::delete_all(db, id)?;
    tokens::forget(db, id)
}

/// Opens an image to everybody, or closes it.
pub(crate) fn set_public(db: &Connection, id: &str, public: bool) -> Answer<()> {
    run(db, "UPDATE images SET public = ?2 WHERE id = ?1", params![id, public])?;
    Ok(())
}

/// Shares an image with an account.
pub(crate) fn share(db: &Connection, id: &str, account: &str) -> Answer<()> {
    run(db, "INSERT OR IGNORE INTO image_shares (image, account) VALUES (?1, ?2)", [id, account])?;
    Ok(())
}

/// Takes a share back.
pub(crate) fn unshare(db: &Connection, id: &str, account: &str) -> Answer<()> {
    run(db, "DELETE FROM image_shares WHERE image = ?1 AND account = ?2", [id, account])?;
    Ok(())
}

/// Is the image shared with the account by name?
pub(crate) fn is_shared_with(db: &Connection, id: &str, account: &str) -> Answer<bool> {
    let sql = "SELECT 1 FROM image_shares WHERE image = ?1 AND account = ?2";
    Ok(find(db, sql, [id, account], |_| Ok(()))?.is_some())
}

/// The accounts that the image is shared with by name.
pub(crate) fn list_shares(db: &Connection, id: &str) -> Answer<Vec<String>> {
    list(db, "SELECT account FROM image_shares WHERE image = ?1 ORDER BY account", [id], |row| row.get(0))
}

/// Changes the description.
pub(crate) fn set_description(db: &Connection, id: &str, description: &str) -> Answer<()> {
    run(db, "UPDATE images SET description = ?2 WHERE id = ?1", [id, description])?;
    Ok(())
}
