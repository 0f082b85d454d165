//! What can be typed, and what is answered when it is wrong: every byte of it, since people and programs read it.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p ovenbird --test command_line`, and look at the difference.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    reason = "a test binary exports nothing, and tells what it does when it fails"
)]

mod line;
mod support;
