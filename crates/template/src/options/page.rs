//! `docs/template-options.md` is made of the tables, and a test keeps it so.

use std::fmt::Write as _;

use super::LAUNCHED;
use super::Row;
use super::Treatment;
use crate::amazon_ebs;
use crate::ansible;
use crate::packer;
use crate::post_processor;
use crate::provisioner;

const HEAD: &str = "# What becomes of each option of a Packer template

Made from the tables in `crates/template`; a test keeps it equal to them (`UPDATE_DOCS=1 cargo nextest run -p
ovenbird-template page` writes it). *Honoured*: it does what it does in Packer, on both paths. *On a launch*: it does that
where an instance is launched; a direct bake launches none, and a note says so. *Noted*: it may be there, and changes nothing
for the reason given. *Refused*: it must not ask for anything (empty, false and zero are fine); use what is named. An option
that stands in no table is refused with the nearest name. Keys that begin with `_` are comments. What a bake does not do yet,
it refuses by name before it starts; `validate` checks the template, and that the files that its provisioners name are there.

Of Packer's functions, `vault`, `consul_key` and `aws_secretsmanager` are refused, each with the way round: a bake asks no third party, and
a secret in an image is in every copy of it. A JSON template's strings have Packer's functions, pipes and `if`; not Go's `range`, `with`,
variables and own functions (`printf`, `len`, `index`, `gt`, …).
";

/// Every table under its heading.
fn tables() -> Vec<(&'static str, Vec<Row>)> {
    let mut tables =
        vec![("A JSON template", packer::OPTIONS.to_vec()), ("Builder `amazon-ebs`", amazon_ebs::table::options())];
    let parts = amazon_ebs::table::BLOCKS.iter().copied();
    let parts = parts.chain([("Provisioner `ansible`", ansible::OPTIONS)]);
    let parts = parts.chain(provisioner::tables()).chain(post_processor::tables());
    tables.extend(parts.map(|(heading, table)| (heading, table.to_vec())));
    tables
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (heading, table) in tables() {
        write!(page, "\n## {heading}\n\n| option | what becomes of it |\n|---|---|\n").expect("a string");
        for (names, treatment) in table {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            writeln!(page, "| {} | {} |", names.join(", "), told(treatment)).expect("a string");
        }
    }
    page
}

fn told(treatment: Treatment) -> String {
    match treatment {
        Treatment::Honoured => "honoured".to_owned(),
        Treatment::LaunchOnly => format!("on a launch; {LAUNCHED}"),
        Treatment::Noted(note) => format!("noted: {note}"),
        Treatment::Refused(instead) => format!("refused: {instead}"),
        Treatment::SameAs(variable, instead) => {
            format!("noted where `{variable}` says the same; otherwise refused: {instead}")
        }
    }
}

#[test]
fn the_page_of_options_is_what_the_tables_say() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/template-options.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, page()).expect("docs can be written");
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == page(),
        "docs/template-options.md is old: UPDATE_DOCS=1 cargo nextest run -p ovenbird-template page"
    );
}

#[test]
fn no_option_stands_in_a_table_twice() {
    for (heading, table) in tables() {
        let mut names: Vec<&str> = table.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{heading}");
    }
}

#[test]
fn reasons_are_sentences_without_their_full_stop() {
    for (names, treatment) in tables().into_iter().flat_map(|(_, table)| table) {
        if let Treatment::Noted(text) | Treatment::Refused(text) | Treatment::SameAs(_, text) = treatment {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('|'), "{names:?}: {text}");
        }
    }
}
