//! Brings a catalogue to the newest schema.

use rusqlite::Connection;

use crate::failure::Answer;
use crate::failure::Failure;

const SCHEMA: &str = include_str!("schema.sql");

/// The sections of the schema, in order; the first brings an empty file to version 1.
fn sections() -> Vec<&'static str> {
    let starts: Vec<usize> = SCHEMA.match_indices("\n-- v").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([SCHEMA.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| &SCHEMA[start..end]).collect()
}

/// Runs the sections that the catalogue has not seen.
pub(super) fn migrate(connection: &mut Connection) -> Answer<()> {
    let sections = sections();
    let transaction = connection.transaction()?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = u32::try_from(sections.len()).unwrap_or(u32::MAX);
    if version > known {
        let text = format!("it has schema version {version}, this program knows {known}; use the newer program");
        return Err(Failure::internal("open the catalogue", text));
    }
    for (_, section) in (0..known).zip(sections).skip_while(|(at, _)| *at < version) {
        transaction.execute_batch(section)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_brought_up_once_and_never_down() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(&mut connection).expect("first");
        migrate(&mut connection).expect("nothing to do");
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("version");
        assert_eq!(usize::try_from(version), Ok(sections().len()));
        connection.pragma_update(None, "user_version", version + 1).expect("a newer program");
        assert!(migrate(&mut connection).expect_err("newer").chain().contains("use the newer program"));
    }

    #[test]
    fn sections_are_numbered_from_one() {
        for (number, section) in (1..).zip(sections()) {
            assert!(section.starts_with(&format!("\n-- v{number}\n")), "{number}");
        }
    }
}
