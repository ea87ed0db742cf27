//! Several real nodes over one MongoDB and one Redis: people of one community on different nodes, and nodes that are
//! killed, hung, cut off and replaced while they talk. Each test runs its own processes.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod actors;
mod faults;
mod files;
mod killed;
mod libraries;
mod operate;
mod resume;
mod rolling;
mod talk;
mod voice;
