//! What a bake does, as it happens.

use std::path::PathBuf;

use serde::Serialize;

use crate::ansible;

/// A step of a bake.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A phase begins; the one before it has ended.
    Phase {
        /// What is being done.
        phase: Phase,
    },
    /// A layer that is there already is used.
    Reused {
        /// Its provisioner.
        layer: String,
        /// The snapshot that holds it.
        snapshot: String,
    },
    /// A layer is going to run.
    Runs {
        /// Its provisioner.
        layer: String,
        /// What changed, or that nothing was known.
        why: Vec<String>,
    },
    /// Ansible's own progress.
    Ansible {
        /// What happened.
        task: ansible::Event,
    },
    /// A provisioner printed a line. Secrets are masked.
    Output {
        /// The provisioner.
        run: String,
        /// The line.
        line: String,
    },
    /// A provisioner failed and is run once more.
    Retries {
        /// The provisioner.
        run: String,
        /// Why it failed.
        error: String,
        /// How often it may fail after this.
        left: u64,
    },
    /// A breakpoint: the bake goes on when whoever receives this returns.
    Waits {
        /// What the template says about it.
        note: Option<String>,
    },
    /// The base's owner lets it be launched, and not be copied: it is launched once, and the image of that instance is our own base.
    NotToBeCopied {
        /// `ami-…`
        image: String,
        /// What EC2 said.
        why: String,
    },
    /// EC2 has no room for this way of launching; the next one is tried.
    NoCapacity {
        /// Type, market and subnet.
        tried: String,
        /// What EC2 said.
        why: String,
    },
    /// An instance is baked on.
    Instance {
        /// `i-…`
        instance: String,
        /// The command that logs in, while the bake keeps it.
        login: String,
    },
    /// Blocks of the current phase.
    Blocks {
        /// Done.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// A layer is kept in AWS.
    Kept {
        /// Its provisioner.
        layer: String,
        /// The snapshot that holds it.
        snapshot: String,
        /// Blocks of 512 KiB that it changed.
        changed_blocks: u64,
    },
    /// A snapshot of the image that made way stays, although the template wants it deleted: EC2 refuses.
    SnapshotStays {
        /// `snap-…`
        snapshot: String,
        /// What EC2 said.
        why: String,
    },
    /// The bake failed and was to keep what it has.
    Stays {
        /// Its id, to resume it.
        bake: String,
        /// The disk that it baked on, with the writes of the layer that failed.
        disk: Option<PathBuf>,
    },
    /// An effect could not be taken back; `doctor` finds it by the bake's tag.
    Left {
        /// The step.
        step: String,
        /// Why.
        error: String,
    },
}

/// What a bake spends its time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Phase {
    /// Making the base our own.
    Base,
    /// Reading the base's blocks.
    Fetch,
    /// Reading the package archive's lists.
    Packages,
    /// Copying the disk that is baked on.
    Copy,
    /// Launching an instance.
    Launch,
    /// Waiting until the instance lets us in.
    Boot,
    /// Running a playbook.
    Play {
        /// The provisioner.
        layer: String,
    },
    /// Resetting identity, checking the rules.
    Seal,
    /// Stopping the instance.
    Stop,
    /// Writing what the play changed to the disk.
    Apply,
    /// Looking for changed blocks.
    Scan,
    /// Sending them.
    Upload,
    /// Registering the image.
    Register,
    /// Copying the image.
    CopyImage {
        /// The region that it is copied to.
        region: String,
    },
    /// Reading what an image holds.
    Look,
}
