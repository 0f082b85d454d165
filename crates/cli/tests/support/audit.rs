//! The embedded EC2's books against its shelves: every block is there exactly if something refers to it.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::block::Digest;
use rusqlite::Connection;
use rusqlite::OpenFlags;

/// An entry of a snapshot's map: the block's index, its digest.
const ENTRY: usize = 4 + 32;

/// All that is wrong with the blocks and snapshots of the state folder, a sentence each. Ask while nothing writes.
pub fn audit(state: &Path) -> Vec<String> {
    let mut connection = open(state).expect("the catalogue");
    let books = connection.transaction().expect("one moment");
    let mut wrong = Vec::new();
    let mut wanted: BTreeMap<Digest, u64> = BTreeMap::new();
    for (id, state, map) in rows(&books, "SELECT id, state, map FROM snapshots", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
    }) {
        if state != "completed" {
            wrong.push(format!("snapshot {id} is {state}"));
        }
        for entry in map.chunks(ENTRY) {
            *wanted.entry(Digest(entry[4..].try_into().expect("32 bytes"))).or_default() += 1;
        }
    }
    for (snapshot, block, digest) in rows(&books, "SELECT snapshot, block, digest FROM puts", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, Digest(row.get(2)?)))
    }) {
        wrong.push(format!("block {block} was put into {snapshot}, which is not completed"));
        *wanted.entry(digest).or_default() += 1;
    }
    // The block of zeros is known and never stored.
    wanted.remove(&Digest::of(&vec![0; 512 * 1024]));
    let counted: BTreeMap<Digest, u64> = rows(&books, "SELECT digest, refs FROM blocks", |row| {
        Ok((Digest(row.get(0)?), u64::from(row.get::<_, u32>(1)?)))
    })
    .into_iter()
    .collect();
    let stored = stored(&state.join("blocks"), &mut wrong);
    wrong.extend(differences("is referred to, but the catalogue counts", &wanted, &counted));
    wrong.extend(
        stored
            .iter()
            .filter(|digest| !wanted.contains_key(digest))
            .map(|digest| format!("nothing refers to the stored block {digest}")),
    );
    wrong.extend(
        wanted
            .keys()
            .filter(|digest| stored.binary_search(digest).is_err())
            .map(|digest| format!("the block {digest} is not stored")),
    );
    wrong
}

/// The ids of all instances that the catalogue ever knew; none without a catalogue.
pub fn list_instances(state: &Path) -> Vec<String> {
    let Ok(connection) = open(state) else { return Vec::new() };
    rows(&connection, "SELECT id FROM instances", |row| row.get(0))
}

fn open(state: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(state.join("catalogue.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn rows<T>(books: &Connection, query: &str, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = books.prepare(query).expect("the catalogue's schema");
    let rows = statement.query_map([], |row| read(row)).expect("rows");
    rows.collect::<Result<_, _>>().expect("readable rows")
}

fn differences(what: &str, wanted: &BTreeMap<Digest, u64>, counted: &BTreeMap<Digest, u64>) -> Vec<String> {
    let all: std::collections::BTreeSet<&Digest> = wanted.keys().chain(counted.keys()).collect();
    let count = |of: &BTreeMap<Digest, u64>, digest| of.get(digest).copied().unwrap_or_default();
    let told = all.into_iter().filter(|digest| wanted.get(digest) != counted.get(digest));
    told.map(|digest| {
        format!("the block {digest} {what}: {} times, counted {}", count(wanted, digest), count(counted, digest))
    })
    .collect()
}

/// The digests of all stored blocks, sorted.
fn stored(blocks: &Path, wrong: &mut Vec<String>) -> Vec<Digest> {
    let mut stored = Vec::new();
    for folder in list(blocks) {
        let first = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in list(&folder) {
            let rest = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match Digest::from_hex(&format!("{first}{rest}")) {
                Some(digest) => stored.push(digest),
                None => wrong.push(format!("{} is no block", file.display())),
            }
        }
    }
    stored.sort();
    stored
}

fn list(folder: &Path) -> Vec<PathBuf> {
    fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}
