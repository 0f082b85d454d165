//! Instances.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::find;
use super::instant;
use super::list;
use super::millis;
use super::run;
use super::tags;
use crate::failure::Answer;

/// An instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) zone: String,
    pub(crate) reservation: String,
    pub(crate) launch_index: i32,
    pub(crate) image: String,
    pub(crate) instance_type: String,
    pub(crate) architecture: String,
    pub(crate) boot_mode: Option<String>,
    pub(crate) state: State,
    /// Code and message.
    pub(crate) reason: Option<(String, String)>,
    pub(crate) launched: Timestamp,
    pub(crate) root_device: String,
    pub(crate) private_ip: String,
    pub(crate) mac: String,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) key_name: Option<String>,
    /// Name of the instance profile, and of the role in it.
    pub(crate) profile: Option<String>,
    pub(crate) tokens_required: bool,
    pub(crate) hop_limit: i32,
    pub(crate) metadata_tags: bool,
    /// Does a shutdown from inside terminate it?
    pub(crate) ends_terminated: bool,
    pub(crate) client_token: Option<String>,
}

/// Where an instance is in its life (EC2 user guide, "Instance lifecycle").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::ShuttingDown, Self::Terminated, Self::Stopping, Self::Stopped];

    /// The API's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// The API's number.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Terminated)
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Instance> {
    let (code, message): (Option<String>, Option<String>) = (row.get("reason_code")?, row.get("reason")?);
    Ok(Instance {
        seq: row.get("seq")?,
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        zone: row.get("zone")?,
        reservation: row.get("reservation")?,
        launch_index: row.get("launch_index")?,
        image: row.get("image")?,
        instance_type: row.get("instance_type")?,
        architecture: row.get("architecture")?,
        boot_mode: row.get("boot_mode")?,
        state: State::named(&row.get::<_, String>("state")?),
        reason: code.zip(message),
        launched: instant(row.get("launched")?),
        root_device: row.get("root_device")?,
        private_ip: row.get("private_ip")?,
        mac: row.get("mac")?,
        user_data: row.get("user_data")?,
        key_name: row.get("key_name")?,
        profile: row.get("profile")?,
        tokens_required: row.get("tokens_required")?,
        hop_limit: row.get("hop_limit")?,
        metadata_tags: row.get("metadata_tags")?,
        ends_terminated: row.get::<_, String>("shutdown_behavior")? == "terminate",
        client_token: row.get("client_token")?,
    })
}

/// All instances of a name space, oldest first.
pub(crate) fn list_instances(db: &Connection, scope: &Scope) -> Answer<Vec<Instance>> {
    let sql = "SELECT * FROM instances WHERE account = ?1 AND region = ?2 ORDER BY seq";
    list(db, sql, [&scope.account, &scope.region], from_row)
}

/// The instance `id` of a name space.
pub(crate) fn find_instance(db: &Connection, scope: &Scope, id: &str) -> Answer<Option<Instance>> {
    let sql = "SELECT * FROM instances WHERE account = ?1 AND region = ?2 AND id = ?3";
    find(db, sql, [&scope.account, &scope.region, id], from_row)
}

/// The instance `id`, whoever owns it.
pub(crate) fn find_any(db: &Connection, id: &str) -> Answer<Option<Instance>> {
    find(db, "SELECT * FROM instances WHERE id = ?1", [id], from_row)
}

/// Every instance that is not terminated, of all accounts.
pub(crate) fn list_alive(db: &Connection) -> Answer<Vec<Instance>> {
    list(db, "SELECT * FROM instances WHERE state <> 'terminated' ORDER BY seq", [], from_row)
}

/// The ids of all instances, terminated ones too.
pub(crate) fn list_ids(db: &Connection) -> Answer<Vec<String>> {
    list(db, "SELECT id FROM instances", [], |row| row.get(0))
}

/// The addresses that are taken.
pub(crate) fn list_addresses(db: &Connection) -> Answer<Vec<String>> {
    list(db, "SELECT private_ip FROM instances WHERE state <> 'terminated'", [], |row| row.get(0))
}

/// Adds an instance.
pub(crate) fn insert_instance(db: &Connection, instance: &Instance) -> Answer<()> {
    run(
        db,
        "INSERT INTO instances (id, account, region, zone, reservation, launch_index, image, instance_type, architecture, \
         boot_mode, state, launched, root_device, private_ip, mac, user_data, key_name, profile, tokens_required, hop_limit, \
         metadata_tags, shutdown_behavior, client_token) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
         ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        params![
            instance.id,
            instance.scope.account,
            instance.scope.region,
            instance.zone,
            instance.reservation,
            instance.launch_index,
            instance.image,
            instance.instance_type,
            instance.architecture,
            instance.boot_mode,
            instance.state.name(),
            millis(instance.launched),
            instance.root_device,
            instance.private_ip,
            instance.mac,
            instance.user_data,
            instance.key_name,
            instance.profile,
            instance.tokens_required,
            instance.hop_limit,
            instance.metadata_tags,
            if instance.ends_terminated { "terminate" } else { "stop" },
            instance.client_token,
        ],
    )?;
    Ok(())
}

/// Moves an instance on in its life.
pub(crate) fn set_state(
    db: &Connection,
    id: &str,
    state: State,
    reason: Option<(&str, &str)>,
    now: Timestamp,
) -> Answer<()> {
    let ended = matches!(state, State::Terminated).then(|| millis(now));
    let (code, message) = reason.unzip();
    let sql = "UPDATE instances SET state = ?2, reason_code = coalesce(?3, reason_code), reason = coalesce(?4, reason), ended = ?5 \
               WHERE id = ?1";
    run(db, sql, params![id, state.name(), code, message, ended])?;
    Ok(())
}

/// Takes an instance away, with its tags.
pub(crate) fn delete_instance(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM tokens WHERE made = (SELECT reservation FROM instances WHERE id = ?1)", [id])?;
    run(db, "DELETE FROM instances WHERE id = ?1", [id])?;
    tags::delete_all(db, id)
}
