//! Disks of images on a Linux machine: partitions, loop mounts, block maps, and the one way to spawn a system tool.
//!
//! It holds all `unsafe` of the project (two spots: a child's set-up before `exec`, and `unshare`).
//! It must never know AWS or Ansible: it speaks of files, bytes, mounts and processes only.

pub mod blocks;
pub mod esp;
pub mod fs_journal;
pub mod gpt;
pub mod interrupt;
pub mod kernel;
pub mod mount;
pub mod namespace;
pub mod process;
pub mod qcow2;
pub mod tool;
pub mod wait;
