//! The engines, for real: they boot the Debian base. Needs root.

mod container;
mod lab;
mod qemu;

/// What serves the metadata services of one test.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
