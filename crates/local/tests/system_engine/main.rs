//! The engines and their networks, for real: they boot the Debian base. Needs root.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a test ends at the first surprise")]

mod container;
mod lab;
mod network;
mod qemu;

/// What serves the metadata services of one test.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
