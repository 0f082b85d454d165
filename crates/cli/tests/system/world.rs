//! All that a bake could change: the endpoint's catalogue and blocks, and this machine.

use std::collections::BTreeSet;
use std::time::Duration;

use ovenbird_disk::wait::wait_until;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;

use crate::support::Lab;
use crate::support::Leftover;
use crate::support::audit;
use crate::support::find_leftovers;
use crate::support::list_instances;

/// Tables that tell of no resource: blocks and puts are audited against the snapshots, tokens remember requests.
const LEFT_OUT: [&str; 4] = ["blocks", "puts", "tokens", "sqlite_sequence"];
/// How long the kernel, and instances that are told to end, may take to let go.
const GONE: Duration = Duration::from_secs(20);

/// The world at a moment.
#[derive(Debug)]
pub struct World {
    /// `table|column|…` of every resource that the catalogue knows.
    catalogue: BTreeSet<String>,
    /// Mounts, loop devices, folders, processes.
    host: BTreeSet<String>,
    /// What of the blocks does not fit the snapshots.
    wrong: Vec<String>,
}

impl World {
    pub fn of(lab: &Lab) -> Self {
        _ = wait_until(GONE, Duration::from_millis(100), || (!has_ending_instance(lab)).then_some(()));
        _ = wait_until(GONE, Duration::from_millis(50), || host(lab).is_empty().then_some(()));
        // A snapshot that was just completed says so a moment later.
        _ = wait_until(GONE, Duration::from_millis(100), || audit(&lab.home.local_state()).is_empty().then_some(()));
        Self { catalogue: catalogue(lab), host: host(lab), wrong: audit(&lab.home.local_state()) }
    }

    /// Must be as `before`, but for the resources `kept`, which must be there.
    #[track_caller]
    pub fn is(&self, before: &Self, kept: &BTreeSet<String>, after: &str) {
        let of_kept = |row: &&String| kept.iter().any(|id| row.contains(id.as_str()));
        let new: Vec<&String> = self.catalogue.difference(&before.catalogue).filter(|row| !of_kept(row)).collect();
        let gone: Vec<&String> = before.catalogue.difference(&self.catalogue).collect();
        assert!(new.is_empty(), "new after {after}: {new:#?}");
        assert!(gone.is_empty(), "gone after {after}: {gone:#?}");
        for id in kept {
            assert!(self.catalogue.iter().any(|row| row.contains(id.as_str())), "{id} is not there after {after}");
        }
        assert_eq!(self.host, BTreeSet::new(), "on this machine after {after}");
        assert_eq!(self.wrong, [""; 0], "after {after}");
    }
}

fn catalogue(lab: &Lab) -> BTreeSet<String> {
    let mut connection = open(lab);
    let moment = connection.transaction().expect("one moment");
    let names: Vec<String> = moment
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
        .expect("tables");
    let mut rows = BTreeSet::new();
    for table in names.iter().filter(|name| !LEFT_OUT.contains(&name.as_str())) {
        let mut all = moment.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = all.column_count();
        let mut found = all.query([]).expect("rows");
        while let Some(row) = found.next().expect("a row") {
            let values: Vec<String> = (0..columns).map(|column| text(row.get_ref(column).expect("a value"))).collect();
            rows.insert(format!("{table}|{}", values.join("|")));
        }
    }
    leave_out_ended(&moment, &mut rows);
    rows
}

/// EC2 tells of an instance for an hour after its end. Its rows are no resource any more.
fn leave_out_ended(connection: &Connection, rows: &mut BTreeSet<String>) {
    for id in instances_in(connection, "terminated") {
        rows.retain(|row| !row.contains(&id));
    }
}

fn has_ending_instance(lab: &Lab) -> bool {
    !instances_in(&open(lab), "shutting-down").is_empty()
}

fn instances_in(connection: &Connection, state: &str) -> Vec<String> {
    let mut found = connection.prepare("SELECT id FROM instances WHERE state = ?1").expect("the schema");
    let ids = found.query_map([state], |row| row.get(0)).expect("rows");
    ids.collect::<Result<_, _>>().expect("ids")
}

fn open(lab: &Lab) -> Connection {
    let path = lab.home.local_state().join("catalogue.sqlite");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the catalogue")
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn host(lab: &Lab) -> BTreeSet<String> {
    // The endpoint itself, and what it shows, stay.
    let endpoint = lab.home.local_state().display().to_string();
    let bakes = lab.home.bakes().display().to_string();
    let is_of_a_bake = |left: &Leftover| match left {
        Leftover::Process { command, .. } => command.contains(&bakes),
        Leftover::Mount { target, .. } => !target.starts_with(&endpoint),
        Leftover::Loop { file, .. } => !file.starts_with(&endpoint),
        Leftover::Namespace { .. } | Leftover::Wire { .. } | Leftover::Group { .. } => true,
    };
    let instances = list_instances(&lab.home.local_state());
    let left = find_leftovers(&lab.home, &instances).into_iter().filter(is_of_a_bake).map(|left| format!("{left:?}"));
    // This thread may mount where no process is seen to.
    let own = fs_err::read_to_string("/proc/thread-self/mountinfo").expect("mounts");
    let own = own.lines().filter(|mount| mount.contains(&bakes)).map(str::to_owned);
    let all = [lab.list_bakes(), lab.list_half_fetched(), lab.list_sockets()].concat();
    all.into_iter().chain(left).chain(own).collect()
}
