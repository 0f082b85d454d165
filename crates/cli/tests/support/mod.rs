//! A machine of its own for every test: nothing of the caller's environment reaches `ovenbird`, and nothing of the test stays.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses its own part")]

mod api;
mod audit;
mod clock;
mod dead;
mod home;
mod lab;
mod leftovers;
mod ran;
mod turn;

pub use api::Api;
pub use audit::audit;
pub use audit::list_instances;
pub use clock::days_from_now;
pub use clock::now;
pub use dead::end_dead_tests;
pub use home::Home;
pub use home::agent;
pub use home::repository;
pub use lab::Lab;
pub use leftovers::Leftover;
pub use leftovers::find_leftovers;
pub use leftovers::processes_with;
pub use ran::Ran;
