//! `ovenbird-seal ROOT [KEY…]`: seals the tree at ROOT without the bake's public keys, and prints what it is then, as JSON.
//! `OVENBIRD_ESP_KERNEL` names the kernel that the firmware would start, where that is known.
//!
//! It is uploaded to the instance of a bake, run there by root, and gone with the memory that it lies in.

use std::io;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use ovenbird_seal::Demands;
use ovenbird_seal::remove_key;
use ovenbird_seal::report;
use ovenbird_seal::seal;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((root, keys)) = arguments.split_first() else {
        return failed("usage: ovenbird-seal ROOT [KEY...]");
    };
    let esp_kernel = std::env::var("OVENBIRD_ESP_KERNEL").ok().filter(|name| !name.is_empty());
    match run(Path::new(root), keys, &Demands { esp_kernel, ..Demands::default() }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

fn run(root: &Path, keys: &[String], demands: &Demands) -> io::Result<()> {
    keys.iter().try_for_each(|key| remove_key(root, key))?;
    seal(root).map_err(|error| io::Error::other(format!("{error}: {}", error.source)))?;
    let report = serde_json::to_vec(&report(root, demands)?)?;
    io::stdout().write_all(&report)
}

fn failed(sentence: &str) -> ExitCode {
    // Nobody is left to tell when this fails.
    _ = writeln!(io::stderr(), "error: {sentence}");
    ExitCode::FAILURE
}
