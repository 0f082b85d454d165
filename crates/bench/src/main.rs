//! `make bench`: Ovenbird against Packer, on the same template, endpoint and machine in one go; and what only we have to answer
//! for: blocks, memory, growth.
//!
//! Figures go to `target/bench.json`, medians and ratios into `docs/benchmarks.md`. Nothing here is a test: absolute times are worth
//! little on a shared machine, and only ratios of one run are compared. It must never know how a bake works: it runs the
//! programs that a user runs.

#![allow(clippy::print_stderr, reason = "a measurement that takes minutes says how far it is")]

mod blocks;
mod compare;
mod figure;
mod growth;
mod lab;
mod packer;

use std::path::Path;

use clap::Parser;

use crate::figure::Figure;
use crate::lab::Place;

/// Why a measurement could not be made; nobody handles it but the reader.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measure Ovenbird against Packer
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each comparison is made; medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these groups
    #[arg(long, value_delimiter = ',', default_values = ["service", "delayed", "fleet", "blocks", "growth"])]
    only: Vec<String>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    ovenbird_disk::namespace::enter_private()?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let place = Place {
        ovenbird: repository.join("target/dist/ovenbird"),
        cache: repository.join("target/bench-cache"),
        repository,
    };
    fs_err::create_dir_all(&place.cache)?;
    let (json, page) = (place.repository.join("target/bench.json"), place.repository.join("docs/benchmarks.md"));
    for group in &arguments.only {
        eprintln!("measures {group}");
        let machine = figure::machine();
        let figures = match group.as_str() {
            "service" => compare::service(&place, arguments.rounds)?,
            "delayed" => compare::delayed(&place, arguments.rounds.min(2))?,
            "fleet" => compare::fleet(&place, arguments.rounds.min(2))?,
            "blocks" => blocks::measure(&place, arguments.rounds)?,
            "growth" => {
                figure::show(&page, group, &growth::measure(&place)?)?;
                continue;
            }
            other => return Err(format!("there is no group `{other}`").into()),
        };
        figure::keep(&json, &figures)?;
        figure::show(&page, group, &show(&machine, &figures))?;
    }
    Ok(())
}

/// Figures as a section of the page.
fn show(machine: &str, figures: &[Figure]) -> String {
    let rows: Vec<Vec<String>> = figures.iter().map(Figure::row).collect();
    format!("On {machine}.\n\n{}", figure::table(&["what", "ours", "peer", "who", "times better"], &rows))
}
