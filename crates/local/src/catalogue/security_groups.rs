//! Security groups and their rules.

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::find;
use super::list;
use super::run;
use super::tags;
use crate::failure::Answer;

/// A security group.
#[derive(Clone, Debug)]
pub(crate) struct SecurityGroup {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// Who may come in, where: one source of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `sgr-` and 17 hex digits.
    pub(crate) id: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub(crate) protocol: String,
    pub(crate) from_port: i32,
    pub(crate) to_port: i32,
    pub(crate) source: Source,
    pub(crate) description: Option<String>,
}

/// Where traffic comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Ipv4(String),
    Ipv6(String),
    PrefixList(String),
    /// The id of a group.
    Group(String),
}

impl Source {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Ipv4(range) => ("ipv4", range),
            Self::Ipv6(range) => ("ipv6", range),
            Self::PrefixList(id) => ("prefix-list", id),
            Self::Group(id) => ("group", id),
        }
    }

    fn of_columns(kind: &str, source: String) -> Self {
        match kind {
            "ipv4" => Self::Ipv4(source),
            "ipv6" => Self::Ipv6(source),
            "prefix-list" => Self::PrefixList(source),
            _ => Self::Group(source),
        }
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SecurityGroup> {
    Ok(SecurityGroup {
        seq: row.get("seq")?,
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        name: row.get("name")?,
        description: row.get("description")?,
    })
}

fn rule_from_row(row: &Row<'_>) -> rusqlite::Result<Rule> {
    Ok(Rule {
        id: row.get("id")?,
        protocol: row.get("protocol")?,
        from_port: row.get("from_port")?,
        to_port: row.get("to_port")?,
        source: Source::of_columns(&row.get::<_, String>("source_kind")?, row.get("source")?),
        description: row.get("description")?,
    })
}

/// All groups of a name space, oldest first.
pub(crate) fn list_groups(db: &Connection, scope: &Scope) -> Answer<Vec<SecurityGroup>> {
    let sql = "SELECT * FROM security_groups WHERE account = ?1 AND region = ?2 ORDER BY seq";
    list(db, sql, [&scope.account, &scope.region], from_row)
}

/// The group `id` of a name space.
pub(crate) fn find_group(db: &Connection, scope: &Scope, id: &str) -> Answer<Option<SecurityGroup>> {
    let sql = "SELECT * FROM security_groups WHERE account = ?1 AND region = ?2 AND id = ?3";
    find(db, sql, [&scope.account, &scope.region, id], from_row)
}

/// The group of this name in a name space.
pub(crate) fn find_named(db: &Connection, scope: &Scope, name: &str) -> Answer<Option<SecurityGroup>> {
    let sql = "SELECT * FROM security_groups WHERE account = ?1 AND region = ?2 AND name = ?3";
    find(db, sql, [&scope.account, &scope.region, name], from_row)
}

/// Adds a group; the name must be free.
pub(crate) fn insert_group(db: &Connection, group: &SecurityGroup) -> Answer<()> {
    let sql = "INSERT INTO security_groups (id, account, region, name, description) VALUES (?1, ?2, ?3, ?4, ?5)";
    let SecurityGroup { id, scope, name, description, .. } = group;
    run(db, sql, params![id, scope.account, scope.region, name, description])?;
    Ok(())
}

/// Takes a group away, with its rules and tags.
pub(crate) fn delete_group(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM security_groups WHERE id = ?1", [id])?;
    tags::delete_all(db, id)
}

/// The rules of a group, oldest first.
pub(crate) fn list_rules(db: &Connection, group: &str) -> Answer<Vec<Rule>> {
    list(db, "SELECT * FROM security_group_rules WHERE security_group = ?1 ORDER BY seq", [group], rule_from_row)
}

/// Adds a rule; `false` where the group has it already.
pub(crate) fn add_rule(db: &Connection, group: &str, rule: &Rule) -> Answer<bool> {
    let sql = "INSERT OR IGNORE INTO security_group_rules (id, security_group, protocol, from_port, to_port, source_kind, source, \
               description) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (kind, source) = rule.source.columns();
    let Rule { id, protocol, from_port, to_port, description, .. } = rule;
    Ok(run(db, sql, params![id, group, protocol, from_port, to_port, kind, source, description])? > 0)
}

/// Takes a rule away.
pub(crate) fn delete_rule(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM security_group_rules WHERE id = ?1", [id])?;
    Ok(())
}

/// Another group whose rules name this one.
pub(crate) fn find_referrer(db: &Connection, group: &str) -> Answer<Option<String>> {
    let sql = "SELECT security_group FROM security_group_rules WHERE source_kind = 'group' AND source = ?1 \
               AND security_group <> ?1";
    find(db, sql, [group], |row| row.get(0))
}
