//! Tools really run, are bounded, and leave nothing behind.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Seek as _;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;
use ovenbird_disk::tool::ensure_installed;
use ovenbird_disk::wait::wait_until;

fn sh(script: &str) -> Tool {
    Tool::new("sh").doing("try the script").args(["-c", script])
}

#[test]
fn keeps_what_was_printed() {
    let output = sh("echo out; echo err >&2").run().unwrap();
    assert_eq!((output.code, output.text().as_str(), output.stderr.as_str()), (0, "out", "err"));
}

#[test]
fn an_error_says_what_was_being_done_and_shows_the_last_lines() {
    let error = sh("seq 1 100 >&2; exit 3").run().unwrap_err();
    assert_eq!(error.code(), Some(3));
    let text = error.to_string();
    assert!(text.starts_with("could not try the script: sh ended with exit status: 3:\n  89\n"), "{text}");
    assert!(text.ends_with("\n  100"), "{text}");
}

#[test]
fn an_error_shows_the_output_of_a_tool_that_complains_there() {
    assert_eq!(sh("echo complaint; exit 1").run().unwrap_err().last_lines(), "complaint");
}

#[test]
fn reads_from_and_writes_to_files_of_any_size() {
    let (mut from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    from.write_all(&vec![b'x'; 5 << 20]).unwrap();
    from.rewind().unwrap();
    let output = sh("cat; echo err >&2").stdin_file(from).stdout_file(to.try_clone().unwrap()).run().unwrap();
    assert_eq!((output.stdout.len(), output.stderr.as_str()), (0, "err"));
    assert_eq!(to.metadata().unwrap().len(), 5 << 20);
}

#[test]
fn a_status_that_is_accepted_is_no_error() {
    assert_eq!(sh("exit 1").accept([1]).run().unwrap().code, 1);
    assert_eq!(sh("exit 2").accept([1]).run().unwrap_err().code(), Some(2));
}

#[test]
fn a_missing_tool_names_its_package() {
    let text = ToolError::to_string(&ensure_installed("mke2fs-that-is-not-there", "see").unwrap_err());
    assert!(text.contains("PATH"), "{text}");
    let error = Tool::new("/nowhere/mke2fs").doing("see").run().unwrap_err();
    assert!(matches!(error, ToolError::Missing { .. }), "{error}");
}

#[test]
fn more_than_a_pipe_holds_goes_both_ways() {
    let input = vec![b'x'; 3 << 20];
    let output = Tool::new("tee").arg("/dev/stderr").stdin_bytes(input.clone()).run().unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(output.stderr.len(), 16 * 1024);
}

#[test]
fn a_tool_that_does_not_read_its_input_is_no_problem() {
    assert_eq!(sh("exit 0").stdin_bytes(vec![b'x'; 3 << 20]).run().unwrap().code, 0);
}

#[test]
fn lines_arrive_whole_and_in_order() {
    let mut lines = Vec::new();
    let script = "printf 'a\\nb'; sleep 0.2; printf 'c\\r\\n\\nend'; echo warning >&2";
    let output = sh(script)
        .run_lines(|line| {
            lines.push(match line {
                Line::Out(text) => format!("out {text}"),
                Line::Err(text) => format!("err {text}"),
            });
        })
        .unwrap();
    assert!(output.stdout.is_empty());
    let (err, out): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.starts_with("err"));
    assert_eq!(out, ["out a", "out bc", "out ", "out end"]);
    assert_eq!(err, ["err warning"]);
}

#[test]
fn the_deadline_ends_the_whole_group() {
    let started = Instant::now();
    let mut grandchild = None;
    let error = sh("sleep 60 & echo $!; wait")
        .deadline(Duration::from_millis(300))
        .run_lines(|line| {
            if let Line::Out(pid) = line {
                grandchild = Process::find(pid.parse().unwrap());
            }
        })
        .unwrap_err();
    assert!(matches!(error, ToolError::TimedOut { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
    grandchild.unwrap().wait_for_end(Duration::from_secs(2)).unwrap();
}

#[test]
fn a_tool_that_ignores_the_polite_signal_is_killed() {
    let error = sh("trap '' TERM; while :; do sleep 1; done").deadline(Duration::from_millis(100)).run().unwrap_err();
    assert!(matches!(error, ToolError::TimedOut { .. }), "{error}");
}

#[test]
fn a_daemon_that_keeps_the_pipe_does_not_hold_us() {
    let started = Instant::now();
    let output = sh("sleep 5 & echo done").run().unwrap();
    assert_eq!(output.text(), "done");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_clear_environment_still_finds_programs() {
    let output = sh("env").env_clear().env("A", "b").run().unwrap().text();
    assert!(output.contains("A=b") && output.contains("PATH=/usr/") && !output.contains("CARGO"), "{output}");
}

#[test]
fn a_guard_kills_the_whole_group_when_dropped() {
    let guard = sh("sleep 60 & sleep 60; true").spawn_guarded(Stdio::null()).unwrap();
    let process = Process::find(guard.pid()).unwrap();
    drop(guard);
    assert!(!process.is_running());
}

#[test]
fn a_guarded_tool_tells_why_it_ended() {
    let mut guard = sh("echo reason >&2; exit 4").spawn_guarded(Stdio::null()).unwrap();
    let status = wait_until(Duration::from_secs(5), Duration::from_millis(5), || guard.try_wait()).unwrap();
    assert_eq!((status.code(), guard.stderr_tail().as_str()), (Some(4), "reason"));
}

#[test]
fn a_detached_tool_has_its_own_session_and_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut detached = sh("echo hello; sleep 60").spawn_detached(&log).unwrap();
    let process = detached.process();
    let said = || fs_err::read_to_string(&log).ok().filter(|text| text == "hello\n");
    wait_until(Duration::from_secs(5), Duration::from_millis(5), said).unwrap();
    let stat = fs_err::read_to_string(format!("/proc/{}/stat", process.pid)).unwrap();
    assert_eq!(stat.rsplit_once(") ").unwrap().1.split(' ').nth(3), Some(process.pid.to_string().as_str()));
    process.end(Duration::from_secs(2));
    wait_until(Duration::from_secs(5), Duration::from_millis(5), || detached.try_wait()).unwrap();
    assert!(!process.is_running());
}
