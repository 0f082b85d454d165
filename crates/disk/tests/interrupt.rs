//! An interrupt ends what runs, and lets undoing run. Alone in its file: the flag is the whole process's.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use ovenbird_disk::interrupt;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::WaitError;
use ovenbird_disk::wait::wait_even_if_interrupted;
use ovenbird_disk::wait::wait_until;
use rustix::process::Signal;

#[test]
fn the_first_signal_ends_the_tool_and_undoing_still_works() {
    interrupt::install().unwrap();
    let error = Tool::new("sh")
        .doing("sleep long")
        .args(["-c", "echo ready; sleep 60"])
        .run_lines(|line| {
            if line == Line::Out("ready") {
                rustix::process::kill_process(rustix::process::getpid(), Signal::INT).unwrap();
            }
        })
        .unwrap_err();
    assert!(error.is_interrupted(), "{error}");
    assert!(interrupt::requested());
    assert!(Tool::new("true").run().unwrap_err().is_interrupted());
    assert_eq!(Tool::new("echo").arg("undone").even_if_interrupted().run().unwrap().text(), "undone");
    let waited = wait_until(Duration::from_secs(60), Duration::from_secs(60), || None::<()>);
    assert_eq!(waited, Err(WaitError::Interrupted));
    let moment = Duration::from_millis(1);
    assert_eq!(wait_even_if_interrupted(moment, moment, || None::<()>), Err(WaitError::Deadline(moment)));
}
