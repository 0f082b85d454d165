//! Instances.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::find;
use super::images::Billing;
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
    /// The key pair's OpenSSH public key, as it was at the launch.
    pub(crate) public_key: Option<String>,
    /// Ids.
    pub(crate) security_groups: Vec<String>,
    pub(crate) is_spot: bool,
    pub(crate) has_public_ip: bool,
    /// TerminateInstances is refused.
    pub(crate) termination_protected: bool,
    /// StopInstances is refused.
    pub(crate) stop_protected: bool,
    /// Its image's, as it was at the launch.
    pub(crate) billing: Billing,
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
        public_key: row.get("public_key")?,
        security_groups: row.get::<_, String>("security_groups")?.split_whitespace().map(str::to_owned).collect(),
        is_spot: row.get("is_spot")?,
        has_public_ip: row.get("has_public_ip")?,
        termination_protected: row.get("termination_protected")?,
        stop_protected: row.get("stop_protected")?,
        billing: Billing {
            platform_details: row.get("platform_details")?,
            usage_operation: row.get("usage_operation")?,
        },
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
         metadata_tags, shutdown_behavior, client_token, public_key, security_groups, is_spot, has_public_ip, \
         termination_protected, stop_protected, platform_details, usage_operation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
         ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)",
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
            instance.public_key,
            instance.security_groups.join(" "),
            instance.is_spot,
            instance.has_public_ip,
            instance.termination_protected,
            instance.stop_protected,
            instance.billing.platform_details,
            instance.billing.usage_operation,
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

/// Changes what ModifyInstanceAttribute may change: type, user data, security groups, shutdown behaviour, protection.
pub(crate) fn update_attributes(db: &Connection, instance: &Instance) -> Answer<()> {
    let sql = "UPDATE instances SET instance_type = ?2, user_data = ?3, security_groups = ?4, shutdown_behavior = ?5, \
               termination_protected = ?6, stop_protected = ?7 WHERE id = ?1";
    run(
        db,
        sql,
        params![
            instance.id,
            instance.instance_type,
            instance.user_data,
            instance.security_groups.join(" "),
            if instance.ends_terminated { "terminate" } else { "stop" },
            instance.termination_protected,
            instance.stop_protected,
        ],
    )?;
    Ok(())
}

/// Notes that an instance is launched anew.
pub(crate) fn set_launched(db: &Connection, id: &str, now: Timestamp) -> Answer<()> {
    run(
        db,
        "UPDATE instances SET launched = ?2, reason_code = NULL, reason = NULL WHERE id = ?1",
        params![id, millis(now)],
    )?;
    Ok(())
}

/// An instance that is not terminated and has this security group.
pub(crate) fn find_in_group(db: &Connection, group: &str) -> Answer<Option<String>> {
    let sql = "SELECT id FROM instances WHERE state <> 'terminated' AND ' ' || security_groups || ' ' LIKE '% ' || ?1 || ' %'";
    find(db, sql, [group], |row| row.get(0))
}

/// Takes an instance away, with its tags.
pub(crate) fn delete_instance(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM tokens WHERE made = (SELECT reservation FROM instances WHERE id = ?1)", [id])?;
    run(db, "DELETE FROM instances WHERE id = ?1", [id])?;
    tags::delete_all(db, id)
}
