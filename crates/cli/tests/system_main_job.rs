//! The main job for real: Debian, Ansible, boots, disks, and what happens when it is cut off. Needs root; `make test` does the set-up.
//!
//! One binary, so that `cargo test` runs nothing else beside it; the tests take turns (`support::turn`).

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    reason = "a test binary exports nothing, and tells what it does when it fails"
)]

mod support;
mod system;
