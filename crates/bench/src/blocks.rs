//! Blocks: how fast a disk is scanned, how many blocks a known play changes, and how much memory a bake holds.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use ovenbird_core::block::GIB;
use ovenbird_disk::blocks;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use serde_json::Value;

use crate::Failure;
use crate::figure::Figure;
use crate::figure::median;
use crate::lab::Lab;
use crate::lab::Place;
use crate::lab::peak_memory;

/// Blocks of the disk that is scanned: what a Debian base holds.
const BLOCKS: u32 = 1150;
/// What the play changes when it runs in place (reference: docs/benchmarks.md).
const IN_PLACE: f64 = 156.0;

const PROJECT: &str =
    "environments = [\"dev\"]\nregion = \"us-east-1\"\n[services.blocks]\ntemplate = \"blocks.json\"\n";
const PLAYBOOK: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.apt:
        name: [nginx-light, jq, chrony]
        install_recommends: false
    - ansible.builtin.copy:
        dest: /etc/systemd/system/bench.service
        content: |
          [Service]
          ExecStart=/usr/bin/jq --version
";

pub(crate) fn measure(place: &Place, rounds: usize) -> Result<Vec<Figure>, Failure> {
    let lab = Lab::start(place, &[])?;
    Ok(vec![scan(rounds)?, changed_blocks(&lab)?, memory(&lab)?])
}

/// Scanning against hashing alone: the same bytes from memory, with as many threads.
fn scan(rounds: usize) -> Result<Figure, Failure> {
    let folder = tempfile::tempdir()?;
    let disk = folder.path().join("disk");
    let file = blocks::create_sparse(&disk, 4 * GIB)?;
    let mut block = vec![0; BLOCK_SIZE as usize];
    for index in 0..BLOCKS {
        getrandom::fill(&mut block).map_err(|error| error.to_string())?;
        file.file().write_all_at(&block, u64::from(index) * 3 * BLOCK_SIZE)?;
    }
    let mib = f64::from(BLOCKS) / 2.0;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(3) {
        let began = Instant::now();
        assert_eq!(blocks::scan(&disk)?.blocks.len(), BLOCKS as usize);
        ours.push(mib / began.elapsed().as_secs_f64());
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..BLOCKS / 2 {
                        std::hint::black_box(Digest::of(std::hint::black_box(&block)));
                    }
                });
            }
        });
        peer.push(mib / began.elapsed().as_secs_f64());
    }
    Ok(Figure::large(
        "scan and hash a disk of 1150 blocks",
        "MiB/s",
        median(&ours),
        median(&peer),
        "SHA-256 of memory, two threads",
    ))
}

fn changed_blocks(lab: &Lab<'_>) -> Result<Figure, Failure> {
    lab.write("ovenbird.toml", PROJECT)?;
    lab.write("play.yml", PLAYBOOK)?;
    lab.write("blocks.json", &template(r#""source_ami_filter": {"filters": {"name": "debian-12-amd64-*"}, "owners": ["136693071363"], "most_recent": true}"#))?;
    let said = lab.ovenbird(&["bake", "blocks", "--rebuild", "--json"]).run()?.text();
    let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let changed = events.filter_map(|event| event["changed_blocks"].as_u64()).sum::<u64>();
    Ok(Figure::small(
        "blocks that nginx-light, jq, chrony and a unit change",
        "blocks",
        changed as f64,
        IN_PLACE,
        "the play in place",
    ))
}

/// The same bake on the base, and on one with 2 GiB more in a volume of 64 GiB. Both fetch their base.
fn memory(lab: &Lab<'_>) -> Result<Figure, Failure> {
    let image = large_image(lab)?;
    let disks = lab.place.cache.join("ovenbird/disks");
    fs_err::remove_dir_all(&disks)?;
    let small = peak_memory(lab.ovenbird(&["bake", "blocks", "--rebuild", "--quiet"]))?;
    lab.write("blocks.json", &template(&format!("\"source_ami\": \"{image}\"")))?;
    let large = peak_memory(lab.ovenbird(&["bake", "blocks", "--rebuild", "--quiet"]))?;
    fs_err::remove_dir_all(&disks)?;
    let name = "memory of a bake: a base of 4 GiB (ours), one of 64 GiB with 2 GiB more in it (peer)";
    Ok(Figure::small(name, "MiB", small, large, "the same bake, larger base"))
}

fn template(source: &str) -> String {
    format!(
        r#"{{"builders": [{{"type": "amazon-ebs", "region": "us-east-1", {source},
        "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "blocks {{{{uuid}}}}"}}],
        "provisioners": [{{"type": "ansible", "playbook_file": "play.yml"}}]}}"#
    )
}

/// Imports a copy of the base's disk with a large file in it.
fn large_image(lab: &Lab<'_>) -> Result<String, Failure> {
    let disks = lab.place.cache.join("ovenbird/disks");
    let base = newest_raw(&disks)?;
    let folder = tempfile::tempdir_in(&lab.place.cache)?;
    let disk = folder.path().join("large.raw");
    blocks::copy_sparse(&base, &disk)?;
    fill(&disk, folder.path())?;
    let said = lab.ovenbird(&["local", "import"]).arg(&disk).args(["--name", "large", "--json"]).run()?.text();
    let image: Value = serde_json::from_str(said.lines().last().unwrap_or_default())?;
    image["image"].as_str().map(str::to_owned).ok_or_else(|| format!("`local import` answered no image: {said}").into())
}

fn newest_raw(folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "raw") {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    found.pop().map(|(_, path)| path).ok_or_else(|| "no base in the cache".into())
}

/// Puts 2 GiB into the root file system of a base, and makes the volume 64 GiB; its partitions stay.
fn fill(disk: &Path, folder: &Path) -> Result<(), Failure> {
    let root = gpt::find_root(disk)?;
    let mounted = LoopMount::ensure(disk, &root, &folder.join("root"), Access::ReadWrite)?;
    let file = fs_err::File::create(mounted.target().join("var/large"))?;
    let mut block = vec![0; 8 << 20];
    for index in 0..(2 * GIB / block.len() as u64) {
        getrandom::fill(&mut block).map_err(|error| error.to_string())?;
        file.file().write_all_at(&block, index * block.len() as u64)?;
    }
    drop(file);
    mounted.unmount()?;
    fs_err::OpenOptions::new().write(true).open(disk)?.set_len(64 * GIB)?;
    Ok(())
}
