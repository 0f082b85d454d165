//! A daemon that is told to end, for real; in a process of its own, since the signal reaches all of a process's tests.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    reason = "a test ends at the first surprise; shared parts"
)]

#[path = "system_engine/lab.rs"]
mod lab;

use std::time::Duration;

use lab::Lab;
use ovenbird_local::engine::Engine as _;
use ovenbird_local::engine::container::Container;
use rustix::process::Signal;

#[test]
fn a_daemon_that_is_told_to_end_still_ends_its_instances_cleanly() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    ovenbird_disk::interrupt::install().unwrap();
    let engine = Container::new(runtime.handle().clone());
    let lab = Lab::new(&engine, 15, 1);
    let machine = &lab.machine;
    engine.start(machine).unwrap();
    lab.wait_for_console("Datasource DataSourceEc2", Duration::from_secs(60));
    engine.attach(machine, &lab.volume("vol-0aaaaaaaaaaaaaaa5")).unwrap();

    rustix::process::kill_process(rustix::process::getpid(), Signal::TERM).unwrap();
    while !ovenbird_disk::interrupt::requested() {
        std::thread::yield_now();
    }
    engine.stop(machine).unwrap();
    assert!(lab.console().contains("Halting system."), "{}", lab.console());
    assert_eq!(lab.leftovers(), [""; 0]);
}
