//! Running a tool to its end: one loop over its pipes and its end, without threads.

use std::fs::File;
use std::io::ErrorKind;
use std::io::Read as _;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;

use super::Input;
use super::Line;
use super::Output;
use super::Tool;
use super::ToolError;
use crate::interrupt;

/// How often the loop looks at the clock and the interrupt flag when nothing else happens.
const LOOK: Duration = Duration::from_millis(100);
/// How long the loop still listens after the tool ended, if one of its children holds the pipes open.
const LINGER: Duration = Duration::from_millis(300);
/// How much of the end of each stream is kept for errors.
const TAIL: usize = 16 * 1024;
/// How many lines an error shows.
const LAST_LINES: usize = 12;

/// A tool that has been started, and is followed later. Until then it may print what a pipe holds (64 KiB).
///
/// Dropping it ends its whole process group, politely first.
pub struct Started {
    tool: Tool,
    child: Child,
    fed: Option<Vec<u8>>,
    is_reaped: bool,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

enum Stop {
    Deadline,
    Interrupted,
    Io(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

pub(super) fn run(tool: Tool) -> Result<Output, ToolError> {
    let mut stdout = Vec::new();
    let output = run_pieces(tool, |piece| stdout.extend_from_slice(piece))?;
    Ok(Output { stdout, ..output })
}

pub(super) fn run_pieces(tool: Tool, mut see: impl FnMut(&[u8])) -> Result<Output, ToolError> {
    start(tool)?.end_with(|stream, bytes| {
        if matches!(stream, Stream::Out) {
            see(bytes);
        }
    })
}

impl Started {
    /// Follows it to its end, from its first line on. Its deadline counts from here.
    ///
    /// # Errors
    /// As [`Tool::run`].
    pub fn run_lines(self, mut follow: impl FnMut(Line<'_>)) -> Result<Output, ToolError> {
        let mut out = Vec::new();
        let mut err = Vec::new();
        let result = self.end_with(|stream, bytes| match stream {
            Stream::Out => hand_over(&mut out, bytes, |line| follow(Line::Out(line))),
            Stream::Err => hand_over(&mut err, bytes, |line| follow(Line::Err(line))),
        });
        // What has no end of line is a line all the same.
        if !out.is_empty() {
            follow(Line::Out(&String::from_utf8_lossy(&out)));
        }
        if !err.is_empty() {
            follow(Line::Err(&String::from_utf8_lossy(&err)));
        }
        result
    }

    fn end_with(mut self, mut see: impl FnMut(Stream, &[u8])) -> Result<Output, ToolError> {
        let fed = self.fed.take();
        let mut tails = (Vec::new(), Vec::new());
        let ended = drive(&self.tool, &mut self.child, fed.as_deref(), &mut |stream, bytes| {
            keep_tail(if matches!(stream, Stream::Out) { &mut tails.0 } else { &mut tails.1 }, bytes);
            see(stream, bytes);
        });
        if ended.is_err() {
            end_group(&mut self.child, self.tool.grace);
        }
        self.is_reaped = true;
        let (out, err) = (String::from_utf8_lossy(&tails.0), String::from_utf8_lossy(&tails.1));
        let last_lines = last_lines(if err.trim().is_empty() { &out } else { &err });
        let (name, doing) = (std::mem::take(&mut self.tool.name), std::mem::take(&mut self.tool.doing));
        match ended {
            Ok(status) => match status.code() {
                Some(code) if self.tool.accepted.contains(&code) => {
                    Ok(Output { code, stdout: Vec::new(), stderr: err.trim_end().to_owned() })
                }
                _ => Err(ToolError::Failed { tool: name, doing, status, last_lines }),
            },
            Err(Stop::Deadline) => {
                Err(ToolError::TimedOut { tool: name, doing, deadline: self.tool.deadline, last_lines })
            }
            Err(Stop::Interrupted) => Err(ToolError::Interrupted { tool: name, doing }),
            Err(Stop::Io(source)) => Err(ToolError::start(&name, &doing, source)),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.is_reaped {
            end_group(&mut self.child, self.tool.grace);
        }
    }
}

pub(super) fn start(mut tool: Tool) -> Result<Started, ToolError> {
    if interrupt::requested() && !tool.even_if_interrupted {
        return Err(ToolError::Interrupted { tool: tool.name, doing: tool.doing });
    }
    let (stdin, fed) = match std::mem::replace(&mut tool.stdin, Input::Nothing) {
        Input::Nothing => (Stdio::null(), None),
        Input::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
        Input::File(file) => (Stdio::from(file), None),
    };
    let stdout = tool.stdout.take().map_or_else(Stdio::piped, Stdio::from);
    tool.command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
    let child = tool.spawn(true)?;
    // The command holds the child's ends of its pipes, and would keep its own input open.
    tool.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Started { tool, child, fed, is_reaped: false })
}

/// Adds `bytes` to what is `pending`, and hands over the lines that are complete now.
fn hand_over(pending: &mut Vec<u8>, bytes: &[u8], mut follow: impl FnMut(&str)) {
    let seen = pending.len();
    pending.extend_from_slice(bytes);
    let mut start = 0;
    while let Some(length) = pending[start.max(seen)..].iter().position(|byte| *byte == b'\n') {
        let end = start.max(seen) + length;
        follow(String::from_utf8_lossy(&pending[start..end]).trim_end_matches('\r'));
        start = end + 1;
    }
    pending.drain(..start);
}

/// Feeds and drains the child until it has ended. The child is not reaped when this fails.
fn drive(
    tool: &Tool,
    child: &mut Child,
    fed: Option<&[u8]>,
    see: &mut dyn FnMut(Stream, &[u8]),
) -> Result<ExitStatus, Stop> {
    let started = Instant::now();
    let mut pipes = Pipes::of(child, fed)?;
    let mut ended: Option<Instant> = None;
    loop {
        if let Some(at) = ended
            && (pipes.are_drained() || at.elapsed() > LINGER)
        {
            return Ok(child.wait()?);
        }
        if pipes.pump(ended.is_some(), see)? {
            ended = ended.or_else(|| Some(Instant::now()));
        } else if interrupt::requested() && !tool.even_if_interrupted {
            return Err(Stop::Interrupted);
        } else if started.elapsed() > tool.deadline {
            return Err(Stop::Deadline);
        }
    }
}

/// All that is heard of a child, and what it is fed.
struct Pipes<'a> {
    pidfd: OwnedFd,
    outputs: Vec<(Stream, File)>,
    input: Option<(File, &'a [u8])>,
    buffer: Vec<u8>,
}

impl<'a> Pipes<'a> {
    fn of(child: &mut Child, input: Option<&'a [u8]>) -> Result<Self, Stop> {
        let pidfd = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let out = child.stdout.take().map(|pipe| (Stream::Out, File::from(OwnedFd::from(pipe))));
        let err = child.stderr.take().map(|pipe| (Stream::Err, File::from(OwnedFd::from(pipe))));
        let stdin = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        if let Some(stdin) = &stdin {
            // A child that doesn't read must not keep us from seeing what it prints.
            rustix::fs::fcntl_setfl(stdin, OFlags::NONBLOCK)?;
        }
        let input = stdin.zip(input);
        Ok(Self { pidfd, outputs: out.into_iter().chain(err).collect(), input, buffer: vec![0; 64 * 1024] })
    }

    const fn are_drained(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Waits for news, at most [`LOOK`], and moves what can be moved. True when the child was seen to have ended.
    fn pump(&mut self, has_ended: bool, see: &mut dyn FnMut(Stream, &[u8])) -> Result<bool, Stop> {
        let ready = self.wait_for_news(has_ended)?;
        let (outputs, rest) = ready.split_at(self.outputs.len());
        let mut outputs = outputs.iter();
        let mut failure = None;
        self.outputs.retain_mut(|(stream, pipe)| {
            if outputs.next() != Some(&true) {
                return true;
            }
            match pipe.read(&mut self.buffer) {
                Ok(0) => false,
                Ok(length) => {
                    see(*stream, &self.buffer[..length]);
                    true
                }
                Err(error) => {
                    failure = Some(error);
                    false
                }
            }
        });
        self.feed();
        failure.map_or_else(|| Ok(has_ended || rest.first() == Some(&true)), |error| Err(error.into()))
    }

    /// Which of the outputs, the child's end, and the input (in this order) are ready.
    fn wait_for_news(&self, has_ended: bool) -> Result<Vec<bool>, Stop> {
        let mut fds: Vec<_> = self.outputs.iter().map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)).collect();
        if !has_ended {
            fds.push(PollFd::new(&self.pidfd, PollFlags::IN));
        }
        if let Some((stdin, _)) = &self.input {
            fds.push(PollFd::new(stdin, PollFlags::OUT));
        }
        let timeout = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(_) => Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
            Err(Errno::INTR) => Ok(vec![false; fds.len()]),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes as much of the input as the pipe takes; closes it at the end, or when the child wants no more.
    fn feed(&mut self) {
        let Some((stdin, rest)) = &mut self.input else { return };
        match stdin.write(rest) {
            Ok(length) => *rest = &rest[length..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            Err(_) => *rest = &[],
        }
        if rest.is_empty() {
            self.input = None;
        }
    }
}

/// Ends the child's whole process group: politely, then by force. Afterwards nothing of it runs.
fn end_group(child: &mut Child, grace: Duration) {
    let group = Pid::from_child(child);
    _ = rustix::process::kill_process_group(group, Signal::TERM);
    let end = Instant::now() + grace;
    if let Ok(pidfd) = rustix::process::pidfd_open(group, PidfdFlags::empty()) {
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        let grace = Timespec { tv_sec: grace.as_secs().cast_signed(), tv_nsec: 0 };
        while Instant::now() < end && rustix::event::poll(&mut fds, Some(&grace)) == Err(Errno::INTR) {}
    }
    // The leader is not reaped yet, so the group's id is still its own.
    _ = rustix::process::kill_process_group(group, Signal::KILL);
    _ = child.wait();
}

fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(bytes);
    let surplus = tail.len().saturating_sub(TAIL);
    tail.drain(..surplus);
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
